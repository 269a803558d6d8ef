package staff

import "fileroom/internal/library"

// The words of the library for who works there.
type (
	// A Role is what somebody does at the library.
	Role = library.Role
	// An Actor is somebody of the staff, as a door signed them in.
	Actor = library.Actor
)

// The roles, as the library names them.
const (
	Viewer     = library.RoleViewer
	Specialist = library.RoleSpecialist
	Lead       = library.RoleLead
	Privacy    = library.RolePrivacy
	Admin      = library.RoleAdmin
)

// The most that a statement carries.
const (
	maxText  = 256 // Bytes of each text.
	maxRoles = 8
)

// checkActor refuses an actor that cannot be signed for.
func checkActor(a Actor, op, id string) error {
	if a.Subject == "" {
		return library.Errorf(library.Invalid, op, id, "nobody is signed in")
	}
	if len(a.Subject) > maxText || len(a.Name) > maxText || len(a.Roles) > maxRoles {
		return library.Errorf(library.Invalid, op, id, "the person's name or list of roles is too long")
	}
	return nil
}
