package connector

import (
	"context"

	"github.com/habeas-data/habeas/internal/plan"
)

// Sharer measures de-identification: by how many people that is shared which stays of anonymized rows.
type Sharer interface {
	// Sharing looks at the rows of every step that anonymizes, after it ran. It reads; it changes nothing. Steps of other
	// systems and actions, and those without rows, are left out of the result.
	Sharing(ctx context.Context, steps []plan.Step, keys Source) ([]Sharing, error)
}

// Sharing is what stays of one table's anonymized rows. The values themselves are nowhere in it.
//
// A group are the rows that have the same values in the columns that stay. K counts the people of the smallest group in
// which one of the rows lies, all people of the table being made coarse alike: who knows of somebody what stays can't
// tell which of K people a row was about. Stored counts only those whose values are stored alike already, which is what
// somebody who can read the whole table is left with.
type Sharing struct {
	System  string
	Table   string
	Columns []string // generalized, or kept in words; none: nothing stays, and K and Stored are zero
	Rows    int64    // the rows that were anonymized and are there
	K       int64
	Stored  int64
	Alone   int64 // groups of one person among those in which the rows lie
}

// Tracer tells what of deleted rows outlives the delete in the system's own files.
type Tracer interface {
	// Traces gives facts that were read from the server just now. It names no row and no value.
	Traces(ctx context.Context) ([]Trace, error)
}

// Trace is one place in which what was deleted stays for a while.
type Trace struct {
	System string
	Where  string // dead_rows, log, undo, statement_log, replicas, backups
	Text   string // one or two sentences, fit for a certificate: what stays there and until when
}
