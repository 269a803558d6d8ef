package dicomweb

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"strings"

	"fileroom/internal/dicom"
	"fileroom/internal/library"
)

// asStored asks for objects as the archive keeps them. Without the transfer
// syntax an archive may decompress, and hand over other bytes than it has
// (PS3.18 section 8.7.3.5.2).
const asStored = `multipart/related; type="application/dicom"; transfer-syntax=*`

// Retrieve hands every instance of a study to f, as the archive keeps it and
// as it arrives. What f does not read of an instance is skipped. An error of f
// ends the retrieval and is returned as it is.
//
// Success means that the archive's own end was seen: an answer cut off is a
// fault, even if it was cut between two instances. An unknown study gives a
// [library.NotFound] error.
func (a *Archive) Retrieve(ctx context.Context, studyUID string, f func(instance io.Reader) error) error {
	const op = "retrieve study"
	if !dicom.ValidUID(studyUID) {
		return library.Errorf(library.Invalid, op, "", "study uid is not one")
	}
	return a.retrieve(ctx, op, "/studies/"+studyUID, f)
}

// RetrieveInstance hands one instance to f, as [Archive.Retrieve] does.
func (a *Archive) RetrieveInstance(ctx context.Context, in library.Instance, f func(instance io.Reader) error) error {
	const op = "retrieve instance"
	if !dicom.ValidUID(in.Study) || !dicom.ValidUID(in.Series) || !dicom.ValidUID(in.SOP) {
		return library.Errorf(library.Invalid, op, "", "instance has uids that are none")
	}
	count := 0
	err := a.retrieve(ctx, op, "/studies/"+in.Study+"/series/"+in.Series+"/instances/"+in.SOP, func(r io.Reader) error {
		if count++; count > 1 {
			return library.Errorf("", op, "", "archive hands over more than the one instance asked for")
		}
		return f(r)
	})
	if err == nil && count == 0 {
		return library.Errorf("", op, "", "archive hands over no instance")
	}
	return err
}

func (a *Archive) retrieve(ctx context.Context, op, target string, f func(io.Reader) error) error {
	resp, err := a.get(ctx, op, target, asStored)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	limit, err := boundary(op, resp)
	if err != nil {
		return err
	}
	parts := multipart.NewReader(resp.Body, limit)
	for {
		part, err := parts.NextRawPart()
		switch {
		case err == io.EOF: // Bare, it is the closing boundary; wrapped, the end of the connection.
			return nil
		case err != nil:
			return cut(op, err)
		}
		if kind := part.Header.Get("Content-Type"); kind != "" && !strings.HasPrefix(kind, "application/dicom") {
			return library.Errorf("", op, "", "archive hands over something else than DICOM")
		}
		if err := f(part); err != nil {
			return err
		}
	}
}

// cut names an answer that ended before its end.
func cut(op string, err error) error {
	if e, ok := errors.AsType[*library.Error](err); ok {
		return e // Trouble on the way.
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return library.Errorf("", op, "", "answer was cut off")
	}
	return library.Errorf("", op, "", "answer is not what multipart/related looks like")
}
