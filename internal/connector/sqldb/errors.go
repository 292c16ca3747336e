package sqldb

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"syscall"

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

// trouble is an error of a driver in terms of what can be done about it.
type trouble struct {
	kind  fault.Kind // Unavailable: again later; Conflict: only a person mends it
	code  string
	says  string // the rest of the sentence that begins with "The database shop"
	clean *dbError
}

const (
	codeAway    = "system_away"    // transient
	codeRefused = "system_refused" // permanent until somebody changes a setting or a grant
)

// fail turns an error of a driver into a fault without values: doing says what, with names of tables only. Unavailable
// is worth another try; Conflict is not.
func (d *DB) fail(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	doing := fmt.Sprintf(format, args...)
	if _, ok := fault.As(err); ok {
		return fmt.Errorf("%s in %s: %w", doing, d.sys.Name, err)
	}
	t := classify(err)
	switch {
	case t.code == "constraint":
		return fault.Wrap(t.clean, t.kind, t.code, "A rule of the database %s stood against %s; nothing of it was done.", d.sys.Name, doing)
	case t.says != "":
		return fault.Wrap(t.clean, t.kind, t.code, "The database %s %s (%s).", d.sys.Name, t.says, doing)
	case t.kind == fault.Unavailable:
		return fault.Wrap(t.clean, t.kind, t.code, "The database %s did not answer in time while %s.", d.sys.Name, doing)
	default:
		return fmt.Errorf("%s in %s: %w", doing, d.sys.Name, t.clean)
	}
}

func classify(err error) trouble {
	var pe *pgconn.PgError
	var me *mysql.MySQLError
	var se *sqlite.Error
	switch {
	case errors.As(err, &pe):
		return pgTrouble(pe)
	case errors.As(err, &me):
		return mysqlTrouble(me)
	case errors.As(err, &se):
		return sqliteTrouble(se.Code())
	case errors.Is(err, context.Canceled):
		return trouble{kind: fault.Internal, clean: &dbError{code: "nothing: the work was called off", cause: context.Canceled}}
	default:
		return wireTrouble(err)
	}
}

func stopped(clean *dbError, format string, args ...any) trouble {
	return trouble{fault.Conflict, codeRefused, fmt.Sprintf(format, args...), clean}
}

func later(clean *dbError, says string) trouble {
	return trouble{fault.Unavailable, codeAway, says, clean}
}

// deniedForm reads what PostgreSQL refuses: names of relations only. In a server that speaks another language it
// finds nothing, and the sentence says less.
var deniedForm = regexp.MustCompile(`^permission denied for (table|view|relation|materialized view|foreign table|schema|column|function|database|sequence) "?([^"]+?)"?$|affected by row-level security policy for table "([^"]+)"`)

func pgTrouble(e *pgconn.PgError) trouble {
	c := &dbError{code: "SQLSTATE " + e.Code, constraint: e.ConstraintName,
		again: e.Code == "40001" || e.Code == "40P01" || e.Code == "55P03", slow: e.Code == "57014",
		refers: e.Code == "23503" || e.Code == "23001"}
	switch {
	case strings.HasPrefix(e.Code, "23"):
		return trouble{kind: fault.Conflict, code: "constraint", clean: c}
	case e.Code == "28P01":
		return stopped(c, "refuses the user or the password")
	case strings.HasPrefix(e.Code, "28"):
		return stopped(c, "does not let this user in from here: its host-based authentication (pg_hba.conf) or the role's attributes forbid it")
	case e.Code == "3D000":
		return stopped(c, "does not exist on that server")
	case e.Code == "42501":
		m := deniedForm.FindStringSubmatch(e.Message)
		switch {
		case m == nil:
			return stopped(c, "denies the role a permission")
		case m[3] != "":
			return stopped(c, "would show only a part of the table %s: row-level security holds the role back; give it BYPASSRLS, or name the settings that its policies read under session", m[3])
		default:
			return stopped(c, "denies the role its permission for the %s %s", m[1], m[2])
		}
	case e.Code == "25006":
		return stopped(c, "takes no writes: it is a replica or read only; name the primary as dsn.write")
	case e.Code == "57014":
		return later(c, "ended a statement that took longer than its limit")
	case e.Code == "53300":
		return later(c, "has no connection left")
	case strings.HasPrefix(e.Code, "08"), strings.HasPrefix(e.Code, "53"), strings.HasPrefix(e.Code, "57"),
		strings.HasPrefix(e.Code, "40"), e.Code == "55P03", strings.HasPrefix(e.Code, "25P"):
		return later(c, "")
	}
	return trouble{kind: fault.Internal, clean: c}
}

