package storetest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/seal"
	"github.com/habeas-data/habeas/internal/store"
)

// planted fills every aggregate of a tenant with words that say "planted".
func (s suite) planted(t *testing.T, tenant dsr.TenantID) (sub *dsr.Submission, req *dsr.Request) {
	t.Helper()
	sub, req = sample()
	req.NextActionAt, req.Status = s.db.Clock.Now(), dsr.StatusExecuting
	s.in(t, tenant, func(tx *store.Tx) error {
		must(t, tx.CreateSubmission(sub, []*dsr.Request{req}, act("request.create")))
		r, _, err := tx.Claim(req.ID, time.Minute)
		must(t, err)
		must(t, tx.PutPlan(req.ID, samplePlan("d1")))
		must(t, tx.AddApproval(req.ID, store.Approval{Digest: "d1", Subject: "o1", Note: "planted"}))
		must(t, tx.PutCapture(&r, 0, 0, [][]string{{"planted-key"}}))
		_, err = tx.PlaceHold(store.Hold{Request: req.ID, Reason: "planted"}, act("request.hold"))
		must(t, err)
		_, err = tx.AddNote(store.Note{Request: req.ID, Text: "planted"}, act("note.write"))
		must(t, err)
		_, err = tx.AddMessage(store.Message{
			Submission: sub.ID, Direction: "in", Text: "planted",
			Attachments: []store.Attachment{{ID: dsr.NewID(), Name: "planted", Type: "text/planted", Content: []byte("planted")}},
		}, act("message.write"))
		must(t, err)
		_, err = tx.QueueMail(store.OutMail{Kind: "verify", DedupeKey: "m1", Submission: sub.ID, Request: req.ID, To: "planted@example.org", Subject: "planted", Text: "planted", HTML: "planted"})
		must(t, err)
		must(t, tx.PutToken(store.Token{Purpose: store.TokenVerify, Submission: sub.ID, Hash: "h-" + string(sub.ID), ExpiresAt: tx.Now.Add(time.Hour), Data: []byte("planted")}))
		_, err = tx.PutPackage(store.Package{Submission: sub.ID, Request: req.ID, Key: seal.NewKey(), MadeAt: tx.Now, ExpiresAt: tx.Now.Add(time.Hour), Manifest: []byte("planted")})
		must(t, err)
		_, err = tx.PutMemory(store.Memory{Identifiers: []string{tx.EmailHash("planted@example.org")}, Right: dsr.RightAccess, BlobKey: "m", Key: seal.NewKey(), MadeAt: tx.Now, ExpiresAt: tx.Now.AddDate(0, 13, 0)})
		must(t, err)
		_, err = tx.PutEndpoint(store.Endpoint{URL: "https://planted", Events: []string{"*"}, Secrets: []string{"planted"}}, act("webhook.manage"))
		must(t, err)
		_, err = tx.QueueDeliveries("x", []byte("planted"), "d1")
		must(t, err)
		_, err = tx.PutSource(store.Source{Name: "shop", Secrets: []string{"planted"}}, act("webhook.manage"))
		must(t, err)
		_, err = tx.SeenInbound("shop", "planted-message")
		must(t, err)
		must(t, tx.PutAnswer(store.IdempotencyKey{Key: "planted-key", Principal: "p", Target: "planted", BodyHash: "b"}, store.Answer{Body: []byte("planted")}))
		_, err = tx.PutOfficer(store.Officer{Email: "planted@example.org", Name: "planted", Subject: "o1"}, act("settings.write"))
		must(t, err)
		_, err = tx.AddSuppression(store.Suppression{List: "marketing", IdentifierHash: tx.Hash("s", "planted"), Request: req.ID}, act("suppression.write"))
		must(t, err)
		_, err = tx.AddObligation(store.Obligation{Request: req.ID, Submission: sub.ID, Kind: store.ObligationDeleteRows, DueOn: day(9)})
		return err
	})
	return sub, req
}

// dump gives every value of every table as text and bytes.
func (s suite) dump(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, table := range s.tables(t) {
		rows, err := s.db.Owner.QueryContext(t.Context(), "SELECT * FROM "+table)
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			must(t, rows.Scan(values...))
			for _, v := range values {
				switch v := (*(v.(*any))).(type) { //nolint:forcetypeassert // made above
				case []byte:
					out.Write(v)
				default:
					fmt.Fprint(&out, v)
				}
				out.WriteByte('\n')
			}
		}
		must(t, rows.Err())
		must(t, rows.Close())
	}
	return out.Bytes()
}

func (s suite) noClearText(t *testing.T) {
	f := suite{db: s.fresh(t), fresh: s.fresh, number: s.number}
	tenant := f.tenant(t)
	f.planted(t, tenant)
	for table, n := range f.rowCounts(t) {
		switch table {
		case "config", "step", "finding", "audit_sequence", "audit_hash", "audit_checkpoint": // hold nothing of a person
		default:
			if n == 0 {
				t.Errorf("the test plants nothing in %s", table)
			}
		}
	}
	text := bytes.ToLower(f.dump(t))
	if !bytes.Contains(text, []byte("officer-1")) {
		t.Fatal("the dump does not show what it should show")
	}
	// The files as well: what was deleted or is still in the write-ahead log.
	if f.db.Dir != "" {
		files, err := filepath.Glob(filepath.Join(f.db.Dir, "*"))
		must(t, err)
		for _, name := range files {
			b, err := os.ReadFile(name)
			must(t, err)
			text = append(text, bytes.ToLower(b)...)
		}
	}
	for _, marker := range []string{"planted", "example.org", "4711", "whsec"} {
		if n := bytes.Count(text, []byte(marker)); n > 0 {
			t.Errorf("%q stands %d times in the database", marker, n)
		}
	}
}

