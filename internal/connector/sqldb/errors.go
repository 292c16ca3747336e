package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"github.com/habeas-data/habeas/internal/fault"
)

// dbError stands for an answer of the database. The original text is left out on purpose: databases quote values
// ("Duplicate entry 'ann@…'"), and errors end in logs.
type dbError struct {
	code       string // SQLSTATE, MySQL number or SQLite result code
	constraint string // where the engine names it apart from its text
	cause      error  // a context error, else nil
	again      bool   // somebody held what we asked for: the same transaction may succeed a moment later
	slow       bool   // our own bound on a statement's time was reached
	refers     bool   // a row that stays refers to what would go
}

func (e *dbError) Error() string {
	if e.constraint != "" {
		return fmt.Sprintf("the database answered %s (constraint %s)", e.code, e.constraint)
	}
	return "the database answered " + e.code
}

func (e *dbError) Unwrap() error { return e.cause }

// fail turns an error of a driver into a fault without values: doing says what, with names of tables only.
func (d *DB) fail(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	doing := fmt.Sprintf(format, args...)
	if _, ok := fault.As(err); ok {
		return fmt.Errorf("%s in %s: %w", doing, d.sys.Name, err)
	}
	kind, clean := classify(err)
	// What is not named is the default.
	//exhaustive:ignore
	switch kind {
	case fault.Conflict:
		return fault.Wrap(clean, kind, "constraint", "A rule of the database %s stood against %s; nothing of it was done.", d.sys.Name, doing)
	case fault.Unavailable:
		return fault.Wrap(clean, kind, "system_away", "The database %s did not answer in time while %s.", d.sys.Name, doing)
	default:
		return fmt.Errorf("%s in %s: %w", doing, d.sys.Name, clean)
	}
}

func classify(err error) (fault.Kind, error) {
	var pe *pgconn.PgError
	var me *mysql.MySQLError
	var se *sqlite.Error
	var ne net.Error
	switch {
	case errors.As(err, &pe):
		c := &dbError{code: "SQLSTATE " + pe.Code, constraint: pe.ConstraintName,
			again: pe.Code == "40001" || pe.Code == "40P01" || pe.Code == "55P03", slow: pe.Code == "57014",
			refers: pe.Code == "23503" || pe.Code == "23001"}
		switch {
		case strings.HasPrefix(pe.Code, "23"):
			return fault.Conflict, c
		case strings.HasPrefix(pe.Code, "08"), strings.HasPrefix(pe.Code, "53"), strings.HasPrefix(pe.Code, "57"),
			strings.HasPrefix(pe.Code, "40"), pe.Code == "55P03":
			return fault.Unavailable, c
		}
		return fault.Internal, c
	case errors.As(err, &me):
		c := &dbError{code: fmt.Sprintf("error %d", me.Number),
			again: me.Number == 1205 || me.Number == 1213 || me.Number == 1020, slow: me.Number == 1969 || me.Number == 3024,
			refers: me.Number == 1451 || me.Number == 1217}
		switch me.Number {
		case 1048, 1062, 1169, 1216, 1217, 1451, 1452, 1557, 1586, 1761, 1762, 3819, 4025:
			return fault.Conflict, c
		case 1205, 1213, 1020, 1040, 1053, 1317, 1969, 3024:
			return fault.Unavailable, c
		}
		return fault.Internal, c
	case errors.As(err, &se):
		c := &dbError{code: fmt.Sprintf("SQLite code %d", se.Code()), again: se.Code()&0xff == 5 || se.Code()&0xff == 6,
			refers: se.Code() == 787 || se.Code() == 1811}
		switch se.Code() & 0xff {
		case 19: // SQLITE_CONSTRAINT
			return fault.Conflict, c
		case 5, 6, 9: // busy, locked, interrupted
			return fault.Unavailable, c
		}
		return fault.Internal, c
	case errors.Is(err, context.Canceled):
		return fault.Internal, &dbError{code: "nothing: the work was called off", cause: context.Canceled}
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Unavailable, &dbError{code: "nothing in time", cause: context.DeadlineExceeded}
	case errors.As(err, &ne), errors.Is(err, driver.ErrBadConn), errors.Is(err, mysql.ErrInvalidConn):
		return fault.Unavailable, &dbError{code: "nothing: the connection failed"}
	default:
		// Connection errors of the drivers quote host, user and sometimes the DSN.
		var ce *pgconn.ConnectError
		if errors.As(err, &ce) {
			return fault.Unavailable, &dbError{code: "nothing: the connection was refused"}
		}
		return fault.Internal, &dbError{code: fmt.Sprintf("with a %T", err)}
	}
}
