package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/statute"
)

func demoPolicy() string { return string(demoshop.PolicyYAML()) }

// The dates were counted by hand from the texts of the laws.
func TestClock(t *testing.T) {
	cases := []struct {
		name string
		args []string
		want map[string]any
	}{
		{"California, 45 days and 90", []string{"--jurisdiction", "us-ca", "--right", "know_specific", "--received", "2026-11-02"},
			map[string]any{"acknowledge_by": "2026-11-17", "due_on": "2026-12-17", "due_on_conservative": "2026-12-16", "extended_until": "2027-01-31", "appeal_due_on": nil, "extended": false}},
		{"a month, on a weekday", []string{"--jurisdiction", "eu", "--right", "access", "--received", "2026-11-02", "--establishment", "DE"},
			map[string]any{"acknowledge_by": nil, "due_on": "2026-12-02", "extended_until": "2027-02-02"}},
		{"a month that ends earlier", []string{"--jurisdiction", "eu", "--right", "erasure", "--received", "2027-01-31", "--establishment", "DE"},
			map[string]any{"due_on": "2027-03-01", "due_on_conservative": "2027-03-01"}}, // 28 February 2027 is a Sunday (Reg. 1182/71 Art. 3(4))
	}
	cases = append(cases, struct {
		name string
		args []string
		want map[string]any
	}{"two laws, the stricter day of each", []string{"--jurisdiction", "eu,us-ca", "--right", "access", "--received", "2026-11-02", "--establishment", "DE"},
		map[string]any{"acknowledge_by": "2026-11-17", "due_on": "2026-12-02", "due_on_conservative": "2026-12-02", "extended_until": "2027-01-31", "extended": false}})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := habeas(t, t.TempDir(), nil, append([]string{"clock", "--json"}, c.args...)...).want(t, 0).object(t)
			for k, want := range c.want {
				if have, ok := got[k]; !ok || have != want {
					t.Errorf("%s is %v, want %v", k, have, want)
				}
			}
			if steps, _ := got["steps"].([]any); len(steps) < 3 {
				t.Errorf("only %d steps", len(steps))
			}
			text := habeas(t, t.TempDir(), nil, append([]string{"clock"}, c.args...)...).want(t, 0).stdout
			if !strings.Contains(text, "due_on") || !strings.Contains(text, c.want["due_on"].(string)) {
				t.Errorf("the text lacks the date:\n%s", text)
			}
		})
	}
}

func TestPolicyCheck(t *testing.T) {
	dir := t.TempDir()
	good := write(t, dir+"/good.yaml", demoPolicy())
	r := habeas(t, dir, nil, "policy", "check", good).want(t, 0)
	if !strings.Contains(r.stdout, "good.yaml") {
		t.Errorf("prints %q", r.stdout)
	}
	bad := write(t, dir+"/bad.yaml", strings.Replace(strings.Replace(demoPolicy(), "grace: PT8S", "grace: soon", 1), "review: auto", "reviewer: auto", 1))
	r = habeas(t, dir, nil, "policy", "check", bad).want(t, 1, "/bad.yaml:18:12: ", "reviewer")
	for line := range strings.SplitSeq(strings.TrimSpace(r.stderr), "\n") {
		if rest, ok := strings.CutPrefix(line, bad+":"); !ok || rest[0] < '0' || rest[0] > '9' {
			t.Errorf("no place in %q", line)
		}
	}
	if r.stdout != "" {
		t.Errorf("stdout is %q", r.stdout)
	}
	habeas(t, dir, nil, "policy", "explain", bad).want(t, 1, "/bad.yaml:")
	if v := habeas(t, dir, nil, "policy", "check", "--json", bad).want(t, 1).object(t); v["ok"] != false || len(v["problems"].([]any)) < 2 {
		t.Errorf("--json prints %v", v)
	}
	if v := habeas(t, dir, nil, "policy", "check", "--json", good).want(t, 0).object(t); v["ok"] != true || v["tenant"] != "demo" {
		t.Errorf("--json prints %v", v)
	}
	if r := habeas(t, dir, nil, "policy", "explain", good).want(t, 0); len(r.stdout) < 500 {
		t.Errorf("the explanation is short: %q", r.stdout)
	}
}

