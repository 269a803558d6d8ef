package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"fileroom/internal/library"
)

// fault puts a driver's error in the library's words. A server's message can
// quote a row and a decoder's can quote a value, so neither is kept: only
// SQLSTATE, the constraint's name and the type of the error. The server's own
// log has the rest.
func fault(op, id string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*library.Error](err); ok {
		return err
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return library.Errorf(library.NotFound, op, id, "not on record")
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		text := strings.TrimSpace("SQLSTATE " + pg.Code + " " + pg.ConstraintName)
		return library.Errorf(kindOf(pg.Code), op, id, "postgres: %s", text)
	}
	for _, ended := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, ended) {
			return library.Fault(op, id, ended)
		}
	}
	if broken, ok := errors.AsType[*net.OpError](err); ok { // Names an address and an errno.
		return library.Fault(op, id, fmt.Errorf("postgres: %w", broken))
	}
	return library.Fault(op, id, fmt.Errorf("postgres: %T", err))
}

// kindOf says what a caller can do about a SQLSTATE (PostgreSQL, appendix A).
func kindOf(code string) library.Kind {
	switch {
	case code == "23503": // foreign_key_violation: what a row points to is missing.
		return library.NotFound
	case code == "23505": // unique_violation.
		return library.Conflict
	case code == "23502", code == "23514", strings.HasPrefix(code, "22"): // not_null_violation, check_violation, data exceptions.
		return library.Invalid
	case code == "42501", strings.HasPrefix(code, "28"): // insufficient_privilege, invalid authorization.
		return library.Unauthorized
	}
	return ""
}
