package demoshop_test

import (
	"slices"
	"testing"

	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
)

// tenant reads the two files as the program would; anything that it has to say about them is a fault here.
func tenant(t *testing.T, path string) (*policy.Policy, *datamap.System) {
	t.Helper()
	p, problems := policy.Parse("policy.yaml", demoshop.PolicyYAML())
	for _, problem := range problems {
		t.Errorf("%+v", problem)
	}
	m, mapProblems := datamap.Parse("datamap.yaml", demoshop.DataMapYAML(path))
	for _, problem := range mapProblems {
		t.Errorf("%+v", problem)
	}
	if p == nil || m == nil || len(m.Systems) != 1 {
		t.Fatalf("policy %v, map %v", p, m)
	}
	if p.Tenant != demoshop.Tenant || m.Tenant != demoshop.Tenant {
		t.Errorf("the policy is of %q, the map of %q", p.Tenant, m.Tenant)
	}
	return p, &m.Systems[0]
}

func TestDataMapNamesThePath(t *testing.T) {
	for _, path := range []string{"/tmp/shop.sqlite", `/tmp/it's "here": #1/shop.sqlite`} {
		if _, shop := tenant(t, path); shop.DSN != path || shop.Kind != datamap.KindSQLite {
			t.Errorf("the map reads %s %q, want %q", shop.Kind, shop.DSN, path)
		}
	}
}

// TestEveryTableIsMapped goes by the schema, so that a new table can't be forgotten: what is about people has an
// entry of its own, and the second opinion of Expect knows it too.
func TestEveryTableIsMapped(t *testing.T) {
	p, shop := tenant(t, "shop.sqlite")
	expected := demoshop.Expect(demoshop.Person)
	for _, name := range demoshop.Tables() {
		table, mapped := shop.Table(name)
		_, personal := expected[name]
		if personal != (mapped && table.Personal) {
			t.Errorf("%s: about people: %t, mapped as such: %t", name, personal, mapped && table.Personal)
		}
		if !personal {
			continue
		}
		category, ok := p.Categories[table.Category]
		if !ok {
			t.Errorf("%s: the policy has no category %q", name, table.Category)
		}
		if table.Erase.Do == datamap.EraseRetain && (category.Retention == nil || category.Retention.Ground == "" || table.RowDate == "") {
			t.Errorf("%s is kept without a ground or a date", name)
		}
	}
	for _, table := range shop.Tables {
		if !slices.Contains(demoshop.Tables(), table.Name) {
			t.Errorf("the map names %s, which is not in the shop", table.Name)
		}
	}
}

// TestColumnsOfTheMapExist holds each column that the map names against the schema.
func TestColumnsOfTheMapExist(t *testing.T) {
	_, mapped := tenant(t, "shop.sqlite")
	db := shop(t, today())
	for _, table := range mapped.Tables {
		has := keys(t, db, "SELECT name FROM pragma_table_info('"+table.Name+"')")
		named := slices.Concat(table.RedactNow, table.Export.HideOthers)
		for column := range table.Columns {
			named = append(named, column)
		}
		if table.RowDate != "" {
			named = append(named, table.RowDate)
		}
		for _, column := range named {
			if !slices.Contains(has, column) {
				t.Errorf("%s has no column %s", table.Name, column)
			}
		}
	}
}

// TestPolicyOfTheDemo holds what the walk-through tells its audience.
func TestPolicyOfTheDemo(t *testing.T) {
	p, _ := tenant(t, "shop.sqlite")
	erasure := p.Rights["erasure"]
	if erasure.Review != policy.ReviewOfficer || erasure.Approvals != 1 || erasure.Grace.String() != "PT8S" {
		t.Errorf("erasure: %+v", erasure)
	}
	if p.Rights["access"].Review != policy.ReviewOfficer {
		t.Errorf("access: %+v", p.Rights["access"])
	}
	if !slices.Equal(p.Controller.Languages, []string{"en", "es", "de", "fr"}) {
		t.Errorf("languages: %v", p.Controller.Languages)
	}
	if billing := p.Categories["billing"].Retention; billing == nil || billing.Keep.Period != (statute.Period{Years: 5}) {
		t.Errorf("billing: %+v", billing)
	}
}
