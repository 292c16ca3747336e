// Package internal_test holds the layers of the program as data. It is a statement of policy: when it goes red,
// the import is to be mended, or the policy discussed; it is not to be changed so that a build passes.
package internal_test

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/habeas-data/habeas"

// layers gives the rows of the architecture, the floor first; packages by their path below internal/, or below the
// root with a leading slash. A row is a list of sub-rows, again the lower first. An import points to a lower
// sub-row or a lower row, never to its own sub-row and never up.
func layers() [][][]string {
	return [][][]string{
		{{"fault"}},
		{{"statute", "seal", "blob", "mail", "/api", "/migrations"}, {"blob/blobtest", "mail/mailtest"}},
		{{"dsr"}},
		{{"policy", "datamap", "auditlog", "access"}},
		{{"plan"}},
		{
			{"connector"},
			{"connector/connectortest"}, {"connector/connectortest/oracle"},
			{"connector/sqldb", "connector/objectstore", "connector/rest", "connector/webhook", "connector/manual", "residue"},
		},
		{{"store"}, {"store/storetest"}, {"tenant"}},
		{{"notify", "webhook", "export"}},
		{{"intake", "verify", "fulfill", "oversee"}},
		{{"web/ui"}, {"httpapi", "web/portal", "web/console", "jobs"}},
		// Above everything: settings, the wiring, the program.
		{{"config"}, {"app/demoshop", "app/apptest"}, {"app"}, {"/cmd/habeas"}},
	}
}

// homes gives the few libraries that live in one place, so that dropping one touches that place alone.
func homes() map[string][]string {
	return map[string][]string{
		"gorm.io":                       {"store"},
		"github.com/hibiken/asynq":      {"jobs"},
		"github.com/alicebob/miniredis": {"jobs"},
		"github.com/labstack/echo":      {"httpapi", "web", "app"},
	}
}

// edge is one import. Packages are written as in layers; a library by its full path.
type edge struct {
	from, to string
	inTest   bool // written in a _test.go file
	where    string
}

// place is where a package stands.
type place struct{ row, sub int }

func places(rows [][][]string) map[string]place {
	at := make(map[string]place)
	for r, row := range rows {
		for s, sub := range row {
			for _, pkg := range sub {
				at[pkg] = place{r, s}
			}
		}
	}
	return at
}

// check gives a sentence for every import that breaks the policy.
func check(rows [][][]string, libraries map[string][]string, edges []edge) []string {
	at := places(rows)
	var wrong []string
	for _, e := range edges {
		if fault := checkEdge(at, libraries, e); fault != "" {
			wrong = append(wrong, fmt.Sprintf("%s: %s imports %s: %s", e.where, e.from, e.to, fault))
		}
	}
	return wrong
}

func checkEdge(at map[string]place, libraries map[string][]string, e edge) string {
	for library, home := range libraries {
		if !within(e.to, library) {
			continue
		}
		if !slices.ContainsFunc(home, func(h string) bool { return within(e.from, h) }) {
			return "that library lives in " + strings.Join(home, ", ") + " alone"
		}
		return ""
	}
	to, ours := at[e.to]
	if !ours {
		if strings.Contains(e.to, ".") {
			return "" // a library
		}
		return e.to + " has no row"
	}
	from, ok := at[e.from]
	switch {
	case !ok:
		return e.from + " has no row"
	case e.from == e.to:
		return "" // an outer test of its own package
	case to.row < from.row, to.row == from.row && to.sub < from.sub:
		return ""
	case e.inTest && to.row == from.row:
		return "" // a test may be set up by neighbors: a store's test by storetest, never by a door
	case to.row > from.row, to.sub > from.sub:
		return "that goes up"
	default:
		return "that goes sideways"
	}
}

// within tells whether pkg is root or lies below it; a major version's path counts as below.
func within(pkg, root string) bool { return pkg == root || strings.HasPrefix(pkg, root+"/") }

// tree is what the Go files of a checkout say.
type tree struct {
	packages map[string]bool // with a Go file that is not a test: whether there is a doc.go
	edges    []edge
}

