package policy_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
)

var update = flag.Bool("update", false, "write golden files anew")

func must(t testing.TB, src string) *policy.Policy {
	t.Helper()
	p, ps := policy.Parse("policy.yaml", []byte(src))
	if policy.Wrong(ps) {
		t.Fatalf("not a policy:\n%s", lines(ps))
	}
	return p
}

func TestParseReadsEverything(t *testing.T) {
	p := must(t, read(t, "acme.yaml"))
	days := func(n int) statute.Period { return statute.Period{Days: n} }
	if p.Version != statute.NewDate(2026, time.April, 2) || p.Tenant != "acme" || p.MinimumAge != 16 || p.Sells {
		t.Errorf("head: %+v", p)
	}
	if e := p.Rights["erasure"]; e.Approvals != 2 || e.Grace != days(30) || e.GraceMode != policy.GraceLive || e.Review != policy.ReviewOfficer {
		t.Errorf("erasure: %+v", e)
	}
	if a := p.Rights["access"]; a.Review != policy.ReviewAuto || a.Approvals != 1 || !a.Grace.IsZero() || a.GraceMode != "" {
		t.Errorf("access: %+v", a)
	}
	if r := p.Categories["account"].Retention; r.From != policy.FromEvent || r.After != "account_closed" || r.Keep.Period != days(30) || r.Then != policy.ThenDelete {
		t.Errorf("account: %+v", r)
	}
	if got := p.MethodsFor("access"); !slices.Equal(got, []string{"email_link"}) {
		t.Errorf("methods for access: %v", got)
	}
	if got := p.MethodsFor("portability"); !slices.Equal(got, []string{"email_link", "product_session"}) {
		t.Errorf("methods for portability: %v", got)
	}
	if p.Package.Keep != days(7) || p.Verification.LinkTTL != days(1) || p.Records.Keep.Years != 3 || p.Controller.Zone != "UTC" {
		t.Errorf("defaults: %+v %+v %+v", p.Package, p.Verification, p.Records)
	}
	if e := p.Events["account_closed"]; e.Table != "app.account" || e.Column != "closed_at" {
		t.Errorf("event: %+v", e)
	}
	full := must(t, read(t, "full.yaml"))
	if e := full.Rights["erasure"]; e.GraceMode != policy.GraceSealed || e.Grace != days(90) || e.ChildGrace != days(1) {
		t.Errorf("sealed erasure: %+v", e)
	}
	if r := full.Categories["content"].Retention; r.Keep.Else == nil || r.Keep.Else.Column != "workspace.retention_days" {
		t.Errorf("retention by a setting: %+v", r)
	}
	if r := full.Categories["usage"].Retention; r.After != "account_closed" || r.Then != policy.ThenAnonymize {
		t.Errorf("from: an event: %+v", r)
	}
	if full.Categories["site_analytics"].Personal || !full.Categories["usage"].Personal {
		t.Error("personal is not read")
	}
}

func TestKeepChooses(t *testing.T) {
	k := must(t, read(t, "acme.yaml")).Categories["metrics"].Retention.Keep
	for value, want := range map[string]policy.KeepCase{
		"free":       {Value: "free", Period: statute.Period{Days: 30}},
		"pro":        {Value: "pro", Period: statute.Period{Days: 90}},
		"enterprise": {Column: "account.metrics_days"},
		"":           {Column: "account.metrics_days"},
		"Free":       {Column: "account.metrics_days"},
	} {
		if got := k.Choose(value); got != want {
			t.Errorf("Choose(%q) = %+v, want %+v", value, got, want)
		}
	}
	if _, fixed := k.Fixed(); fixed || !slices.Equal(k.Columns(), []string{"account.plan", "account.metrics_days"}) {
		t.Errorf("fixed %v, columns %v", fixed, k.Columns())
	}
	plain := must(t, read(t, "acme.yaml")).Categories["audit_log"].Retention.Keep
	if p, fixed := plain.Fixed(); !fixed || p.Years != 1 || plain.Choose("any").Period.Years != 1 || plain.Columns() != nil {
		t.Errorf("%+v", plain)
	}
}

func TestLookUps(t *testing.T) {
	p := must(t, read(t, "full.yaml"))
	for asked, want := range map[string]string{"eu": "eu", "us-ca": "us-ca", "jp": "eu", "": "eu"} {
		if got := p.Jurisdiction(asked); got != want {
			t.Errorf("Jurisdiction(%q) = %q, want %q", asked, got, want)
		}
	}
	for asked, want := range map[string]string{"en": "en", "pt-BR": "pt-BR", "fr": "de", "": "de"} {
		if got := p.Language(asked); got != want {
			t.Errorf("Language(%q) = %q, want %q", asked, got, want)
		}
	}
	if g, mode := p.GraceFor("erasure", false); g.Days != 90 || mode != policy.GraceSealed {
		t.Errorf("grown person: %s %s", g, mode)
	}
	if g, mode := p.GraceFor("erasure", true); g.Days != 1 || mode != policy.GraceSealed {
		t.Errorf("child: %s %s", g, mode)
	}
	// Without a word on children they wait for nothing.
	if g, mode := must(t, read(t, "acme.yaml")).GraceFor("erasure", true); !g.IsZero() || mode != "" {
		t.Errorf("child: %s %s", g, mode)
	}
	if g, mode := p.GraceFor("access", false); !g.IsZero() || mode != "" {
		t.Errorf("access: %s %s", g, mode)
	}
}