func (s suite) purge(t *testing.T) {
	tenant := s.tenant(t)
	sub, req := s.planted(t, tenant)
	purge := func() error {
		return s.db.InTx(t.Context(), tenant, func(tx *store.Tx) error { return tx.PurgeSubmission(sub.ID, act("submission.purge")) })
	}
	wantKind(t, purge(), fault.Conflict) // it is still executing
	var hash string
	s.in(t, tenant, func(tx *store.Tx) error {
		hash = tx.EmailHash(sub.Person.Email)
		r, err := tx.Request(req.ID)
		must(t, err)
		return tx.Transition(&r, dsr.EventFulfilled, act("request.fulfil"), nil)
	})
	var other dsr.Submission
	bystander, _ := sample()
	s.in(t, tenant, func(tx *store.Tx) error {
		must(t, tx.CreateSubmission(bystander, []*dsr.Request{{Right: dsr.RightAccess}}, act("request.create")))
		return nil
	})
	must(t, purge())
	must(t, purge())
	// The sealed bytes go as well as their key.
	for _, q := range []string{
		"submission WHERE (person IS NOT NULL OR proofs IS NOT NULL OR wrapped_key IS NOT NULL OR email_hash <> '') AND id = '" + string(sub.ID) + "'",
		"request WHERE (changes IS NOT NULL OR decision IS NOT NULL) AND id = '" + string(req.ID) + "'",
		"plan WHERE body IS NOT NULL AND request = '" + string(req.ID) + "'", "approval WHERE note IS NOT NULL AND request = '" + string(req.ID) + "'",
		"hold WHERE reason IS NOT NULL AND request = '" + string(req.ID) + "'", "note WHERE body IS NOT NULL AND request = '" + string(req.ID) + "'",
		"message WHERE body IS NOT NULL AND submission = '" + string(sub.ID) + "'", "attachment WHERE tenant = '" + string(tenant) + "'",
		"mail WHERE (letter IS NOT NULL OR address_hash <> '' OR state = 'queued') AND submission = '" + string(sub.ID) + "'",
		"token WHERE submission = '" + string(sub.ID) + "'", "package WHERE (wrapped_key IS NOT NULL OR manifest IS NOT NULL) AND submission = '" + string(sub.ID) + "'",
	} {
		var left int
		must(t, s.db.Owner.QueryRowContext(t.Context(), "SELECT count(*) FROM "+q).Scan(&left)) //nolint:gosec // our own ids
		if left != 0 {
			t.Errorf("after a purge %d rows are left of %s", left, q)
		}
	}
	s.in(t, tenant, func(tx *store.Tx) error {
		got, err := tx.Submission(sub.ID)
		must(t, err)
		wantEqual(t, "person and proofs of a purged submission", []any{got.Person, len(got.Proofs)}, []any{dsr.Person{}, 0})
		wantEqual(t, "evidence of a purged submission", []any{got.Reference, got.ReceivedAt, got.PolicyVersion}, []any{sub.Reference, sub.ReceivedAt, sub.PolicyVersion})
		r, err := tx.Request(req.ID)
		must(t, err)
		wantEqual(t, "words of a purged request", []any{len(r.Changes), r.Decision, r.Status}, []any{0, "", dsr.StatusFulfilled})
		found, err := tx.SubmissionsByEmailHash(hash, 10)
		must(t, err)
		wantEqual(t, "found by address", len(found), 1) // the bystander's
		_, err = tx.Plan(req.ID, "d1")
		wantKind(t, err, fault.Gone)
		_, err = tx.TokenByHash(store.TokenVerify, "h-"+string(sub.ID))
		wantKind(t, err, fault.NotFound)
		for _, read := range []func() (any, error){
			func() (any, error) { n, err := tx.Notes(req.ID); return n[0].Text, err },
			func() (any, error) { n, err := tx.Holds(req.ID); return n[0].Reason, err },
			func() (any, error) { n, err := tx.Messages(sub.ID); return n[0].Text, err },
			func() (any, error) { n, err := tx.Approvals(req.ID, "d1"); return n[0].Note, err },
			func() (any, error) { p, err := tx.PackageOf(req.ID); return string(p.Manifest), err },
			func() (any, error) { p, err := tx.PackageOf(req.ID); return p.Key.IsZero(), err },
		} {
			v, err := read()
			must(t, err)
			if v != "" && v != true {
				t.Errorf("something is left after a purge: %v", v)
			}
		}
		// The package is due now, so that its bytes go; the obligation still has its keys.
		p, err := tx.PackageOf(req.ID)
		must(t, err)
		if p.ExpiresAt.After(tx.Now) || !p.DestroyedAt.IsZero() {
			t.Errorf("the package expires %s, destroyed %s", p.ExpiresAt, p.DestroyedAt)
		}
		must(t, tx.DestroyPackage(p.ID, act("package.destroy")))
		keys, err := tx.Capture(req.ID, 0, 0)
		must(t, err)
		wantEqual(t, "captured keys", keys, [][]string{{"planted-key"}})
		must(t, tx.DropCapture(req.ID))
		wantKind(t, tx.UpdateSubmission(sub, act("request.verify")), fault.Gone)
		_, err = tx.AddNote(store.Note{Request: req.ID, Text: "x"}, act("note.write"))
		wantKind(t, err, fault.Gone)
		other, err = tx.Submission(bystander.ID)
		must(t, err)
		wantEqual(t, "the bystander", other, *bystander)
		return nil
	})
}
