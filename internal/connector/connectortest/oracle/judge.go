package oracle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/connector/connectortest"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
)

// Judge runs a case on a real engine and gives every difference from what the rules say; none when they agree. The
// error tells that the case itself could not be tried: it is a fault of the generator.
func Judge(ctx context.Context, f connectortest.Fixture, c *Case) (differences []string, err error) {
	b := bench{f, c}
	defer func() {
		if e := b.unload(ctx); e != nil && err == nil {
			err = e
		}
	}()
	if err := b.load(ctx); err != nil {
		return nil, err
	}
	sys, err := f.Open(c.Map)
	if err != nil {
		return nil, err
	}
	defer sys.Close()
	t := &trial{bench: b, ctx: ctx, want: c.Expect(), sys: sys, scope: connector.Scope{Subject: c.Subject, Identifiers: c.Proven}}
	if t.content("before", c.texts()); len(t.found) > 0 {
		return nil, fmt.Errorf("the database does not hold what was loaded: %v", t.found)
	}
	t.run()
	return t.found, nil
}

type trial struct {
	bench
	ctx   context.Context
	want  Expect
	sys   connector.System
	scope connector.Scope
	found []string
}

func (t *trial) say(format string, args ...any) {
	t.found = append(t.found, fmt.Sprintf(format, args...))
}

func (t *trial) run() {
	t.export("before", t.c, t.want)
	rules, refusals := plan.NewRules(t.c.Policy, t.c.Map, dsr.RightErasure, t.c.Today, t.c.Started)
	found, err := t.sys.(connector.Locator).Locate(t.ctx, t.scope, rules, connectortest.Hash)
	if err != nil {
		t.say("Locate: %v", err)
		return
	}
	if len(found.Gaps) == 0 && found.Subjects != t.want.Subjects {
		t.say("Locate finds %d subjects, want %d", found.Subjects, t.want.Subjects)
	}
	if t.want.Subjects > 1 {
		return // an officer decides who is meant
	}
	p, err := plan.Make(plan.Input{Right: dsr.RightErasure, Policy: t.c.Policy, Map: &datamap.Map{Tenant: "acme", Systems: []datamap.System{*t.c.Map}},
		Rules: map[string]*plan.Rules{t.c.Map.Name: rules}, Founds: []plan.Found{found}, Refusals: refusals, Today: t.c.Today})
	if err != nil {
		t.say("Make: %v", err)
		return
	}
	if (len(p.Refusals) > 0) != (len(t.want.Refused) > 0) {
		t.say("refused %v, want %v", p.Refusals, t.want.Refused)
		return
	}
	if len(p.Refusals) > 0 {
		t.content("a refused erasure", t.c.texts())
		return
	}
	keys := connectortest.Keys{}
	err = t.sys.(connector.Capturer).Capture(t.ctx, t.scope, rules, p.Steps, func(step int, k []connector.Key) error {
		keys[step] = append(keys[step], k)
		return nil
	})
	if err != nil {
		t.say("Capture: %v", err)
		return
	}
	t.steps(p, keys)
	t.erase(p.Steps, keys)
}

// steps holds the captured keys of every step against the fates of the rows.
func (t *trial) steps(p plan.Plan, keys connectortest.Keys) {
	type what struct {
		table, do string
		on        statute.Date
	}
	got := map[what][]string{}
	for i, s := range p.Steps {
		n := keys.Count(i)
		if n != s.Rows {
			t.say("step %d, %s of %s: %d rows planned, %d captured", i+1, s.Action, s.Table, s.Rows, n)
		}
		if s.Action == plan.ActionUnlink || s.Action == plan.ActionRedact {
			continue // the final state tells
		}
		w := what{s.Table, string(s.Action), s.On}
		for _, chunk := range keys[i] {
			for _, k := range chunk {
				got[w] = append(got[w], keyOf(k))
			}
		}
	}
	want := map[what][]string{}
	for table, fates := range t.want.Fates {
		tt := t.c.Table(table)
		for _, r := range tt.Rows {
			key := tt.keyText(r)
			f, ok := fates[key]
			if !ok {
				continue
			}
			w := what{table: table, do: f.Do}
			if f.Do == Retain {
				w.on = f.Until
			}
			want[w] = append(want[w], key)
			if f.Do == Anonymize && !f.Until.IsZero() {
				w = what{table, Retain, f.Until}
				want[w] = append(want[w], key)
			}
		}
	}
	for w := range got {
		if _, ok := want[w]; !ok {
			want[w] = nil
		}
	}
	for w := range want {
		slices.Sort(got[w])
		slices.Sort(want[w])
		if !slices.Equal(got[w], want[w]) {
			t.say("%s of %q %s: captured %q, want %q", w.do, w.table, w.on, got[w], want[w])
		}
	}
}

