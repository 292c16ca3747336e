package connectortest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/plan"
)

// Run holds every promise against one engine.
func Run(t *testing.T, factory Factory) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Fixture)
	}{
		{"export is exactly the person's rows", testExport},
		{"export is the same bytes twice", testStable},
		{"nobody found, nothing handed over", testNobody},
		{"what is found has the right fates", testFates},
		{"what stays for good keeps what it needs", testNeeded},
		{"erase", testErase},
		{"erase everything", testEraseAll},
		{"guard refuses", testGuard},
		{"cut off anywhere and resumed", testCutOff},
		{"many rows in batches, cut off and resumed", testBatches},
		{"a constraint undoes everything", testConstraint},
		{"an uncovered table is named", testGaps},
		{"called off at any statement and taken up again", testCalledOff},
		{"rectify", testRectify},
		{"rectify cut off anywhere", testRectifyCutOff},
		{"a value that does not fit is named", testMisfits},
		{"count and contact", testLookups},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, factory(t)) })
	}
	t.Run("rows that come meanwhile are named", func(t *testing.T) { testArrivals(t, factory) })
	t.Run("a writer beside the batches loses nothing", func(t *testing.T) { testWriter(t, factory) })
}

func scope() connector.Scope {
	return connector.Scope{Identifiers: map[string][]string{"email": {"zoë.o'hara@EXAMPLE.test"}}}
}

func export(t *testing.T, s connector.System, sc connector.Scope) *Package {
	t.Helper()
	p := NewPackage()
	if err := s.(connector.Collector).Collect(context.Background(), sc, p); err != nil {
		t.Fatal(err)
	}
	for _, k := range p.Keys {
		slices.Sort(k)
	}
	return p
}

func testExport(t *testing.T, f Fixture) {
	p := export(t, f.twin(t), scope())
	want := wanted()
	for _, table := range slices.Sorted(maps.Keys(want)) {
		got := p.Keys[table]
		if !slices.Equal(got, want[table]) {
			t.Errorf("%s: exported %v, want %v", table, got, want[table])
		}
	}
	for table := range p.Keys {
		if _, ok := want[table]; !ok {
			t.Errorf("%s must not be exported", table)
		}
	}
	if p.Left["address"] != 1 {
		t.Errorf("%d hidden addresses, want the one home of others that an order went to", p.Left["address"])
	}
	if v := p.Rows["customer"][0]; v["name"] != `"Zoë O'Hara"` || v["password_hash"] != "true" {
		t.Errorf("customer is %v", v)
	}
	if v := p.Rows["invoice"][0]["total"]; v != "8.91" {
		t.Errorf("total is %s, want 8.91 digit by digit", v)
	}
	if v := p.Rows["event"][0]["params"]; !strings.Contains(v, "12345678901234567890") || v[0] != '{' {
		t.Errorf("params is %s, want the JSON itself with all digits", v)
	}
	for _, m := range p.Rows["message"] {
		other := m["recipient_id"]
		if m["id"] == "500" {
			other = m["sender_id"]
		}
		if other != "" {
			t.Errorf("message %s shows the key of another person: %s", m["id"], other)
		}
	}
}

func testStable(t *testing.T, f Fixture) {
	s := f.twin(t)
	one, two := NewPackage(), NewPackage()
	for _, p := range []*Package{one, two} {
		if err := s.(connector.Collector).Collect(context.Background(), scope(), p); err != nil {
			t.Fatal(err)
		}
	}
	for table := range one.Rows {
		if !slices.EqualFunc(one.Rows[table], two.Rows[table], maps.Equal[map[string]string]) {
			t.Errorf("%s differs between two exports", table)
		}
	}
}

func testNobody(t *testing.T, f Fixture) {
	s := f.twin(t)
	for _, mail := range []string{"", "nobody@example.test", "zoë.o'hara@example.test ", "ZOË.O'HARA@example.test", "zoé.o'hara@example.test", "' OR 1=1 --"} {
		sc := connector.Scope{Identifiers: map[string][]string{"email": {mail}, "user_id": {"", "x", "1.0", "01", "1 "}}}
		if p := export(t, s, sc); len(p.Keys) != 0 {
			t.Errorf("%q found %v", mail, p.Keys)
		}
	}
	p := export(t, s, connector.Scope{Identifiers: map[string][]string{"user_id": {"1"}}})
	if !slices.Equal(p.Keys["customer"], []string{"1"}) || len(p.Keys["newsletter"]) != 0 {
		t.Errorf("by user_id found customer %v and newsletter %v", p.Keys["customer"], p.Keys["newsletter"])
	}
}