func TestDigest(t *testing.T) {
	src := read(t, "acme.yaml")
	d := must(t, src).Digest()
	if len(d) != 64 {
		t.Fatalf("digest %q", d)
	}
	for name, same := range map[string]string{
		"comments":       "# a comment\n" + src,
		"order of cases": strings.Replace(src, "free: P30D, pro: P90D", "pro: P90D, free: P30D", 1),
		"a default":      src + "package: {keep: P7D}\n",
		"unquoted":       strings.Replace(src, `"2026-04-02"`, "2026-04-02", 1),
		"grace in full":  strings.Replace(src, "grace: P30D", "grace: {for: P30D, mode: live}", 1),
		"from an event":  strings.Replace(src, "after: account_closed", "from: account_closed", 1),
	} {
		if same == src || must(t, same).Digest() != d {
			t.Errorf("%s: the digest differs, or nothing was changed", name)
		}
	}
	// Every fault that leaves the shape whole changes a promise, and so the digest.
	for _, f := range faults(t) {
		p, ps := policy.Parse("f", []byte(f.plant(t, src)))
		if !policy.Wrong(ps) && p.Digest() == d {
			t.Errorf("%q changes no digest", f.New)
		}
	}
}

func TestCompare(t *testing.T) {
	src := read(t, "acme.yaml")
	next := strings.NewReplacer("2026-04-02", "2026-10-01", "grace: P30D", "grace: {for: P90D, mode: sealed}", "[eu, uk, us-ca]", "[eu, uk]", "pro: P90D", "pro: P60D",
		"  objection:   {review: officer}\n", "").Replace(src)
	next = strings.Replace(next, "metrics:\n", "metrics:\n    description: numbers\n", 1)
	got := policy.Compare(must(t, src), must(t, next))
	want := []policy.Change{
		{Path: "categories.metrics.description", To: "numbers"},
		{Path: "categories.metrics.retention.keep.cases[1].period", From: "P90D", To: "P60D"},
		{Path: "jurisdictions", From: "eu, uk, us-ca", To: "eu, uk"},
		{Path: "rights.erasure.grace", From: "P30D", To: "P90D"},
		{Path: "rights.erasure.grace_mode", From: "live", To: "sealed"},
		{Path: "rights.objection.approvals", From: "1"},
		{Path: "rights.objection.review", From: "officer"},
		{Path: "version", From: "2026-04-02", To: "2026-10-01"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if same := policy.Compare(must(t, src), must(t, "# again\n"+src)); len(same) != 0 {
		t.Errorf("the same policy differs: %v", same)
	}
	if all := policy.Compare(nil, must(t, src)); len(all) < 30 || all[0].From != "" {
		t.Errorf("a first version adds everything: %v", all)
	}
}

func TestExplain(t *testing.T) {
	for _, name := range []string{"acme", "full"} {
		var out bytes.Buffer
		must(t, read(t, name+".yaml")).Explain(&out)
		golden := filepath.Join("testdata", name+".explained.txt")
		if *update {
			if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := read(t, name+".explained.txt"); out.String() != want {
			t.Errorf("%s is explained otherwise:\n%s", name, out.String())
		}
	}
}

func TestWarnings(t *testing.T) {
	good := read(t, "acme.yaml")
	for _, c := range []struct{ old, new, says string }{
		{"country: IE", "country: US", "no safeguard"},
		{"  access:      {review: auto}\n", "", "gives a right of access"},
		{"grace: P30D", "grace: P1Y", "data stay in use for P1Y"},
		{"  account:", "  organisation_account:", "not spelled as in the United States"},
		{"    basis: contract\n", "", "no lawful basis"},
		{"    recipients: [aws]\n", "", "no category goes to aws"},
		{"after: account_closed", "from: row", "no retention counts from account_closed"},
	} {
		src := strings.Replace(good, c.old, c.new, 1)
		if src == good {
			t.Fatalf("%q is not in the file", c.old)
		}
		shape, sense := problems(t, src)
		all := append(shape, sense...)
		if policy.Wrong(all) {
			t.Errorf("%q: more than a warning:\n%s", c.new, lines(all))
		}
		if !strings.Contains(lines(all), c.says) {
			t.Errorf("%q: no warning with %q:\n%s", c.new, c.says, lines(all))
		}
	}
	// Where access stands for California's right to know, nothing is missing.
	if _, sense := problems(t, strings.Replace(good, "[eu, uk, us-ca]", "[us-ca]", 1)); strings.Contains(lines(sense), "know_specific") {
		t.Errorf("a right is missed that is offered under another name:\n%s", lines(sense))
	}
	// A right that no listed law gives.
	_, sense := problems(t, strings.Replace(strings.Replace(good, "[eu, uk, us-ca]", "[eu]", 1), "  objection: ", "  complaint: {}\n  objection: ", 1))
	if !strings.Contains(lines(sense), "none of eu gives this right") {
		t.Errorf("no warning:\n%s", lines(sense))
	}
}

func TestNotYAML(t *testing.T) {
	for src, want := range map[string]string{
		"":                            "f:1:1: the file is empty",
		"# nothing\n":                 "f:1:1: the file is empty",
		"- a\n":                       "f:1:1: the file must be a mapping",
		"tenant: [a\nversion: b\n":    "this is not YAML",
		"tenant: a\n---\ntenant: b\n": "a second document begins here",
		"tenant: &a acme\n":           "anchor, alias or tag",
	} {
		_, ps := policy.Parse("f", []byte(src))
		if !strings.Contains(lines(ps), want) {
			t.Errorf("%q: %q, want %q", src, lines(ps), want)
		}
	}
	if _, ps := policy.Parse("f", bytes.Repeat([]byte("a: b\n"), 1<<19)); !policy.Wrong(ps) {
		t.Error("a file of two megabytes was read")
	}
}
