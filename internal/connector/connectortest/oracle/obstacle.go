package oracle

import (
	"fmt"

	"github.com/habeas-data/habeas/internal/datamap"
)

// obstacles finds what stops the erasure, and which references are cleared.
func (j *judgement) obstacles() {
	for _, t := range j.c.Tables {
		e := j.entry(t)
		for i := range t.Rows {
			f, ok := j.fates[t][i]
			if !ok || !j.mine[t][i] {
				continue
			}
			if f.Do == Anonymize {
				j.treatable(t, e, nil)
			}
			if only := j.redacts(t, e, i); len(only) > 0 {
				j.treatable(t, e, only)
			}
			if f.Do == Retain && f.Until.IsZero() {
				j.why["a retained row without a date"] = true
			}
			if goes := f.Do == Delete || !f.Until.IsZero(); goes {
				j.cut(t, e, i)
			}
		}
	}
	j.uncovered()
	j.rings()
}

// redacts gives the columns that lose their values although the row stays by its own rule.
func (j *judgement) redacts(t *Table, e *datamap.Table, i int) []string {
	f := j.fates[t][i]
	if e != nil && (f.Do == Retain || f.Do == Keep && e.Erase.Do == datamap.EraseKeep) {
		return e.RedactNow
	}
	return nil
}

// cut looks at the references to a row that goes.
func (j *judgement) cut(t *Table, e *datamap.Table, i int) {
	f := j.fates[t][i]
	for _, ref := range j.refs {
		if ref.to != t || ref.dangle {
			continue
		}
		for n, r := range ref.from.Rows {
			if (ref.from == t && n == i) || !j.points(ref, r, t.Rows[i]) {
				continue
			}
			own := j.mine[ref.from][n]
			can := ref.clearable()
			switch {
			case own && !ref.clear: // needed already, or goes too
				if by := j.fates[ref.from][n]; f.Do == Retain && by.Do != Delete && by.Until.IsZero() && !j.nulled(ref, by) {
					j.why["rows that stay need "+t.Name+", which is kept until a day"] = true
				}
			case own && j.fates[ref.from][n].Do == Delete:
			case ref.clear, !own && e.Erase.IfOthersRefer == datamap.OthersSetNull && len(can) > 0:
				j.unlink = append(j.unlink, unlinked{ref.from, n, can})
			default:
				j.why[fmt.Sprintf("rows of %s are needed by other people's rows in %s", t.Name, ref.from.Name)] = true
			}
		}
	}
}

// uncovered refuses when a table reaches a person and the map does not name it.
func (j *judgement) uncovered() {
	reaches := map[*Table]bool{}
	for _, s := range j.c.Map.Subjects {
		reaches[j.c.Table(s.Table)] = true
	}
	for grown := true; grown; {
		grown = false
		for _, ref := range j.refs {
			if !reaches[ref.to] || reaches[ref.from] {
				continue
			}
			e, named := j.c.Map.Table(ref.from.Name)
			if named && !e.Personal {
				continue
			}
			reaches[ref.from], grown = true, true
			if !named {
				j.why[ref.from.Name+" reaches a person and the map does not name it"] = true
			}
		}
	}
}

// rings refuses rows that refer to one another in a ring of NOT NULL keys, where the engine checks at once.
func (j *judgement) rings() {
	if j.c.Engine == datamap.KindSQLite {
		return
	}
	hard := map[*Table][]*Table{}
	for _, t := range j.c.Tables {
		for _, fk := range t.ForeignKeys {
			ref := reference{from: t, cols: fk.Columns}
			if fk.To != t.Name && len(ref.clearable()) == 0 && !fk.Deferrable && j.deletes(t) && j.deletes(j.c.Table(fk.To)) {
				hard[t] = append(hard[t], j.c.Table(fk.To))
			}
		}
	}
	var reach func(from, to *Table, seen map[*Table]bool) bool
	reach = func(from, to *Table, seen map[*Table]bool) bool {
		for _, o := range hard[from] {
			if o == to || !seen[o] && reach(o, to, mark(seen, o)) {
				return true
			}
		}
		return false
	}
	for t := range hard {
		if reach(t, t, map[*Table]bool{}) {
			j.why["a ring of keys that can't be empty"] = true
		}
	}
}

func mark(m map[*Table]bool, t *Table) map[*Table]bool { m[t] = true; return m }

func (j *judgement) deletes(t *Table) bool {
	for _, f := range j.fates[t] {
		if f.Do == Delete {
			return true
		}
	}
	return false
}
