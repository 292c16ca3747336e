package notify

import (
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/statute"
)

// Data is what a letter may say. Each kind uses what it needs; a zero field is left out of the letter.
//
// It has no place for a name or a message on purpose: both are typed at a form by whoever likes, and a letter that
// repeats them carries a stranger's words to somebody else's mailbox under the controller's name.
type Data struct {
	Controller   string // name of the controller
	Contact      string // its privacy mailbox
	Reference    dsr.Reference
	Language     string         // BCP 47
	Jurisdiction string         // decides the recourse
	Zone         *time.Location // in which dates are told; nil: UTC
	StatusURL    string         // the status page

	Right  dsr.Right   // the request that the letter is about; "" when it is about all of them
	Rights []dsr.Right // all that was asked at once

	AcknowledgeBy    statute.Date
	DueOn            statute.Date
	ExtendedUntil    statute.Date
	GraceEndsAt      time.Time
	LinkExpiresAt    time.Time
	PackageExpiresAt time.Time
	CodeExpiresAt    time.Time

	Link string // verification kinds: the verification link
	Code string // six digits

	Kept        []KeptLine
	Done        []DoneLine
	Ground      string // of a denial or an extension: a dsr.DenyGround or another code of the phrases
	Explanation string // an officer's own words
	Changed     []string

	Authority    string // who hears complaints, by name; "" leaves the general words of the jurisdiction
	AuthorityURL string
	Appeal       bool // the law gives an appeal to the controller itself
}

// KeptLine is something that an erasure leaves: what, why and until when.
type KeptLine struct {
	What     string // table or kind of data
	Category string
	Rows     int64
	Ground   string
	From     statute.Date // the first of them goes on this day; zero: all on Until
	Until    statute.Date // the last of them goes on this day; zero: no day is set
}

// DoneLine is something that was deleted, or freed of everything personal.
type DoneLine struct {
	What       string
	Category   string
	Rows       int64
	Anonymized bool
}

// Merge puts lines of the same thing and ground together, so that a letter has one line for a hundred invoices: rows
// are added up, and From to Until spans their days. The order is that of the first of each.
func Merge(lines []KeptLine) []KeptLine {
	type same struct {
		what, category, ground string
		dated                  bool
	}
	var out []KeptLine
	at := map[same]int{}
	for _, l := range lines {
		k := same{l.What, l.Category, l.Ground, !l.Until.IsZero()}
		i, ok := at[k]
		if !ok {
			at[k] = len(out)
			if l.From.IsZero() {
				l.From = l.Until
			}
			out = append(out, l)
			continue
		}
		m := &out[i]
		m.Rows += l.Rows
		first := l.From
		if first.IsZero() {
			first = l.Until
		}
		if first.Before(m.From) {
			m.From = first
		}
		if l.Until.After(m.Until) {
			m.Until = l.Until
		}
	}
	for i := range out {
		if out[i].From == out[i].Until {
			out[i].From = statute.Date{}
		}
	}
	return out
}
