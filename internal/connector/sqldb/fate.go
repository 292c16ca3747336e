package sqldb

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/plan"
)

const (
	groundShared = "belongs to other people as well"
	groundNeeded = "rows that stay refer to it"
)

// fates works out what becomes of every row of a person. Rows of tables that others refer to are held in memory by
// key (the parents); rows of the leaves, which are the many, are only streamed.
//
//	1 base     parents first: each row by its own rule, or by its owner's
//	2 settle   children first: what kept rows need is kept; what other people's rows need is refused, kept, …
//	3 emit     parents first: rows that follow their owner take its final fate; each row goes to fn once
type fates struct {
	w     *walk
	q     querier
	rules *plan.Rules

	kinds  []plan.Fate // every fate that occurs, once
	index  map[plan.Fate]uint32
	held   map[*table]map[string]uint32
	about  map[*table]map[string]bool // rows that concern the person without being theirs
	shared map[*table]map[string]bool // rows that other people own too
	hits   map[int]map[string]int64   // by edge: rows of its target that other people's rows refer to, and by how many
	own    map[int][]reference        // by edge: references of the person's own rows that the map says are cleared
	stuck  map[stuck]*table
	order  []*table // children first
	gaps   []plan.Refusal
}

func newFates(w *walk, q querier, rules *plan.Rules) *fates {
	f := &fates{
		w: w, q: q, rules: rules, index: map[plan.Fate]uint32{}, held: map[*table]map[string]uint32{},
		about: map[*table]map[string]bool{}, shared: map[*table]map[string]bool{}, hits: map[int]map[string]int64{}, own: map[int][]reference{}, stuck: map[stuck]*table{},
	}
	for _, name := range w.g.order {
		if t := w.g.tables[name]; w.reach[t] && (t.entry != nil && t.entry.Personal || t == w.home) {
			f.order = append(f.order, t)
		}
	}
	return f
}

func (f *fates) intern(x plan.Fate) uint32 {
	i, ok := f.index[x]
	if !ok {
		i = uint32(len(f.kinds)) //nolint:gosec // far fewer than rows
		f.kinds = append(f.kinds, x)
		f.index[x] = i
	}
	return i
}

func (f *fates) gap(t *table, format string, args ...any) {
	f.gaps = append(f.gaps, plan.Refusal{System: f.w.d.sys.Name, Table: t.name, Message: fmt.Sprintf(format, args...)})
}

// work runs stages 1 and 2.
func (f *fates) work(ctx context.Context) error {
	for _, t := range slices.Backward(f.order) {
		if err := f.begin(ctx, t, nil); err != nil {
			return err
		}
	}
	for _, t := range f.order {
		if err := f.findHits(ctx, t); err != nil {
			return err
		}
	}
	// Children come first, so one pass settles all but references that close a ring of tables and rows that follow
	// their owner; these need passes until nothing moves. Fates only ever move towards keeping, so it ends.
	for moved := true; moved; {
		var err error
		if moved, err = f.settle(ctx); err != nil {
			return err
		}
	}
	f.stuckGaps()
	return nil
}

// begin runs stage 1 for one table, once: after the tables whose rows it goes with, which need not come before it
// where references run both ways.
func (f *fates) begin(ctx context.Context, t *table, above []*table) error {
	for _, name := range f.rule(t).Follow {
		if owner := f.w.g.tables[name]; owner != nil && owner != t && slices.Contains(f.order, owner) && !slices.Contains(above, owner) {
			if err := f.begin(ctx, owner, append(above, t)); err != nil {
				return err
			}
		}
	}
	if f.held[t] != nil || !f.holds(t) {
		return nil
	}
	f.held[t] = map[string]uint32{}
	return f.base(ctx, t)
}