func keyOf(k connector.Key) string {
	row := make([]Value, len(k))
	for i, v := range k {
		if v != "\x00" {
			row[i] = val(v)
		}
	}
	whole := Table{}
	return whole.keyText(row)
}

var errStopped = errors.New("stopped")

func (t *trial) erase(steps []plan.Step, keys connectortest.Keys) {
	e := t.sys.(connector.Eraser)
	// Stopped at any of the times at which it asks, it has done nothing.
	asked, stop := 0, int(t.c.Seed%5)+1
	guard := func(context.Context) error {
		if asked++; asked == stop {
			return errStopped
		}
		return nil
	}
	switch err := e.Erase(t.ctx, steps, keys.Source, guard, connectortest.Mute); {
	case errors.Is(err, errStopped):
		t.content("a stopped erasure", t.c.texts())
	case err == nil && asked >= stop:
		t.say("the guard stopped the erasure, and it went on")
	}
	for _, again := range []string{"the erasure", "the erasure again"} {
		if err := e.Erase(t.ctx, steps, keys.Source, connectortest.Free, connectortest.Mute); err != nil {
			t.say("%s: %v", again, err)
			t.content("a failed erasure", t.c.texts())
			return
		}
		t.content(again, t.want.After)
	}
	if len(t.found) > 0 {
		return
	}
	t.export("after", t.want.after, t.want.after.Expect())
	t.days(steps, keys)
}

// days deletes what was retained, each on its day.
func (t *trial) days(steps []plan.Step, keys connectortest.Keys) {
	days := map[string][]int{}
	for i, s := range steps {
		if s.Action == plan.ActionRetain && !s.On.IsZero() {
			days[s.On.String()] = append(days[s.On.String()], i)
		}
	}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		var due []plan.Step
		for _, i := range days[day] {
			s := steps[i]
			s.Action = plan.ActionDelete
			due = append(due, s)
		}
		source := func(ctx context.Context, step, chunk int) ([]connector.Key, error) {
			return keys.Source(ctx, days[day][step], chunk)
		}
		if err := t.sys.(connector.Eraser).Erase(t.ctx, due, source, connectortest.Free, connectortest.Mute); err != nil {
			t.say("on %s: %v", day, err)
			return
		}
	}
	t.content("in the end", t.want.Later)
}

// content holds the whole database against the tables that should be there.
func (t *trial) content(when string, want map[string][]string) {
	got, err := t.read(t.ctx)
	if err != nil {
		t.say("%s: %v", when, err)
		return
	}
	for table := range want {
		if !slices.Equal(got[table], want[table]) {
			missing, extra := differ(want[table], got[table])
			t.say("%s: %q lacks %q and has %q", when, table, missing, extra)
		}
	}
}

func differ(want, got []string) (missing, extra []string) {
	left := slices.Clone(got)
	for _, w := range want {
		if i := slices.Index(left, w); i >= 0 {
			left = slices.Delete(left, i, i+1)
		} else {
			missing = append(missing, w)
		}
	}
	return missing, left
}

