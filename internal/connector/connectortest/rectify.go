package connectortest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
)

// corrections asks the map for the places of each field, as the use case does: first the fields, then the copies.
func corrections(sys *datamap.System, changes map[string]string, was map[string][]string, copies bool) []connector.Correction {
	m := &datamap.Map{Systems: []datamap.System{*sys}}
	var out []connector.Correction
	for field, to := range changes {
		c := connector.Correction{Field: field, To: to, Was: was[field]}
		for _, p := range m.Places(map[string]string{sys.Name: ""}, field) {
			if (p.CopyOf != "") == copies {
				c.Places = append(c.Places, p)
			}
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b connector.Correction) int { return strings.Compare(a.Field, b.Field) })
	return out
}

func before(t *testing.T, s connector.System, sys *datamap.System, changes map[string]string) ([]plan.Step, []plan.Withheld, error) {
	t.Helper()
	r, ctx := s.(connector.Rectifier), context.Background()
	first, err := r.Before(ctx, scope(), Hash, corrections(sys, changes, nil, false))
	if err != nil {
		return nil, nil, err
	}
	second, err := r.Before(ctx, scope(), Hash, corrections(sys, changes, first.Was, true))
	return append(first.Steps, second.Steps...), append(first.Withheld, second.Withheld...), err
}

// rectified is the twin with copies: what an invoice says of the street, and of the person's name.
func rectified(t *testing.T, f Fixture) (connector.System, *datamap.System) {
	t.Helper()
	f.load(t, schema(f))
	f.load(t, rows())
	f.load(t, []string{"UPDATE invoice SET billing_address = '1 Any Street' WHERE id IN (100, 200)"})
	sys := System(f.Kind)
	i := slices.IndexFunc(sys.Tables, func(t datamap.Table) bool { return t.Name == "invoice" })
	sys.Tables[i].Columns = map[string]datamap.Column{"billing_address": {CopyOf: "address.street"}}
	return f.open(t, sys), sys
}

