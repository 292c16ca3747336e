package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/habeas-data/habeas/internal/config"
	"github.com/habeas-data/habeas/internal/statute"
)

// model gives the grammar as kong sees it.
func model(t *testing.T) *kong.Kong {
	t.Helper()
	k, err := kong.New(newCommands(), kong.Vars{"events": strings.Join(statute.EventNames(), ", ")})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestEveryCommandHelps walks the grammar, so that a new command can't be forgotten.
func TestEveryCommandHelps(t *testing.T) {
	dir := t.TempDir()
	seen := 0
	var walk func(n *kong.Node, words []string)
	walk = func(n *kong.Node, words []string) {
		if len(words) > 0 {
			seen++
			r := habeas(t, dir, nil, append(words, "--help")...).want(t, 0)
			if !strings.Contains(r.stdout, "Example:") || !strings.Contains(r.stdout, "habeas "+words[0]) {
				t.Errorf("the help of %q shows no example", words)
			}
		}
		for _, c := range n.Children {
			walk(c, append(append([]string{}, words...), c.Name))
		}
	}
	walk(model(t).Model.Node, nil)
	if seen < 23 {
		t.Errorf("only %d commands", seen)
	}
	untouched(t, dir)
}

func TestWrongUsage(t *testing.T) {
	dir := t.TempDir()
	cases := []struct {
		args []string
		want string
	}{
		{nil, "habeas --help"},
		{[]string{"nonsense"}, "nonsense"},
		{[]string{"policy"}, "habeas policy --help"},
		{[]string{"policy", "check"}, "habeas policy check --help"},
		{[]string{"policy", "check", "absent.yaml"}, "absent.yaml"},
		{[]string{"policy", "explain", "absent.yaml"}, "absent.yaml"},
		{[]string{"map", "check", "absent.yaml"}, "absent.yaml"},
		{[]string{"map", "infer", "--dsn", "x.db", "--subject", "customer"}, "--subject"},
		{[]string{"map", "explain", "--format", "svg"}, "format"},
		{[]string{"tenant", "apply", "absent"}, "absent"},
		{[]string{"clock", "--jurisdiction", "eu"}, "--received"},
		{[]string{"clock", "--jurisdiction", "xx", "--right", "access", "--received", "2026-11-02"}, "xx"},
		{[]string{"clock", "--jurisdiction", "eu", "--right", "nosuch", "--received", "2026-11-02"}, "nosuch"},
		{[]string{"clock", "--jurisdiction", "eu", "--right", "access", "--received", "2026-02-30"}, "2026-02-30"},
		{[]string{"clock", "--jurisdiction", "eu", "--right", "access", "--received", "2026-11-02", "--event", "fee_asked"}, "--event"},
		{[]string{"clock", "--jurisdiction", "us-cal", "--right", "erasure", "--received", "2026-11-02"}, "did you mean us-ca?"},
		{[]string{"clock", "--jurisdiction", "eu", "--right", "access", "--received", "1994-12-31"}, "1995 to 2200"},
		{[]string{"clock", "--jurisdiction", "eu", "--right", "access", "--received", "2201-01-01"}, "1995 to 2200"},
		{[]string{"clock", "--jurisdiction", "eu", "--right", "access", "--received", "2026-11-02", "--establishment", "DE-XX"}, "DE has no part XX"},
		{[]string{"clock", "--jurisdiction", "eu", "--right", "access", "--received", "2026-11-02", "--event", "lunch=2026-11-03"}, "events.lunch"},
		{[]string{"clock", "--jurisdiction", "eu", "--right", "access", "--received", "2026-11-02", "--event", "identity_received=2026-11-03", "--event", "identity_asked=2026-11-04"}, "out of order"},
		{[]string{"clock", "--jurisdiction", "eu,us-ny", "--right", "complaint", "--received", "2026-11-02", "--controller", "club"}, "controller"},
		{[]string{"clock", "--jurisdiction", "us-ca", "--right", "access", "--received", "2026-11-02"}, "know_specific"},
		{[]string{"plan"}, "request"},
		{[]string{"audit", "prove"}, "entry"},
		{[]string{"audit", "prove", "--entry", "1", "--from", "1"}, "--entry"},
		{[]string{"audit", "verify", "--file", "absent"}, "absent"},
		{[]string{"token", "--tenant", "acme"}, "--role"},
		{[]string{"token", "--tenant", "acme", "--role", "king"}, "king"},
		{[]string{"token", "--tenant", "acme", "--role", "officer", "--ttl", "soon"}, "soon"},
		{[]string{"serve", "--nonsense"}, "nonsense"},
		{[]string{"serve", "--sweep", "2s"}, "HABEAS_SWEEP"},
		{[]string{"demo", "--listen", "0.0.0.0:0"}, "--listen"},
	}
	for _, c := range cases {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			r := habeas(t, dir, nil, c.args...).want(t, 2, c.want)
			if r.stdout != "" {
				t.Errorf("stdout is %q", r.stdout)
			}
			if lines := strings.Split(strings.TrimSuffix(r.stderr, "\n"), "\n"); len(lines) != 1 {
				t.Errorf("%d lines: %q", len(lines), r.stderr)
			}
		})
	}
	untouched(t, dir)
}