// roots are the folders that hold the program; deploy/ holds tests of its own files only.
func roots() []string { return []string{"internal", "api", "migrations", "cmd"} }

func readTree(root string) (tree, error) {
	t := tree{packages: make(map[string]bool)}
	for _, dir := range roots() {
		err := filepath.WalkDir(filepath.Join(root, dir), func(file string, d fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil // deleted while we walk, or a root that is not there yet
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
				return fs.SkipDir
			case d.IsDir() || filepath.Ext(file) != ".go":
				return nil
			}
			return t.read(root, file)
		})
		if err != nil {
			return t, err
		}
	}
	return t, nil
}

func (t *tree) read(root, file string) error {
	rel, err := filepath.Rel(root, file)
	if err != nil {
		return err
	}
	rel = filepath.ToSlash(rel)
	pkg, inTest := short(path.Join(module, path.Dir(rel))), strings.HasSuffix(rel, "_test.go")
	if !inTest {
		t.packages[pkg] = t.packages[pkg] || path.Base(rel) == "doc.go"
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		return err
	}
	for _, spec := range parsed.Imports {
		to, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		if within(to, module) || strings.Contains(to, ".") {
			t.edges = append(t.edges, edge{from: pkg, to: short(to), inTest: inTest, where: rel})
		}
	}
	return nil
}

// short writes a package as layers does.
func short(pkg string) string {
	if inner, ok := strings.CutPrefix(pkg, module+"/internal/"); ok {
		return inner
	}
	if outer, ok := strings.CutPrefix(pkg, module); ok {
		return outer
	}
	return pkg
}

func TestImportsPointDown(t *testing.T) {
	got, err := readTree("..")
	if err != nil {
		t.Fatal(err)
	}
	if len(got.packages) < 3 || len(got.edges) < 5 {
		t.Fatalf("read %d packages and %d imports: that is not the whole tree", len(got.packages), len(got.edges))
	}
	for _, wrong := range check(layers(), homes(), got.edges) {
		t.Error(wrong)
	}
}

func TestEveryPackageHasARowAndADoc(t *testing.T) {
	got, err := readTree("..")
	if err != nil {
		t.Fatal(err)
	}
	at := places(layers())
	for pkg, documented := range got.packages {
		if _, ok := at[pkg]; !ok {
			t.Errorf("%s has no row among the layers", pkg)
		}
		if !documented {
			t.Errorf("%s has no doc.go: what it owns, what not, the one idea", pkg)
		}
	}
}

func TestLayersNameAPackageOnce(t *testing.T) {
	seen := make(map[string]bool)
	for _, row := range layers() {
		for _, pkg := range slices.Concat(row...) {
			if seen[pkg] {
				t.Errorf("%s has two rows", pkg)
			}
			seen[pkg] = true
		}
	}
}

