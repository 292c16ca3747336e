package sqldb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/plan"
)

// addEdges gathers every reference between two tables: foreign keys, declared references, relations of the map.
func (g *graph) addEdges() {
	for _, t := range g.sorted() {
		for _, fk := range t.cat.ForeignKeys {
			if to, ok := g.tables[fk.RefTable]; ok && len(fk.Columns) == len(fk.RefColumns) {
				g.addEdge(edge{from: t, to: to, cols: fk.Columns, refs: fk.RefColumns, declared: true, deferrable: fk.Deferrable, onDelete: fk.OnDelete})
			}
		}
	}
	for _, r := range g.sys.References {
		from, ok1 := g.tables[r.FromTable]
		to, ok2 := g.tables[r.ToTable]
		if !ok1 || !ok2 {
			g.fault(r.FromTable, "the reference %s → %s names a table that the database does not have", r.FromTable, r.ToTable)
			continue
		}
		if refs := r.ToColumns; g.has(from, r.FromColumns...) && g.has(to, refs...) && len(refs) == len(r.FromColumns) {
			g.addEdge(edge{from: from, to: to, cols: r.FromColumns, refs: refs})
		}
	}
	for _, t := range g.sorted() {
		for _, l := range t.owners {
			if l.up {
				g.addEdge(edge{from: l.to, to: t, cols: l.refs, refs: l.cols})
			} else {
				g.addEdge(edge{from: t, to: l.to, cols: l.cols, refs: l.refs, when: l.when, owns: true})
			}
		}
		for _, l := range t.alsoFrom {
			if l.up {
				g.addEdge(edge{from: l.to, to: t, cols: l.refs, refs: l.cols})
			}
		}
		for _, l := range t.about {
			if !l.up {
				g.addEdge(edge{from: t, to: l.to, cols: l.cols, refs: l.refs, when: l.when, clear: true})
			}
		}
		for _, l := range t.mentions {
			if !l.up {
				g.addEdge(edge{from: t, to: l.to, cols: l.cols, refs: l.refs, when: l.when, clear: l.then == "null", keep: l.then == "keep"})
			}
		}
	}
}

// addEdge adds an edge, or what the map says about one that is known.
func (g *graph) addEdge(e edge) {
	for i := range g.edges {
		have := &g.edges[i]
		if have.from == e.from && have.to == e.to && samePairs(*have, e) && (len(e.when) == 0 || len(have.when) > 0) {
			have.clear = have.clear || e.clear
			have.keep = have.keep || e.keep
			have.owns = have.owns || (e.owns && len(e.when) == 0)
			return
		}
	}
	for _, c := range e.cols {
		col, _ := e.from.cat.Column(c)
		e.nullable = e.nullable || (col.Nullable && !slices.Contains(e.from.cat.PrimaryKey, c) && !col.Generated)
	}
	g.edges = append(g.edges, e)
}

func samePairs(a, b edge) bool {
	if len(a.cols) != len(b.cols) {
		return false
	}
	for i, c := range a.cols {
		j := slices.Index(b.cols, c)
		if j < 0 || a.refs[i] != b.refs[j] {
			return false
		}
	}
	return true
}

// clearable gives the columns of an edge that are set to null to clear it: one null suffices, but every column that
// can be empty goes, for half a key would still tell something.
func (e edge) clearable() []string {
	var out []string
	for _, c := range e.cols {
		if col, ok := e.from.cat.Column(c); ok && col.Nullable && !slices.Contains(e.from.cat.PrimaryKey, c) && !col.Generated {
			out = append(out, c)
		}
	}
	return out
}

// findBare walks from the subjects' tables against the references: a table met on the way that the map does not name
// holds data of people that nobody decided about. Tables that the map declares not personal end the walk.
func (g *graph) findBare() {
	seen := map[*table]bool{}
	var queue []*table
	for _, s := range g.sys.Subjects {
		if t, ok := g.tables[s.Table]; ok && !seen[t] {
			seen[t] = true
			queue = append(queue, t)
		}
	}
	for len(queue) > 0 {
		t := queue[0]
		queue = queue[1:]
		for _, e := range g.edges {
			if e.to != t || seen[e.from] || (!e.declared && e.from.entry != nil && !e.from.entry.Personal) {
				continue
			}
			seen[e.from] = true
			switch entry := e.from.entry; {
			case entry == nil:
				g.bare = append(g.bare, plan.Refusal{System: g.sys.Name, Table: e.from.name, Message: fmt.Sprintf(
					"the table %s reaches a person through %s (%s) and the map does not cover it", e.from.name, t.name, strings.Join(e.cols, ", "))})
			case !entry.Personal:
				continue
			}
			queue = append(queue, e.from)
		}
	}
}

// childrenFirst orders all tables so that rows that refer come before rows that are referred to. An edge that closes
// a cycle is left out where its reference can be cleared; where none can, the order within the cycle is by name and
// the plan names the cycle.
func (g *graph) childrenFirst() []string {
	waits := map[*table]int{} // how many unplaced tables refer to it
	for _, t := range g.tables {
		waits[t] = 0
	}
	live := make([]bool, len(g.edges))
	for i, e := range g.edges {
		if e.from != e.to {
			live[i] = true
			waits[e.to]++
		}
	}
	drop := func(i int) {
		if live[i] {
			live[i] = false
			waits[g.edges[i].to]--
		}
	}
	var order []string
	placed := map[*table]bool{}
	for len(order) < len(g.tables) {
		var next *table
		for _, t := range g.sorted() {
			if !placed[t] && waits[t] == 0 {
				next = t
				break
			}
		}
		if next == nil {
			g.breakCycle(live, drop, placed)
			continue
		}
		placed[next] = true
		order = append(order, next.name)
		for i, e := range g.edges {
			if e.from == next {
				drop(i)
			}
		}
	}
	return order
}

// breakCycle drops one edge between tables that wait for each other: the first that can be cleared, else the first
// that the schema does not insist on, else the first.
func (g *graph) breakCycle(live []bool, drop func(int), placed map[*table]bool) {
	best, rank := -1, 0
	for i, e := range g.edges {
		if !live[i] || placed[e.from] || placed[e.to] || !g.onCycle(live, e) {
			continue
		}
		r := 1
		switch {
		case e.nullable:
			r = 4
		case !e.declared:
			r = 3
		case e.deferrable:
			r = 2
		}
		if r > rank {
			best, rank = i, r
		}
	}
	if best >= 0 {
		drop(best)
	}
}

// onCycle tells whether the edge's end leads back to its start.
func (g *graph) onCycle(live []bool, e edge) bool {
	seen := map[*table]bool{e.to: true}
	queue := []*table{e.to}
	for len(queue) > 0 {
		t := queue[0]
		queue = queue[1:]
		if t == e.from {
			return true
		}
		for i, f := range g.edges {
			if live[i] && f.from == t && !seen[f.to] {
				seen[f.to] = true
				queue = append(queue, f.to)
			}
		}
	}
	return false
}
