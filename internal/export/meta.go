package export

import (
	"io"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
)

// Format names the version of packages.
const Format = "habeas-package/1"

// Meta is what a package says of itself.
type Meta struct {
	Request       string // id
	Reference     string
	Right         dsr.Right
	Tenant        string
	Controller    string
	Contact       string
	Language      string
	Jurisdiction  string
	PolicyVersion string
	MadeAt        time.Time // the plan's time
	Withheld      []plan.Withheld
	Words         Words
	Policy        *policy.Policy // purposes, basis, recipients and so on of the letter; may be nil
	Map           *datamap.Map   // which table is of which category, which columns may be hidden; may be nil

	// KeyHash is that of the plan. With it the manifest says of each collection the digest of the keys that the
	// connector gave, which Verify compares with the plan's. Without it Verify can prove only collections whose keys
	// can be read back from the data.
	KeyHash connector.KeyHash

	Memory *MemoryWriter // takes every row, for the next package; may be nil
	Last   *LastPackage  // needs Memory; nil when there is none

	Authority    string // who hears complaints; "" says it in general words
	AuthorityURL string
	Appeal       bool // the law gives an appeal to the controller
}

// LastPackage is the one before, of the same person and right.
type LastPackage struct {
	MadeAt time.Time
	Open   func() (io.ReadCloser, error) // its memory, as MemoryWriter.WriteTo wrote it, under the same key; called once, in Close
}

// Words are the phrases of one language. They are declared here because the letters' package lies beside this one.
type Words interface {
	Lang() string
	Has(key string) bool
	Say(key string, pairs ...string) string
	Count(key string, n int64) string
	Number(n int64) string
	Date(d statute.Date) string
	At(t time.Time, zone *time.Location) string
	Period(d statute.Period) string
	List(items []string) string
	Country(code string) string
	Code(family, word string) string
	Thing(name string) string
	Right(r dsr.Right) string
	RightNoun(r dsr.Right) string
	Reason(text string) string
	Recourse(jurisdiction, authority, authorityURL, contact string, appeal bool) []string
}

// category gives the name of the category that a table is of; "" when nothing says.
func (m *Meta) category(system, table string) string {
	if t := m.table(system, table); t != nil {
		return t.Category
	}
	return ""
}

func (m *Meta) table(system, table string) *datamap.Table {
	if m.Map == nil {
		return nil
	}
	s, ok := m.Map.System(system)
	if !ok {
		return nil
	}
	t, ok := s.Table(table)
	if !ok {
		return nil
	}
	return t
}