func TestMap(t *testing.T) {
	dir := t.TempDir()
	shop := filepath.Join(dir, "shop.db")
	if err := demoshop.Generate(t.Context(), shop, statute.NewDate(2026, time.March, 2)); err != nil {
		t.Fatal(err)
	}
	source := string(demoshop.DataMapYAML("${SHOP_DB}"))
	source = strings.Replace(source, `"${SHOP_DB}"`, "${SHOP_DB}", 1)
	file := write(t, dir+"/datamap.yaml", source)
	env := []string{"SHOP_DB=" + shop}

	habeas(t, dir, env, "map", "check", file).want(t, 0)
	habeas(t, dir, nil, "map", "check", file).want(t, 2, "SHOP_DB")
	lacking := write(t, dir+"/lacking.yaml", strings.Replace(source, "      wishlist: {owner: customer, category: content, erase: delete}\n      wishlist_item: {owner: wishlist, category: content, erase: with_owner}\n", "", 1))
	r := habeas(t, dir, env, "map", "check", lacking).want(t, 1, "shop.wishlist: ", "shop.wishlist_item: ")
	if strings.Count(r.stderr, "\n") < 2 {
		t.Errorf("not one a line: %q", r.stderr)
	}
	if v := habeas(t, dir, env, "map", "check", "--json", lacking).want(t, 1).object(t); v["ok"] != false || len(v["findings"].([]any)) < 2 {
		t.Errorf("--json prints %v", v)
	}
	broken := write(t, dir+"/broken.yaml", strings.Replace(source, "erase: delete", "erase: burn", 1))
	habeas(t, dir, env, "map", "check", broken).want(t, 1, "/broken.yaml:")

	for format, word := range map[string]string{"text": "system shop", "dot": "digraph", "mermaid": "flowchart"} {
		if r := habeas(t, dir, nil, "map", "explain", file, "--format", format).want(t, 0); !strings.Contains(r.stdout, word) {
			t.Errorf("%s: %q", format, r.stdout[:min(80, len(r.stdout))])
		}
	}

	r = habeas(t, dir, env, "map", "infer", "--dsn", "${SHOP_DB}", "--subject", "customer.email", "--system", "shop", "--tenant", "demo").want(t, 0, "decide")
	if !strings.Contains(r.stdout, "tenant: demo") || !strings.Contains(r.stdout, "invoice_line") || !strings.Contains(r.stdout, "# decide:") {
		t.Errorf("infer prints\n%s", r.stdout[:min(400, len(r.stdout))])
	}
	habeas(t, dir, nil, "map", "infer", "--dsn", shop, "--subject", "nobody.email").want(t, 2, "nobody")
	if left, _ := os.ReadDir(dir); len(left) != 4 {
		t.Errorf("something else was made: %v", left)
	}
}

func TestToken(t *testing.T) {
	dir := t.TempDir()
	r := habeas(t, dir, nil, "token", "--tenant", "acme", "--role", "officer,auditor", "--role", "approver", "--subject", "ann", "--ttl", "PT2H").want(t, 0)
	token := strings.TrimSuffix(r.stdout, "\n")
	if strings.Count(token, ".") != 2 || strings.ContainsAny(token, " \n") || r.stderr != "" {
		t.Fatalf("prints %q, %q", r.stdout, r.stderr)
	}
	keys, err := access.OpenKeys("", "habeas", filepath.Join(dir, "habeas-data"), true)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	p, err := keys.Verify(t.Context(), token, now)
	if err != nil {
		t.Fatal(err)
	}
	if p.Tenant != "acme" || p.Subject != "ann" || len(p.Roles) != 3 || !p.Has(access.RoleApprover) || !p.Fresh(now) {
		t.Errorf("it proves %+v", p)
	}
	if _, err := keys.Verify(t.Context(), token, now.Add(2*time.Hour+time.Minute)); err == nil {
		t.Error("it is good for more than two hours")
	}
	r = habeas(t, dir, nil, "token", "--tenant", "acme", "--role", "officer", "--ttl", "90s").want(t, 0)
	if _, err := keys.Verify(t.Context(), strings.TrimSpace(r.stdout), now.Add(3*time.Minute)); err == nil {
		t.Error("it is good for more than 90 seconds")
	}
	if info, err := os.Stat(filepath.Join(dir, "habeas-data", "jwt.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file is %v, %v", info, err)
	}
	// Beyond loopback whoever holds the local key could make tokens for everybody.
	habeas(t, t.TempDir(), []string{"HABEAS_PUBLIC_URL=https://privacy.example.com"}, "token", "--tenant", "acme", "--role", "officer").want(t, 2, "HABEAS_JWT_KEYS")
}
