package sqldb

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/habeas-data/habeas/internal/datamap"
)

// Decisions are what a person adds to an inferred map of a third-party database so that it says what its EXPECT.md wants;
// the same for every subject and policy. Everything else is as it was inferred.
func decisions(folder string, n func(string) string, sys *datamap.System) (edits int) {
	column := func(table, name string, c datamap.Column) {
		edits++
		t, ok := sys.Table(table)
		if !ok {
			return
		}
		if t.Columns == nil {
			t.Columns = map[string]datamap.Column{}
		}
		t.Columns[name] = c
	}
	switch folder {
	case "chinook": // "country stays for tax"; the marked address is the EXPECT's own
		column(n("customer"), n("country"), kept())
		column(n("customer"), n("email"), fixed("erased-{key}@invalid"))
	case "pagila": // "the row stays, nobody can sign in"
		column("customer", "activebool", fixed("false"))
		column("staff", "active", fixed("false"))
		column("staff", "username", fixed("erased-{key}"))
		edits++
		payment, _ := sys.Table("payment") // "handled by staff: the reference stays"
		rental, _ := sys.Table("rental")
		payment.Mentions[0].OnErase, rental.Mentions[0].OnErase = "keep", "keep"
	}
	return edits
}

// An inferred map with a handful of decisions gives the expected key sets and erasures, like one written by hand.
func TestThirdPartyInferred(t *testing.T) {
	dir := os.Getenv("TEST_DATABASES")
	if dir == "" {
		t.Log("not run: the third-party databases (set TEST_DATABASES to their folder)")
		return
	}
	for name, e := range editions() {
		t.Run(name, func(t *testing.T) {
			f := e.fixture(t)
			e.load(t, f, filepath.Join(dir, e.folder))
			d, _ := draft(t, f, e.name("customer"), e.name("email"))
			sys := d.Map.Systems[0]
			edits := decisions(e.folder, e.name, &sys)
			t.Logf("%d points to decide, %d edits made", d.Open(), edits)
			e.inferred = &sys
			e.run(t, filepath.Join(dir, e.folder))
		})
	}
}
