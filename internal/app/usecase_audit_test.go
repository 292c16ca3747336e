package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/intake"
	"github.com/habeas-data/habeas/internal/statute"
)

func (b *bench) logVerifies() {
	b.Helper()
	b.drain()
	if _, err := b.app.Oversee.Check(b.ctx, b.auditor); err != nil {
		b.Errorf("the log does not verify: %v", err)
	}
}

// TestEveryStepLeavesALeaf: as many leaves as moves of a status, each with its action, and no word of the person.
func TestEveryStepLeavesALeaf(t *testing.T) {
	b := newBench(t)
	r, p := b.askWith(intake.Input{Email: demoshop.ErasurePerson, Name: "Tomás Rivera", Message: "Grisella", Types: []string{"access", "erasure", "opt_out"}})
	b.must(b.app.Fulfill.MessageAsPerson(b.ctx, p, r.Reference, message("Brambleholt")))
	id := b.of(r, "access").ID
	b.must(b.app.Fulfill.AddNote(b.ctx, b.officer, id, "Wendolyn"))
	_, err := b.app.Fulfill.Assign(b.ctx, b.officer, id, "olga")
	b.must(err)
	b.approve(r, "access")
	b.fetch(r, p, "access")
	b.approve(r, "erasure")
	b.pass(15 * day)
	b.want(r, "erasure", dsr.StatusFulfilled)
	leaves := b.leaves()
	for action, n := range map[string]int{"request.create": 1, "request.ask_proof": 2, "submission.verified": 1, "request.verify": 3, "plan.make": 2, "request.approve": 3,
		"request.grace_ended": 1, "request.fulfill": 3, "suppression.add": 1, "package.code": 1, "package.download": 1, "message.write": 1, "note.write": 1,
		"request.assign": 1, "tenant.apply": 1} {
		if got := leaves[action+"/ok"]; got != n {
			t.Errorf("%d leaves of %s, want %d (%v)", got, action, n, leaves)
		}
	}
	for _, e := range b.entries() {
		for _, word := range []string{demoshop.ErasurePerson, "Rivera", "Grisella", "Brambleholt", "Wendolyn", "olga"} {
			if strings.Contains(string(e.Leaf), word) {
				t.Errorf("the leaf of %s holds %q", e.Entry.Action, word)
			}
		}
	}
	b.logVerifies()
}

