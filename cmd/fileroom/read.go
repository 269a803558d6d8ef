package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"fileroom/internal/library"
	"fileroom/internal/reading"
)

// readCommand reads one request out of files.
type readCommand struct {
	JSON     bool     `help:"Print JSON: documents, request, fields and what is missing."`
	Received string   `placeholder:"DATE" help:"The day it arrived, as YYYY-MM-DD; today if not given."`
	Files    []string `arg:"" type:"existingfile" help:"The files of one request, in order: e-mails (.eml), PDF, TIFF, JPEG, PNG, text."`
}

// Run prints what is in the files.
func (r readCommand) Run(ctx context.Context, c console) error {
	received := library.DateOf(time.Now())
	if r.Received != "" {
		received = library.Date(r.Received)
		if _, ok := received.Time(); !ok {
			return fmt.Errorf("--received: %q is no date; write it as 2026-05-31", r.Received)
		}
	}
	parts, troubles, message, err := r.parts(ctx)
	if err != nil {
		return err
	}
	pages, more, err := newOpener(nil).Open(ctx, parts)
	if err != nil {
		return err
	}
	read := reading.Read(pages, reading.Options{Received: received, Sender: message.From, SenderName: message.FromName})
	read.Troubles = append(append(read.Troubles, troubles...), more...)
	if r.JSON {
		return writeJSON(c, read)
	}
	return r.print(c, read)
}

// parts takes the files apart, messages into their pieces. The first message
// says who sent the request.
func (r readCommand) parts(ctx context.Context) (parts []library.Part, troubles []library.Trouble, first library.MailMessage, err error) {
	for _, name := range r.Files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, nil, first, err
		}
		if !isMessage(name, b) {
			parts = append(parts, library.Part{Name: filepath.Base(name), Body: b})
			continue
		}
		m, err := newParser(nil).Parse(ctx, bytes.NewReader(b))
		if err != nil {
			return nil, nil, first, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		parts, troubles = append(parts, m.Parts...), append(troubles, m.Troubles...)
		if first.From == "" {
			first = m
		}
	}
	return parts, troubles, first, nil
}

// isMessage reports whether a file is an e-mail: by its name, which the person
// who typed it is trusted to mean.
func isMessage(name string, b []byte) bool {
	return strings.EqualFold(filepath.Ext(name), ".eml") && !bytes.HasPrefix(b, []byte("%PDF"))
}

// writeJSON prints a reading with the keys that programs expect, none left out.
func writeJSON(c console, read library.Reading) error {
	e := json.NewEncoder(c.out)
	e.SetIndent("", " ")
	return e.Encode(read)
}

func (r readCommand) print(c console, read library.Reading) error {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	for _, d := range read.Documents {
		fmt.Fprintf(w, "%s\tpages %v\n", d.Kind, d.Pages)
	}
	fmt.Fprintln(w, "\t")
	fmt.Fprintln(w, "FIELD\tVALUE\tSURE\tPAGE")
	for _, f := range read.Fields {
		fmt.Fprintf(w, "%s\t%s\t%.0f %%\t%d\n", f.Name, f.Value, 100*f.Confidence, f.Page)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(read.Missing) > 0 {
		c.printf("\nMissing: %s\n", strings.Join(read.Missing, ", "))
	}
	for _, t := range read.Troubles {
		c.printf("Trouble in part %d: %s\n", t.Part, t.Text)
	}
	if len(read.Others) > 0 {
		c.printf("There are %d patients in it: it must be split.\n", 1+len(read.Others))
	}
	return nil
}
