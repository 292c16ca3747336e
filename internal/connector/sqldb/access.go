package sqldb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
)

// Access asks the database what its roles may do, and tells every obstacle to what the map promises: tables that can't
// be read, or only in part, and rows that can't be deleted or changed. The engine itself is the judge: each statement
// is explained, never run. An error means that it could not be asked.
func (d *DB) Access(ctx context.Context) ([]datamap.Finding, error) { return d.access(ctx, true) }

// access leaves tables that the map does not call personal out unless all is said: they matter to the search after an
// erasure alone.
func (d *DB) access(ctx context.Context, all bool) ([]datamap.Finding, error) {
	g, err := d.freshGraph(ctx)
	if err != nil {
		return nil, err
	}
	a := &asking{d: d}
	for _, t := range g.sorted() {
		if personal := t.entry != nil && t.entry.Personal; personal || all {
			a.ask(t, d.selectOf(t), !personal)
		}
	}
	if err := a.run(ctx, forReading); err != nil {
		return nil, err
	}
	if a.questions = nil; !g.erases() {
		return a.findings, nil
	}
	for _, t := range g.sorted() {
		if t.entry == nil || !t.entry.Personal {
			continue
		}
		e := t.entry
		if slices.Contains([]datamap.Erasure{datamap.EraseDelete, datamap.EraseRetain, datamap.EraseWithOwner}, e.Erase.Do) {
			a.ask(t, d.deleteOf(t), false)
		}
		if e.Erase.Do == datamap.EraseAnonymize || len(e.RedactNow) > 0 {
			a.ask(t, d.updateOf(t), false)
		}
	}
	return a.findings, a.run(ctx, forWriting)
}

// erases tells whether the map lets anything be deleted or changed.
func (g *graph) erases() bool {
	return slices.ContainsFunc(g.sys.Tables, func(t datamap.Table) bool {
		return t.Personal && t.Erase.Do != "" && t.Erase.Do != datamap.EraseKeep || len(t.RedactNow) > 0
	})
}

// obstacles asks whether the writing role may do what an erasure by rules would do to the tables in which rows were
// found, so that a plan shows it before anybody approves.
func (d *DB) obstacles(ctx context.Context, g *graph, found []plan.FoundTable) ([]plan.Refusal, error) {
	a := &asking{d: d}
	for _, ft := range found {
		t, ok := g.tables[ft.Table]
		if !ok {
			continue
		}
		does := func(actions ...plan.Action) bool {
			return slices.ContainsFunc(ft.Groups, func(x plan.Group) bool { return slices.Contains(actions, x.Fate.Action) })
		}
		if does(plan.ActionDelete) {
			a.ask(t, d.deleteOf(t), false)
		}
		if does(plan.ActionAnonymize, plan.ActionRedact) {
			a.ask(t, d.updateOf(t), false)
		}
	}
	if len(a.questions) == 0 {
		return nil, nil
	}
	if err := a.run(ctx, forWriting); err != nil {
		return nil, err
	}
	var out []plan.Refusal
	for _, f := range a.findings {
		if !f.Warning {
			out = append(out, plan.Refusal{System: f.System, Table: f.Table, Message: f.Message})
		}
	}
	return out, nil
}

func (d *DB) selectOf(t *table) string {
	cols := make([]string, len(t.cat.Columns))
	for i, c := range t.cat.Columns {
		cols[i] = d.dialect.quote(c.Name)
	}
	return "SELECT " + strings.Join(cols, ", ") + " FROM " + d.dialect.table(t.cat) + " WHERE 1 = 0"
}

func (d *DB) deleteOf(t *table) string {
	return "DELETE FROM " + d.dialect.table(t.cat) + " WHERE " + d.dialect.quote(t.cat.Columns[0].Name) + " IS NULL AND 1 = 0"
}

// updateOf names the last column that can be written: it is rarely the key.
func (d *DB) updateOf(t *table) string {
	col := t.cat.Columns[0].Name
	for _, c := range t.cat.Columns {
		if !c.Generated && !c.Identity {
			col = c.Name
		}
	}
	col = d.dialect.quote(col)
	return "UPDATE " + d.dialect.table(t.cat) + " SET " + col + " = " + col + " WHERE 1 = 0"
}

// asking gathers questions to one role and the obstacles that they find.
type asking struct {
	d         *DB
	questions []question
	findings  []datamap.Finding
}

type question struct {
	table   string
	query   string
	verb    string
	warning bool
}

func (a *asking) ask(t *table, query string, warning bool) {
	if len(t.cat.Columns) == 0 {
		return
	}
	verb, _, _ := strings.Cut(query, " ")
	a.questions = append(a.questions, question{t.name, query, verb, warning})
}

// run asks all questions. A refusal ends a transaction in PostgreSQL, so that the rest is asked in a new one.
func (a *asking) run(ctx context.Context, what purpose) error {
	if err := a.session(ctx, what); err != nil {
		return err
	}
	for left := a.questions; len(left) > 0; {
		done := 0
		err := a.d.within(ctx, what, func(q querier) error {
			for _, x := range left {
				done++
				if err := each(ctx, q, "EXPLAIN "+x.query, nil, 0, nil); err != nil {
					return a.d.fail(err, "asking for the right to %s on %s", x.verb, x.table)
				}
			}
			return nil
		})
		if err != nil {
			if f, ok := fault.As(err); !ok || f.Code != codeRefused || done == 0 {
				return err
			}
			a.refuse(left[done-1], what, err)
		}
		left = left[done:]
	}
	return nil
}

func (a *asking) refuse(x question, what purpose, err error) {
	f, _ := fault.As(err)
	role, then := "reading", "the table can't be read"
	if what == forWriting {
		role, then = "writing", map[string]string{"DELETE": "its rows can't be deleted", "UPDATE": "its rows can't be changed"}[x.verb]
	}
	if x.warning {
		then = "it can't be searched after an erasure"
	}
	fix := "grant " + x.verb + " on it to the " + role + " role"
	if strings.Contains(f.Message, "row-level security") {
		then = "row-level security would show it only a part of the rows"
		fix = "give the role BYPASSRLS, or name the settings that its policies read under session: {app.tenant: …}"
	}
	a.findings = append(a.findings, datamap.Finding{System: a.d.sys.Name, Table: x.table, Warning: x.warning, Fix: fix,
		Message: fmt.Sprintf("the %s role lacks %s on %s: %s", role, x.verb, x.table, then)})
}

// session asks what of the role's own settings stands against us.
func (a *asking) session(ctx context.Context, what purpose) error {
	return a.d.within(ctx, what, func(q querier) error {
		notes, err := a.d.dialect.standing(ctx, q, what)
		for _, n := range notes {
			n.System = a.d.sys.Name
			a.findings = append(a.findings, n)
		}
		return a.d.fail(err, "asking for the role's settings")
	})
}

// within runs fn in a transaction of the reading or the writing role and undoes it.
func (d *DB) within(ctx context.Context, what purpose, fn func(q querier) error) error {
	if what == forReading {
		return d.inSnapshot(ctx, fn)
	}
	tx, err := d.begin(ctx, "asking what the writing role may do")
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	return fn(tx)
}

func replicaNote(what purpose) datamap.Finding {
	if what == forWriting {
		return datamap.Finding{Message: "the server of the writing role is a replica or read only", Fix: "name the primary as dsn.write"}
	}
	return datamap.Finding{Warning: true, Message: "the server of the reading role is a replica: a plan lacks what it has not heard of yet",
		Fix: "read from the primary, or see to it that the replica keeps up"}
}
