package sqldb

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/connector/connectortest"
	"github.com/habeas-data/habeas/internal/datamap"
)

// twin is a database of a typical shape with what a first map of it should say. The comments of its file hold it:
//
//	owns:     table>owner:column[+column][?type=Value]   downward
//	          table^owner:column                         upward: the owner's column points here
//	          table~column[$.path]                       by an identifier
//	about:    the same, of a second person
//	personal: table.column; a - behind it: may be guessed or not
//
// Blanks within names are written as they are: entries end where the next begins with a known table.
type twin struct {
	name, sql, table, column string
	engines                  []string
	owns, about              []string
	personal, either         []string
}

func readTwins(t *testing.T) []twin {
	files, err := filepath.Glob("testdata/twins/*.sql")
	must(t, err)
	var out []twin
	for _, f := range files {
		raw, err := os.ReadFile(f)
		must(t, err)
		tw := twin{name: strings.TrimSuffix(filepath.Base(f), ".sql"), sql: string(raw)}
		for line := range strings.Lines(tw.sql) {
			key, rest, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "-- "), ": ")
			if !ok || !strings.HasPrefix(line, "-- ") {
				continue
			}
			switch key {
			case "engines":
				tw.engines = strings.Fields(rest)
			case "subject":
				i := strings.LastIndex(rest, ".")
				tw.table, tw.column = rest[:i], rest[i+1:]
			case "owns":
				tw.owns = append(tw.owns, entries(rest, ">^~")...)
			case "about":
				tw.about = append(tw.about, entries(rest, ">^~")...)
			case "personal":
				for _, p := range entries(rest, ".") {
					if name, ok := strings.CutSuffix(p, "-"); ok {
						tw.either = append(tw.either, name)
					} else {
						tw.personal = append(tw.personal, p)
					}
				}
			}
		}
		out = append(out, tw)
	}
	return out
}

// entries splits at "; " where names hold blanks, else at blanks.
func entries(s, _ string) []string {
	if strings.Contains(s, "; ") {
		return strings.Split(s, "; ")
	}
	return strings.Fields(s)
}

func (tw twin) load(t *testing.T, f connectortest.Fixture) {
	t.Helper()
	ctx := context.Background()
	conn, err := f.DB.Conn(ctx)
	must(t, err)
	defer func() { _ = conn.Close() }()
	if f.Kind == datamap.KindMySQL {
		_, err = conn.ExecContext(ctx, "SET SESSION sql_mode = 'ANSI_QUOTES'")
		must(t, err)
	}
	for stmt := range strings.SplitSeq(tw.sql, ";\n") {
		if _, err := conn.ExecContext(ctx, stmt); err != nil && strings.TrimSpace(stmt) != "" {
			t.Fatalf("%s: %v", strings.TrimSpace(stmt), err)
		}
	}
}

// draft infers a map of the live database, with samples.
func draft(t *testing.T, f connectortest.Fixture, table, column string) (*datamap.Draft, *datamap.Catalog) {
	t.Helper()
	ctx := context.Background()
	sys := &datamap.System{Name: "app", Kind: f.Kind}
	opened, err := f.Open(sys)
	must(t, err)
	db := opened.(*DB)
	t.Cleanup(func() { _ = db.Close() })
	cat, err := db.Catalog(ctx)
	must(t, err)
	d, err := datamap.Infer(ctx, cat, table, column, datamap.InferOptions{Evidence: db.Evidence()})
	must(t, err)
	// What is inferred is what is written: the file is read back and held against the same database.
	text := datamap.Write(d.Map, d.Notes)
	m, problems := datamap.Parse("datamap.yaml", text)
	if m == nil {
		t.Fatalf("the written map is not read: %v\n%s", problems, text)
	}
	d.Map = m
	m.Systems[0].DSN = ""
	again, err := f.Open(&m.Systems[0])
	must(t, err)
	t.Cleanup(func() { _ = again.Close() })
	cat, err = again.(connector.Cataloger).Catalog(ctx)
	must(t, err)
	if findings := datamap.Coverage(&m.Systems[0], cat); datamap.Blocking(findings) {
		t.Errorf("the written map does not pass the check: %v\n%s", findings, text)
	}
	must(t, again.Ping(ctx))
	if os.Getenv("HABEAS_SHOW") != "" {
		t.Logf("%s", text)
	}
	return d, cat
}

