// Package fault owns the one error type of the program.
//
// An *Error has a Kind (what went wrong, in terms a caller can act on), a stable Code (a slug for
// programs), and a Message that is fit for a stranger: it never holds personal data, SQL, paths or
// anything else internal. The cause, for the log alone, travels beside it and is reached by Unwrap.
//
//	use case ── *fault.Error ──┬── HTTPStatus(kind)   the doors
//	                           └── ExitCode(kind)     the command line
//
// Every error that is not an *Error is Internal: the caller sees a fixed sentence, the log sees the cause.
package fault