// holds tells whether the rows of t are kept by key: others refer to them, or some of them have a fate of their own.
func (f *fates) holds(t *table) bool {
	if f.rules == nil {
		return false
	}
	if len(t.about) > 0 || f.mayBeShared(t) {
		return true
	}
	for _, e := range f.w.g.edges {
		if e.to == t || e.from == t && e.clear && e.nullable && f.w.reach[e.to] {
			return true
		}
	}
	if slices.ContainsFunc(t.owners, func(l link) bool { return len(f.shared[l.to]) > 0 }) {
		return true // what belongs to a shared row is shared
	}
	return slices.ContainsFunc(f.order, func(o *table) bool { return slices.Contains(f.rule(o).Follow, t.name) })
}

// mayBeShared tells whether a row of t can have two owners.
func (f *fates) mayBeShared(t *table) bool {
	if t == f.w.home {
		return false
	}
	n := 0
	for _, l := range t.owners {
		if l.up {
			return true
		}
		n++
	}
	if t.entry != nil && f.w.matches(t) {
		n++
	}
	return n > 1
}

func (f *fates) rule(t *table) plan.TableRule {
	r, ok := f.rules.Tables[t.name]
	if !ok {
		return plan.TableRule{Do: plan.ActionKeep, Ground: "no rule covers it"}
	}
	return r
}

func (f *fates) base(ctx context.Context, t *table) error {
	if _, ok := f.rules.Tables[t.name]; !ok {
		f.gap(t, "no rule says what becomes of the rows of %s", t.name)
	}
	held := f.held[t]
	f.shared[t] = map[string]bool{}
	co := map[string]bool{}
	if f.mayBeShared(t) {
		// A row above its owners, such as an address, is guarded by the references to it; any other stays.
		var up, down []link
		for _, l := range t.owners {
			if l.up {
				up = append(up, l)
			} else {
				down = append(down, l)
			}
		}
		if err := f.findShared(ctx, t, up, nil); err != nil {
			return err
		}
		if err := f.findShared(ctx, t, down, co); err != nil {
			return err
		}
	}
	err := f.each(ctx, t, mine, func(key string, x plan.Fate) {
		if co[key] && goes(x) {
			x = f.sharedFate(t)
		}
		held[key] = f.intern(x)
	})
	if err != nil || len(t.about) == 0 {
		return err
	}
	// Rows that concern the person and belong to somebody else stay as they are; the reference is cleared or needed.
	f.about[t] = map[string]bool{}
	keep := f.intern(plan.Fate{Action: plan.ActionKeep, Ground: groundShared})
	return f.w.stream(ctx, f.q, t, reading{set: reached}, func(r record) {
		key := joinKey(r.key)
		if _, ok := held[key]; !ok {
			held[key] = keep
			f.about[t][key] = true
		}
	})
}

// findShared gathers the rows of t that somebody else owns by some of its owner relations.
func (f *fates) findShared(ctx context.Context, t *table, by []link, also map[string]bool) error {
	if len(by) == 0 {
		return nil
	}
	return f.w.stream(ctx, f.q, t, reading{set: mine, where: func(b *builder, a string) {
		b.write("(")
		f.w.writeOthersBy(b, a, t, by)
		b.write(")")
	}}, func(r record) {
		key := joinKey(r.key)
		f.shared[t][key] = true
		if also != nil {
			also[key] = true
		}
	})
}

// sharedFate is what becomes of a row that would go and is somebody else's as well.
func (f *fates) sharedFate(t *table) plan.Fate {
	if f.rule(t).Others == string(datamap.OthersAnonymize) {
		return plan.Fate{Action: plan.ActionAnonymize}
	}
	return plan.Fate{Action: plan.ActionKeep, Ground: groundShared}
}

// goes tells whether a row is deleted: now, on a day of its own, or with the last row that needs it.
func goes(x plan.Fate) bool {
	return x.Action == plan.ActionDelete || x.Action == plan.ActionRetain || x.Action == plan.ActionAnonymize && !x.Until.IsZero()
}

