package dicomweb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"fileroom/internal/library"
)

// What an answer may cost at most.
const (
	maxAnswer    = 256 << 20 // Bytes of one page; it is read as a stream.
	maxStudies   = 5_000     // Of one search.
	maxInstances = 200_000   // Of one study.
)

var errAnswerTooLarge = errors.New("answer is beyond the limit")

// ask asks one QIDO-RS question (PS3.18 section 10.6) and hands each match to
// each. It reports whether the archive says that there are more matches.
func (a *Archive) ask(ctx context.Context, op, path string, query []string, each func(dataSet) error) (more bool, err error) {
	resp, err := a.get(ctx, op, path+"?"+strings.Join(query, "&"), "application/dicom+json")
	if err != nil {
		return false, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusNoContent {
		return false, nil
	}
	if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/dicom+json") && !strings.HasPrefix(kind, "application/json") {
		return false, library.Errorf(library.Invalid, op, "", "no DICOMweb archive answers there")
	}
	body := &bounded{r: resp.Body, left: maxAnswer}
	decoder := json.NewDecoder(body)
	if start, err := decoder.Token(); err != nil || start != json.Delim('[') {
		return false, notJSON(op, err)
	}
	for decoder.More() {
		var d dataSet
		if err := decoder.Decode(&d); err != nil {
			return false, notJSON(op, err)
		}
		if err := each(d); err != nil {
			return false, err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return false, notJSON(op, err)
	}
	return truncated(resp.Header), nil
}

// truncated reports whether the archive says that it held back matches
// (PS3.18 section 8.3.4.4).
func truncated(h http.Header) bool {
	for _, w := range h.Values("Warning") {
		if strings.HasPrefix(w, "299") && strings.Contains(w, "additional results") {
			return true
		}
	}
	return false
}

// notJSON names an answer that cannot be read, without quoting it.
func notJSON(op string, err error) error {
	if e, ok := errors.AsType[*library.Error](err); ok {
		return e // Trouble on the way.
	}
	if errors.Is(err, errAnswerTooLarge) {
		return library.Fault(op, "", errAnswerTooLarge)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return library.Errorf("", op, "", "answer ends too early")
	}
	return library.Errorf("", op, "", "answer is not DICOM JSON")
}

// askAll asks page after page until the archive holds back nothing and each
// match was seen once, by the attribute key. Whether short reports that some
// are missing is asked when the archive itself does not say so; it may be nil.
func (a *Archive) askAll(ctx context.Context, op, path string, query []string, key string, most int, short func(seen int) bool, each func(dataSet) error) error {
	seen := map[string]bool{}
	for {
		before, got := len(seen), 0
		page := query
		if before > 0 {
			page = append(slices.Clip(query), "offset="+strconv.Itoa(before))
		}
		more, err := a.ask(ctx, op, path, page, func(d dataSet) error {
			if got++; got > most {
				return tooMany(op, most)
			}
			id := d.text(key)
			if id == "" || seen[id] {
				return nil
			}
			seen[id] = true
			return each(d)
		})
		switch {
		case err != nil:
			return err
		case len(seen) > most:
			return tooMany(op, most)
		case !more && (short == nil || !short(len(seen))):
			return nil
		case len(seen) == before:
			return library.Errorf("", op, "", "archive holds back matches: it gave %d", len(seen))
		}
	}
}

func tooMany(op string, most int) error {
	return library.Errorf(library.Invalid, op, "", "more than %d matches", most)
}

// filter writes a query parameter. Orthanc, for one, does not undo percent
// signs, so what is not plain is asked for as "any one character", and the
// answer compared with the value.
func filter(attribute, value string) string {
	plain := func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._-^", r):
			return r
		}
		return '?'
	}
	return fmt.Sprintf("%s=%s", attribute, strings.Map(plain, value))
}

// bounded reads no more than left bytes.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errAnswerTooLarge
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
