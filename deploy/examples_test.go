package deploy_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/policy"
)

// TestExamples holds every example tenant against the program's own checks.
func TestExamples(t *testing.T) {
	folders, err := filepath.Glob("examples/*")
	if err != nil || len(folders) < 2 {
		t.Fatalf("examples: %v, %v", folders, err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			read := func(name string) (string, []byte) {
				file := filepath.Join(folder, name)
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				return file, text
			}
			p, policyProblems := policy.Parse(read("policy.yaml"))
			for _, problem := range policyProblems {
				t.Errorf("%+v", problem)
			}
			m, mapProblems := datamap.Parse(read("datamap.yaml"))
			for _, problem := range mapProblems {
				t.Errorf("%+v", problem)
			}
			if p == nil || m == nil {
				t.Fatal("no policy or no map")
			}
			if name := filepath.Base(folder); p.Tenant != name || m.Tenant != name {
				t.Errorf("the folder %s holds the policy of %q and the map of %q", name, p.Tenant, m.Tenant)
			}
			for _, s := range m.Systems {
				for _, table := range s.Tables {
					category, ok := p.Categories[table.Category]
					if table.Personal && !ok {
						t.Errorf("%s: the policy has no category %q", table.Name, table.Category)
					}
					if table.Erase.Do == datamap.EraseRetain && (category.Retention == nil || category.Retention.Ground == "") {
						t.Errorf("%s is kept without a ground", table.Name)
					}
				}
			}
		})
	}
}