// inherit keeps rows below shared rows that stay: what belongs to such a row belongs to its other owners too.
func (f *fates) inherit(ctx context.Context, t *table) (bool, error) {
	r := reading{set: mine}
	for _, l := range t.owners {
		if len(f.shared[l.to]) > 0 && f.held[l.to] != nil {
			r.parents = append(r.parents, parent{to: l.to, cols: l.cols, refs: l.refs, when: l.when})
		}
	}
	held := f.held[t]
	if len(r.parents) == 0 || held == nil || len(f.rule(t).Follow) > 0 { // what follows its owner does so here too
		return false, nil
	}
	moved := false
	err := f.w.stream(ctx, f.q, t, r, func(rec record) {
		key := joinKey(rec.key)
		i, ok := held[key]
		if byNeed := f.kinds[i].Action == plan.ActionAnonymize && f.rule(t).Do != plan.ActionAnonymize; !ok || !goes(f.kinds[i]) && !byNeed {
			return
		}
		for n, p := range r.parents {
			above, ok := f.held[p.to][rec.parents[n]]
			if !ok || !f.shared[p.to][rec.parents[n]] || p.to == t && rec.parents[n] == key {
				continue
			}
			if x := f.kinds[above]; x.Action == plan.ActionKeep || x.Action == plan.ActionAnonymize && x.Until.IsZero() {
				f.shared[t][key] = true
				held[key] = f.intern(f.sharedFate(t))
				moved = moved || held[key] != i
			}
		}
	})
	return moved, err
}

// refollow lets rows that go with their owner take its fate as it is by now.
func (f *fates) refollow(ctx context.Context, t *table) (bool, error) {
	held := f.held[t]
	if held == nil || len(f.rule(t).Follow) == 0 {
		return false, nil
	}
	moved := false
	err := f.each(ctx, t, mine, func(key string, x plan.Fate) {
		if now := milder(f.kinds[held[key]], x); now != f.kinds[held[key]] {
			held[key] = f.intern(now)
			moved = true
		}
	})
	return moved, err
}

// milder gives of two fates the one that leaves more of a row for longer.
func milder(a, b plan.Fate) plan.Fate {
	rank := func(x plan.Fate) int {
		return slices.Index([]plan.Action{plan.ActionDelete, plan.ActionAnonymize, plan.ActionRetain, plan.ActionKeep}, x.Action)
	}
	switch {
	case rank(a) != rank(b):
		if rank(a) > rank(b) {
			return a
		}
		return b
	case a.Until.IsZero() || !b.Until.IsZero() && !b.Until.After(a.Until):
		return a
	}
	return b
}

// each streams the rows of a set with the fate that the table's own rule, or the owner's row, gives them.
func (f *fates) each(ctx context.Context, t *table, in set, fn func(key string, x plan.Fate)) error {
	rule := f.rule(t)
	r := reading{set: in, order: f.held[t] == nil}
	if rule.Do == plan.ActionRetain && len(rule.Follow) == 0 && rule.Fixed.IsZero() {
		r.date = rule.RowDate
	}
	if len(rule.Follow) > 0 {
		rule = plan.TableRule{Do: plan.ActionKeep, Ground: groundShared} // of rows that no row of the person's leads to
		var vague string
		if r.parents, vague = f.follows(t); vague != "" {
			f.gap(t, "the rows of %s go with their owner, but no owner of theirs is %s by a unique key", t.name, vague)
			r.parents = nil
		}
	}
	return f.w.stream(ctx, f.q, t, r, func(rec record) {
		x := rule.Fate(f.rules.Today, rec.date)
		if followed, ok := f.followed(r.parents, rec.parents); ok {
			x = followed
		}
		fn(joinKey(rec.key), x)
	})
}

// follows gives the owners whose rows decide about those of t, among the tables that hold rows of this person, and
// the name of one that can't: its key is not unique.
func (f *fates) follows(t *table) (out []parent, vague string) {
	for _, l := range t.owners {
		if l.to == t || !slices.Contains(f.rule(t).Follow, l.to.name) || !f.w.reach[l.to] {
			continue
		}
		unique := sameSet(l.refs, l.to.cat.PrimaryKey) || slices.ContainsFunc(l.to.cat.Unique, func(u []string) bool { return sameSet(u, l.refs) })
		if l.up || !unique || f.held[l.to] == nil {
			return nil, l.to.name
		}
		out = append(out, parent{to: l.to, cols: l.cols, refs: l.refs, when: l.when})
	}
	return out, ""
}

