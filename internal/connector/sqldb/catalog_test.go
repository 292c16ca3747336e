package sqldb

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/connector/connectortest"
	"github.com/habeas-data/habeas/internal/datamap"
)

// TestCatalogOfManyTables: every use reads the schema anew, so that it must not cost what a request costs.
func TestCatalogOfManyTables(t *testing.T) {
	tables := 100
	if os.Getenv("HABEAS_SOAK") != "" {
		tables = 2000
	}
	onAllEngines(t, func(t *testing.T, f connectortest.Fixture) {
		var create []string
		for i := range tables {
			ref := ""
			if i > 0 {
				ref = fmt.Sprintf(", up INTEGER, FOREIGN KEY (up) REFERENCES t%d (id)", i/2)
			}
			create = append(create, fmt.Sprintf("CREATE TABLE t%d (id INTEGER PRIMARY KEY, email VARCHAR(60) UNIQUE, a INTEGER, b VARCHAR(20), c DATE%s)", i, ref))
		}
		execAll(t, f, create...)
		s, err := f.Open(&datamap.System{Name: "app", Kind: f.Kind})
		must(t, err)
		defer func() { _ = s.Close() }()
		must(t, s.(*DB).pool.Ping())
		start := time.Now()
		cat, err := s.(*DB).Catalog(context.Background())
		must(t, err)
		t.Logf("%d tables in %v", len(cat.Tables), time.Since(start))
		if len(cat.Tables) != tables || time.Since(start) > time.Duration(tables)*5*time.Millisecond {
			t.Errorf("%d tables in %v", len(cat.Tables), time.Since(start))
		}
		for i, ct := range cat.Tables {
			if len(ct.PrimaryKey) != 1 || len(ct.Unique) == 0 || len(ct.ForeignKeys) != min(1, map[bool]int{true: 0, false: 1}[ct.Name == "t0"]) {
				t.Fatalf("table %d: %+v", i, ct)
			}
		}
	})
}

// TestWideTable: as many columns as an engine allows, all read, all handed over.
func TestWideTable(t *testing.T) {
	onAllEngines(t, func(t *testing.T, f connectortest.Fixture) {
		columns := map[datamap.Kind]int{datamap.KindPostgres: 1600, datamap.KindMySQL: 1000, datamap.KindSQLite: 1900}[f.Kind]
		var b strings.Builder
		for i := range columns - 2 {
			fmt.Fprintf(&b, ", c%d SMALLINT", i)
		}
		execAll(t, f, "CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(60)"+b.String()+")", "INSERT INTO person (id, email, c7) VALUES (1, 'ann@x.test', 7)")
		person := personal("person")
		person.Erase.Do = datamap.EraseDelete
		s, err := f.Open(&datamap.System{Name: "app", Kind: f.Kind, Subjects: []datamap.Subject{subject("person", "id")}, Tables: []datamap.Table{person}})
		must(t, err)
		defer func() { _ = s.Close() }()
		must(t, s.Ping(context.Background()))
		p := connectortest.NewPackage()
		must(t, s.(*DB).Collect(context.Background(), ann(), p))
		if len(p.Rows["person"]) != 1 || len(p.Heads["person"].Columns) != columns || p.Rows["person"][0]["c7"] != "7" {
			t.Errorf("%d rows, %d columns", len(p.Rows["person"]), len(p.Heads["person"].Columns))
		}
	})
}
