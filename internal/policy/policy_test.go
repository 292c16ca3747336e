package policy_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
)

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var loaded = sync.OnceValues(statute.Load)

func book(t testing.TB) *statute.Book {
	t.Helper()
	b, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// problems gives those of the shape and those of the sense.
func problems(t testing.TB, src string) (shape, sense []policy.Problem) {
	t.Helper()
	p, shape := policy.Parse("policy.yaml", []byte(src))
	if policy.Wrong(shape) {
		return shape, nil
	}
	return shape, p.Check(book(t))
}

func TestGoodFilesHaveNoProblems(t *testing.T) {
	for _, name := range []string{"acme.yaml", "full.yaml"} {
		shape, sense := problems(t, read(t, name))
		for _, p := range append(shape, sense...) {
			if !p.Warning {
				t.Errorf("%s: %s", name, p)
			}
		}
	}
}

type faulty struct {
	Old   string `yaml:"old"`
	New   string `yaml:"new"`
	Line  int    `yaml:"line"`
	Says  string `yaml:"says"`
	Fix   string `yaml:"fix"`
	Shape bool   `yaml:"shape"`
}

func faults(t testing.TB) []faulty {
	t.Helper()
	var out []faulty
	if err := yaml.UnmarshalWithOptions([]byte(read(t, "faults.yaml")), &out, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return out
}

func (f faulty) plant(t testing.TB, src string) string {
	t.Helper()
	if !strings.Contains(src, f.Old) {
		t.Fatalf("%q is not in the file: nothing was planted", f.Old)
	}
	return strings.Replace(src, f.Old, f.New, 1)
}

func TestEachFaultIsToldInItsPlace(t *testing.T) {
	good := read(t, "acme.yaml")
	for _, f := range faults(t) {
		t.Run(f.New, func(t *testing.T) {
			shape, sense := problems(t, f.plant(t, good))
			if f.Shape && !policy.Wrong(shape) {
				t.Error("the shape was accepted")
			}
			for _, p := range append(shape, sense...) {
				if !p.Warning && p.Line == f.Line && p.Column > 0 && strings.Contains(p.Message, f.Says) && strings.Contains(p.Fix, f.Fix) {
					return
				}
			}
			t.Errorf("no problem in line %d with %q and %q among:\n%s", f.Line, f.Says, f.Fix, lines(append(shape, sense...)))
		})
	}
}

func lines(ps []policy.Problem) string {
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(p.String() + "\n")
	}
	return b.String()
}

// The schema that editors use and the parser give the same verdict on the shape of every file here.
func TestSchemaAndParserAgree(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile("../../api/schema/policy.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	verdict := func(src string) error {
		var v any
		if err := yaml.Unmarshal([]byte(src), &v); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(doc)
	}
	good := read(t, "acme.yaml")
	for _, src := range []string{good, read(t, "full.yaml")} {
		if err := verdict(src); err != nil {
			t.Errorf("the schema refuses a good file: %v", err)
		}
	}
	for _, f := range faults(t) {
		if strings.Contains(f.Says, "twice") && !f.Shape {
			continue // a repeated key is lost before a schema sees it
		}
		src := f.plant(t, good)
		err := verdict(src)
		_, shape := policy.Parse("policy.yaml", []byte(src))
		if (err != nil) != policy.Wrong(shape) {
			t.Errorf("%q: schema says %v, parser says %v", f.New, err, shape)
		}
		if (err != nil) != f.Shape {
			t.Errorf("%q: schema says %v, want refused = %v", f.New, err, f.Shape)
		}
	}
}

// A policy may name every jurisdiction that the book holds, alone.
func TestEveryJurisdictionIsAccepted(t *testing.T) {
	src := read(t, "acme.yaml")
	codes := book(t).Codes()
	for _, code := range codes {
		one := strings.Replace(src, "[eu, uk, us-ca]", "["+code+"]", 1)
		shape, sense := problems(t, one)
		if one == src || policy.Wrong(append(shape, sense...)) {
			t.Errorf("%s: %s%s", code, lines(shape), lines(sense))
		}
	}
	if len(codes) < 60 {
		t.Errorf("only %d jurisdictions", len(codes))
	}
}

// Every wrong thing is told at once, not the first alone.
func TestAllFaultsAtOnce(t *testing.T) {
	src := read(t, "acme.yaml")
	planted := 0
	touched := map[int]bool{}
	for _, f := range faults(t) {
		if f.Shape && !touched[f.Line] && f.Line > 1 && strings.Contains(src, f.Old) {
			src = strings.Replace(src, f.Old, f.New, 1)
			touched[f.Line] = true
			planted++
		}
	}
	_, shape := policy.Parse("policy.yaml", []byte(src))
	told := map[int]bool{}
	for _, p := range shape {
		told[p.Line] = true
	}
	if planted < 10 {
		t.Fatalf("only %d faults planted", planted)
	}
	for line := range touched {
		if !told[line] {
			t.Errorf("the fault in line %d was not told:\n%s", line, lines(shape))
		}
	}
}

// Whatever bytes come, Parse answers; a file that is no policy is never without a problem.
func FuzzParse(f *testing.F) {
	f.Add(read(f, "acme.yaml"))
	f.Add(read(f, "full.yaml"))
	for _, s := range []string{"", "---", "[]", "a", "{", "a: &x {b: *x}", "<<: {}", "version: !!int 3", "? [a]\n: b", "\x00", "rights: {erasure: {grace: [P1D]}}", "---\na: b\n---\nc: d\n"} {
		f.Add(s)
	}
	b := book(f)
	f.Fuzz(func(t *testing.T, src string) {
		p, problems := policy.Parse("f", []byte(src))
		if p == nil {
			t.Fatal("no policy")
		}
		if !policy.Wrong(problems) && (p.Tenant == "" || p.Version.IsZero() || p.Controller.Contact == "" || len(p.Jurisdictions) == 0) {
			t.Fatalf("accepted %q", src)
		}
		p.Check(b)
		p.Digest()
		p.Explain(new(bytes.Buffer))
	})
}
