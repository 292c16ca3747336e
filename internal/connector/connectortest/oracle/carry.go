package oracle

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/habeas-data/habeas/internal/datamap"
)

// leftAlone tells whether anonymizing leaves a column as it is unless the map names it: keys, references, dates of rows.
func (j *judgement) leftAlone(t *Table, e *datamap.Table, col string) bool {
	if slices.Contains(t.Key, col) || col == e.RowDate {
		return true
	}
	return slices.ContainsFunc(j.refs, func(r reference) bool {
		_, when := r.when[col]
		return r.from == t && (slices.Contains(r.cols, col) || when) || r.to == t && slices.Contains(r.refs, col)
	})
}

// treatment gives the new value of a column of a row; ok is false when nobody says how.
func (j *judgement) treatment(t *Table, e *datamap.Table, c Column, r []Value, only []string) (v Value, ok bool) {
	v = r[t.at(c.Name)]
	rule := e.Columns[c.Name]
	unique := slices.Equal(t.Key, []string{c.Name}) || slices.ContainsFunc(t.Unique, func(u []string) bool { return slices.Contains(u, c.Name) })
	switch {
	case c.Copy != "", only != nil && !slices.Contains(only, c.Name):
		return v, true
	case rule.Anonymize != nil && rule.Anonymize.With == datamap.AnonKeep:
		return v, true
	case rule.Anonymize != nil && rule.Anonymize.With == datamap.AnonNull:
		return Value{}, !c.NotNull
	case rule.Anonymize != nil && rule.Anonymize.With == datamap.AnonFixed:
		return val(j.fixed(t, c, r, rule.Anonymize.Value, unique)), true
	case rule.Personal != nil && !*rule.Personal, only == nil && j.leftAlone(t, e, c.Name):
		return v, true
	case !c.NotNull && !slices.Contains(t.Key, c.Name):
		return Value{}, true
	case c.Kind == Text:
		return val(j.fixed(t, c, r, "[erased]", unique)), true
	}
	return v, false
}

func (j *judgement) fixed(t *Table, c Column, r []Value, s string, unique bool) string {
	if unique && !strings.Contains(s, "{key}") {
		s += "-{key}"
	}
	hasKey := strings.Contains(s, "{key}")
	var parts []string
	for _, k := range t.Key {
		parts = append(parts, r[t.at(k)].Text)
	}
	s = strings.ReplaceAll(s, "{key}", strings.Join(parts, "-"))
	if n := utf8.RuneCountInString(s); c.Length > 0 && n > c.Length {
		if hasKey {
			return string([]rune(s)[n-c.Length:])
		}
		return string([]rune(s)[:c.Length])
	}
	return s
}

func (j *judgement) treatable(t *Table, e *datamap.Table, only []string) {
	if len(t.Key) == 0 {
		j.why[t.Name+" has no key by which an anonymized row is found again"] = true
	}
	for _, c := range t.Columns {
		if _, ok := j.treatment(t, e, c, t.Rows[0], only); !ok {
			j.why["nobody says how "+t.Name+"."+c.Name+" is anonymized"] = true
		}
	}
}

// carryOut gives the tables after the erasure.
func (j *judgement) carryOut() *Case {
	out := j.c.clone()
	for _, u := range j.unlink {
		t := out.Table(u.t.Name)
		for _, c := range u.cols {
			t.Rows[u.row][t.at(c)] = Value{}
		}
	}
	for _, t := range j.c.Tables {
		e, now := j.entry(t), out.Table(t.Name)
		for i, f := range j.fates[t] {
			if !j.mine[t][i] {
				continue
			}
			only := j.redacts(t, e, i)
			if f.Do != Anonymize && len(only) == 0 {
				continue
			}
			for n, c := range t.Columns {
				if v, _ := j.treatment(t, e, c, t.Rows[i], only); v != t.Rows[i][n] {
					now.Rows[i][n] = v
				}
			}
		}
	}
	j.remove(out, func(t *Table, i int) bool { return j.fates[t][i].Do == Delete })
	return out
}

// remove drops rows, writes what triggers write and computes what is generated.
func (j *judgement) remove(out *Case, gone func(t *Table, i int) bool) {
	for _, t := range j.c.Tables {
		now := out.Table(t.Name)
		var rest [][]Value
		for i, r := range now.Rows {
			if _, judged := j.fates[t][i]; judged && gone(t, i) {
				if t.Log != "" {
					log := out.Table(t.Log)
					log.Rows = append(log.Rows, []Value{val(t.Bare)})
				}
				continue
			}
			for n, c := range t.Columns {
				if c.Copy != "" {
					r[n] = r[t.at(c.Copy)]
				}
			}
			rest = append(rest, r)
		}
		now.Rows = rest
	}
}

// later gives the tables when every row that has a day is gone.
func (j *judgement) later(after *Case) *Case {
	out := after.clone()
	for _, t := range j.c.Tables {
		now := out.Table(t.Name)
		n := 0
		var rest [][]Value
		extra := now.Rows
		for i := range t.Rows {
			f, judged := j.fates[t][i]
			if judged && f.Do == Delete {
				continue
			}
			r := now.Rows[n]
			n++
			if judged && !f.Until.IsZero() && f.Do != Keep {
				if t.Log != "" {
					log := out.Table(t.Log)
					log.Rows = append(log.Rows, []Value{val(t.Bare)})
				}
				continue
			}
			rest = append(rest, r)
		}
		now.Rows = append(rest, extra[n:]...)
	}
	return out
}
