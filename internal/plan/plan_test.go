package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
)

const shopMap = `tenant: acme
systems:
  app:
    kind: postgres
    dsn: ${APP_DSN}
    subject: {table: customer, key: id, identifiers: {email: email}}
    limits: {max_rows: 1000, max_share: 0.5}
    tables:
      customer: {category: account, erase: delete, columns: {password_hash: {export: presence}, token: {export: never}, note: {export: hide, why: a trade secret}}}
      invoice: {owner: customer, category: billing, erase: retain, row_date: issued, redact_now: [address]}
      invoice_line: {owner: invoice, category: billing, erase: with_owner}
      journal: {owner: customer, category: ledger, erase: retain, row_date: issued}
      contract: {owner: customer, category: contract, erase: retain}
      address: {owner: {table: customer, from: address_id}, category: account, erase: {do: delete, if_others_refer: keep}}
      rep: {owner: customer, category: account, erase: {do: delete, if_others_refer: set_null}}
      post: {owner: customer, category: account, erase: {do: delete, if_others_refer: anonymize}}
      review: {owner: customer, category: account, erase: {do: keep, why: a public record}}
      message: {owner: {table: customer, by: sender_id}, category: account, erase: anonymize, export: {hide_others: [recipient_id]}}
      draft: {owner: customer, category: account, export: {skip: true, why: not yet sent}}
      loyalty: {match: none, category: account, why: "a name only: an officer decides"}
  crm:
    kind: sqlite
    dsn: crm.db
    subject: {table: person, key: id, identifiers: {email: mail}}
    tables:
      person: {category: account, erase: delete}
`

var today = statute.NewDate(2026, 11, 22)

func shop(t require) (*policy.Policy, *datamap.Map) {
	t.Helper()
	m, problems := datamap.Parse("datamap.yaml", []byte(shopMap))
	if datamap.Wrong(problems) {
		t.Fatalf("%v", problems)
	}
	p := &policy.Policy{Tenant: "acme", VersionText: "2026-04-02", Categories: map[string]policy.Category{
		"account":  {Retention: &policy.Retention{From: policy.FromEvent, After: "account_closed", Keep: fixed("P30D")}},
		"billing":  {Retention: &policy.Retention{From: policy.FromRow, Keep: fixed("P5Y"), Ground: "tax law"}},
		"ledger":   {Retention: &policy.Retention{From: policy.FromRowYearEnd, Keep: fixed("P6Y"), Ground: "commercial law"}},
		"contract": {Retention: &policy.Retention{From: policy.FromEvent, After: "account_closed", Keep: fixed("P3Y"), Ground: "limitation of claims"}},
	}}
	return p, m
}

// require is what tests and properties have in common.
type require interface {
	Helper()
	Fatalf(format string, args ...any)
}

func fixed(s string) policy.Keep {
	p, err := statute.ParsePeriod(s)
	if err != nil {
		panic(err)
	}
	return policy.Keep{Period: p}
}

func rulesOf(t require, p *policy.Policy, m *datamap.Map) map[string]*Rules {
	t.Helper()
	out := map[string]*Rules{}
	for i := range m.Systems {
		r, refusals := NewRules(p, &m.Systems[i], dsr.RightErasure, today, map[string]statute.Date{"account_closed": statute.NewDate(2026, 10, 23)})
		if len(refusals) > 0 {
			t.Fatalf("%v", refusals)
		}
		out[m.Systems[i].Name] = r
	}
	return out
}

func TestRulesResolvePolicyAndMap(t *testing.T) {
	p, m := shop(t)
	rules := rulesOf(t, p, m)["app"].Tables
	for table, want := range map[string]Fate{
		"customer": {Action: ActionDelete},
		"invoice":  {Action: ActionRetain, Until: statute.NewDate(2029, 3, 1), Ground: "tax law"},
		"journal":  {Action: ActionRetain, Until: statute.NewDate(2030, 12, 31), Ground: "commercial law"},
		// three years from the day on which the account was closed, not from the end of the grace period
		"contract": {Action: ActionRetain, Until: statute.NewDate(2029, 10, 23), Ground: "limitation of claims"},
		"review":   {Action: ActionKeep, Ground: "a public record"},
		"message":  {Action: ActionAnonymize},
		"draft":    {Action: ActionDelete}, // no rule: delete
		"loyalty":  {Action: ActionKeep, Ground: "a name only: an officer decides"},
	} {
		if got := rules[table].Fate(today, statute.NewDate(2024, 3, 1)); got != want {
			t.Errorf("%s: %+v, not %+v", table, got, want)
		}
	}
	if !slices.Equal(rules["invoice_line"].Follow, []string{"invoice"}) {
		t.Errorf("lines go with their invoice: %+v", rules["invoice_line"])
	}
	if got := rules["invoice"].Fate(today, statute.NewDate(2021, 11, 22)); got.Action != ActionDelete {
		t.Errorf("a date that is today means now: %+v", got)
	}
	if got := rules["invoice"].Fate(today, statute.NewDate(2021, 11, 23)); got.Action != ActionRetain {
		t.Errorf("one day more is kept: %+v", got)
	}
}

