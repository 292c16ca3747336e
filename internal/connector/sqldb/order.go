package sqldb

import "container/heap"

// childrenFirst orders all tables so that rows that refer come before rows that are referred to, by name where either
// may come first. An edge that closes a cycle is left out where its reference can be cleared; where none can, the
// order within the cycle is by name and the plan names the cycle.
func (g *graph) childrenFirst() []string {
	o := newOrdering(g)
	order := make([]string, 0, len(o.nodes))
	for len(order) < len(o.nodes) {
		if len(o.ready) == 0 {
			o.drop(o.closing())
			continue
		}
		n := heap.Pop(&o.ready).(*node)
		n.placed = true
		order = append(order, n.table.name)
		for _, i := range g.from[n.table] {
			o.drop(i)
		}
	}
	return order
}

// ordering is the state of childrenFirst.
type ordering struct {
	g     *graph
	nodes []*node
	ends  [][2]*node // by edge: from, to
	live  []bool     // by edge: it still holds its target back
	ready byName     // not placed, and nothing holds them back
}

// node is a table on its way into the order.
type node struct {
	table     *table
	waits     int // how many live edges lead to it
	placed    bool
	seen, low int // of the walk for rings: when it was met, from 1, and the earliest that it leads back to
	ring      int
}

func newOrdering(g *graph) *ordering {
	o := &ordering{g: g, ends: make([][2]*node, len(g.edges)), live: make([]bool, len(g.edges))}
	at := make(map[*table]*node, len(g.tables))
	for _, t := range g.tables {
		at[t] = &node{table: t}
		o.nodes = append(o.nodes, at[t])
	}
	for i, e := range g.edges {
		o.ends[i] = [2]*node{at[e.from], at[e.to]}
		if e.from != e.to {
			o.live[i] = true
			at[e.to].waits++
		}
	}
	for _, n := range o.nodes {
		if n.waits == 0 {
			heap.Push(&o.ready, n)
		}
	}
	return o
}

func (o *ordering) drop(i int) {
	if !o.live[i] {
		return
	}
	o.live[i] = false
	to := o.ends[i][1]
	if to.waits--; to.waits == 0 {
		heap.Push(&o.ready, to)
	}
}

// closing picks an edge between tables that wait for each other: the first that can be cleared, else the first that
// the schema does not insist on, else the first whose check can wait, else the first.
func (o *ordering) closing() int {
	o.findRings()
	best, rank := -1, 0
	for i, e := range o.g.edges {
		if !o.live[i] || o.ends[i][0].ring != o.ends[i][1].ring {
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
	return best
}

// findRings numbers the strongly connected components of what is not placed (Tarjan): an edge is part of a cycle
// where both its ends have the same number.
func (o *ordering) findRings() {
	for _, n := range o.nodes {
		n.seen, n.low, n.ring = 0, 0, 0
	}
	var stack []*node
	met := 0
	var visit func(*node)
	visit = func(n *node) {
		met++
		n.seen, n.low = met, met
		stack = append(stack, n)
		for _, i := range o.g.from[n.table] {
			to := o.ends[i][1]
			switch {
			case !o.live[i]:
			case to.seen == 0:
				visit(to)
				n.low = min(n.low, to.low)
			case to.ring == 0:
				n.low = min(n.low, to.seen)
			}
		}
		for n.low == n.seen && n.ring == 0 {
			last := len(stack) - 1
			stack[last].ring = n.seen
			stack = stack[:last]
		}
	}
	for _, n := range o.nodes {
		if n.seen == 0 && !n.placed {
			visit(n)
		}
	}
}

// byName is a heap of tables by their names.
type byName []*node

func (h byName) Len() int           { return len(h) }
func (h byName) Less(i, j int) bool { return h[i].table.name < h[j].table.name }
func (h byName) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *byName) Push(n any) { *h = append(*h, n.(*node)) }

// Pop implements heap.Interface.
func (h *byName) Pop() any {
	last := len(*h) - 1
	n := (*h)[last]
	*h = (*h)[:last]
	return n
}