// edgesOf writes the relations of a map as a twin's file does.
func edgesOf(t *testing.T, sys *datamap.System, cat *datamap.Catalog, relations func(*datamap.Table) []datamap.Relation) []string {
	t.Helper()
	var out []string
	for i := range sys.Tables {
		e := &sys.Tables[i]
		for _, r := range relations(e) {
			l, err := datamap.Resolve(sys, cat, e.Name, r)
			must(t, err)
			edge, cols := e.Name+">"+r.Table, l.FromColumns
			if r.Upward() {
				edge = e.Name + "^" + r.Table
			}
			edge += ":" + strings.Join(cols, "+")
			for k, v := range r.When {
				edge += "?" + k + "=" + v
			}
			out = append(out, edge)
		}
	}
	return out
}

func owners(e *datamap.Table) []datamap.Relation { return e.Owners }

func matchEdges(sys *datamap.System) []string {
	var out []string
	for i := range sys.Tables {
		if m := sys.Tables[i].Match; m != nil {
			for _, a := range m.Any {
				for _, c := range a.Columns {
					out = append(out, sys.Tables[i].Name+"~"+c.Column+c.JSON)
				}
			}
		}
	}
	return out
}

// score counts what was found of what was wanted.
type score struct{ right, wanted, given int }

func compare(got, want, either []string) (s score, missing, extra []string) {
	for _, w := range want {
		s.wanted++
		if slices.Contains(got, w) {
			s.right++
		} else {
			missing = append(missing, w)
		}
	}
	for _, g := range got {
		if slices.Contains(either, g) {
			continue
		}
		s.given++
		if !slices.Contains(want, g) {
			extra = append(extra, g)
		}
	}
	return s, missing, extra
}

func (s score) recall() float64    { return ratio(s.right, s.wanted) }
func (s score) precision() float64 { return ratio(s.right, s.given) }

func ratio(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

func (s *score) add(o score) {
	s.right, s.wanted, s.given = s.right+o.right, s.wanted+o.wanted, s.given+o.given
}

// A first map of databases of many shapes: the paths by which rows are a person's, and the columns that hold something
// about people. The floor is what stands; it may rise.
func TestInferTwins(t *testing.T) {
	engines := map[string]func(*testing.T) connectortest.Fixture{"postgres": postgresFixture, "mysql": mysqlFixture, "sqlite": sqliteFixture}
	var paths, columns score
	var table strings.Builder
	fmt.Fprintf(&table, "%-16s %-9s %7s %9s %7s %9s %6s\n", "twin", "engine", "recall", "precision", "columns", "precision", "decide")
	decisions, runs := 0, 0
	for _, tw := range readTwins(t) {
		if os.Getenv("HABEAS_SOAK") == "" {
			tw.engines = tw.engines[len(tw.engines)-1:] // the quickest one; the long run takes all
		}
		for _, engine := range tw.engines {
			t.Run(tw.name+" on "+engine, func(t *testing.T) {
				f := engines[engine](t)
				tw.load(t, f)
				d, cat := draft(t, f, tw.table, tw.column)
				sys := &d.Map.Systems[0]
				p, missing, extra := compare(append(edgesOf(t, sys, cat, owners), matchEdges(sys)...), tw.owns, nil)
				about := func(e *datamap.Table) []datamap.Relation { return e.AlsoAbout }
				_, lost, surplus := compare(edgesOf(t, sys, cat, about), tw.about, nil)
				if len(missing)+len(extra)+len(lost)+len(surplus) > 0 {
					t.Logf("paths: missing %q, not wanted %q; second people: missing %q, not wanted %q", missing, extra, lost, surplus)
				}
				var held []string
				for name, cols := range d.Personal {
					for c := range cols {
						held = append(held, name+"."+c)
					}
				}
				c, missing, extra := compare(held, tw.personal, tw.either)
				if len(missing)+len(extra) > 0 {
					t.Logf("columns: missing %q, not wanted %q", missing, extra)
				}
				paths.add(p)
				columns.add(c)
				decisions += d.Open()
				runs++
				fmt.Fprintf(&table, "%-16s %-9s %6.0f%% %8.0f%% %6.0f%% %8.0f%% %6d\n", tw.name, engine, 100*p.recall(), 100*p.precision(), 100*c.recall(), 100*c.precision(), d.Open())
			})
		}
	}
	t.Logf("\n%s%-26s %6.1f%% %8.1f%% %6.1f%% %8.1f%% %6.1f\n", table.String(), "all", 100*paths.recall(), 100*paths.precision(),
		100*columns.recall(), 100*columns.precision(), float64(decisions)/float64(max(runs, 1)))
	if paths.recall() < 0.97 || paths.precision() < 0.97 || columns.recall() < 0.95 || columns.precision() < 0.9 {
		t.Error("below the floor: paths 97 % and 97 %, columns 95 % and 90 %")
	}
}
