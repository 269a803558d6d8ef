package activitiestest

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"

	"fileroom/internal/devstack/studies"
	"fileroom/internal/dicom"
	"fileroom/internal/library"
)

// An Archive is a DICOM archive in memory, with what can go wrong in one.
type Archive struct {
	mu      sync.Mutex
	objects map[string][]byte // By SOP Instance UID.
	order   []string
	studies map[string]library.StudyRecord // What a header does not say, by Study Instance UID.
	stored  map[string]int                 // How often each was sent.

	Down    error             // Every question fails with it.
	Refuse  map[string]string // SOP Instance UID to the failure reason given for it.
	Full    bool              // Every image is refused as out of resources.
	Forget  map[string]bool   // SOP Instance UIDs that are accepted and not kept.
	CutAt   int               // Retrieve breaks off after so many images; 0 for never.
	OnStore func(sop string)  // Called for each image that comes in.
}

// AddStudy puts a study of the demonstration into the archive, its images of
// the given size in pixels.
func (a *Archive) AddStudy(s studies.Study, size int) {
	s.Size = size
	a.mu.Lock()
	if a.studies == nil {
		a.studies = map[string]library.StudyRecord{}
	}
	a.studies[s.UID] = library.StudyRecord{
		UID: s.UID, Date: s.Date, Modalities: []string{s.Modality}, Description: s.Description, BodyParts: []string{s.BodyPart}, Accession: s.Accession,
	}
	a.mu.Unlock()
	err := s.Each(func(_ string, r io.Reader) error {
		object, err := io.ReadAll(r)
		a.Add(object)
		return err
	})
	if err != nil {
		panic(err) // Made in memory.
	}
}

// Add puts an object into the archive.
func (a *Archive) Add(object []byte) {
	h, _, err := dicom.ReadHeader(bytes.NewReader(object), 1<<20)
	if err != nil {
		panic(err) // A test's own object.
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keep(h.SOPInstanceUID, object)
}

// Swap puts other text of the same length into an image that the archive has.
func (a *Archive) Swap(i library.Instance, from, to string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.objects[i.SOP] = bytes.Replace(a.objects[i.SOP], []byte(from), []byte(to), 1)
}

func (a *Archive) keep(sop string, object []byte) {
	if a.objects == nil {
		a.objects, a.stored = map[string][]byte{}, map[string]int{}
	}
	if _, there := a.objects[sop]; !there { // As archives do, it keeps the old one and says nothing.
		a.objects[sop] = object
		a.order = append(a.order, sop)
	}
}

// Stored returns how often an image was sent to the archive.
func (a *Archive) Stored(sop string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stored[sop]
}

// Len returns how many images the archive has.
func (a *Archive) Len() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.objects)
}

func (a *Archive) all() ([]dicom.Header, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.Down != nil {
		return nil, a.Down
	}
	var headers []dicom.Header
	for _, sop := range a.order {
		h, _, err := dicom.ReadHeader(bytes.NewReader(a.objects[sop]), 1<<20)
		if err != nil {
			return nil, err
		}
		headers = append(headers, h)
	}
	return headers, nil
}

// FindPatients finds by MRN, or by birth date and family name.
func (a *Archive) FindPatients(_ context.Context, q library.PatientQuery) ([]library.PatientRecord, error) {
	headers, err := a.all()
	var found []library.PatientRecord
	for _, h := range headers {
		r := h.Patient.Reveal()
		fits := r.ID == q.MRN
		if q.MRN == "" {
			fits = r.BirthDate == q.BirthDate
		}
		if fits && !slices.Contains(found, r) {
			found = append(found, r)
		}
	}
	return found, err
}

// FindStudies returns the studies of a patient.
func (a *Archive) FindStudies(_ context.Context, patientID, _ string) ([]library.StudyRecord, error) {
	headers, err := a.all()
	var found []library.StudyRecord
	for _, h := range headers {
		if h.Patient.Reveal().ID != patientID {
			continue
		}
		i := slices.IndexFunc(found, func(s library.StudyRecord) bool { return s.UID == h.StudyInstanceUID })
		if i < 0 {
			record := a.studies[h.StudyInstanceUID]
			record.UID, record.Modalities = h.StudyInstanceUID, []string{h.Modality}
			found = append(found, record)
			i = len(found) - 1
		}
		found[i].Instances++
	}
	return found, err
}

// Instances returns the images of a study.
func (a *Archive) Instances(_ context.Context, study string) ([]library.Instance, error) {
	headers, err := a.all()
	var found []library.Instance
	for _, h := range headers {
		if h.StudyInstanceUID == study {
			found = append(found, library.Instance{Study: study, Series: h.SeriesInstanceUID, SOP: h.SOPInstanceUID, Class: h.SOPClassUID})
		}
	}
	return found, err
}

// Retrieve hands over the images of a study.
func (a *Archive) Retrieve(ctx context.Context, study string, each func(io.Reader) error) error {
	instances, err := a.Instances(ctx, study)
	if err != nil {
		return err
	}
	for n, i := range instances {
		if a.CutAt > 0 && n >= a.CutAt {
			return library.Fault("retrieve", "", io.ErrUnexpectedEOF)
		}
		if err := a.RetrieveInstance(ctx, i, each); err != nil {
			return err
		}
	}
	return nil
}

// RetrieveInstance hands over one image.
func (a *Archive) RetrieveInstance(ctx context.Context, i library.Instance, each func(io.Reader) error) error {
	a.mu.Lock()
	object, there := a.objects[i.SOP]
	a.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return library.Fault("retrieve", "", ctx.Err())
	case !there:
		return library.Errorf(library.NotFound, "retrieve", "", "no such instance")
	}
	return each(bytes.NewReader(object))
}

// Store takes images in.
func (a *Archive) Store(ctx context.Context, _ string, write func(add func(io.Reader) error) error) ([]library.StoreResult, error) {
	if a.Down != nil {
		return nil, a.Down
	}
	var results []library.StoreResult
	err := write(func(image io.Reader) error {
		if ctx.Err() != nil {
			return library.Fault("store", "", ctx.Err())
		}
		object, err := io.ReadAll(image)
		if err != nil {
			return err
		}
		h, _, err := dicom.ReadHeader(bytes.NewReader(object), 1<<20)
		if err != nil {
			return err
		}
		results = append(results, a.take(h.SOPInstanceUID, object))
		return nil
	})
	return results, err
}

func (a *Archive) take(sop string, object []byte) library.StoreResult {
	if a.OnStore != nil {
		a.OnStore(sop)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stored == nil {
		a.objects, a.stored = map[string][]byte{}, map[string]int{}
	}
	a.stored[sop]++
	switch code, refused := a.Refuse[sop]; {
	case a.Full:
		return library.StoreResult{SOP: sop, Code: "A700"}
	case refused:
		return library.StoreResult{SOP: sop, Code: code}
	case !a.Forget[sop]:
		a.keep(sop, object)
	}
	return library.StoreResult{SOP: sop, Stored: true}
}