// TestNoLeafNoAction: where the log can't be written, nothing happens, whoever acts.
func TestNoLeafNoAction(t *testing.T) {
	b := newBench(t)
	asked, person := b.ask(demoshop.ErasurePerson, "access", "erasure")
	letter, _ := b.ask("p@example.net", "appeal")
	unproven := b.submit(b.public, intake.Input{Email: demoshop.Person, Types: []string{"access"}})
	b.drain()
	link := b.link(unproven.Submission)
	ready, reader := b.ready()
	code := b.code(ready, reader)
	access0, erasure := b.of(asked, "access"), b.of(asked, "erasure")
	f := b.app.Fulfill
	acts := map[string]func() error{
		"submit": func() error {
			_, err := b.app.Intake.Submit(b.ctx, b.public, demo, intake.Input{Email: "x@example.net", Types: []string{"access"}})
			return err
		},
		"redeem":     func() error { _, err := b.app.Verify.RedeemLink(b.ctx, demo, link); return err },
		"by officer": func() error { return b.app.Verify.ByOfficer(b.ctx, b.officer, unproven.Requests[0].ID, "passport") },
		"approve":    func() error { _, err := f.Approve(b.ctx, b.officer, erasure.ID, erasure.PlanDigest, ""); return err },
		"deny":       func() error { _, err := f.Deny(b.ctx, b.officer, erasure.ID, "other", "words"); return err },
		"extend":     func() error { _, err := f.Extend(b.ctx, b.officer, access0.ID, "complexity", "words"); return err },
		"pause":      func() error { _, err := f.Pause(b.ctx, b.officer, access0.ID, "clarification", "words"); return err },
		"hold":       func() error { _, err := f.Hold(b.ctx, b.officer, erasure.ID, "words", statute.Date{}); return err },
		"assign":     func() error { _, err := f.Assign(b.ctx, b.officer, erasure.ID, "olga"); return err },
		"withdraw":   func() error { _, err := f.Withdraw(b.ctx, b.officer, erasure.ID, ""); return err },
		"by person":  func() error { _, err := f.WithdrawAsPerson(b.ctx, person, asked.Reference, nil); return err },
		"answer":     func() error { _, err := f.Answer(b.ctx, b.officer, letter.Requests[0].ID, "words"); return err },
		"message":    func() error { return f.MessageAsPerson(b.ctx, person, asked.Reference, message("words")) },
		"to person":  func() error { return f.SendMessage(b.ctx, b.officer, erasure.ID, message("words")) },
		"note":       func() error { return f.AddNote(b.ctx, b.officer, erasure.ID, "words") },
		"code":       func() error { return f.SendDownloadCode(b.ctx, reader, ready.Reference) },
		"download":   func() error { _, err := f.Download(b.ctx, reader, ready.Reference, code, ""); return err },
		"review":     func() error { _, err := f.OpenPackage(b.ctx, b.officer, ready.Requests[0].ID); return err },
		"replan":     func() error { _, err := f.Replan(b.ctx, b.officer, erasure.ID); return err },
		"endpoint": func() error {
			_, err := b.app.Oversee.AddEndpoint(b.ctx, b.admin, "http://127.0.0.1:1/", nil)
			return err
		},
		"source": func() error { _, err := b.app.Oversee.AddSource(b.ctx, b.admin, "shop"); return err },
		"invite": func() error {
			_, err := b.app.Verify.Invite(b.ctx, demo, "otto", []access.Role{access.RoleOfficer})
			return err
		},
		"refused act": func() error { _, err := f.Approve(b.ctx, b.auditor, erasure.ID, erasure.PlanDigest, ""); return err },
	}
	own := b.own()
	var tables []string
	names, err := own.Query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
	b.must(err)
	for names.Next() {
		var name string
		b.must(names.Scan(&name))
		tables = append(tables, name)
	}
	b.must(names.Err())
	b.must(names.Close())
	state := func() string {
		var out strings.Builder
		for _, table := range tables {
			rows, err := own.Query("SELECT * FROM " + table)
			b.must(err)
			cols, err := rows.Columns()
			b.must(err)
			for rows.Next() {
				cells, ptrs := make([]any, len(cols)), make([]any, len(cols))
				for i := range cells {
					ptrs[i] = &cells[i]
				}
				b.must(rows.Scan(ptrs...))
				for _, c := range cells {
					out.WriteString(stringOf(c) + "|")
				}
			}
			b.must(rows.Err())
			b.must(rows.Close())
		}
		return out.String()
	}
	_, err = own.Exec("CREATE TRIGGER full BEFORE INSERT ON audit_leaf BEGIN SELECT raise(ABORT, 'the log is full'); END")
	b.must(err)
	before := state()
	for name, act := range acts {
		if act() == nil {
			t.Errorf("%s: done without a leaf", name)
		}
		if state() != before {
			t.Fatalf("%s: something changed without a leaf", name)
		}
	}
	// The machine's own steps don't happen either.
	b.clock.add(15 * day)
	_, _ = b.app.Drain(b.ctx, 50)
	for _, r := range []intake.Receipt{asked, letter, unproven} {
		for _, q := range r.Requests {
			if now := b.of(r, string(q.Right)); now.Status == dsr.StatusExpired || now.Status == dsr.StatusFulfilled {
				t.Errorf("%s moved to %s without a leaf", q.Right, now.Status)
			}
		}
	}
	_, err = own.Exec("DROP TRIGGER full")
	b.must(err)
	b.pass(time.Hour)
	b.must(acts["approve"]())
	b.logVerifies()
}
