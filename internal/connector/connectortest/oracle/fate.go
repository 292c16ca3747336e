package oracle

import (
	"fmt"
	"slices"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
)

// What can become of a row, the mildest last: a row only ever moves down this list.
const (
	Delete    = "delete"
	Anonymize = "anonymize" // with a day: now, and deleted on that day with the last row that needs it
	Retain    = "retain"    // as it is until its day
	Keep      = "keep"
)

// Fate is what becomes of one row.
type Fate struct {
	Do    string
	Until statute.Date
}

// Expect is what the rules say of a case.
type Expect struct {
	Subjects int
	Export   map[string][]string        // table → keys, sorted
	Hidden   map[string]int             // table → rows that are somebody else's
	Fates    map[string]map[string]Fate // table → key → fate, of every row that is the person's or concerns the person
	Refused  []string                   // why an erasure can't run
	After    map[string][]string        // table → whole rows, sorted, when it has run
	Later    map[string][]string        // the same when all that was retained has gone on its day

	after *Case
}

// judgement is the work on an erasure.
type judgement struct {
	*look
	fates  map[*Table]map[int]Fate
	shared rows // owned by others too
	unlink []unlinked
	why    map[string]bool
}

type unlinked struct {
	t    *Table
	row  int
	cols []string
}

// Expect works out what the rules say.
func (c *Case) Expect() Expect {
	l := newLook(c)
	out := Expect{Subjects: len(l.owned[l.home]), Export: map[string][]string{}, Hidden: map[string]int{}, Fates: map[string]map[string]Fate{}}
	for t, in := range l.reached {
		for i := range in {
			out.Export[t.Name] = append(out.Export[t.Name], t.keyText(t.Rows[i]))
		}
		slices.Sort(out.Export[t.Name])
		if e := l.entry(t); e != nil && e.Export.Skip {
			out.Hidden[t.Name] += len(in)
			delete(out.Export, t.Name)
		}
	}
	for t, in := range l.hidden {
		out.Hidden[t.Name] += len(in)
	}
	j := &judgement{look: l, fates: map[*Table]map[int]Fate{}, shared: rows{}, why: map[string]bool{}}
	j.judge()
	for t, in := range j.fates {
		out.Fates[t.Name] = map[string]Fate{}
		for i, f := range in {
			out.Fates[t.Name][t.keyText(t.Rows[i])] = f
		}
	}
	for w := range j.why {
		out.Refused = append(out.Refused, w)
	}
	slices.Sort(out.Refused)
	after := j.carryOut()
	out.after, out.After = after, after.texts()
	out.Later = j.later(after).texts()
	return out
}

// texts gives every row of every table.
func (c *Case) texts() map[string][]string {
	out := map[string][]string{}
	for _, t := range c.Tables {
		out[t.Name] = []string{}
		for _, r := range t.Rows {
			whole := Table{}
			out[t.Name] = append(out[t.Name], whole.keyText(r))
		}
		slices.Sort(out[t.Name])
	}
	return out
}

func (j *judgement) judge() {
	for t, in := range j.mine {
		e := j.entry(t)
		j.fates[t] = map[int]Fate{}
		for i := range in {
			j.fates[t][i] = j.own(t, e, t.Rows[i])
			if e != nil && t != j.home && j.others(t, e, t.Rows[i]) {
				j.shared.add(t, i)
			}
		}
	}
	for n := 0; j.round(); n++ {
		if n > 1000 {
			panic("the fates of a case do not settle")
		}
	}
	for t, in := range j.reached { // concerns the person, is somebody else's: stays as it is
		for i := range in {
			if _, ok := j.fates[t][i]; !ok {
				if j.fates[t] == nil {
					j.fates[t] = map[int]Fate{}
				}
				j.fates[t][i] = Fate{Do: Keep}
			}
		}
	}
	j.obstacles()
}

// own gives the fate by the table's own rule.
func (j *judgement) own(t *Table, e *datamap.Table, r []Value) Fate {
	if e == nil {
		return Fate{Do: Keep}
	}
	switch e.Erase.Do {
	case datamap.EraseAnonymize:
		return Fate{Do: Anonymize}
	case datamap.EraseKeep:
		return Fate{Do: Keep}
	case datamap.EraseRetain:
		return j.retained(t, e, r)
	case datamap.EraseDelete, datamap.EraseWithOwner, "":
	}
	return Fate{Do: Delete}
}

func (j *judgement) retained(t *Table, e *datamap.Table, r []Value) Fate {
	keep := j.c.Policy.Categories[e.Category].Retention
	period, _ := keep.Keep.Fixed()
	var day statute.Date
	if keep.From == policy.FromRow || keep.From == policy.FromRowYearEnd {
		v := r[t.at(e.RowDate)]
		var ok bool
		if day, ok = civil(v); !ok {
			return Fate{Do: Retain}
		}
		if keep.From == policy.FromRowYearEnd {
			day = statute.Date{Year: day.Year, Month: 12, Day: 31}
		}
	} else {
		day = j.c.Started[keep.After]
	}
	if day = years(day, period.Years); !later(day, j.c.Today) {
		return Fate{Do: Delete}
	}
	return Fate{Do: Retain, Until: day}
}

func civil(v Value) (statute.Date, bool) {
	var d statute.Date
	n, err := fmt.Sscanf(v.Text, "%d-%d-%d", &d.Year, &d.Month, &d.Day)
	return d, v.Set && err == nil && n == 3
}

// years adds years; 29 February becomes the 28th where there is none.
func years(d statute.Date, n int) statute.Date {
	d.Year += n
	if leap := d.Year%4 == 0 && (d.Year%100 != 0 || d.Year%400 == 0); d.Month == 2 && d.Day == 29 && !leap {
		d.Day = 28
	}
	return d
}

