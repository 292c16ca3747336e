package datamap

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func files(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no files like %s: %v", pattern, err)
	}
	return names
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// Each file of testdata/bad has beside it the places and words that must be told: `line:column message | fix`.
func TestFaultsAreToldWithTheirPlace(t *testing.T) {
	for _, name := range files(t, "testdata/bad/*.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			m, problems := Parse("datamap.yaml", read(t, name))
			if m != nil || !Wrong(problems) {
				t.Fatal("the map was accepted")
			}
			for _, want := range strings.Split(strings.TrimSpace(string(read(t, strings.TrimSuffix(name, ".yaml")+".expect"))), "\n") {
				if !slices.ContainsFunc(problems, func(p Problem) bool { return told(p, want) }) {
					t.Errorf("not told: %s\nbut:\n%s", want, list2(problems))
				}
			}
			for i, p := range problems {
				if p.Message == "" || p.File != "datamap.yaml" {
					t.Errorf("%+v", p)
				}
				if i > 0 && (problems[i-1].Line > p.Line || problems[i-1].Line == p.Line && problems[i-1].Column > p.Column) {
					t.Errorf("not in the order of the file: %v", problems)
				}
			}
		})
	}
}

func told(p Problem, want string) bool {
	place, words, ok := strings.Cut(want, " ")
	if !ok || !strings.Contains(place, ":") {
		return strings.Contains(p.Message, want)
	}
	message, fix, _ := strings.Cut(words, " | ")
	return fmt.Sprintf("%d:%d", p.Line, p.Column) == place && strings.Contains(p.Message, message) && strings.Contains(p.Fix, fix)
}

func list2(problems []Problem) string {
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.String() + "\n")
	}
	return b.String()
}

func TestGoodMapsAreRead(t *testing.T) {
	for _, name := range files(t, "testdata/good/*.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			m, problems := Parse(name, read(t, name))
			if Wrong(problems) {
				t.Fatal(list2(problems))
			}
			again, problems := Parse("again", Write(m, nil))
			if Wrong(problems) {
				t.Fatalf("what Write gives is not read: %s\n%s", list2(problems), Write(m, nil))
			}
			sameMap(t, m, again)
		})
	}
}

func TestFormsOfTheContract(t *testing.T) {
	m, _ := Parse("people.yaml", read(t, "testdata/good/people.yaml"))
	s, _ := m.System("app")
	table := func(name string) *Table {
		found, ok := s.Table(name)
		if !ok {
			t.Fatalf("no table %s", name)
		}
		return found
	}
	for name, pair := range map[string][2]any{
		"identifier elsewhere": {s.Subjects[0].Identifiers[1], Identifier{"login", "emailaddress", "address", []string{"person_id"}, MatchASCIICI}},
		"composite key":        {s.Subjects[1].Key, []string{"company", "no"}},
		"default rule":         {s.Subjects[1].Identifiers[0].Match, MatchDomainCI},
		"members":              {*s.Subjects[2].Members, Members{"membership", "workspace_id", "user_id"}},
		"composite reference":  {s.References[1], Reference{"seat", []string{"hall", "row"}, "row_of_seats", []string{"hall", "row"}}},
		"schema in reference":  {s.References[2], Reference{"hr.badge", []string{"employee_no"}, "hr.employee", []string{"no"}}},
		"quoted reference":     {s.References[3], Reference{"odd.table", []string{"column"}, "customer", []string{"id"}}},
		"backups":              {s.Backups.String(), "P35D"},
		"limits":               {s.Limits, Limits{MaxRows: 50000, MaxShare: 0.25, LockTime: 100 * time.Millisecond, K: 5}},
		"owners":               {len(table("membership").Owners), 2},
		"to":                   {table("seat").Owners[0].To, []string{"hall", "row"}},
		"upward":               {table("address").Owners[0].Upward(), true},
		"when":                 {table("note").Owners[0].When, map[string]string{"owner_type": "Customer", "version": "2"}},
		"json":                 {table("event").Match.Any[0].Columns[0], MatchColumn{"params", "$.contact.emails[0]", "email", MatchASCIICI}},
		"and":                  {len(table("lead").Match.Any[0].Columns), 2},
		"any":                  {len(table("lead").Match.Any), 2},
		"mention":              {table("message").Mentions[0].OnErase, "null"},
		"bare null":            {table("hr.employee").Columns["mail"].Anonymize.With, AnonNull},
		"others refer":         {table("seat").Erase, Erase{EraseRetain, OthersSetNull, ""}},
		"none":                 {table("loyalty").Match.None, true},
		"skip":                 {table("draft").Export, Export{nil, true, "not sent to anybody"}},
		"wildcard":             {s.Wildcard.Why, "catalogue"},
	} {
		if fmt.Sprintf("%+v", pair[0]) != fmt.Sprintf("%+v", pair[1]) {
			t.Errorf("%s: %+v, not %+v", name, pair[0], pair[1])
		}
	}
}

