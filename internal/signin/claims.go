package signin

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"

	"fileroom/internal/library"
)

// roles are all roles there are.
var roles = []library.Role{library.RoleViewer, library.RoleSpecialist, library.RoleLead, library.RolePrivacy, library.RoleAdmin}

// maxText is the most bytes of a subject and of a name: a signature carries no
// more.
const maxText = 256

// actor returns whom a verified ID token names; without roles, if it gives none.
func (p *provider) actor(id *oidc.IDToken) (library.Actor, error) {
	const op = "read id token"
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return library.Actor{}, library.Errorf(library.Invalid, op, "", "its claims cannot be read")
	}
	// Of several audiences, one must be us and the one it was given to (OpenID
	// Connect Core 1.0 section 3.1.3.7).
	if azp, named := claims["azp"]; (named || len(id.Audience) > 1) && azp != p.o.ClientID {
		return library.Actor{}, library.Errorf(library.Invalid, op, "", "it was given to somebody else")
	}
	a := library.Actor{Subject: scoped(p.o.Issuer, id.Subject), Roles: p.roles(claims)}
	if id.Subject == "" || len(a.Subject) > maxText || strings.ContainsFunc(a.Subject, unprintable) {
		return library.Actor{}, library.Errorf(library.Invalid, op, "", "its subject is empty, too long, or holds what cannot be printed")
	}
	for _, claim := range []string{"name", "preferred_username"} {
		if text, ok := claims[claim].(string); ok && a.Name == "" {
			a.Name = clean(text)
		}
	}
	if a.Name == "" {
		a.Name = clean(id.Subject)
	}
	return a, nil
}

// authLeeway is how far the provider's clock may be behind ours.
const authLeeway = time.Minute

// provedSince reports whether an ID token says that the person proved who they
// are after a second of Unix time; 0 asks nothing.
func provedSince(id *oidc.IDToken, since int64) bool {
	if since == 0 {
		return true
	}
	var claims struct {
		AuthTime *float64 `json:"auth_time"`
	}
	return id.Claims(&claims) == nil && claims.AuthTime != nil && *claims.AuthTime >= float64(since)-authLeeway.Seconds()
}

// scoped returns a subject that no other issuer's person has: sub is unique
// within its issuer alone (OpenID Connect Core 1.0 section 8).
func scoped(issuer, sub string) string {
	_, rest, _ := strings.Cut(issuer, "://") // Without a scheme and a # of its own, so it is unambiguous.
	return strings.TrimSuffix(rest, "/") + "#" + sub
}

// clean returns a name as it can be shown: on one line, and no longer than fits.
func clean(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool { return unicode.IsSpace(r) || unprintable(r) }), " ")
	for len(s) > maxText {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

// unprintable finds control characters, and those that reorder the text around.
func unprintable(r rune) bool { return !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) }

// roles returns the roles that the claims give, each once.
func (p *provider) roles(claims map[string]any) []library.Role {
	given := []library.Role{}
	for _, value := range texts(claim(claims, p.o.RolesClaim)) {
		role := library.Role(value)
		if p.o.Roles != nil {
			role = p.o.Roles[value]
		}
		if slices.Contains(roles, role) && !slices.Contains(given, role) {
			given = append(given, role)
		}
	}
	return given
}

// claim returns the claim of a name, or, if none is called so, the one that the
// name's dots lead to. Names may be URLs with dots of their own.
func claim(claims map[string]any, name string) any {
	if v, ok := claims[name]; ok {
		return v
	}
	for before := range dots(name) {
		if inner, ok := claims[name[:before]].(map[string]any); ok {
			if v := claim(inner, name[before+1:]); v != nil {
				return v
			}
		}
	}
	return nil
}

// dots yields where the dots in s are.
func dots(s string) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range len(s) {
			if s[i] == '.' && !yield(i) {
				return
			}
		}
	}
}

// texts returns the texts of a claim that is one, or an array.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}