// followed gives the fate of a row that goes with its owners: of several that are the person's, the one that leaves
// more of it for longer. False when none of them is the person's: nothing here may be theirs to delete.
func (f *fates) followed(parents []parent, keys []string) (x plan.Fate, ok bool) {
	for n, p := range parents {
		i, mine := f.held[p.to][keys[n]]
		switch {
		case !mine:
		case ok:
			x = milder(x, f.kinds[i])
		default:
			x, ok = f.kinds[i], true
		}
	}
	return x, ok
}

// settle walks children first and lets kept rows keep what they need. It tells whether anything moved.
func (f *fates) settle(ctx context.Context) (bool, error) {
	moved := false
	for _, t := range slices.Backward(f.order) { // parents first: what follows them
		a, err := f.refollow(ctx, t)
		if err != nil {
			return false, err
		}
		b, err := f.inherit(ctx, t)
		if err != nil {
			return false, err
		}
		moved = moved || a || b
	}
	for _, t := range f.order {
		moved = f.applyHits(t) || moved
		edges := f.needs(t)
		if len(edges) == 0 || !f.mayStay(t) {
			continue
		}
		m, err := f.push(ctx, t, edges)
		if err != nil {
			return false, err
		}
		moved = moved || m
	}
	return moved, nil
}

// needs gives the references of t's rows that keep their targets.
func (f *fates) needs(t *table) []edge {
	var out []edge
	for _, e := range f.w.g.edges {
		if e.from != t || f.held[e.to] == nil {
			continue
		}
		if (e.clear && e.nullable) || (e.keep && !e.declared) {
			continue // cleared before its target goes, or left dangling because the map says so
		}
		out = append(out, e)
	}
	return out
}

// mayStay tells whether any row of t can be kept.
func (f *fates) mayStay(t *table) bool {
	rule := f.rule(t)
	if held, ok := f.held[t]; ok {
		for _, i := range held {
			if f.kinds[i].Action != plan.ActionDelete {
				return true
			}
		}
		return false
	}
	if len(rule.Follow) == 0 {
		return rule.Do != plan.ActionDelete
	}
	return slices.ContainsFunc(rule.Follow, func(name string) bool {
		owner, ok := f.w.g.tables[name]
		return !ok || owner != t && f.mayStay(owner)
	})
}

// staying gives the fate of a row as its parents must see it; ok is false when the row goes.
func staying(x plan.Fate) (plan.Fate, bool) {
	switch {
	case x.Action == plan.ActionDelete:
		return x, false
	case x.Action == plan.ActionAnonymize && x.Until.IsZero(), x.Action == plan.ActionKeep:
		return plan.Fate{Action: plan.ActionRetain, Ground: x.Ground}, true // no end
	}
	return plan.Fate{Action: plan.ActionRetain, Until: x.Until, Ground: x.Ground}, true
}

func (f *fates) push(ctx context.Context, t *table, edges []edge) (bool, error) {
	rule := f.rule(t)
	r := reading{set: mine}
	held := f.held[t]
	if held == nil && len(rule.Follow) == 0 && rule.Do == plan.ActionRetain && rule.Fixed.IsZero() {
		r.date = rule.RowDate
	}
	for _, e := range edges {
		r.parents = append(r.parents, parent{to: e.to, cols: e.cols, refs: e.refs, when: e.when})
	}
	owners := len(r.parents) // from here on
	if held == nil {
		more, _ := f.follows(t)
		r.parents = append(r.parents, more...)
	}
	moved := false
	var within []reference // among the rows of t
	err := f.w.stream(ctx, f.q, t, r, func(rec record) {
		x := rule.Fate(f.rules.Today, rec.date)
		if held != nil {
			i, ok := held[joinKey(rec.key)]
			if !ok {
				return
			}
			x = f.kinds[i]
		} else if followed, ok := f.followed(r.parents[owners:], rec.parents[owners:]); ok {
			x = followed
		}
		for n, e := range edges {
			if e.to == t {
				within = append(within, reference{joinKey(rec.key), rec.parents[n], e})
			} else if f.need(e, x, rec.parents[n]) {
				moved = true
			}
		}
	})
	if err != nil || len(within) == 0 {
		return moved, err
	}
	// A chain of rows of one table is followed here: asking the database anew for each link of it would take as many
	// passes as the chain is long.
	for again := true; again; {
		again = false
		for _, r := range within {
			if i, ok := held[r.from]; ok && r.from != r.to && f.need(r.edge, f.kinds[i], r.to) {
				again, moved = true, true
			}
		}
	}
	return moved, nil
}