func TestSecretsInAddresses(t *testing.T) {
	for address, want := range map[string]secretPlace{
		"postgres://app:hunter2@db.internal/app":                 secretAbroad,
		"postgres://app:hunter2@127.0.0.1:5432/app":              secretLocal,
		"postgres://app:hunter2@localhost/app":                   secretLocal,
		"postgres://app:hunter2@[::1]:5432/app":                  secretLocal,
		"postgres://app:hunter2@localhost.evil.example/app":      secretAbroad,
		"postgres://app:hunter2@127.0.0.1,db.internal/app":       secretAbroad,
		"postgres://app:hunter2@/app?host=/var/run/postgresql":   secretLocal,
		"postgres://app:${PW}@db.internal/app":                   secretNone,
		"postgres://app:${file:/run/secrets/pw}@db.internal/app": secretNone,
		"postgres://app@db.internal/app":                         secretNone,
		"postgres://app@db.internal/app?password=hunter2":        secretAbroad,
		"postgres://app:p@ss@db.internal/app":                    secretAbroad,
		"host=db.internal user=app password=hunter2":             secretAbroad,
		"host=127.0.0.1 user=app password='hunter 2'":            secretLocal,
		"host=db.internal user=app password=${PW}":               secretNone,
		"mysql://u:p@db.internal:3306/db":                        secretAbroad,
		"u:p@tcp(db.internal:3306)/db":                           secretAbroad,
		"u:p@tcp(127.0.0.1:3306)/db":                             secretLocal,
		"${APP_DSN}":                                             secretNone,
		"/var/lib/app/data.db":                                   secretNone,
		"s3://key:secret@bucket":                                 secretAbroad,
		"https://crm.internal/hook?token=abc":                    secretAbroad,
		"https://crm.internal/hook?token=${TOKEN}":               secretNone,
	} {
		if got := secretIn(address); got != want {
			t.Errorf("%s: %d, not %d", address, got, want)
		}
	}
}

// The schema that editors use and the parser must agree: on every good map, and on every fault of shape.
func TestTheSchemaAgreesWithTheParser(t *testing.T) {
	c := jsonschema.NewCompiler()
	schema, err := c.Compile("../../api/schema/datamap.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string) error {
		var doc any
		if err := yaml.Unmarshal(read(t, name), &doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return schema.Validate(doc)
	}
	for _, name := range files(t, "testdata/good/*.yaml") {
		if err := check(name); err != nil {
			t.Errorf("%s: the parser reads it, the schema refuses it: %v", name, err)
		}
	}
	for _, name := range files(t, "testdata/bad/shape_*.yaml") {
		if err := check(name); err == nil {
			t.Errorf("%s: the parser refuses its shape, the schema accepts it", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml"} {
		names, _ := filepath.Glob(pattern)
		for _, name := range names {
			src, _ := os.ReadFile(name)
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		m, problems := Parse("x", src)
		if (m == nil) != Wrong(problems) {
			t.Fatalf("a map and problems: %v", problems)
		}
		if m != nil {
			if again, problems := Parse("y", Write(m, nil)); again == nil {
				t.Fatalf("what was read and written is not read again: %v\n%s", problems, Write(m, nil))
			}
		}
	})
}

func TestExplain(t *testing.T) {
	m, _ := Parse("people.yaml", read(t, "testdata/good/people.yaml"))
	for format, wants := range map[string][]string{
		"text":    {"customer: the people themselves (customer)", "owned by customer, whose address_id points here", "found by email = email and kind = login; found by old_email = email", "all other tables: not personal (catalogue)"},
		"dot":     {"digraph datamap {", `"app.seat" -> "app.customer" [label="hall+row", style=solid];`, "style=dashed"},
		"mermaid": {"flowchart RL", "-.->", `(["hr.employee<br>anonymize"]):::people`, `-->|"hall+row"|`},
	} {
		var b strings.Builder
		if err := Explain(m, format, &b); err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s lacks %q:\n%s", format, want, b.String())
			}
		}
	}
	if err := Explain(m, "svg", &strings.Builder{}); err == nil {
		t.Error("an unknown format was accepted")
	}
}
