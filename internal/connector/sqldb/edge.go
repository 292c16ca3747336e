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
	for _, i := range g.from[e.from] {
		have := &g.edges[i]
		if have.to == e.to && samePairs(*have, e) && (len(e.when) == 0 || len(have.when) > 0) {
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
	g.from[e.from] = append(g.from[e.from], len(g.edges))
	g.to[e.to] = append(g.to[e.to], len(g.edges))
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
		for _, i := range g.to[t] {
			e := g.edges[i]
			if seen[e.from] || (!e.declared && e.from.entry != nil && !e.from.entry.Personal) {
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
