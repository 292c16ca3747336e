package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/seal"
	"github.com/habeas-data/habeas/internal/store"
)

// otherTenants asks in one tenant for every id of another one: all answer as if they did not exist, nothing changes.
func (s suite) otherTenants(t *testing.T) {
	mine, theirs := s.tenant(t), s.tenant(t)
	sub, req := s.planted(t, theirs)
	own := s.plain(t, mine, dsr.RightErasure)
	var ids struct{ hold, obligation, mail, delivery, endpoint, pkg, message, attachment, suppression, memory string }
	s.read(t, theirs, func(tx *store.Tx) error {
		h, err := tx.Holds(req.ID)
		must(t, err)
		o, _, err := tx.ListObligations(store.ObligationFilter{})
		must(t, err)
		m, _, err := tx.ListMail(1, "")
		must(t, err)
		e, err := tx.ListEndpoints()
		must(t, err)
		d, _, err := tx.ListDeliveries(e[0].ID, 1, "")
		must(t, err)
		p, err := tx.PackageOf(req.ID)
		must(t, err)
		msg, err := tx.Messages(sub.ID)
		must(t, err)
		ids.hold, ids.obligation, ids.mail, ids.endpoint, ids.delivery, ids.pkg, ids.message, ids.attachment = h[0].ID, o[0].ID, m[0].ID, e[0].ID, d[0].ID, p.ID, msg[0].ID, msg[0].Attachments[0].ID
		ids.memory = tx.EmailHash("planted@example.org")
		_, err = tx.MemoryOf([]string{ids.memory}, dsr.RightAccess)
		must(t, err)
		return nil
	})
	before := s.tenantDump(t, theirs)
	foreign := *req
	late := s.db.Clock.Now().Add(100 * 24 * time.Hour)
	for name, call := range map[string]func(*store.Tx) (found bool, err error){
		"Submission": func(tx *store.Tx) (bool, error) { _, err := tx.Submission(sub.ID); return err == nil, err },
		"SubmissionByReference": func(tx *store.Tx) (bool, error) {
			_, err := tx.SubmissionByReference(sub.Reference)
			return err == nil, err
		},
		"UpdateSubmission": func(tx *store.Tx) (bool, error) {
			c := *sub
			err := tx.UpdateSubmission(&c, act("a.b"))
			return err == nil, err
		},
		"PurgeSubmission": func(tx *store.Tx) (bool, error) {
			err := tx.PurgeSubmission(sub.ID, act("a.b"))
			return err == nil, err
		},
		"MemoryOf": func(tx *store.Tx) (bool, error) {
			_, err := tx.MemoryOf([]string{ids.memory}, dsr.RightAccess)
			return err == nil, err
		},
		"EndMemories": func(tx *store.Tx) (bool, error) { return false, tx.EndMemories([]string{ids.memory}) },
		"Request":     func(tx *store.Tx) (bool, error) { _, err := tx.Request(req.ID); return err == nil, err },
		"RequestsOf":  func(tx *store.Tx) (bool, error) { l, err := tx.RequestsOf(sub.ID); return len(l) > 0, err },
		"Transition": func(tx *store.Tx) (bool, error) {
			c := foreign
			err := tx.Transition(&c, dsr.EventFulfilled, act("a.b"), nil)
			return err == nil, err
		},
		"UpdateRequest": func(tx *store.Tx) (bool, error) {
			c := foreign
			err := tx.UpdateRequest(&c, act("a.b"))
			return err == nil, err
		},
		"Claim":    func(tx *store.Tx) (bool, error) { _, ok, err := tx.Claim(req.ID, time.Minute); return ok, err },
		"Release":  func(tx *store.Tx) (bool, error) { c := foreign; err := tx.Release(&c, late); return err == nil, err },
		"AddEvent": func(tx *store.Tx) (bool, error) { err := tx.AddEvent(req.ID, "x", act("a.b")); return err == nil, err },
		"Events":   func(tx *store.Tx) (bool, error) { l, err := tx.Events(req.ID); return len(l) > 0, err },
		"TokenByHash": func(tx *store.Tx) (bool, error) {
			_, err := tx.TokenByHash(store.TokenVerify, "h-"+string(sub.ID))
			return err == nil, err
		},
		"RedeemToken": func(tx *store.Tx) (bool, error) {
			_, err := tx.RedeemToken(store.TokenVerify, "h-"+string(sub.ID))
			return err == nil, err
		},
		"RevokeTokens": func(tx *store.Tx) (bool, error) { return false, tx.RevokeTokens(store.TokenVerify, sub.ID, "") },
		"SweepTokens":  func(tx *store.Tx) (bool, error) { n, err := tx.SweepTokens(late); return n > 0, err },
		"Plan":         func(tx *store.Tx) (bool, error) { _, err := tx.Plan(req.ID, "d1"); return err == nil, err },
		"LatestPlan":   func(tx *store.Tx) (bool, error) { _, ok, err := tx.LatestPlan(req.ID); return ok, err },
		"PutPlan":      func(tx *store.Tx) (bool, error) { err := tx.PutPlan(req.ID, samplePlan("d9")); return err == nil, err },
		"AddApproval": func(tx *store.Tx) (bool, error) {
			err := tx.AddApproval(req.ID, store.Approval{Digest: "d1", Subject: "x"})
			return err == nil, err
		},
		"Approvals": func(tx *store.Tx) (bool, error) { l, err := tx.Approvals(req.ID, "d1"); return len(l) > 0, err },
		"PutCapture": func(tx *store.Tx) (bool, error) {
			c := foreign
			err := tx.PutCapture(&c, 0, 0, nil)
			return err == nil, err
		},
		"Capture":      func(tx *store.Tx) (bool, error) { l, err := tx.Capture(req.ID, 0, 0); return l != nil, err },
		"CaptureSteps": func(tx *store.Tx) (bool, error) { l, err := tx.CaptureSteps(req.ID); return len(l) > 0, err },
		"DropCapture":  func(tx *store.Tx) (bool, error) { return false, tx.DropCapture(req.ID) },
		"PutStep": func(tx *store.Tx) (bool, error) {
			c := foreign
			err := tx.PutStep(&c, store.StepRecord{})
			return err == nil, err
		},
		"PlaceHold": func(tx *store.Tx) (bool, error) {
			_, err := tx.PlaceHold(store.Hold{Request: req.ID}, act("a.b"))
			return err == nil, err
		},
		"ReleaseHold": func(tx *store.Tx) (bool, error) { err := tx.ReleaseHold(ids.hold, act("a.b")); return err == nil, err },
		"Holds":       func(tx *store.Tx) (bool, error) { l, err := tx.Holds(req.ID); return len(l) > 0, err },
		"Obligation":  func(tx *store.Tx) (bool, error) { _, err := tx.Obligation(ids.obligation); return err == nil, err },
		"ClaimObligation": func(tx *store.Tx) (bool, error) {
			_, ok, err := tx.ClaimObligation(ids.obligation, time.Minute)
			return ok, err
		},
		"UpdateObligation": func(tx *store.Tx) (bool, error) {
			err := tx.UpdateObligation(&store.Obligation{ID: ids.obligation, DueOn: day(1)}, act("a.b"))
			return err == nil, err
		},
		"LiftSuppressions": func(tx *store.Tx) (bool, error) { n, err := tx.LiftSuppressions(req.ID, act("a.b")); return n > 0, err },
		"AddNote": func(tx *store.Tx) (bool, error) {
			_, err := tx.AddNote(store.Note{Request: req.ID}, act("a.b"))
			return err == nil, err
		},
		"Notes": func(tx *store.Tx) (bool, error) { l, err := tx.Notes(req.ID); return len(l) > 0, err },
		"AddMessage": func(tx *store.Tx) (bool, error) {
			_, err := tx.AddMessage(store.Message{Submission: sub.ID}, act("a.b"))
			return err == nil, err
		},
		"Messages": func(tx *store.Tx) (bool, error) { l, err := tx.Messages(sub.ID); return len(l) > 0, err },
		"Attachment": func(tx *store.Tx) (bool, error) {
			_, err := tx.Attachment(sub.ID, ids.attachment)
			return err == nil, err
		},
		"QueueMail": func(tx *store.Tx) (bool, error) {
			_, err := tx.QueueMail(store.OutMail{Kind: "k", DedupeKey: "x", To: "x", Submission: sub.ID})
			return err == nil, err
		},
		"Mail":      func(tx *store.Tx) (bool, error) { _, err := tx.Mail(ids.mail); return err == nil, err },
		"ClaimMail": func(tx *store.Tx) (bool, error) { _, ok, err := tx.ClaimMail(ids.mail, time.Minute); return ok, err },
		"MarkMail": func(tx *store.Tx) (bool, error) {
			err := tx.MarkMail(ids.mail, 0, store.OutSent, time.Time{}, "")
			return err == nil, err
		},
		"ListMail": func(tx *store.Tx) (bool, error) { l, _, err := tx.ListMail(9, ""); return len(l) > 0, err },
		"Endpoint": func(tx *store.Tx) (bool, error) { _, err := tx.Endpoint(ids.endpoint); return err == nil, err },
		"DeleteEndpoint": func(tx *store.Tx) (bool, error) {
			err := tx.DeleteEndpoint(ids.endpoint, act("a.b"))
			return err == nil, err
		},
		"RotateEndpointSecret": func(tx *store.Tx) (bool, error) {
			err := tx.RotateEndpointSecret(ids.endpoint, "x", act("a.b"))
			return err == nil, err
		},
		"Delivery": func(tx *store.Tx) (bool, error) { _, err := tx.Delivery(ids.delivery); return err == nil, err },
		"ClaimDelivery": func(tx *store.Tx) (bool, error) {
			_, ok, err := tx.ClaimDelivery(ids.delivery, time.Minute)
			return ok, err
		},
		"MarkDelivery": func(tx *store.Tx) (bool, error) {
			err := tx.MarkDelivery(ids.delivery, 0, store.OutSent, time.Time{}, 0, "")
			return err == nil, err
		},
		"ListDeliveries": func(tx *store.Tx) (bool, error) {
			l, _, err := tx.ListDeliveries(ids.endpoint, 9, "")
			return len(l) > 0, err
		},
		"Redeliver": func(tx *store.Tx) (bool, error) {
			err := tx.Redeliver(ids.delivery, act("a.b"))
			return err == nil, err
		},
		"Source": func(tx *store.Tx) (bool, error) { _, err := tx.Source("shop"); return err == nil, err },
		"SeenInbound": func(tx *store.Tx) (bool, error) {
			first, err := tx.SeenInbound("shop", "planted-message")
			return !first, err
		},
		"PutPackage": func(tx *store.Tx) (bool, error) {
			_, err := tx.PutPackage(store.Package{Submission: sub.ID, Key: seal.NewKey()})
			return err == nil, err
		},
		"Package":    func(tx *store.Tx) (bool, error) { _, err := tx.Package(ids.pkg); return err == nil, err },
		"PackageOf":  func(tx *store.Tx) (bool, error) { _, err := tx.PackageOf(req.ID); return err == nil, err },
		"PackagesOf": func(tx *store.Tx) (bool, error) { l, err := tx.PackagesOf(sub.ID); return len(l) > 0, err },
		"MarkDownloaded": func(tx *store.Tx) (bool, error) {
			err := tx.MarkDownloaded(ids.pkg, act("a.b"))
			return err == nil, err
		},
		"ReleasePackage": func(tx *store.Tx) (bool, error) {
			err := tx.ReleasePackage(ids.pkg, late, act("a.b"))
			return err == nil, err
		},
		"DestroyPackage": func(tx *store.Tx) (bool, error) {
			err := tx.DestroyPackage(ids.pkg, act("a.b"))
			return err == nil, err
		},
		"Idempotent": func(tx *store.Tx) (bool, error) {
			a, err := tx.Idempotent(store.IdempotencyKey{Key: "planted-key", Principal: "p", Target: "planted", BodyHash: "b"})
			return a != nil, err
		},
		"Officer": func(tx *store.Tx) (bool, error) { _, err := tx.Officer("o1"); return err == nil, err },
		"OfficerByEmail": func(tx *store.Tx) (bool, error) {
			_, err := tx.OfficerByEmail("planted@example.org")
			return err == nil, err
		},
		"ListOfficers": func(tx *store.Tx) (bool, error) { l, err := tx.ListOfficers(); return len(l) > 0, err },
		"ListRequests": func(tx *store.Tx) (bool, error) {
			l, _, err := tx.ListRequests(store.RequestFilter{Reference: string(sub.Reference)})
			return len(l) > 0, err
		},
		"ListObligations": func(tx *store.Tx) (bool, error) {
			l, _, err := tx.ListObligations(store.ObligationFilter{})
			return len(l) > 0, err
		},
		"RedeemCode": func(tx *store.Tx) (bool, error) {
			_, err := tx.RedeemCode(store.TokenVerify, sub.ID, "right", 5)
			return err == nil, err
		},
		"TouchToken": func(tx *store.Tx) (bool, error) { err := tx.TouchToken("x", late); return err == nil, err },
		"SubmissionsByEmailHash": func(tx *store.Tx) (bool, error) {
			l, err := tx.SubmissionsByEmailHash(tx.EmailHash(sub.Person.Email), 9)
			return len(l) > 0, err
		},
	} {
		undo := errors.New("undo")
		err := s.db.InTx(t.Context(), mine, func(tx *store.Tx) error {
			found, err := call(tx)
			if found {
				t.Errorf("%s reached another tenant", name)
			}
			if err != nil && !slices.Contains([]fault.Kind{fault.NotFound, fault.Conflict, fault.Forbidden}, fault.KindOf(err)) {
				t.Errorf("%s: %v", name, err)
			}
			return errors.Join(err, undo)
		})
		if err == nil {
			t.Errorf("%s: no error at all", name)
		}
	}
	if after := s.tenantDump(t, theirs); !reflect.DeepEqual(before, after) {
		t.Fatalf("another tenant's rows changed:\n%s\n%s", before, after)
	}
	wantEqual(t, "my own request", s.request(t, mine, own.ID), own)
}

// tenantDump gives the rows of one tenant as the owner sees them.
func (s suite) tenantDump(t *testing.T, tenant dsr.TenantID) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, table := range s.tables(t) {
		rows, err := s.db.Owner.QueryContext(t.Context(), fmt.Sprintf("SELECT * FROM %s WHERE tenant = '%s'", table, tenant))
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		var lines []string
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			must(t, rows.Scan(values...))
			line := ""
			for _, v := range values {
				line += fmt.Sprintf("%v|", *(v.(*any))) //nolint:forcetypeassert // made above
			}
			lines = append(lines, line)
		}
		must(t, rows.Err())
		must(t, rows.Close())
		slices.Sort(lines)
		out[table] = strings.Join(lines, "\n")
	}
	return out
}
