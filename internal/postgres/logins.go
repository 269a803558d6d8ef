package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"fileroom/internal/library"
)

// The users that [Migrate] makes when a login names none. Users belong to the
// cluster: two installations in one cluster need names of their own.
const (
	WorkerUser = "fileroom_worker_login"
	ReaderUser = "fileroom_reader_login"
	StaffUser  = "fileroom_staff_login"
)

// Logins are the users that can log in, each a member of its group role. A
// login without a password is left as it is.
type Logins struct {
	Worker Login // Reads and writes the records.
	Reader Login // Reads the records and the access log.
	Staff  Login // Reads the records, and writes who looked at what and who is signed in.
}

// A Login is a user and its password.
type Login struct {
	User     string // Lower-case letters, digits and underscores; empty for [WorkerUser], [ReaderUser] or [StaffUser].
	Password string // Printable ASCII, at least twelve characters.
}

// each calls f with each login that has a password, under its full name.
func (l Logins) each(f func(group string, login Login) error) error {
	if l.Worker.User == "" {
		l.Worker.User = WorkerUser
	}
	if l.Reader.User == "" {
		l.Reader.User = ReaderUser
	}
	if l.Staff.User == "" {
		l.Staff.User = StaffUser
	}
	for _, one := range []struct {
		group string
		login Login
	}{{"fileroom_worker", l.Worker}, {"fileroom_reader", l.Reader}, {"fileroom_staff", l.Staff}} {
		if one.login.Password == "" {
			continue
		}
		if err := f(one.group, one.login); err != nil {
			return err
		}
	}
	return nil
}

func (l Logins) validate() error {
	const op = "check logins"
	users := map[string]bool{"fileroom_worker": true, "fileroom_reader": true, "fileroom_staff": true}
	return l.each(func(_ string, login Login) error {
		switch {
		case strings.Trim(login.User, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" || len(login.User) > 63:
			return library.Errorf(library.Invalid, op, "", "a user's name must be of lower-case letters, digits and underscores")
		case users[login.User]:
			return library.Errorf(library.Invalid, op, login.User, "the name is taken by a group or another login")
		case len(login.Password) < 12:
			return library.Errorf(library.Invalid, op, login.User, "the password is shorter than twelve characters")
		case strings.ContainsFunc(login.Password, func(r rune) bool { return r < ' ' || r > '~' }):
			return library.Errorf(library.Invalid, op, login.User, "the password must be of printable ASCII characters")
		}
		users[login.User] = true
		return nil
	})
}

const userSQL = `
	SELECT count(*) > 0, coalesce(bool_or(rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls), false)
	FROM pg_roles
	WHERE rolname = $1`

// grant makes the users and sets their passwords. A statement that makes a
// role takes no parameters, so its text is put together; names and verifiers
// are of alphabets that need no quoting, and are quoted all the same.
func (l Logins) grant(ctx context.Context, tx pgx.Tx) error {
	return l.each(func(group string, login Login) error {
		var exists, mighty bool
		err := tx.QueryRow(ctx, userSQL, login.User).Scan(&exists, &mighty)
		if err != nil {
			return err
		}
		if mighty {
			return library.Errorf(library.Invalid, "make login", login.User, "the user has rights that a login of the program must not have")
		}
		verb := "CREATE"
		if exists {
			verb = "ALTER"
		}
		verifier, err := scramVerifier(login.Password)
		if err != nil {
			return err
		}
		user := pgx.Identifier{login.User}.Sanitize()
		if _, err := tx.Exec(ctx, fmt.Sprintf(`%s ROLE %s LOGIN PASSWORD '%s'`, verb, user, verifier)); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, fmt.Sprintf(`GRANT %s TO %s`, pgx.Identifier{group}.Sanitize(), user))
		return err
	})
}

// scramVerifier returns what PostgreSQL stores for a password: RFC 5802,
// section 3, with SHA-256 (RFC 7677) and the server's own 4096 rounds. For
// ASCII, SASLprep changes nothing.
func scramVerifier(password string) (string, error) {
	const rounds = 4096
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // Does not fail.
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		return "", err
	}
	mac := func(text string) []byte {
		h := hmac.New(sha256.New, salted)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	stored := sha256.Sum256(mac("Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", rounds, encode(salt), encode(stored[:]), encode(mac("Server Key"))), nil
}