// reference is one row that refers to another.
type reference struct {
	from, to string // joined keys
	edge     edge
}

// need lets a row of fate x keep the row that it refers to through e. It tells whether that changed anything.
func (f *fates) need(e edge, x plan.Fate, key string) bool {
	by, stays := staying(x)
	if !stays || x.Action == plan.ActionAnonymize && nulls(e.from, e) {
		return false
	}
	target := f.held[e.to]
	i, ok := target[key]
	if !ok {
		return false
	}
	was := f.kinds[i]
	if was.Action == plan.ActionRetain && by.Until.IsZero() {
		f.stuck[stuck{e.to, key}] = e.from
	}
	now := needed(was, by, e.from.name)
	target[key] = f.intern(now)
	return now != was
}

// stuck is a row that is kept until a day and that a row without an end refers to.
type stuck struct {
	t   *table
	key string
}

// stuckGaps refuses what could not be deleted on its day.
func (f *fates) stuckGaps() {
	told := map[[2]*table]bool{}
	for s, by := range f.stuck {
		pair := [2]*table{s.t, by}
		if f.kinds[f.held[s.t][s.key]].Action == plan.ActionRetain && !told[pair] {
			told[pair] = true
			f.gap(s.t, "rows of %s are kept until a day, and rows of %s that refer to them stay for good: they could not be deleted then", s.t.name, by.name)
		}
	}
}

// needed joins the fate of a row with that of a staying row that refers to it. What a row without an end needs is
// anonymized for good; what a retained row needs is anonymized now and goes with it.
func needed(x, by plan.Fate, table string) plan.Fate {
	forever := x.Action == plan.ActionAnonymize && x.Until.IsZero()
	switch {
	case x.Action == plan.ActionKeep || forever:
		return x
	case !by.Until.IsZero():
		return x.Needed(by, table)
	case x.Action == plan.ActionRetain:
		return x // its own day stands: the plan is refused
	}
	return plan.Fate{Action: plan.ActionAnonymize, Ground: groundNeeded}
}

// nulls tells whether anonymizing a row of t clears the reference.
func nulls(t *table, e edge) bool {
	if t.entry == nil {
		return false
	}
	for _, c := range e.cols {
		if a := t.entry.Columns[c].Anonymize; a != nil && a.With == datamap.AnonNull {
			return true
		}
	}
	return false
}

// emit runs stage 3 for one table: each row once, with its final fate. Call it parents first.
func (f *fates) emit(ctx context.Context, t *table, fn func(key connector.Key, x plan.Fate)) error {
	if f.rules == nil {
		return f.w.stream(ctx, f.q, t, reading{set: reached}, func(r record) { fn(r.key, plan.Fate{Action: plan.ActionCollect}) })
	}
	held, ok := f.held[t]
	if !ok {
		return f.each(ctx, t, mine, func(key string, x plan.Fate) { fn(splitKey(t, key), x) })
	}
	if t.keyless { // rows that are alike share a key, and each counts
		return f.w.stream(ctx, f.q, t, reading{set: reached}, func(r record) { fn(r.key, f.kinds[held[joinKey(r.key)]]) })
	}
	for _, key := range slices.Sorted(maps.Keys(held)) {
		fn(splitKey(t, key), f.kinds[held[key]])
	}
	return nil
}