func TestRulesAreRefused(t *testing.T) {
	cases := []struct {
		name  string
		spoil func(*policy.Policy, *datamap.Map)
		want  string
	}{
		{"an unknown category", func(p *policy.Policy, _ *datamap.Map) { delete(p.Categories, "billing") }, "which the policy does not know"},
		{"no retention", func(p *policy.Policy, _ *datamap.Map) { p.Categories["billing"] = policy.Category{} }, "has no retention"},
		{"no ground", func(p *policy.Policy, _ *datamap.Map) { p.Categories["billing"].Retention.Ground = "" }, "without a ground"},
		{"no row_date", func(_ *policy.Policy, m *datamap.Map) {
			tab, _ := m.Systems[0].Table("invoice")
			tab.RowDate = ""
		}, "row_date"},
		{"an event whose day is not known", func(p *policy.Policy, _ *datamap.Map) { p.Categories["contract"].Retention.After = "contract_ended" }, "whose day is not known"},
		{"a period by state", func(p *policy.Policy, _ *datamap.Map) {
			p.Categories["billing"].Retention.Keep = policy.Keep{By: "customer.plan", Else: &policy.KeepCase{}}
		}, "hangs on customer.plan"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, m := shop(t)
			c.spoil(p, m)
			_, refusals := NewRules(p, &m.Systems[0], dsr.RightErasure, today, map[string]statute.Date{"account_closed": today})
			if len(refusals) == 0 || !strings.Contains(refusals[0].Message, c.want) {
				t.Errorf("%v", refusals)
			}
			if c.name != "an event whose day is not known" {
				if problems := CheckMap(p, m, "datamap.yaml"); len(problems) == 0 || problems[0].Line == 0 {
					t.Errorf("CheckMap says nothing: %v", problems)
				}
			}
		})
	}
	p, m := shop(t)
	if r, refusals := NewRules(p, &m.Systems[0], dsr.RightAccess, today, nil); r != nil || refusals != nil {
		t.Error("an access request has no rules")
	}
	if problems := CheckMap(p, m, "datamap.yaml"); len(problems) > 0 {
		t.Errorf("%v", problems)
	}
}

var until = statute.NewDate(2029, 3, 1)

func erasure(t require, founds ...Found) Plan {
	t.Helper()
	p, m := shop(t)
	out, err := Make(Input{Right: dsr.RightErasure, Policy: p, Map: m, Rules: rulesOf(t, p, m), Founds: founds, Today: today,
		Now: time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC), ConfigVersion: 3})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return out
}

func app(tables ...FoundTable) Found { return Found{System: "app", Subjects: 1, Tables: tables} }

func brief(p Plan) string {
	var out []string
	for _, s := range p.Steps {
		line := string(s.Action) + " " + s.Table + " " + itoa(s.Rows)
		if !s.On.IsZero() {
			line += " on " + s.On.String()
		}
		if s.Because != "" {
			line += " because " + s.Because
		}
		out = append(out, line)
	}
	return strings.Join(out, "; ")
}