// export holds a package against the rows, and their values, that should be in it.
func (t *trial) export(when string, c *Case, want Expect) {
	got := &parcel{keys: map[string][]string{}, hidden: map[string]int{}}
	got.value = func(table, key string, head connector.Collection, values [][]byte) {
		t.values(when, c.Table(table), key, head, values)
	}
	if err := t.sys.(connector.Collector).Collect(t.ctx, t.scope, got); err != nil {
		t.say("%s: Collect: %v", when, err)
		return
	}
	for _, tt := range c.Tables {
		g := got.keys[tt.Name]
		slices.Sort(g)
		if !slices.Equal(g, want.Export[tt.Name]) {
			t.say("%s: exported of %q %q, want %q", when, tt.Name, g, want.Export[tt.Name])
		}
		if got.hidden[tt.Name] != want.Hidden[tt.Name] {
			t.say("%s: hidden of %q %d, want %d", when, tt.Name, got.hidden[tt.Name], want.Hidden[tt.Name])
		}
	}
	for name := range got.keys {
		if c.Table(name) == nil {
			t.say("%s: exported of %q, which is no table of the case", when, name)
		}
	}
}

func (t *trial) values(when string, tt *Table, key string, head connector.Collection, values [][]byte) {
	at := slices.IndexFunc(tt.Rows, func(r []Value) bool { return tt.keyText(r) == key })
	if at < 0 {
		return // said already
	}
	e, _ := t.c.Map.Table(tt.Name)
	for i, hc := range head.Columns {
		col := tt.column(hc.Name)
		v := tt.Rows[at][tt.at(hc.Name)]
		var want any
		if slices.Contains(e.Export.HideOthers, hc.Name) && !t.ownKey(tt, col, v) {
			if values[i] != nil {
				t.say("%s: %q.%q of %q holds another person's key and was handed over", when, tt.Name, hc.Name, key)
			}
			continue
		}
		switch e.Columns[hc.Name].Export {
		case datamap.ShowHide, datamap.ShowNever:
			if values[i] != nil {
				t.say("%s: %q.%q is to be hidden and was handed over", when, tt.Name, hc.Name)
			}
			continue
		case datamap.ShowPresence:
			if want = v.Set; values[i] == nil {
				continue // the head tells that it is held
			}
		case datamap.ShowFull, "":
			switch {
			case !v.Set:
			case col.Kind == Int:
				_ = json.Unmarshal([]byte(v.Text), &want)
			case col.Kind == JSON:
				_ = json.Unmarshal([]byte(v.Text), &want)
			default:
				want = v.Text
			}
		}
		var got any
		if err := json.Unmarshal(values[i], &got); err != nil || !reflect.DeepEqual(got, want) {
			t.say("%s: %q.%q of %q is %q, want %v", when, tt.Name, hc.Name, key, values[i], want)
		}
	}
}

// ownKey tells whether a column that the map hides where it is another person's may be shown: it is empty, or the
// person's own. A part of a wider key is never told apart.
func (t *trial) ownKey(tt *Table, col Column, v Value) bool {
	l := newLook(t.c)
	if len(l.subject.Key) != 1 {
		return false
	}
	k := l.home.column(l.subject.Key[0])
	return !v.Set || slices.ContainsFunc(l.home.Rows, func(h []Value) bool {
		return l.c.same(k, h[l.home.at(k.Name)], col, v) && l.owned[l.home][slices.IndexFunc(l.home.Rows, func(o []Value) bool { return &o[0] == &h[0] })]
	})
}

// parcel is a sink.
type parcel struct {
	head   connector.Collection
	keys   map[string][]string
	hidden map[string]int
	value  func(table, key string, head connector.Collection, values [][]byte)
}

// Begin implements connector.Sink.
func (p *parcel) Begin(c connector.Collection) error { p.head = c; return nil }

// Row implements connector.Sink.
func (p *parcel) Row(key connector.Key, values [][]byte) error {
	k := keyOf(key)
	p.keys[p.head.Table] = append(p.keys[p.head.Table], k)
	p.value(p.head.Table, k, p.head, values)
	return nil
}

// End implements connector.Sink.
func (p *parcel) End() error { return nil }

// Hidden implements connector.Sink.
func (p *parcel) Hidden(table string, rows int64, _ string) error {
	p.hidden[table] += int(rows)
	return nil
}
