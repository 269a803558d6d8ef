package library

import "strings"

// A FacilityID is the short name of a facility in the directory, such as
// blue-ridge.
type FacilityID string

// A Facility is a place that images can be sent to, as staff entered it. It is
// the directory, and not the letter, that says where images go.
type Facility struct {
	ID         FacilityID `json:"id"`
	Name       string     `json:"name"`
	Aliases    []string   `json:"aliases,omitempty"` // Other names that letters use, and names of its doctors.
	Street     string     `json:"street"`
	City       string     `json:"city"`
	State      string     `json:"state"`
	Zip        string     `json:"zip"`
	Phone      string     `json:"phone,omitempty"`
	Fax        string     `json:"fax,omitempty"`
	NPI        string     `json:"npi,omitempty"`        // National Provider Identifier.
	Provider   bool       `json:"provider"`             // Treats patients: 45 CFR 164.506(c) may apply.
	URL        string     `json:"url"`                  // Its DICOMweb service root.
	Credential string     `json:"credential,omitempty"` // Name of its credential among the worker's secrets.
	CA         string     `json:"ca,omitempty"`         // Name of the certificate authority among the worker's secrets; empty for the system's.
	Proof      Proof      `json:"proof"`                // The best proof of arrival that it allows.
}

// A Proof is how surely images are known to have arrived (ARCHITECTURE.md,
// section 6).
type Proof string

// The degrees of proof, best first.
const (
	ProofReadBack Proof = "read-back" // Every instance read back, its digest equal.
	ProofListed   Proof = "listed"    // Every SOP Instance UID listed by the receiver.
	ProofWord     Proof = "word"      // A named person said so.
	ProofNone     Proof = "none"
)

// Validate returns an [Invalid] error that names everything wrong with f.
func (f Facility) Validate() error {
	var wrong []string
	need := func(ok bool, what string) {
		if !ok {
			wrong = append(wrong, what)
		}
	}
	need(f.ID != "" && strings.Trim(string(f.ID), "abcdefghijklmnopqrstuvwxyz0123456789-") == "", "id must be of lower-case letters, digits and dashes")
	need(f.Name != "", "name is missing")
	need(f.Street != "" && f.City != "" && f.State != "" && f.Zip != "", "address is not complete")
	need(strings.HasPrefix(f.URL, "https://") || loopback(f.URL), "url must begin with https:// (http:// on this machine alone)")
	need(f.Proof == ProofReadBack || f.Proof == ProofListed || f.Proof == ProofNone, "proof must be read-back, listed or none")
	if wrong == nil {
		return nil
	}
	return Errorf(Invalid, "check facility", string(f.ID), "%s", strings.Join(wrong, "; "))
}

func loopback(url string) bool {
	for _, p := range []string{"http://127.0.0.1:", "http://localhost:", "http://[::1]:"} {
		if strings.HasPrefix(url, p) {
			return true
		}
	}
	return false
}