func itoa(n int64) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func TestErasure(t *testing.T) {
	retain := Fate{Action: ActionRetain, Until: until, Ground: "tax law"}
	needed := Fate{Action: ActionAnonymize, Until: until, Ground: "tax law", Because: "invoice"}
	del := Fate{Action: ActionDelete}
	cases := []struct {
		name     string
		founds   []Found
		want     string
		refusal  string
		withheld []string // what of what table
	}{
		{"all goes", []Found{app(
			FoundTable{Table: "invoice_line", Groups: []Group{{del, 38, "a"}}},
			FoundTable{Table: "customer", Groups: []Group{{del, 1, "b"}}})},
			"delete invoice_line 38; delete customer 1", "", []string{"not_searched loyalty"}},
		{"retained rows, some due, and what they need", []Found{app(
			FoundTable{Table: "invoice_line", Groups: []Group{{retain, 36, "a"}, {del, 2, "b"}}},
			FoundTable{Table: "invoice", Groups: []Group{{retain, 6, "c"}, {del, 1, "d"}}},
			FoundTable{Table: "customer", Groups: []Group{{needed, 1, "e"}}})},
			"delete invoice_line 2; retain invoice_line 36 on 2029-03-01; delete invoice 1; redact invoice 6; retain invoice 6 on 2029-03-01; " +
				"anonymize customer 1 because invoice; retain customer 1 on 2029-03-01 because invoice", "",
			[]string{"retained invoice_line", "retained invoice", "retained customer", "not_searched loyalty"}},
		{"others refer: refuse", []Found{app(FoundTable{Table: "customer", Groups: []Group{{del, 1, "a"}}, Blockers: []Blocker{{Table: "staff", Columns: []string{"boss"}, Rows: 1, Nullable: true}}})},
			"delete customer 1", "1 rows of customer are needed by other people's rows in staff (by boss)", nil},
		{"others refer: set null", []Found{app(FoundTable{Table: "rep", Groups: []Group{{del, 1, "a"}}, Blockers: []Blocker{{Table: "customer", Columns: []string{"support_rep_id"}, Rows: 1, Nullable: true}}})},
			"unlink customer 1 because rep; delete rep 1", "", nil},
		{"the map says that the reference is cleared", []Found{app(FoundTable{Table: "customer", Groups: []Group{{del, 1, "a"}}, Blockers: []Blocker{{Table: "message", Columns: []string{"recipient_id"}, Rows: 1, Nullable: true, Clear: true}}})},
			"unlink message 1 because customer; delete customer 1", "", nil},
		{"others refer: set null, but null is forbidden", []Found{app(FoundTable{Table: "rep", Groups: []Group{{del, 1, "a"}}, Blockers: []Blocker{{Table: "customer", Columns: []string{"support_rep_id"}, Rows: 1, Nullable: false}}})},
			"delete rep 1", "it forbids null", nil},
		{"others refer: keep, told apart by the connector", []Found{app(FoundTable{Table: "address", Groups: []Group{{Fate{Action: ActionKeep}, 1, "a"}, {del, 2, "b"}}})},
			"delete address 2; keep address 1", "", []string{"kept address"}},
		{"others refer: keep, all rows", []Found{app(FoundTable{Table: "address", Groups: []Group{{del, 1, "b"}}, Blockers: []Blocker{{Table: "orders", Columns: []string{"ship_to"}, Rows: 1, Nullable: false}, {Table: "staff", Columns: []string{"home"}, Rows: 1, Nullable: false}}})},
			"keep address 1", "", []string{"kept address"}},
		{"others refer: keep, not told apart", []Found{app(FoundTable{Table: "address", Groups: []Group{{del, 3, "b"}}, Blockers: []Blocker{{Table: "orders", Columns: []string{"ship_to"}, Rows: 1, Nullable: false}}})},
			"delete address 3", "could not be told apart", nil},
		{"others refer: anonymize", []Found{app(FoundTable{Table: "post", Groups: []Group{{del, 2, "b"}}, Blockers: []Blocker{{Table: "reply", Columns: []string{"post_id"}, Rows: 2, Nullable: false}}})},
			"anonymize post 2", "", nil},
		{"a kept table", []Found{app(FoundTable{Table: "review", Groups: []Group{{Fate{Action: ActionKeep, Ground: "a public record"}, 4, "a"}}})},
			"keep review 4", "", []string{"kept review"}},
		{"a row that nothing dates", []Found{app(FoundTable{Table: "invoice", Groups: []Group{{Fate{Action: ActionRetain, Ground: "tax law"}, 2, "a"}}})},
			"redact invoice 2; retain invoice 2", "without an end", []string{"retained invoice"}},
		{"a gap", []Found{{System: "app", Gaps: []Refusal{{System: "app", Table: "login", Message: "login is not covered"}}}}, "", "login is not covered", nil},
		{"too many rows", []Found{app(FoundTable{Table: "message", Groups: []Group{{Fate{Action: ActionAnonymize}, 1001, "a"}}})}, "anonymize message 1001", "more than the ceiling of 1000", nil},
		{"too large a share", []Found{app(FoundTable{Table: "message", Total: 100, Groups: []Group{{Fate{Action: ActionAnonymize}, 51, "a"}}})}, "anonymize message 51", "51 of 100 rows of message would be touched, more than the ceiling of 50 %", nil},
		{"a small table has no share", []Found{app(FoundTable{Table: "message", Total: 99, Groups: []Group{{Fate{Action: ActionAnonymize}, 99, "a"}}})}, "anonymize message 99", "", nil},
		{"systems in the order of the file", []Found{{System: "crm", Tables: []FoundTable{{Table: "person", Groups: []Group{{del, 1, "p"}}}}}, app(FoundTable{Table: "customer", Groups: []Group{{del, 1, "b"}}})},
			"delete customer 1; delete person 1", "", nil},
		{"a ceiling where the map says nothing: rows", []Found{{System: "crm", Tables: []FoundTable{{Table: "person", Groups: []Group{{del, 1_000_001, "p"}}}}}}, "delete person 1000001", "more than the ceiling of 1000000", nil},
		{"a ceiling where the map says nothing: share", []Found{{System: "crm", Tables: []FoundTable{{Table: "person", Total: 1000, Groups: []Group{{del, 251, "p"}}}}}}, "delete person 251", "more than the ceiling of 25 %", nil},
		{"a quarter is not too much", []Found{{System: "crm", Tables: []FoundTable{{Table: "person", Total: 1000, Groups: []Group{{del, 250, "p"}}}}}}, "delete person 250", "", nil},
		{"a table of less than 1,000 rows has no share", []Found{{System: "crm", Tables: []FoundTable{{Table: "person", Total: 999, Groups: []Group{{del, 999, "p"}}}}}}, "delete person 999", "", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := erasure(t, c.founds...)
			if got := brief(p); got != c.want {
				t.Errorf("steps\n  %s, not\n  %s", got, c.want)
			}
			switch {
			case c.refusal == "" && len(p.Refusals) > 0:
				t.Errorf("refused: %v", p.Refusals)
			case c.refusal != "" && (len(p.Refusals) == 0 || !strings.Contains(p.Refusals[0].Message, c.refusal)):
				t.Errorf("refusals %v, not %q", p.Refusals, c.refusal)
			}
			for _, want := range c.withheld {
				if !slices.ContainsFunc(p.Withheld, func(w Withheld) bool { return w.What+" "+w.Table == want && w.Ground != "" }) {
					t.Errorf("%q is not withheld: %+v", want, p.Withheld)
				}
			}
		})
	}
}