// mysqlDenied reads the command and the table of errors 1142 and 1143; the user between them is left out.
var mysqlDenied = regexp.MustCompile("^([A-Z, ]+?) command denied to user .* for (?:table|column .* in table) ['`](?:[^'`]+`?\\.`?)?([^'`]+)['`]")

func mysqlTrouble(e *mysql.MySQLError) trouble {
	c := &dbError{code: fmt.Sprintf("error %d", e.Number),
		again: e.Number == 1205 || e.Number == 1213 || e.Number == 1020, slow: e.Number == 1969 || e.Number == 3024,
		refers: e.Number == 1451 || e.Number == 1217}
	switch e.Number {
	case 1048, 1062, 1169, 1216, 1217, 1451, 1452, 1557, 1586, 1761, 1762, 3819, 4025:
		return trouble{kind: fault.Conflict, code: "constraint", clean: c}
	case 1045, 1698, 3118:
		return stopped(c, "refuses the user or the password")
	case 1130:
		return stopped(c, "does not let this user in from here")
	case 1044, 1227, 1370:
		return stopped(c, "denies the role a permission")
	case 1142, 1143:
		if m := mysqlDenied.FindStringSubmatch(e.Message); m != nil {
			return stopped(c, "denies the role %s on the table %s", m[1], m[2])
		}
		return stopped(c, "denies the role a permission for a table")
	case 1049:
		return stopped(c, "does not exist on that server")
	case 1290, 1792, 1836:
		return stopped(c, "takes no writes: it is a replica or read only; name the primary as dsn.write")
	case 3159:
		return stopped(c, "takes encrypted connections only: say tls=true")
	case 1969, 3024:
		return later(c, "ended a statement that took longer than its limit")
	case 1040, 1203, 1226:
		return later(c, "has no connection left")
	case 1205, 1213, 1020, 1053, 1317, 1927:
		return later(c, "")
	}
	return trouble{kind: fault.Internal, clean: c}
}

func sqliteTrouble(code int) trouble {
	c := &dbError{code: fmt.Sprintf("SQLite code %d", code), again: code&0xff == 5 || code&0xff == 6, refers: code == 787 || code == 1811}
	switch code & 0xff {
	case 19: // SQLITE_CONSTRAINT
		return trouble{kind: fault.Conflict, code: "constraint", clean: c}
	case 5, 6, 9: // busy, locked, interrupted
		return later(c, "")
	case 8:
		return stopped(c, "takes no writes: its file or folder is read only")
	case 14:
		return stopped(c, "can't be opened: its file does not exist or may not be read")
	case 11, 26:
		return stopped(c, "can't be read: its file is damaged, encrypted or no SQLite database")
	case 10, 13:
		return later(c, "can't be read or written to the end: the disk failed or is full")
	}
	return trouble{kind: fault.Internal, clean: c}
}

// wireTrouble is about connections. Their errors quote host, user and sometimes the DSN: none of that is kept.
func wireTrouble(err error) trouble {
	var dns *net.DNSError
	var ne net.Error
	var ce *pgconn.ConnectError
	var ve *tls.CertificateVerificationError
	var alert tls.AlertError
	nothing := &dbError{code: "nothing: the connection failed"}
	switch {
	case errors.As(err, &ve), errors.As(err, &alert):
		return stopped(nothing, "failed the TLS check: its certificate is not one that the dsn trusts for this host, or ours is not one that it takes")
	case errors.Is(err, mysql.ErrNoTLS), strings.Contains(err.Error(), "server refused TLS connection"):
		return stopped(nothing, "does not offer TLS")
	case errors.Is(err, syscall.ECONNREFUSED):
		return later(&dbError{code: "nothing: the connection was refused"}, "refused the connection: nothing listens there")
	case errors.As(err, &dns) && !dns.IsTimeout:
		return later(nothing, "can't be found: its host has no address")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return later(nothing, "can't be reached: there is no way to its host")
	case errors.Is(err, context.DeadlineExceeded):
		return later(&dbError{code: "nothing in time", cause: context.DeadlineExceeded}, "")
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, mysql.ErrInvalidConn), errors.As(err, &ne), errors.As(err, &ce),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), pgconn.SafeToRetry(err): // a connection that broke off in the middle
		return later(nothing, "")
	}
	return trouble{kind: fault.Internal, clean: &dbError{code: fmt.Sprintf("with a %T", err)}}
}