func testFates(t *testing.T, f Fixture) {
	found, err := f.twin(t).(connector.Locator).Locate(context.Background(), scope(), Rules(), Hash)
	if err != nil {
		t.Fatal(err)
	}
	if found.Subjects != 1 || len(found.Gaps) != 0 {
		t.Fatalf("subjects %d, gaps %v", found.Subjects, found.Gaps)
	}
	got := map[string]string{}
	place := map[string]int{}
	for i, ft := range found.Tables {
		place[ft.Table] = i
		var parts []string
		for _, g := range ft.Groups {
			parts = append(parts, strings.TrimSpace(string(g.Fate.Action)+" "+string(rune('0'+g.Rows))+" "+g.Fate.Until.String()))
		}
		got[ft.Table] = strings.Join(parts, ", ")
	}
	want := map[string]string{
		"customer": "anonymize 1 2029-05-01", "address": "anonymize 1 2029-05-01, keep 1", "order": "delete 2", "order_line": "delete 3", "line_note": "delete 2",
		"invoice": "delete 1, retain 1 2029-05-01", "invoice_line": "delete 1, retain 2 2029-05-01", "message": "anonymize 1, keep 1",
		"newsletter": "delete 2", "event": "delete 1", "remark": "delete 2", "folder": "delete 3", "membership": "delete 2", "account": "delete 1", "card": "delete 1",
	}
	for table, w := range want {
		if got[table] != w {
			t.Errorf("%s: %q, want %q", table, got[table], w)
		}
	}
	for _, pair := range [][2]string{{"line_note", "order_line"}, {"order_line", "order"}, {"order", "customer"}, {"customer", "address"}, {"card", "account"}} {
		if place[pair[0]] > place[pair[1]] {
			t.Errorf("%s must come before %s", pair[0], pair[1])
		}
	}
	if Refused(found, Rules()) {
		t.Errorf("refused: %+v", found)
	}
}

// after is what an erasure of person 1 leaves changed.
func after() []string {
	out := []string{"customer/1 changed", "address/10 changed", "invoice/100 gone", "invoice/101 changed", "invoice_line/100 gone", "message/100 changed",
		"newsletter/1 gone", "newsletter/90 gone", "event/1 gone", "account/1 gone", "card/1 gone", "membership/1|1 gone", "membership/1|2 gone",
		"order/100 gone", "order/101 gone", "order_line/100|1 gone", "order_line/100|2 gone", "order_line/101|1 gone", "line_note/100 gone", "line_note/101 gone",
		"folder/100 gone", "folder/101 gone", "folder/102 gone", "remark/100 gone", "remark/101 gone", "remark/900 changed",
		// The customer stays until the last invoice goes; what refers to it is cleared now, while somebody looks for it.
		"message/500 changed", "customer/2 changed"}
	slices.Sort(out)
	return out
}

