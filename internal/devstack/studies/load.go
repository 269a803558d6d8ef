package studies

import (
	"context"
	"io"

	"fileroom/internal/dicomweb"
	"fileroom/internal/library"
)

// Load stores in archive what it lacks of the studies given, or of
// [Demonstration] if none are given: nothing the second time. It looks at UIDs
// alone, so an archive that holds a study of another size is left as it is.
func Load(ctx context.Context, archive *dicomweb.Archive, list ...Study) error {
	if len(list) == 0 {
		list = Demonstration()
	}
	for _, s := range list {
		if err := load(ctx, archive, s); err != nil {
			return err
		}
	}
	return nil
}

func load(ctx context.Context, archive *dicomweb.Archive, s Study) error {
	there, err := archive.Instances(ctx, s.UID)
	if err != nil {
		return err
	}
	has := make(map[string]bool, len(there))
	for _, in := range there {
		has[in.SOP] = true
	}
	sent := 0
	results, err := archive.Store(ctx, s.UID, func(add func(io.Reader) error) error {
		for i := range s.Images() {
			if has[s.Instance(i).SOP] {
				continue
			}
			r := s.Open(i)
			err := add(r)
			_ = r.Close()
			if err != nil {
				return err
			}
			sent++
		}
		return nil
	})
	if err != nil {
		return err
	}
	stored := 0
	for _, r := range results {
		if r.Stored {
			stored++
		}
	}
	if stored != sent {
		return library.Errorf("", "load demonstration study", s.Accession, "archive stored %d of %d instances", stored, sent)
	}
	return nil
}
