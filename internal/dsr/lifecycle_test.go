package dsr_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
)

var update = flag.Bool("update", false, "write LIFECYCLE.md from the table")

// moves is the lifecycle as the contract tells it, written down a second time: status, event, what comes of it.
func moves() map[[2]string]string {
	out := map[[2]string]string{}
	for _, line := range strings.Split(strings.TrimSpace(`
received proof_asked verifying
received verified in_review
received expired expired
received denied denied
received withdrawn withdrawn
verifying proof_asked verifying
verifying verified in_review
verifying expired expired
verifying denied denied
verifying withdrawn withdrawn
in_review approved executing
in_review scheduled in_grace
in_review denied denied
in_review withdrawn withdrawn
in_grace grace_ended executing
in_grace plan_outdated in_review
in_grace denied denied
in_grace withdrawn withdrawn
executing plan_outdated in_review
executing fulfilled fulfilled`), "\n") {
		f := strings.Fields(line)
		out[[2]string{f[0], f[1]}] = f[2]
	}
	return out
}

func TestEveryStatusAndEvent(t *testing.T) {
	want := moves()
	walked := 0
	for _, from := range dsr.Statuses() {
		for _, e := range dsr.Events() {
			walked++
			to, err := dsr.Next(from, e)
			expected, possible := want[[2]string{string(from), string(e)}]
			if possible {
				if err != nil || string(to) != expected {
					t.Errorf("%s × %s gives %q, %v; want %q", from, e, to, err, expected)
				}
				continue
			}
			f, ok := fault.As(err)
			if !ok || f.Kind != fault.Conflict || to != "" {
				t.Errorf("%s × %s gives %q, %v; want a conflict", from, e, to, err)
				continue
			}
			if got := len(f.Allowed); got != len(dsr.Possible(from)) {
				t.Errorf("%s × %s lists %d possible events, there are %d", from, e, got, len(dsr.Possible(from)))
			}
		}
	}
	if walked != 9*10 {
		t.Errorf("walked %d pairs: a status or event was added, and the contract's table here not", walked)
	}
}

func TestFinalMeansFinal(t *testing.T) {
	for _, s := range dsr.Statuses() {
		if got := len(dsr.Possible(s)) == 0; got != s.Final() {
			t.Errorf("%s: final is %v, and it has %d ways out", s, s.Final(), len(dsr.Possible(s)))
		}
	}
}

// Whatever is not executing yet can be called back (the person's promise), and whatever is can't.
func TestWithdrawalAtEveryPointBeforeExecution(t *testing.T) {
	for _, s := range dsr.Statuses() {
		can := slices.Contains(dsr.Possible(s), dsr.EventWithdrawn)
		if want := !s.Final() && s != dsr.StatusExecuting; can != want {
			t.Errorf("%s: withdrawn is possible: %v", s, can)
		}
	}
}

func TestDiagramIsTheTable(t *testing.T) {
	text := "# The lifecycle of a request\n\nGenerated from the table in `internal/dsr/lifecycle.go` by its test (`go test ./internal/dsr -update`).\n\n```mermaid\n" + dsr.Diagram() + "```\n"
	const name = "LIFECYCLE.md"
	if *update {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil || string(got) != text {
		t.Errorf("%s is not what the table says (%v): run go test ./internal/dsr -update", name, err)
	}
}

func TestReferences(t *testing.T) {
	seen := map[dsr.Reference]bool{}
	for range 2000 {
		ref := dsr.NewReference()
		if seen[ref] {
			t.Fatalf("%s came twice", ref)
		}
		seen[ref] = true
		spoken := strings.ToLower(strings.ReplaceAll(string(ref), "-", " "))
		for _, form := range []string{string(ref), spoken, "HB-" + strings.ReplaceAll(string(ref[3:]), "-", "")} {
			if back, err := dsr.ParseReference(form); err != nil || back != ref {
				t.Fatalf("%q reads as %q, %v; want %s", form, back, err, ref)
			}
		}
	}
	for _, bad := range []string{"", "HB", "HB-1234-5678", "HB-ABCD-EFG", "XX-ABCD-EFGH", "HB-ABCD-EFGH-J", "HB-ABCI-EFGH", "../../x"} {
		if r, err := dsr.ParseReference(bad); err == nil {
			t.Errorf("%q reads as %s", bad, r)
		}
	}
}

func TestIDs(t *testing.T) {
	id := dsr.NewID()
	if _, err := dsr.ParseRequestID(id); err != nil {
		t.Errorf("%s does not read: %v", id, err)
	}
	for _, bad := range []string{"", "1", strings.ToUpper(id), "{" + id + "}", "urn:uuid:" + id, id + "\n", "' OR 1=1"} {
		if _, err := dsr.ParseRequestID(bad); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q gives %v", bad, err)
		}
	}
	for _, bad := range []string{"", "A", "1a", "a_b", "a.b", strings.Repeat("a", 64), "a/b", "ä"} {
		if _, err := dsr.ParseTenant(bad); err == nil {
			t.Errorf("%q is taken for a tenant", bad)
		}
	}
}

func TestRightsAreTheContracts(t *testing.T) {
	want := strings.Fields("access portability rectification erasure restriction objection withdraw_consent opt_out limit_sensitive automated_decision_review know_categories know_specific third_party_list appeal complaint")
	for _, w := range want {
		if r, ok := dsr.ParseRight(w); !ok || string(r) != w {
			t.Errorf("%s is not a right", w)
		}
	}
	if len(dsr.Rights()) != len(want) {
		t.Errorf("%d rights, the contract has %d", len(dsr.Rights()), len(want))
	}
	for _, r := range dsr.Rights() {
		if skips := r == dsr.RightOptOut || r == dsr.RightLimitSensitive; r.NeedsProof() == skips {
			t.Errorf("%s needs proof: %v", r, r.NeedsProof())
		}
	}
	if _, ok := dsr.ParseRight(""); ok {
		t.Error("the empty word is taken for a right")
	}
}
