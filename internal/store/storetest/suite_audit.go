package storetest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/seal"
	"github.com/habeas-data/habeas/internal/store"
)

func (s suite) auditLog(t *testing.T) {
	tenant := s.tenant(t)
	s.read(t, tenant, func(tx *store.Tx) error {
		_, err := tx.LatestCheckpoint()
		wantKind(t, err, fault.NotFound)
		return nil
	})
	// 1,203 leaves in batches, some of them numbered by several callers at once.
	total := 0
	var heads []auditlog.Checkpoint
	vkey := ""
	for _, n := range []int{1, 2, 1200} {
		s.in(t, tenant, func(tx *store.Tx) error {
			for i := range n {
				must(t, tx.Audit(store.Act{By: auditlog.Actor{Kind: "job"}, Action: "request.stage", Facts: map[string]string{"count": fmt.Sprint(i)}},
					auditlog.Object{Kind: "request", ID: "r" + fmt.Sprint(i%2)}))
			}
			return nil
		})
		total += n
		numbered := make([]int, 3)
		parallel(3, func(i int) {
			var err error
			if numbered[i], err = s.db.Sequence(t.Context(), tenant); err != nil {
				t.Errorf("sequencing: %v", err)
			}
		})
		wantEqual(t, "leaves numbered", numbered[0]+numbered[1]+numbered[2], n)
		s.read(t, tenant, func(tx *store.Tx) error {
			signed, err := tx.LatestCheckpoint()
			must(t, err)
			vkey, err = tx.AuditKeys()
			must(t, err)
			head, err := auditlog.OpenCheckpoint(signed, vkey)
			must(t, err)
			wantEqual(t, "size of the head", head.Size, int64(total))
			same, err := tx.CheckpointAt(head.Size)
			wantEqual(t, "head at its size", same, signed)
			heads = append(heads, head)
			return err
		})
	}
	reader, err := s.db.AuditReader(t.Context(), tenant)
	must(t, err)
	var signed []byte
	s.read(t, tenant, func(tx *store.Tx) (err error) { signed, err = tx.LatestCheckpoint(); return err })
	report, err := auditlog.VerifyStored(t.Context(), reader, signed, vkey, heads...)
	must(t, err)
	if !report.OK() {
		t.Fatalf("the log does not verify: %+v", report)
	}
	var out bytes.Buffer
	must(t, auditlog.WriteExport(t.Context(), &out, reader, signed, vkey))
	report, err = auditlog.VerifyExport(&out, vkey, heads)
	must(t, err)
	if !report.OK() {
		t.Fatalf("the export does not verify: %+v", report)
	}
	hr := auditlog.HashReader(t.Context(), reader)
	proof, err := auditlog.ProveConsistency(heads[2].Size, heads[0].Size, hr)
	must(t, err)
	must(t, auditlog.CheckConsistency(proof, heads[2], heads[0]))

	s.read(t, tenant, func(tx *store.Tx) error {
		f := store.AuditFilter{Limit: 500, Action: "request.stage", ObjectID: "r1", From: tx.Now.Add(-time.Hour), To: tx.Now.Add(time.Hour)}
		last, n := int64(-1), 0
		for {
			page, next, err := tx.AuditEntries(f)
			must(t, err)
			for _, r := range page {
				if r.Seq <= last || r.Entry.Object.ID != "r1" || len(r.Leaf) == 0 {
					t.Fatalf("entry %+v after %d", r, last)
				}
				last = r.Seq
				n++
			}
			if f.Cursor = next; next == "" {
				break
			}
		}
		wantEqual(t, "entries of one object", n, 601)
		page, _, err := tx.AuditEntries(store.AuditFilter{To: tx.Now.Add(-time.Hour)})
		wantEqual(t, "entries before the first", len(page), 0)
		return err
	})
	// What stands in the log stays as it is, even for one who gets past the store.
	if s.db.Engine() == store.EngineSQLite {
		for _, table := range []string{"audit_leaf", "audit_sequence", "audit_hash", "audit_checkpoint", "request_event"} {
			for _, q := range []string{"UPDATE " + table + " SET tenant = tenant", "DELETE FROM " + table} {
				if _, err := s.db.Owner.ExecContext(t.Context(), q); err == nil {
					t.Errorf("%s went through", q)
				}
			}
		}
	}
}