// TestCheckSeesWhatIsPlanted proves that the checker can go red, and where it does not.
func TestCheckSeesWhatIsPlanted(t *testing.T) {
	tests := []struct {
		name string
		edge edge
		want string // part of the complaint; empty: allowed
	}{
		{"down", edge{from: "plan", to: "datamap"}, ""},
		{"far down", edge{from: "httpapi", to: "fault"}, ""},
		{"down within a row", edge{from: "connector/sqldb", to: "connector"}, ""},
		{"a door on the shared pages", edge{from: "web/portal", to: "web/ui"}, ""},
		{"the program", edge{from: "/cmd/habeas", to: "app"}, ""},
		{"a library", edge{from: "dsr", to: "github.com/google/uuid"}, ""},
		{"up", edge{from: "dsr", to: "plan"}, "goes up"},
		{"the floor to the top", edge{from: "fault", to: "app"}, "goes up"},
		{"up within a row", edge{from: "connector", to: "connector/sqldb"}, "goes up"},
		{"sideways", edge{from: "policy", to: "datamap"}, "goes sideways"},
		{"the checker of erasures on the eraser", edge{from: "residue", to: "connector/sqldb"}, "goes sideways"},
		{"one door through another", edge{from: "web/console", to: "httpapi"}, "goes sideways"},
		{"to nowhere", edge{from: "plan", to: "helpers"}, "helpers has no row"},
		{"from nowhere", edge{from: "helpers", to: "fault"}, "helpers has no row"},
		{"a folder below a row is not in it", edge{from: "plan", to: "datamap/sql"}, "datamap/sql has no row"},
		{"a test set up by its neighbor", edge{from: "store", to: "store/storetest", inTest: true}, ""},
		{"the same outside a test", edge{from: "store", to: "store/storetest"}, "goes up"},
		{"a test from a higher row", edge{from: "plan", to: "store", inTest: true}, "goes up"},
		{"an outer test of its own package", edge{from: "plan", to: "plan", inTest: true}, ""},
		{"gorm at home", edge{from: "store", to: "gorm.io/gorm"}, ""},
		{"gorm's driver abroad", edge{from: "fulfill", to: "gorm.io/driver/postgres"}, "lives in store alone"},
		{"gorm in another's test", edge{from: "fulfill", to: "gorm.io/gorm", inTest: true}, "lives in store alone"},
		{"asynq abroad", edge{from: "app", to: "github.com/hibiken/asynq"}, "lives in jobs alone"},
		{"miniredis abroad", edge{from: "store", to: "github.com/alicebob/miniredis/v2"}, "lives in jobs alone"},
		{"echo in a door", edge{from: "web/console", to: "github.com/labstack/echo/v4"}, ""},
		{"echo's parts abroad", edge{from: "intake", to: "github.com/labstack/echo/v4/middleware"}, "lives in httpapi, web, app alone"},
		{"a name that only begins alike", edge{from: "intake", to: "github.com/labstack/echoes"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := check(layers(), homes(), []edge{test.edge})
			if test.want == "" && len(got) > 0 {
				t.Errorf("allowed, yet: %v", got)
			}
			if test.want != "" && (len(got) != 1 || !strings.Contains(got[0], test.want)) {
				t.Errorf("got %q, want one complaint with %q", got, test.want)
			}
		})
	}
}

// TestTreeIsRead proves that files, tests and missing docs are seen as what they are.
func TestTreeIsRead(t *testing.T) {
	root := t.TempDir()
	for file, text := range map[string]string{
		"internal/plan/doc.go":               "package plan\n",
		"internal/plan/plan.go":              "package plan\n\nimport (\n\t\"fmt\"\n\n\t\"" + module + "/internal/dsr\"\n)\n",
		"internal/plan/plan_test.go":         "package plan\n\nimport \"pgregory.net/rapid\"\n",
		"internal/plan/testdata/bad.go":      "not Go at all",
		"internal/web/ui/page.go":            "package ui\n",
		"internal/onlytests/only_test.go":    "package onlytests\n",
		"cmd/habeas/main.go":                 "package main\n\nimport \"" + module + "/internal/app\"\n",
		"deploy/compose_test.go":             "package deploy_test\n\nimport \"" + module + "/internal/config\"\n",
		"internal/plan/other_linux_arm64.go": "package plan\n\nimport \"" + module + "/internal/store\"\n",
	} {
		at := filepath.Join(root, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := readTree(root)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"plan": true, "web/ui": false, "/cmd/habeas": false}
	if fmt.Sprint(got.packages) != fmt.Sprint(want) {
		t.Errorf("packages %v, want %v", got.packages, want)
	}
	wantEdges := []edge{
		{"plan", "dsr", false, "internal/plan/plan.go"},
		{"plan", "pgregory.net/rapid", true, "internal/plan/plan_test.go"},
		{"plan", "store", false, "internal/plan/other_linux_arm64.go"},
		{"/cmd/habeas", "app", false, "cmd/habeas/main.go"},
	}
	if len(got.edges) != len(wantEdges) {
		t.Errorf("imports %v, want %v", got.edges, wantEdges)
	}
	for _, e := range wantEdges {
		if !slices.Contains(got.edges, e) {
			t.Errorf("import %v was not seen in %v", e, got.edges)
		}
	}
}
