package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/postgres"
)

// facilityCommand keeps the directory of where images can go.
type facilityCommand struct {
	Import facilityImport `cmd:"" help:"Add or replace facilities from a JSON file."`
	List   facilityList   `cmd:"" help:"List the directory."`
	Check  facilityCheck  `cmd:"" help:"Ask each facility's archive whether it answers and knows our credentials."`
}

type facilityImport struct {
	databaseFlags
	File string `arg:"" type:"existingfile" help:"A JSON list of facilities. See the README for the fields."`
}

// Run imports facilities: all of them, or none if one is wrong.
func (f facilityImport) Run(ctx context.Context, c console) error {
	b, err := os.ReadFile(f.File)
	if err != nil {
		return fmt.Errorf("read facilities: %w", err)
	}
	var all []library.Facility
	if err := json.Unmarshal(b, &all); err != nil {
		return fmt.Errorf("read facilities: not a JSON list of facilities: %w", err)
	}
	var wrong []error
	for _, one := range all {
		wrong = append(wrong, one.Validate())
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	pool, err := f.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	store := postgres.NewStore(pool)
	for _, one := range all {
		if err := store.SaveFacility(ctx, one); err != nil {
			return err
		}
	}
	c.printf("%d facilities are in the directory.\n", len(all))
	return nil
}

type facilityList struct {
	databaseFlags
	JSON bool `help:"Print JSON, as import reads it."`
}

// Run lists the directory.
func (f facilityList) Run(ctx context.Context, c console) error {
	pool, err := f.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	all, err := postgres.NewStore(pool).Facilities(ctx)
	if err != nil {
		return err
	}
	if f.JSON {
		return json.NewEncoder(c.out).Encode(all)
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tWHERE\tPROOF")
	for _, one := range all {
		fmt.Fprintf(w, "%s\t%s\t%s, %s\t%s\n", one.ID, one.Name, one.City, one.State, one.Proof)
	}
	return w.Flush()
}

type facilityCheck struct {
	databaseFlags
	Secrets string   `env:"FILEROOM_SECRETS" type:"path" placeholder:"DIR" help:"Folder with a file for each credential of a facility: user, colon, password."`
	IDs     []string `arg:"" optional:"" name:"facility" help:"Facilities to check; all if none is named."`
}

// checkTimeout is how long one facility may take to answer.
const checkTimeout = 20 * time.Second

// Run checks facilities, and fails if one does not answer.
func (f facilityCheck) Run(ctx context.Context, c console) error {
	pool, err := f.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	store := postgres.NewStore(pool)
	var all []library.Facility
	for _, id := range f.IDs {
		one, err := store.Facility(ctx, library.FacilityID(id))
		if err != nil {
			return err
		}
		all = append(all, one)
	}
	if len(f.IDs) == 0 {
		if all, err = store.Facilities(ctx); err != nil {
			return err
		}
	}
	bad := 0
	for _, one := range all {
		if err := f.check(ctx, one); err != nil {
			bad++
			c.printf("%s: %v\n", one.ID, err)
			continue
		}
		c.printf("%s: answers\n", one.ID)
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d facilities cannot be reached", bad, len(all))
	}
	return nil
}

func (f facilityCheck) check(ctx context.Context, one library.Facility) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	archive, err := openDestination(f.Secrets, one)
	if err != nil {
		return err
	}
	return archive.Check(ctx)
}
