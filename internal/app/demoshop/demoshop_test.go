package demoshop_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/statute"
)

func today() statute.Date { return statute.NewDate(2026, time.November, 2) }

// anotherDay has no counterpart in most years.
func anotherDay() statute.Date { return statute.NewDate(2028, time.February, 29) }

// made keeps a shop per day for the tests that only read it: under the race detector each takes seconds.
var made = map[statute.Date]string{}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "demoshop")
	if err != nil {
		panic(err)
	}
	for _, day := range []statute.Date{today(), anotherDay()} {
		made[day] = filepath.Join(dir, day.String()+".sqlite")
		if err := demoshop.Generate(context.Background(), made[day], day); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// shop opens the shop of a day, to read.
func shop(t *testing.T, day statute.Date) *sql.DB {
	t.Helper()
	return opened(t, "file:"+made[day]+"?mode=ro")
}

func opened(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestGenerateIsTheSameEveryTime(t *testing.T) {
	again := filepath.Join(t.TempDir(), "shop.sqlite")
	if err := demoshop.Generate(t.Context(), again, today()); err != nil {
		t.Fatal(err)
	}
	first, second := dump(t, shop(t, today())), dump(t, opened(t, again))
	if first != second {
		t.Errorf("two shops of one day differ: %s and %s", first, second)
	}
	if other := dump(t, shop(t, anotherDay())); other == first {
		t.Error("a shop of another day has the same dates: the dump sees too little")
	}
}

// dump gives a digest over every value of every row, in the order in which the database gives them.
func dump(t *testing.T, db *sql.DB) string {
	t.Helper()
	sum := sha256.New()
	for _, table := range demoshop.Tables() {
		for _, row := range rows(t, db, "SELECT * FROM "+table) {
			fmt.Fprintf(sum, "%s %q\n", table, row)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// rows reads a query's rows as texts; NULL is "NULL".
func rows(t *testing.T, db *sql.DB, query string, args ...any) [][]string {
	t.Helper()
	found, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = found.Close() }()
	columns, err := found.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for found.Next() {
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := found.Scan(into...); err != nil {
			t.Fatal(err)
		}
		row := make([]string, len(columns))
		for i, v := range values {
			row[i] = "NULL"
			if v != nil {
				row[i] = fmt.Sprint(v)
			}
		}
		out = append(out, row)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func number(t *testing.T, db *sql.DB, query string) int {
	t.Helper()
	var n int
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestEveryKeyPointsSomewhere(t *testing.T) {
	db := shop(t, today())
	if broken := rows(t, db, "PRAGMA foreign_key_check"); len(broken) > 0 {
		t.Errorf("declared keys point nowhere: %v", broken)
	}
	for _, table := range []string{"session", "event"} { // not declared, so not checked by the line above
		query := "SELECT count(*) FROM " + table + " WHERE customer_id IS NOT NULL AND customer_id NOT IN (SELECT customer_id FROM customer)"
		if n := number(t, db, query); n > 0 {
			t.Errorf("%d rows of %s are of nobody", n, table)
		}
	}
}

func TestSize(t *testing.T) {
	db := shop(t, today())
	counts, err := demoshop.Counts(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, table := range demoshop.Tables() {
		total += counts[table]
		if counts[table] == 0 {
			t.Errorf("%s is empty", table)
		}
	}
	if total < 20_000 || total > 40_000 {
		t.Errorf("%d rows in all, want 20,000 to 40,000", total)
	}
	if counts["customer"] != 400 {
		t.Errorf("%d customers, want 400", counts["customer"])
	}
	inFile := rows(t, db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	if len(inFile) != len(demoshop.Tables()) {
		t.Errorf("Tables names %d tables, the file has %d", len(demoshop.Tables()), len(inFile))
	}
	t.Logf("%d rows: %v", total, counts)
}

func TestDatesCountBackFromToday(t *testing.T) {
	for _, day := range []statute.Date{today(), anotherDay()} {
		db := shop(t, day)
		for _, table := range demoshop.Tables() {
			for _, column := range rows(t, db, "SELECT name FROM pragma_table_info(?) WHERE type IN ('DATE', 'DATETIME')", table) {
				if n := number(t, db, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s >= '%s'", table, column[0], day)); n > 0 {
					t.Errorf("%s.%s: %d rows lie on or after %s", table, column[0], n, day)
				}
			}
		}
		kept := fmt.Sprintf("SELECT count(*) FROM invoice WHERE issued_on >= '%s'", day.AddMonths(-60))
		gone := fmt.Sprintf("SELECT count(*) FROM invoice WHERE issued_on < '%s'", day.AddMonths(-60))
		for _, person := range []string{demoshop.Person, demoshop.ErasurePerson} {
			his := " AND customer_id = (SELECT customer_id FROM customer WHERE email = '" + person + "')"
			if number(t, db, kept+his) < 3 || number(t, db, gone+his) < 2 {
				t.Errorf("%s on %s: want invoices on both sides of five years", person, day)
			}
		}
	}
}

// keys runs a query of Expect.
func keys(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	var out []string
	for _, row := range rows(t, db, query) {
		out = append(out, row[0])
	}
	return out
}

func TestTheTwoPeopleHaveRowsEverywhere(t *testing.T) {
	db := shop(t, today())
	aboutNobody := []string{"country", "category", "product", "staff"}
	for _, person := range []string{demoshop.Person, demoshop.ErasurePerson} {
		expected := demoshop.Expect(person)
		for _, table := range demoshop.Tables() {
			query, ok := expected[table]
			if slices.Contains(aboutNobody, table) {
				if ok {
					t.Errorf("%s is about nobody, yet expected for %s", table, person)
				}
				continue
			}
			got := keys(t, db, query)
			if len(got) == 0 {
				t.Errorf("%s has no row in %s", person, table)
			}
			if total := number(t, db, "SELECT count(*) FROM "+table); len(got)*10 > total {
				t.Errorf("%s has %d of %d rows of %s: too many to be one person's", person, len(got), total, table)
			}
			if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
				t.Errorf("%s: keys of %s are not in order or not once each", person, table)
			}
		}
		if extra := len(expected) + len(aboutNobody) - len(demoshop.Tables()); extra != 0 {
			t.Errorf("Expect(%s) names %d tables too many", person, extra)
		}
	}
	if got := demoshop.Expect("amara.okafor@example.net"); got != nil {
		t.Errorf("Expect of somebody else: %v", slices.Sorted(maps.Keys(got)))
	}
}

// TestDifficulties holds each scene that the package comment promises.
func TestDifficulties(t *testing.T) {
	db := shop(t, today())
	nora, tomas := demoshop.Expect(demoshop.Person), demoshop.Expect(demoshop.ErasurePerson)
	find := func(query string) []string { return keys(t, db, query) }
	one := func(what, query string) string {
		t.Helper()
		got := find(query)
		if len(got) != 1 {
			t.Fatalf("%s: %v, want one", what, got)
		}
		return got[0]
	}
	home := func(email string) string {
		return one("home of "+email, "SELECT address_id FROM customer WHERE email = '"+email+"'")
	}
	amaras, noras, tomas2 := home("amara.okafor@example.net"), home(demoshop.Person), home(demoshop.ErasurePerson)

	if home("johan.ek@example.org") != noras {
		t.Error("Nora and Johan live apart")
	}
	if got := find(nora["address"]); len(got) != 2 || !slices.Contains(got, noras) || slices.Contains(got, amaras) {
		t.Errorf("Nora's addresses: %v, want her home %s and her workplace, not Amara's %s", got, noras, amaras)
	}
	if got := find(tomas["address"]); !slices.Equal(got, []string{tomas2}) {
		t.Errorf("Tomás's addresses: %v, want his home %s alone", got, tomas2)
	}
	for _, friend := range []struct{ who, email, at string }{{"Nora", demoshop.Person, amaras}, {"Tomás", demoshop.ErasurePerson, noras}} {
		query := "SELECT o.order_id FROM orders o JOIN customer c USING (customer_id) WHERE c.email = '" + friend.email + "' AND o.shipping_address_id = " + friend.at
		one("parcel of "+friend.who+" to a friend", query)
	}
	if got := find("SELECT order_id FROM orders WHERE shipping_address_id = " + tomas2 + " AND customer_id <> (SELECT customer_id FROM customer WHERE email = '" + demoshop.ErasurePerson + "')"); len(got) > 0 {
		t.Errorf("others sent parcels to Tomás's home, so it could not go: %v", got)
	}
	shared := slices.DeleteFunc(find(nora["message"]), func(k string) bool { return !slices.Contains(find(tomas["message"]), k) })
	if len(shared) < 2 {
		t.Errorf("messages between the two: %v, want one each way at least", shared)
	}
	if got := find("SELECT customer_id FROM customer WHERE full_name = 'Nora Lindqvist'"); len(got) != 2 {
		t.Errorf("people called Nora Lindqvist: %v, want two", got)
	}
	all := find("SELECT entry_id FROM newsletter_entry WHERE lower(email) LIKE 'nora.lindqvist@example.%'")
	if hers := find(nora["newsletter_entry"]); len(hers) < 2 || len(all)-len(hers) != 2 {
		t.Errorf("newsletter entries of Nora: %v of %v, want all but two", hers, all)
	}
	for person, expected := range map[string]map[string]string{"Nora": nora, "Tomás": tomas} {
		others := len(find("SELECT household_id FROM household_member WHERE household_id IN (" + expected["household"] + ")"))
		if want := map[string]int{"Nora": 2, "Tomás": 1}[person]; others != want {
			t.Errorf("household of %s: %d members, want %d", person, others, want)
		}
	}
}

func TestGenerateLeavesAFileAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.sqlite")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := demoshop.Generate(t.Context(), path, today()); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v, want fs.ErrExist", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "mine" {
		t.Errorf("the file is %q, %v", got, err)
	}
}

func TestGenerateLeavesNothingHalfDone(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond) // in the midst of it
	defer cancel()
	if err := demoshop.Generate(ctx, filepath.Join(dir, "shop.sqlite"), today()); err == nil {
		t.Error("cut off, and no error")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := demoshop.Generate(t.Context(), filepath.Join(dir, "no", "such", "dir.sqlite"), today()); err == nil {
		t.Error("a folder that is not there: no error")
	}
}

func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "shop.sqlite")
		if err := demoshop.Generate(b.Context(), path, today()); err != nil {
			b.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			b.Fatal(err)
		}
	}
}
