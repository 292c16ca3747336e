package sqldb

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/datamap"
)

// webOf gives a schema of n tables, each with references to two others, rings among them, and its graph.
func webOf(n int, r *rand.Rand) *graph {
	name := func(i int) string { return fmt.Sprintf("t%04d", i) }
	cat := &datamap.Catalog{Kind: datamap.KindPostgres}
	sys := &datamap.System{Name: "web", Kind: datamap.KindPostgres, Subjects: []datamap.Subject{{Name: "person", Table: name(0), Key: []string{"id"}}}}
	for i := range n {
		t := datamap.CatalogTable{Name: name(i), Schema: "public", Bare: name(i), PrimaryKey: []string{"id"}}
		for _, c := range []string{"id", "parent", "other", "a", "b", "c", "d", "e", "f", "g"} {
			t.Columns = append(t.Columns, datamap.CatalogColumn{Name: c, Type: "bigint", Nullable: c != "id" && r.IntN(3) == 0})
		}
		e := datamap.Table{Name: t.Name, Personal: true}
		if i > 0 {
			t.ForeignKeys = append(t.ForeignKeys, datamap.ForeignKey{Columns: []string{"parent"}, RefTable: name(i / 3), RefColumns: []string{"id"}},
				datamap.ForeignKey{Columns: []string{"other"}, RefTable: name(r.IntN(n)), RefColumns: []string{"id"}, Deferrable: r.IntN(4) == 0})
			e.Owners = []datamap.Relation{{Table: name(i / 3), By: []string{"parent"}}}
		}
		cat.Tables = append(cat.Tables, t)
		sys.Tables = append(sys.Tables, e)
	}
	return compile(sys, cat)
}

// simpleOrder is the order by its definition: slow, and easy to believe.
func simpleOrder(g *graph) []string {
	live := make([]bool, len(g.edges))
	for i, e := range g.edges {
		live[i] = e.from != e.to
	}
	leadsBack := func(from, to *table) bool { // whether live edges lead from one to the other
		seen, queue := map[*table]bool{from: true}, []*table{from}
		for len(queue) > 0 {
			t := queue[0]
			queue = queue[1:]
			for i, e := range g.edges {
				if live[i] && e.from == t && !seen[e.to] {
					seen[e.to] = true
					queue = append(queue, e.to)
				}
			}
		}
		return seen[to]
	}
	rank := func(e edge) int {
		switch {
		case e.nullable:
			return 4
		case !e.declared:
			return 3
		case e.deferrable:
			return 2
		}
		return 1
	}
	var order []string
	for len(order) < len(g.tables) {
		waits := map[*table]bool{}
		for i, e := range g.edges {
			waits[e.to] = waits[e.to] || live[i]
		}
		next := slices.IndexFunc(g.sorted(), func(t *table) bool { return !slices.Contains(order, t.name) && !waits[t] })
		if next >= 0 {
			t := g.sorted()[next]
			order = append(order, t.name)
			for i, e := range g.edges {
				live[i] = live[i] && e.from != t
			}
			continue
		}
		best := -1
		for i, e := range g.edges {
			if live[i] && leadsBack(e.to, e.from) && (best < 0 || rank(e) > rank(g.edges[best])) {
				best = i
			}
		}
		live[best] = false
	}
	return order
}

func TestOrderOfTables(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 5))
		g := webOf(2+r.IntN(11), r)
		if want := simpleOrder(g); !slices.Equal(g.order, want) {
			t.Fatalf("seed %d: %v, want %v", seed, g.order, want)
		}
	}
}

// TestWideSchema: the map is compiled for every use, so a schema of 2,000 tables, rings among them, must not take long.
func TestWideSchema(t *testing.T) {
	began := time.Now()
	g := webOf(2000, rand.New(rand.NewPCG(1, 5)))
	took := time.Since(began)
	t.Logf("%d tables, %d references: %v", len(g.order), len(g.edges), took)
	if len(g.order) != 2000 || took > 10*time.Second {
		t.Errorf("%d tables ordered in %v", len(g.order), took)
	}
}
