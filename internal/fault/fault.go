package fault

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Kind says what a caller can do about an error. The zero Kind is Internal, so that a forgotten kind
// never tells a stranger more than that something failed.
type Kind uint8

// The kinds, each with one HTTP status and one exit code.
const (
	Internal     Kind = iota // our fault; nothing the caller can change
	Invalid                  // the input is wrong; Fields says where
	Unauthorized             // no or no valid proof of who is calling
	Forbidden                // known, but not allowed
	NotFound                 // does not exist, or belongs to another tenant
	Conflict                 // not possible now; Allowed says what is
	Gone                     // was there once and is not any more (expired, used, destroyed)
	TooMany                  // slow down; RetryAfter says how long
	Unavailable              // a dependency is away; trying again may help
)

//nolint:gochecknoglobals // the table of kinds, never written
var kinds = [...]struct {
	name   string
	status int
	exit   int
}{
	Internal:     {"internal", http.StatusInternalServerError, 1},
	Invalid:      {"invalid", http.StatusBadRequest, 2},
	Unauthorized: {"unauthorized", http.StatusUnauthorized, 1},
	Forbidden:    {"forbidden", http.StatusForbidden, 1},
	NotFound:     {"not_found", http.StatusNotFound, 1},
	Conflict:     {"conflict", http.StatusConflict, 1},
	Gone:         {"gone", http.StatusGone, 1},
	TooMany:      {"too_many", http.StatusTooManyRequests, 1},
	Unavailable:  {"unavailable", http.StatusServiceUnavailable, 1},
}

// String gives the stable name of the kind, as used in logs.
func (k Kind) String() string { return kinds[k].name }

// Field is one wrong part of an input: Name is its path as the caller wrote it (`types[0]`), Message
// what is wrong and what would be right.
type Field struct {
	Name    string `json:"name"`
	Message string `json:"message"`
}

// Error is the error type of every layer. Message and Fields are shown to whoever asked; Cause is for the log.
type Error struct {
	Kind       Kind
	Code       string        // stable slug: "plan_changed", "unknown_request"
	Message    string        // one sentence, fit for a stranger
	Fields     []Field       // for Invalid: every wrong field at once
	Allowed    []string      // for Conflict: what is possible now
	RetryAfter time.Duration // for TooMany and Unavailable
	Cause      error
}

// Error gives code, message, fields and cause: text for a log, not for a stranger.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "; %s: %s", f.Name, f.Message)
	}
	if e.Cause != nil {
		fmt.Fprintf(&b, " (%v)", e.Cause)
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New makes an error of a kind with a stable code and a message fit for a stranger.
func New(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap is New with a cause that only the log sees.
func Wrap(cause error, kind Kind, code, format string, args ...any) *Error {
	e := New(kind, code, format, args...)
	e.Cause = cause
	return e
}

// BadInput makes an Invalid error that names every wrong field; nil when there is none.
func BadInput(fields []Field) error {
	if len(fields) == 0 {
		return nil
	}
	msg := "The input has a field that is not right."
	if len(fields) > 1 {
		msg = fmt.Sprintf("The input has %d fields that are not right.", len(fields))
	}
	return &Error{Kind: Invalid, Code: "invalid_input", Message: msg, Fields: fields}
}

// As finds the *Error in a chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// KindOf gives the kind of an error; anything that is not an *Error is Internal.
func KindOf(err error) Kind {
	if e, ok := As(err); ok {
		return e.Kind
	}
	return Internal
}

// Is tells whether err is of that kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// HTTPStatus gives the status that answers an error of this kind.
func HTTPStatus(k Kind) int { return kinds[k].status }

// ExitCode gives the exit code of the command line: 0 for nil, 2 for wrong usage, else 1.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	return kinds[KindOf(err)].exit
}