func later(a, b statute.Date) bool { return a.String() > b.String() }

// round applies every rule once to every row and tells whether anything moved.
func (j *judgement) round() bool {
	moved := false
	move := func(t *Table, i int, f Fate) {
		if j.fates[t][i] != f {
			j.fates[t][i] = f
			moved = true
		}
	}
	for _, t := range j.c.Tables {
		e := j.entry(t)
		for i := range t.Rows {
			f, ok := j.fates[t][i]
			if !ok || e == nil {
				continue
			}
			if e.Erase.Do == datamap.EraseWithOwner {
				f = j.milder(f, j.ownersFate(t, e, i))
			}
			f = j.sharing(t, e, i, f)
			f = j.needed(t, e, i, f)
			move(t, i, f)
		}
	}
	return moved
}

// milder joins two fates: the one that leaves more of the row.
func (j *judgement) milder(a, b Fate) Fate {
	for _, do := range []string{Keep, Retain, Anonymize} {
		switch {
		case a.Do == do && b.Do == do:
			if do != Keep && (a.Until.IsZero() || b.Until.IsZero()) {
				return Fate{Do: do}
			}
			if later(b.Until, a.Until) {
				return b
			}
			return a
		case a.Do == do:
			return a
		case b.Do == do:
			return b
		}
	}
	return a
}

// ownersFate gives the fate of the row's owner; a row whose owner is not the person's is not theirs to decide about.
func (j *judgement) ownersFate(t *Table, e *datamap.Table, i int) Fate {
	o := j.c.Table(e.Owners[0].Table)
	for n, q := range o.Rows {
		if f, ok := j.fates[o][n]; ok && j.ties(t, t.Rows[i], e.Owners[0], q) {
			return f
		}
	}
	return Fate{Do: Keep}
}

// sharing keeps what belongs to others too, and what belongs to such a row.
func (j *judgement) sharing(t *Table, e *datamap.Table, i int, f Fate) Fate {
	if f.Do == Keep || f.Do == Anonymize && e.Erase.Do == datamap.EraseAnonymize || t == j.home || e.Erase.Do == datamap.EraseWithOwner {
		return f
	}
	stays := false
	if j.shared[t][i] {
		for _, rel := range e.Owners { // a row above its owners is guarded by their references instead
			o, ours, _ := j.ends(t, rel)
			set := !slices.ContainsFunc(ours, func(col string) bool { return !t.Rows[i][t.at(col)].Set })
			if !rel.Upward() && set && j.holds(t, t.Rows[i], rel.When) && !j.tied(t, t.Rows[i], rel, j.owned) {
				stays = true
			}
			_ = o
		}
	}
	for _, rel := range e.Owners {
		o := j.c.Table(rel.Table)
		for n, q := range o.Rows {
			above, ok := j.fates[o][n]
			if ok && j.shared[o][n] && above.Do != Delete && !(above.Do == Anonymize && !above.Until.IsZero()) && (o != t || n != i) && j.ties(t, t.Rows[i], rel, q) {
				j.shared.add(t, i)
				stays = true
			}
		}
	}
	switch {
	case !stays:
		return f
	case e.Erase.IfOthersRefer == datamap.OthersAnonymize:
		return Fate{Do: Anonymize}
	}
	return Fate{Do: Keep}
}

// needed keeps what rows that stay refer to.
func (j *judgement) needed(t *Table, e *datamap.Table, i int, f Fate) Fate {
	for _, ref := range j.refs {
		if ref.to != t || ref.clear || ref.dangle {
			continue
		}
		for n, r := range ref.from.Rows {
			if (ref.from == t && n == i) || !j.points(ref, r, t.Rows[i]) {
				continue
			}
			by, own := j.fates[ref.from][n]
			if own {
				f = j.neededByOwn(ref, by, f)
			} else {
				f = j.neededByOthers(ref, e, f)
			}
		}
	}
	return f
}

func (j *judgement) neededByOwn(ref reference, by, f Fate) Fate {
	if by.Do == Delete || j.nulled(ref, by) {
		return f
	}
	until := by.Until
	if by.Do == Keep {
		until = statute.Date{}
	}
	switch f.Do {
	case Delete:
		return Fate{Do: Anonymize, Until: until}
	case Anonymize:
		if f.Until.IsZero() || until.IsZero() {
			return Fate{Do: Anonymize}
		}
		if later(until, f.Until) {
			f.Until = until
		}
	case Retain:
		if !until.IsZero() && later(until, f.Until) && !f.Until.IsZero() {
			f.Until = until
		}
	}
	return f
}

// nulled tells whether anonymizing the row clears its reference.
func (j *judgement) nulled(ref reference, by Fate) bool {
	e := j.entry(ref.from)
	return by.Do == Anonymize && e != nil && slices.ContainsFunc(ref.cols, func(c string) bool {
		a := e.Columns[c].Anonymize
		return a != nil && a.With == datamap.AnonNull
	})
}

// neededByOthers applies if_others_refer to a row that goes, now or later.
func (j *judgement) neededByOthers(ref reference, e *datamap.Table, f Fate) Fate {
	if f.Do == Keep || f.Do == Anonymize && e.Erase.Do == datamap.EraseAnonymize {
		return f
	}
	switch e.Erase.IfOthersRefer {
	case datamap.OthersKeep:
		return Fate{Do: Keep}
	case datamap.OthersAnonymize:
		if f.Do != Retain {
			return Fate{Do: Anonymize}
		}
	case datamap.OthersRefuse, datamap.OthersSetNull, "":
	}
	return f
}