// TestSettingsAreNamedALineEach also holds that nothing is made before the settings are right.
func TestSettingsAreNamedALineEach(t *testing.T) {
	dir := t.TempDir()
	for _, command := range []string{"serve", "worker"} {
		r := habeas(t, dir, []string{"HABEAS_LISTN=x", "HABEAS_SWEEP=2s", "HABEAS_LOG=loud"}, command).want(t, 2,
			"habeas: HABEAS_LISTN: there is no such setting; did you mean HABEAS_LISTEN?\n", "habeas: HABEAS_SWEEP: ", "habeas: HABEAS_LOG: ")
		if n := strings.Count(r.stderr, "\n"); n != 3 {
			t.Errorf("%d lines:\n%s", n, r.stderr)
		}
	}
	habeas(t, dir, []string{"HABEAS_PUBLIC_URL=http://privacy.example.com"}, "serve").want(t, 2, "HABEAS_PUBLIC_URL")
	untouched(t, dir)
}

// TestEverySettingIsAFlag holds that flags win over the environment, for every setting.
func TestEverySettingIsAFlag(t *testing.T) {
	serve := model(t).Model.Children[1]
	if serve.Name != "serve" {
		t.Fatalf("the second command is %s", serve.Name)
	}
	flags := map[string]bool{}
	for _, f := range serve.Flags {
		flags[f.Name] = true
	}
	for _, s := range config.Settings() {
		if !flags[s.Flag] {
			t.Errorf("%s has no flag --%s", s.Name, s.Flag)
		}
	}
	habeas(t, t.TempDir(), []string{"HABEAS_SWEEP=PT1S"}, "serve", "--sweep", "nonsense").want(t, 2, "HABEAS_SWEEP")
}

func TestNoDiskIsTouched(t *testing.T) {
	dir, files := t.TempDir(), t.TempDir()
	policy := write(t, files+"/policy.yaml", demoPolicy())
	habeas(t, dir, nil, "version").want(t, 0)
	habeas(t, dir, nil, "clock", "--jurisdiction", "eu", "--right", "access", "--received", "2026-11-02").want(t, 0)
	habeas(t, dir, nil, "policy", "check", policy).want(t, 0)
	habeas(t, dir, nil, "policy", "explain", policy).want(t, 0)
	// Commands that read make no data dir, and no key in a place that was only misspelled.
	for _, args := range [][]string{{"tenant", "list"}, {"audit", "verify"}, {"audit", "export"}, {"plan", "HB-7K3M-92QD"}, {"map", "check"}, {"map", "explain"}} {
		habeas(t, dir, nil, args...).want(t, 1, "HABEAS_DATA_DIR")
	}
	habeas(t, dir, nil, "migrate", "status").want(t, 0)
	untouched(t, dir)
}

func TestVersion(t *testing.T) {
	r := habeas(t, t.TempDir(), nil, "version").want(t, 0)
	if !strings.HasPrefix(r.stdout, "habeas v0.0.0-test") || strings.Count(r.stdout, "\n") != 1 {
		t.Errorf("version prints %q", r.stdout)
	}
	if v := habeas(t, t.TempDir(), nil, "version", "--json").want(t, 0).object(t); v["version"] != "v0.0.0-test" {
		t.Errorf("version --json prints %v", v)
	}
}