func TestCollect(t *testing.T) {
	p, m := shop(t)
	got := func(fate Fate) []Group { return []Group{{fate, 2, "k"}} }
	collect := Fate{Action: ActionCollect}
	plan, err := Make(Input{Right: dsr.RightAccess, Policy: p, Map: m, Now: time.Unix(0, 0), Founds: []Found{{System: "app", Subjects: 1,
		Gaps: []Refusal{{System: "app", Table: "login", Message: "login is not covered"}},
		Tables: []FoundTable{
			{Table: "draft", Groups: got(collect)}, {Table: "message", Groups: got(collect), Hidden: 3},
			{Table: "customer", Groups: got(collect)}, {Table: "invoice"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := brief(plan); got != "collect message 2; collect customer 2" {
		t.Error(got)
	}
	var withheld []string
	for _, w := range plan.Withheld {
		if w.Ground == "" {
			t.Errorf("no ground: %+v", w)
		}
		withheld = append(withheld, w.Table+"."+w.Column+" "+w.What)
	}
	want := "customer.note hidden, customer.password_hash presence, customer.token never, draft. hidden, login. not_searched, loyalty. not_searched, message. hidden, message.recipient_id hidden"
	if strings.Join(withheld, ", ") != want {
		t.Errorf("withheld\n  %s, not\n  %s", strings.Join(withheld, ", "), want)
	}
	if len(plan.Refusals) > 0 {
		t.Error("a gap does not stop an access request")
	}
}

func TestOtherRights(t *testing.T) {
	p, m := shop(t)
	for right, want := range map[dsr.Right]string{
		dsr.RightRectification: "rectify customer 1", dsr.RightObjection: "suppress suppressions 1", dsr.RightOptOut: "suppress suppressions 1",
		dsr.RightThirdPartyList: "answer letter 0", dsr.RightComplaint: "answer letter 0",
	} {
		in := Input{Right: right, Policy: p, Map: m, Now: time.Unix(0, 0)}
		if right == dsr.RightRectification {
			in.Rectify = []Step{{System: "app", Table: "customer", Action: ActionRectify, Rows: 1}}
		}
		plan, err := Make(in)
		if err != nil || brief(plan) != want || plan.NothingHeld {
			t.Errorf("%s: %q %v %v", right, brief(plan), plan.NothingHeld, err)
		}
	}
	plan, err := Make(Input{Right: dsr.RightErasure, Policy: p, Map: m, Rules: rulesOf(t, p, m), Founds: []Found{{System: "app"}}, Now: time.Unix(0, 0)})
	if err != nil || !plan.NothingHeld {
		t.Errorf("nothing is held: %+v %v", plan, err)
	}
	for _, founds := range [][]Found{{{System: "nowhere"}}, {{System: "app"}, {System: "app"}}} {
		if _, err := Make(Input{Right: dsr.RightAccess, Policy: p, Map: m, Founds: founds}); err == nil {
			t.Errorf("%v was accepted", founds)
		}
	}
	if !Ambiguous([]Found{{Subjects: 1}, {Subjects: 2}}) || Ambiguous([]Found{{Subjects: 1}, {Subjects: 0}}) {
		t.Error("two people for one identifier are ambiguous, one is not")
	}
}

func TestDigestCoversEverythingButTheTime(t *testing.T) {
	base := erasure(t, app(FoundTable{Table: "rep", Groups: []Group{{Fate{Action: ActionDelete}, 1, "a"}}, Blockers: []Blocker{{Table: "customer", Columns: []string{"c"}, Rows: 1, Nullable: true}}},
		FoundTable{Table: "invoice", Groups: []Group{{Fate{Action: ActionRetain, Until: until, Ground: "tax law"}, 2, "b"}}}))
	if !strings.HasPrefix(base.Digest, "sha256:") || len(base.Digest) != 71 {
		t.Error(base.Digest)
	}
	later := base
	later.MadeAt = later.MadeAt.AddDate(0, 0, 30)
	if Changed(base, later) || len(Diff(base, later)) > 0 {
		t.Error("the time of making is no difference")
	}
	spoils := map[string]func(*Plan){
		"right": func(p *Plan) { p.Right = "access" }, "policy": func(p *Plan) { p.PolicyVersion = "x" }, "config": func(p *Plan) { p.ConfigVersion++ },
		"nothing held": func(p *Plan) { p.NothingHeld = true }, "lifted": func(p *Plan) { p.Lifted = true }, "refusal": func(p *Plan) { p.Refusals = append(p.Refusals, Refusal{System: "a", Table: "b", Message: "c"}) },
		"withheld": func(p *Plan) { p.Withheld[0].Rows++ }, "withheld gone": func(p *Plan) { p.Withheld = p.Withheld[1:] },
		"rows": func(p *Plan) { p.Steps[1].Rows++ }, "keys": func(p *Plan) { p.Steps[1].Keys = "z" }, "system": func(p *Plan) { p.Steps[1].System = "z" },
		"table": func(p *Plan) { p.Steps[1].Table = "z" }, "action": func(p *Plan) { p.Steps[1].Action = ActionKeep }, "ground": func(p *Plan) { p.Steps[1].Ground = "z" },
		"on": func(p *Plan) { p.Steps[1].On = today }, "category": func(p *Plan) { p.Steps[1].Category = "z" }, "columns": func(p *Plan) { p.Steps[1].Columns = []string{"z"} },
		"changes": func(p *Plan) { p.Steps[1].Changes = []FieldChange{{"a", "b", "c"}} }, "because": func(p *Plan) { p.Steps[1].Because = "z" },
		"order": func(p *Plan) { p.Steps[0], p.Steps[1] = p.Steps[1], p.Steps[0] }, "a step less": func(p *Plan) { p.Steps = p.Steps[1:] },
	}
	for name, spoil := range spoils {
		other := base
		other.Steps, other.Withheld = slices.Clone(base.Steps), slices.Clone(base.Withheld)
		spoil(&other)
		other.Digest = base.Digest // a plan that lies about its digest
		if !Changed(base, other) {
			t.Errorf("%s is not covered by the digest", name)
		}
		if len(Diff(base, other)) == 0 {
			t.Errorf("%s: the plans differ, and Diff is silent", name)
		}
	}
}

// A plan made anew when the grace period ends has the same digest: both are made for the day of execution.
func TestADigestLastsThroughTheGracePeriod(t *testing.T) {
	found := app(FoundTable{Table: "invoice", Groups: []Group{{Fate{Action: ActionRetain, Until: until, Ground: "tax law"}, 2, "b"}}})
	a := erasure(t, found)
	p, m := shop(t)
	b, err := Make(Input{Right: dsr.RightErasure, Policy: p, Map: m, Rules: rulesOf(t, p, m), Founds: []Found{found}, Today: today,
		Now: time.Date(2026, 12, 22, 9, 0, 0, 0, time.UTC), ConfigVersion: 3})
	if err != nil || a.Digest != b.Digest {
		t.Errorf("%v: %v", err, Diff(a, b))
	}
}

func drawFounds(t *rapid.T) []Found {
	fates := []Fate{
		{Action: ActionDelete}, {Action: ActionAnonymize}, {Action: ActionKeep, Ground: "g"}, {Action: ActionRetain, Until: until, Ground: "tax law"},
		{Action: ActionRetain, Until: until.AddDays(9), Ground: "tax law"}, {Action: ActionAnonymize, Until: until, Ground: "tax law", Because: "invoice"},
	}
	tables := []string{"customer", "invoice", "invoice_line", "address", "rep", "post", "review", "message", "draft"}
	draw := func(system string, names []string) Found {
		f := Found{System: system, Subjects: rapid.IntRange(0, 1).Draw(t, "subjects")}
		for _, name := range names {
			ft := FoundTable{Table: name, Hidden: rapid.Int64Range(0, 3).Draw(t, "hidden")}
			for _, fate := range fates {
				if rapid.Bool().Draw(t, "has") {
					ft.Groups = append(ft.Groups, Group{fate, rapid.Int64Range(0, 50).Draw(t, "rows"), rapid.StringMatching(`[0-9a-f]{8}`).Draw(t, "digest")})
				}
			}
			if rapid.Bool().Draw(t, "blocked") {
				ft.Blockers = append(ft.Blockers, Blocker{Table: "other", Columns: []string{"c"}, Rows: rapid.Int64Range(0, 3).Draw(t, "blockers"), Nullable: rapid.Bool().Draw(t, "nullable"), Clear: rapid.Bool().Draw(t, "clear")})
			}
			f.Tables = append(f.Tables, ft)
		}
		return f
	}
	return []Found{draw("app", tables), draw("crm", []string{"person"})}
}

func TestPropertiesOfErasures(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		founds := drawFounds(t)
		p := erasure(t, founds...)
		for _, w := range p.Withheld {
			if w.Ground == "" {
				t.Fatalf("withheld without a ground: %+v", w)
			}
		}
		for _, f := range founds {
			for _, ft := range f.Tables {
				conserved(t, p, f.System, ft)
			}
		}
		// The order in which systems answer and groups come must not matter.
		shuffled := slices.Clone(founds)
		slices.Reverse(shuffled)
		for i := range shuffled {
			shuffled[i].Tables = slices.Clone(shuffled[i].Tables)
			for j := range shuffled[i].Tables {
				shuffled[i].Tables[j].Groups = rapid.Permutation(shuffled[i].Tables[j].Groups).Draw(t, "groups")
			}
		}
		if q := erasure(t, shuffled...); q.Digest != p.Digest {
			t.Fatalf("another order, another plan: %v", Diff(p, q))
		}
	})
}

// conserved holds that every row found has exactly one fate, and that no row that stays is deleted.
func conserved(t *rapid.T, p Plan, system string, ft FoundTable) {
	sum := map[Action]int64{}
	var later int64
	for _, s := range p.Steps {
		if s.System != system || s.Table != ft.Table {
			continue
		}
		if s.Action == ActionRetain && s.Because != "" {
			later += s.Rows
			continue
		}
		sum[s.Action] += s.Rows
		if s.Action == ActionUnlink || s.Action == ActionRedact {
			sum[s.Action] -= s.Rows
		}
	}
	if total := sum[ActionDelete] + sum[ActionAnonymize] + sum[ActionRetain] + sum[ActionKeep]; total != ft.Rows() {
		t.Fatalf("%s: %d rows found, %d in the plan: %+v", ft.Table, ft.Rows(), total, p.Steps)
	}
	for action, was := range map[Action]int64{ActionRetain: rows(pick(ft.Groups, ActionRetain)), ActionKeep: rows(pick(ft.Groups, ActionKeep))} {
		if sum[action] < was {
			t.Fatalf("%s: %d rows should %s, the plan has %d", ft.Table, was, action, sum[action])
		}
	}
	if sum[ActionDelete] > rows(pick(ft.Groups, ActionDelete)) {
		t.Fatalf("%s: more is deleted than was found to go", ft.Table)
	}
	if later > sum[ActionAnonymize] {
		t.Fatalf("%s: goes later without being anonymized now", ft.Table)
	}
}
