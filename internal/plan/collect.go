package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/habeas-data/habeas/internal/datamap"
)

// collect lists what a package will hold, and what of it is left out and why.
func (m *maker) collect(f Found) {
	for _, t := range f.Tables {
		entry := m.table(f.System, t.Table)
		n := t.Rows()
		if t.Hidden > 0 {
			m.withhold(Withheld{System: f.System, Table: t.Table, What: "hidden", Rows: t.Hidden, Ground: "these rows belong to other people"})
		}
		if n == 0 {
			continue
		}
		if entry.Export.Skip {
			m.withhold(Withheld{System: f.System, Table: t.Table, What: "hidden", Rows: n, Ground: cmp.Or(entry.Export.Why, "left out by the controller's rule")})
			continue
		}
		m.step(Step{System: f.System, Table: t.Table, Action: ActionCollect, Rows: n, Category: entry.Category, Keys: keys(t.Groups)})
		m.columns(f.System, entry, n)
	}
	// A table that the map does not cover stops an erasure; a person who asks for access is told that it was not searched.
	for _, g := range f.Gaps {
		m.withhold(Withheld{System: f.System, Table: g.Table, What: "not_searched", Ground: g.Message})
	}
	m.unsearched(f.System)
}

func (m *maker) columns(system string, t *datamap.Table, rows int64) {
	for _, name := range slices.Sorted(maps.Keys(t.Columns)) {
		c := t.Columns[name]
		w := Withheld{System: system, Table: t.Name, Column: name, Rows: rows}
		switch c.Export {
		case datamap.ShowPresence:
			w.What, w.Ground = "presence", cmp.Or(c.Why, "it is held; showing its value would weaken the account's protection")
		case datamap.ShowHide:
			w.What, w.Ground = "hidden", cmp.Or(c.Why, "left out by the controller's rule")
		case datamap.ShowNever:
			w.What, w.Ground = "never", cmp.Or(c.Why, "its value must not leave the system")
		case datamap.ShowFull, "":
			continue
		}
		m.withhold(w)
	}
	for _, name := range slices.Sorted(slices.Values(t.Export.HideOthers)) {
		m.withhold(Withheld{System: system, Table: t.Name, Column: name, What: "hidden", Rows: rows, Ground: "it is hidden where it stands for another person"})
	}
}