func testErase(t *testing.T, f Fixture) {
	ctx := context.Background()
	s := f.twin(t)
	before := f.content(t)
	_, steps, keys, err := Prepare(ctx, s, scope(), Rules())
	if err != nil {
		t.Fatal(err)
	}
	var total, gone int64
	record := func(_ context.Context, step int, affected, missing int64) error {
		total += affected
		gone += missing
		return nil
	}
	if err := s.(connector.Eraser).Erase(ctx, steps, keys.Source, Free, record); err != nil {
		t.Fatal(err)
	}
	now := f.content(t)
	if got := diff(before, now); !slices.Equal(got, after()) {
		t.Errorf("changed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(after(), "\n"))
	}
	if total != int64(len(after())) || gone != 0 {
		t.Errorf("recorded %d rows and %d gone, want %d and 0", total, gone, len(after()))
	}
	for key, row := range now["customer"] {
		if key == "1" && (strings.Contains(row, "Zo") || !strings.Contains(row, "gone-1") || !strings.Contains(row, "[erased]")) {
			t.Errorf("the customer is %s", row)
		}
	}
	if p := export(t, s, scope()); len(p.Keys) != 0 {
		t.Errorf("after the erasure the person still has %v", p.Keys)
	}
	for i, st := range steps {
		n, err := s.(connector.Checker).CountKeys(ctx, st.Table, slices.Concat(keys[i]...))
		want := int64(0)
		// What is not named is the default.
		//exhaustive:ignore
		switch st.Action {
		case plan.ActionDelete:
		case plan.ActionUnlink:
			want = keys.Count(i)
		default:
			want = st.Rows
		}
		if err != nil || n != want {
			t.Errorf("%s of %s: %d rows left (%v), want %d", st.Action, st.Table, n, err, want)
		}
	}
	total, gone = 0, 0
	if err := s.(connector.Eraser).Erase(ctx, steps, keys.Source, Free, record); err != nil {
		t.Fatalf("a second time: %v", err)
	}
	if d := diff(now, f.content(t)); len(d) != 0 || gone == 0 {
		t.Errorf("a second time changed %v and found %d gone", d, gone)
	}
}

func testGuard(t *testing.T, f Fixture) {
	ctx := context.Background()
	s := f.twin(t)
	before := f.content(t)
	_, steps, keys, err := Prepare(ctx, s, scope(), Rules())
	if err != nil {
		t.Fatal(err)
	}
	held := errors.New("held")
	err = s.(connector.Eraser).Erase(ctx, steps, keys.Source, func(context.Context) error { return held }, Mute)
	if !errors.Is(err, held) {
		t.Errorf("got %v, want the guard's error", err)
	}
	if d := diff(before, f.content(t)); len(d) != 0 {
		t.Errorf("a refused erasure changed %v", d)
	}
}

// testNeeded: a remark that others answered stays without its author; then so do the row it answers and the person's own.
func testNeeded(t *testing.T, f Fixture) {
	rules := Rules()
	r := rules.Tables["remark"]
	r.Others = string(datamap.OthersAnonymize)
	rules.Tables["remark"] = r
	found, err := f.twin(t).(connector.Locator).Locate(context.Background(), scope(), rules, Hash)
	if err != nil {
		t.Fatal(err)
	}
	for _, ft := range found.Tables {
		want := map[string]int64{"remark": 2, "customer": 1, "address": 1, "message": 1}[ft.Table]
		if n := rowsOf(ft, plan.ActionAnonymize); n != want {
			t.Errorf("%s: %d rows are anonymized, want %d", ft.Table, n, want)
		}
		for _, g := range ft.Groups {
			if g.Fate.Action == plan.ActionAnonymize && !g.Fate.Until.IsZero() {
				t.Errorf("%s goes on %s, though a row without an end needs it", ft.Table, g.Fate.Until)
			}
		}
	}
}

// testEraseAll: nothing is retained, so the person's own row goes, and the references of others to it are cleared.
func testEraseAll(t *testing.T, f Fixture) {
	ctx := context.Background()
	s := f.twin(t)
	before := f.content(t)
	rules := Rules()
	rules.Tables["invoice"] = plan.TableRule{Do: plan.ActionDelete}
	found, steps, keys, err := Prepare(ctx, s, scope(), rules)
	if err != nil {
		t.Fatal(err)
	}
	if Refused(found, rules) {
		t.Fatalf("refused: %+v", found)
	}
	if err := s.(connector.Eraser).Erase(ctx, steps, keys.Source, Free, Mute); err != nil {
		t.Fatal(err)
	}
	now := f.content(t)
	want := slices.DeleteFunc(after(), func(d string) bool {
		return strings.HasSuffix(d, "/101 changed") || strings.HasSuffix(d, "/1 changed") || strings.HasSuffix(d, "/10 changed")
	})
	want = append(want, "customer/1 gone", "address/10 gone", "invoice/101 gone", "invoice_line/101 gone", "invoice_line/102 gone")
	slices.Sort(want)
	if got := diff(before, now); !slices.Equal(got, want) {
		t.Errorf("changed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if row := now["message"]["500"]; !strings.Contains(row, "hello from 5") || !strings.Contains(row, "true:5 false:") {
		t.Errorf("the message to the person is %s: it stays as its sender wrote it, to nobody", row)
	}
	if row := now["customer"]["2"]; !strings.Contains(row, "bob@") {
		t.Errorf("another person is %s", row)
	}
}