func capturedChanges(t *testing.T, s connector.System, steps []plan.Step) Keys {
	t.Helper()
	keys := Keys{}
	err := s.(connector.Capturer).Capture(context.Background(), scope(), nil, steps, func(step int, some []connector.Key) error {
		for _, k := range some {
			if chunk := len(keys[step]) - 1; chunk < 0 {
				keys[step] = [][]connector.Key{{slices.Clone(k)}}
			} else {
				keys[step][chunk] = append(keys[step][chunk], slices.Clone(k))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// testRectify corrects two fields with their copies, and nothing else; a value that moved undoes all of it.
func testRectify(t *testing.T, f Fixture) {
	ctx := context.Background()
	s, sys := rectified(t, f)
	was := f.content(t)
	r := s.(connector.Rectifier)
	if _, _, err := before(t, s, sys, map[string]string{"newsletter.email": "x@example.test"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a field of two values: %v", err)
	}
	if got, err := r.Before(ctx, scope(), Hash, corrections(sys, map[string]string{"nonsense": "x"}, nil, false)); err != nil || len(got.Known) != 0 {
		t.Errorf("a field that is not there: %v, %v", got.Known, err)
	}
	if _, _, err := before(t, s, sys, map[string]string{"id": "7"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a key: %v", err)
	}
	steps, withheld, err := before(t, s, sys, map[string]string{"name": "Zoë Ó'H", "email": "new@example.test", "address.street": "2 New Street"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, st := range steps {
		got = append(got, fmt.Sprintf("%s %v %d %s", st.Table, st.Columns, st.Rows, st.Ground))
	}
	want := []string{"address [street] 1 ", "customer [email name] 1 ",
		"invoice [billing_address] 1 holds the same as address.street", "newsletter [email] 1 holds the same as customer.email", "newsletter [old_email] 1 holds the same as customer.email"}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Fatalf("the steps are\n%q, want\n%q", got, want)
	}
	// Withheld: the invoice that says another street, the newsletter row that came under the new address, the JSON.
	if len(withheld) != 2 {
		t.Errorf("withheld %+v", withheld)
	}
	keys := capturedChanges(t, s, steps)
	f.load(t, []string{"UPDATE newsletter SET old_email = 'moved@example.test' WHERE id = 90"})
	if err := r.Rectify(ctx, steps, keys.Source, Free, Mute); !errors.Is(err, connector.ErrChanged) {
		t.Errorf("a value that moved: %v, want ErrChanged", err)
	}
	f.load(t, []string{"UPDATE newsletter SET old_email = '" + strings.ReplaceAll(subjectMail, "'", "''") + "' WHERE id = 90"})
	if d := diff(was, f.content(t)); len(d) != 0 {
		t.Errorf("changed although refused: %v", d)
	}
	if err := r.Rectify(ctx, steps, keys.Source, Free, Mute); err != nil {
		t.Fatal(err)
	}
	if d := diff(was, f.content(t)); !slices.Equal(d, []string{"address/10 changed", "customer/1 changed", "invoice/100 changed", "newsletter/1 changed", "newsletter/90 changed"}) {
		t.Errorf("changed %v", d)
	}
	if row := f.content(t)["customer"]["1"]; !strings.Contains(row, "Zoë Ó'H") || !strings.Contains(row, "new@example.test") {
		t.Errorf("now %s", row)
	}
	testRecheck(t, f, s, steps, keys)
}

func testRecheck(t *testing.T, f Fixture, s connector.System, steps []plan.Step, keys Keys) {
	t.Helper()
	r, ctx := s.(connector.Rectifier), context.Background()
	if over, err := r.Recheck(ctx, steps, keys.Source); err != nil || len(over) != 0 {
		t.Errorf("a look at what was written finds %+v, %v", over, err)
	}
	f.load(t, []string{"UPDATE customer SET name = 'Zoë O''Hara' WHERE id = 1", "DELETE FROM newsletter WHERE id = 1"})
	over, err := r.Recheck(ctx, steps, keys.Source)
	if err != nil || len(over) != 1 || steps[over[0].Step].Table != "customer" || over[0].Column != "name" || over[0].Rows != 1 {
		t.Errorf("one value was overwritten, one row deleted: %+v, %v", over, err)
	}
	f.load(t, []string{"UPDATE invoice SET billing_address = NULL WHERE id = 100"})
	if over, err = r.Recheck(ctx, steps, keys.Source); err != nil || len(over) != 2 {
		t.Errorf("a value was made null: %+v, %v", over, err)
	}
}

// testRectifyCutOff stops at each look of the guard, and after the commit: called again, it ends the same.
func testRectifyCutOff(t *testing.T, f Fixture) {
	ctx := context.Background()
	s, sys := rectified(t, f)
	steps, _, err := before(t, s, sys, map[string]string{"name": "Zoë Ó'H", "email": "new@example.test", "address.street": "2 New Street"})
	if err != nil {
		t.Fatal(err)
	}
	keys, was := capturedChanges(t, s, steps), f.content(t)
	r := s.(connector.Rectifier)
	stopped := errors.New("stopped")
	for k := range 6 {
		n := 0
		err := r.Rectify(ctx, steps, keys.Source, func(context.Context) error {
			if n++; n == k+1 {
				return stopped
			}
			return nil
		}, Mute)
		if !errors.Is(err, stopped) {
			t.Fatalf("look %d: %v", k, err)
		}
		if d := diff(was, f.content(t)); len(d) != 0 {
			t.Fatalf("stopped at look %d, and changed %v", k, d)
		}
	}
	if err := r.Rectify(ctx, steps, keys.Source, Free, func(context.Context, int, int64, int64) error { return stopped }); !errors.Is(err, stopped) {
		t.Fatal(err)
	}
	written := f.content(t)
	rows := int64(0)
	if err := r.Rectify(ctx, steps, keys.Source, Free, func(_ context.Context, _ int, n, _ int64) error { rows += n; return nil }); err != nil {
		t.Fatalf("a second time after the commit: %v", err)
	}
	if d := diff(written, f.content(t)); len(d) != 0 || rows != 5 {
		t.Errorf("the second time changed %v and counted %d rows", d, rows)
	}
}

// testMisfits tries values that the columns refuse: each is named by its field before anything is written.
func testMisfits(t *testing.T, f Fixture) {
	mood, name := "VARCHAR(9)", f.Quote("order")
	// What is not named is the default.
	//exhaustive:ignore
	switch f.Kind {
	case datamap.KindPostgres:
		f.load(t, []string{"CREATE TYPE mood AS ENUM ('good', 'bad')", "CREATE DOMAIN plz AS VARCHAR(9) CHECK (VALUE <> '00000')"})
		mood = "mood"
	case datamap.KindMySQL:
		mood = "ENUM('good', 'bad')"
	default:
	}
	zip := "VARCHAR(9) CHECK (zip <> '00000')"
	if f.Kind == datamap.KindPostgres {
		zip = "plz"
	}
	f.load(t, []string{
		`CREATE TABLE person (id INTEGER PRIMARY KEY, email VARCHAR(60) NOT NULL UNIQUE, nick VARCHAR(8) NOT NULL, age INTEGER, born DATE, score NUMERIC(5,2), mood ` + mood + `,
			zip ` + zip + `, "order" VARCHAR(9), CONSTRAINT grown CHECK (age IS NULL OR (age >= 0 AND age < 130)))`,
		`INSERT INTO person VALUES (1, 'zoë.o''hara@example.test', 'zoe', 30, '1990-01-01', 1.5, 'good', '10115', 'x'), (2, 'bob@example.test', 'bob', 31, '1990-01-01', 1.5, 'bad', '10115', 'y')`,
	})
	sys := &datamap.System{Name: "twin", Kind: f.Kind, Tables: []datamap.Table{{Name: "person", Personal: true, Category: "account"}},
		Subjects: []datamap.Subject{{Name: "person", Table: "person", Key: []string{"id"}, Identifiers: []datamap.Identifier{{Name: "email", Table: "person", Column: "email", Match: datamap.MatchDomainCI}}}}}
	s := f.open(t, sys)
	wrong := map[string]string{"email": "bob@example.test", "nick": "much too long", "age": "130", "born": "1990-02-30", "score": "1000.00", "zip": "00000"}
	if f.Kind != datamap.KindSQLite {
		wrong["mood"] = "ugly"
	}
	_, _, err := before(t, s, sys, wrong)
	e, ok := fault.As(err)
	if !ok || e.Kind != fault.Invalid {
		t.Fatalf("got %v", err)
	}
	named := map[string]string{}
	for _, x := range e.Fields {
		named[x.Name] = x.Message
	}
	for field := range wrong {
		if named[field] == "" {
			t.Errorf("%s is not named", field)
		}
		if strings.Contains(named[field], "bob") {
			t.Errorf("%s quotes a value: %s", field, named[field])
		}
	}
	for field, to := range map[string]string{"age": "thirty", "email": "", "nick": "zoë\x00"} {
		if _, _, err := before(t, s, sys, map[string]string{field: to}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s = %q: %v", field, to, err)
		}
	}
	right := map[string]string{"email": "z@example.test", "nick": "żółć1234", "age": "129", "born": "1991-02-28", "score": "999.9", "mood": "bad", "zip": "", "order": "ok"}
	steps, _, err := before(t, s, sys, right)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.(connector.Rectifier).Rectify(context.Background(), steps, capturedChanges(t, s, steps).Source, Free, Mute); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := f.DB.QueryRow("SELECT COUNT(*) FROM person WHERE id = 1 AND nick = 'żółć1234' AND age = 129 AND score = 999.9 AND mood = 'bad' AND zip IS NULL AND " + name + " = 'ok'").Scan(&n); err != nil || n != 1 {
		t.Errorf("the values were not written: %d, %v", n, err)
	}
}