// auditOrNothing makes the audit log fail and tries everything that changes something.
func (s suite) auditOrNothing(t *testing.T) {
	db := s.fresh(t)
	f := suite{db: db, fresh: s.fresh, number: s.number}
	tenant := f.tenant(t)
	req := f.plain(t, tenant, dsr.RightErasure)
	f.in(t, tenant, func(tx *store.Tx) error {
		_, err := tx.PutEndpoint(store.Endpoint{ID: "e1", URL: "u", Secrets: []string{"s"}}, act("webhook.manage"))
		must(t, err)
		_, err = tx.PutPackage(store.Package{ID: "p1", Submission: req.Submission, Request: req.ID, Key: seal.NewKey(), MadeAt: tx.Now, ExpiresAt: tx.Now.Add(time.Hour)})
		return err
	})
	fail := []string{`CREATE TRIGGER audit_fails BEFORE INSERT ON audit_leaf BEGIN SELECT RAISE(ABORT, 'disk full'); END`}
	if db.Engine() == store.EnginePostgres {
		fail = []string{
			`CREATE FUNCTION audit_fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disk full'; END $$`,
			`CREATE TRIGGER audit_fails BEFORE INSERT ON audit_leaf FOR EACH ROW EXECUTE FUNCTION audit_fails()`,
		}
	}
	for _, q := range fail {
		if _, err := db.Owner.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	before := f.rowCounts(t)
	for name, change := range map[string]func(*store.Tx) error{
		"submission": func(tx *store.Tx) error {
			sub, r := sample()
			return tx.CreateSubmission(sub, []*dsr.Request{r}, act("request.create"))
		},
		"transition": func(tx *store.Tx) error {
			r := req
			return tx.Transition(&r, dsr.EventVerified, act("request.verify"), nil)
		},
		"update": func(tx *store.Tx) error { r := req; return tx.UpdateRequest(&r, act("request.assign")) },
		"event":  func(tx *store.Tx) error { return tx.AddEvent(req.ID, "x", act("request.note")) },
		"hold": func(tx *store.Tx) error {
			_, err := tx.PlaceHold(store.Hold{Request: req.ID}, act("request.hold"))
			return err
		},
		"note": func(tx *store.Tx) error {
			_, err := tx.AddNote(store.Note{Request: req.ID}, act("note.write"))
			return err
		},
		"message": func(tx *store.Tx) error {
			_, err := tx.AddMessage(store.Message{Submission: req.Submission}, act("message.write"))
			return err
		},
		"config": func(tx *store.Tx) error {
			_, _, err := tx.PutConfig(store.Config{Digest: "d"}, act("tenant.apply"))
			return err
		},
		"suppression": func(tx *store.Tx) error {
			_, err := tx.AddSuppression(store.Suppression{List: "l", IdentifierHash: "h", Request: req.ID}, act("suppression.write"))
			return err
		},
		"endpoint": func(tx *store.Tx) error { return tx.DeleteEndpoint("e1", act("webhook.manage")) },
		"officer": func(tx *store.Tx) error {
			_, err := tx.PutOfficer(store.Officer{Subject: "o"}, act("settings.write"))
			return err
		},
		"package": func(tx *store.Tx) error { return tx.DestroyPackage("p1", act("package.destroy")) },
	} {
		err := db.InTx(t.Context(), tenant, change)
		if err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantEqual(t, "rows after refused changes", f.rowCounts(t), before)
	wantEqual(t, "request after refused changes", f.request(t, tenant, req.ID), req)
	// An entry that the log does not accept is no less a failure: an address as a fact.
	err := s.db.InTx(t.Context(), s.tenant(t), func(tx *store.Tx) error {
		return tx.Audit(store.Act{By: act("").By, Action: "x", Facts: map[string]string{"email": "a@example.org"}}, auditlog.Object{Kind: "request"})
	})
	if err == nil {
		t.Error("an address was written into the log")
	}
}

func (s suite) tables(t *testing.T) []string {
	t.Helper()
	q := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version' ORDER BY name`
	if s.db.Engine() == store.EnginePostgres {
		q = `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'goose_db_version' ORDER BY tablename`
	}
	rows, err := s.db.Owner.QueryContext(t.Context(), q)
	must(t, err)
	defer rows.Close()
	var out []string
	for rows.Next() {
		var name string
		must(t, rows.Scan(&name))
		out = append(out, name)
	}
	must(t, rows.Err())
	return out
}

func (s suite) rowCounts(t *testing.T) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, table := range s.tables(t) {
		var n int
		must(t, s.db.Owner.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
		out[table] = n
	}
	return out
}
