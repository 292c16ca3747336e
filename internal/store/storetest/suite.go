package storetest

import (
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
)

// suite is one run on one engine. Tests share the database and have tenants of their own.
type suite struct {
	db     *Database
	fresh  func(t *testing.T) *Database
	number *atomic.Int64
}

// Run holds an engine against what package store promises. open gives an empty migrated database.
func Run(t *testing.T, open func(t *testing.T) *Database) {
	s := suite{db: open(t), fresh: open, number: new(atomic.Int64)}
	for _, test := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"tenants", s.tenants}, {"transactions", s.transactions}, {"guard", s.guard},
		{"config", s.config},
		{"submissions", s.submissions}, {"requests round trip", s.requestsRoundTrip},
		{"transitions", s.transitions}, {"every pair of the lifecycle", s.lifecycle}, {"stale writes", s.staleWrites},
		{"claims", s.claims}, {"leases", s.leases}, {"lists", s.lists}, {"counts", s.counts}, {"events", s.events},
		{"tokens", s.tokens}, {"redeem once", s.redeemOnce}, {"codes", s.codes}, {"codes side by side", s.codesParallel},
		{"plans", s.plans}, {"approvals", s.approvals}, {"captures", s.captures}, {"progress", s.progress},
		{"holds", s.holds}, {"obligations", s.obligations}, {"suppressions", s.suppressions}, {"notes and messages", s.messages},
		{"mails", s.mails}, {"endpoints and deliveries", s.deliveries}, {"sources", s.sources},
		{"packages", s.packages}, {"memories", s.memories}, {"idempotency", s.idempotency}, {"idempotency side by side", s.idempotencyParallel}, {"answers that are claimed", s.answerClaims}, {"officers", s.officers},
		{"audit log", s.auditLog}, {"audit or nothing", s.auditOrNothing}, {"purge", s.purge}, {"no personal data in the clear", s.noClearText},
		{"due", s.due}, {"leader", s.leader}, {"other tenants' ids", s.otherTenants},
	} {
		t.Run(test.name, test.run)
	}
}

func (s suite) tenant(t *testing.T) dsr.TenantID {
	t.Helper()
	id := dsr.TenantID(fmt.Sprintf("tenant-%d", s.number.Add(1)))
	created, err := s.db.CreateTenant(t.Context(), id)
	must(t, err)
	if !created {
		t.Fatalf("tenant %s was there", id)
	}
	return id
}

// in runs a writing transaction that must not fail.
func (s suite) in(t *testing.T, tenant dsr.TenantID, fn func(*store.Tx) error) {
	t.Helper()
	must(t, s.db.InTx(t.Context(), tenant, fn))
}

func (s suite) read(t *testing.T, tenant dsr.TenantID, fn func(*store.Tx) error) {
	t.Helper()
	must(t, s.db.Read(t.Context(), tenant, fn))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("got error %v, want one of kind %s", err, kind)
	}
}

func wantEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// filled fails when a field is zero: a round trip of a zero field shows nothing, and a new field must be added to
// the test before it can pass.
func filled(t *testing.T, v any, except ...string) {
	t.Helper()
	rv := reflect.Indirect(reflect.ValueOf(v))
	for i := range rv.NumField() {
		name := rv.Type().Field(i).Name
		skip := false
		for _, e := range except {
			skip = skip || e == name
		}
		if !skip && rv.Field(i).IsZero() {
			t.Fatalf("the test leaves %s.%s empty", rv.Type(), name)
		}
	}
}

func act(action string) store.Act {
	return store.Act{By: auditlog.Actor{Kind: "job"}, Action: action}
}

// instant is a time with microseconds, in another zone than UTC: what comes back must be the same instant in UTC.
func instant(day int) time.Time {
	return time.Date(2026, 12, day, 23, 59, 58, 987654000, time.FixedZone("somewhere", 5*3600+1800))
}

func utc(t time.Time) time.Time { return t.UTC() }

func day(d int) statute.Date { return statute.NewDate(2026, 12, d) }

// sample gives a filled submission and one filled request.
func sample() (*dsr.Submission, *dsr.Request) {
	sub := &dsr.Submission{
		Channel: dsr.ChannelForm, Subject: "customer", Jurisdiction: "eu", Language: "de", ConfigVersion: 3, PolicyVersion: "2026-11",
		Person: dsr.Person{
			Email: "Ada.Planted@example.org", Name: "Ada Planted", Identifiers: map[string]string{"user_id": "planted-4711"}, Message: "planted message",
			OnBehalfOf: &dsr.Represented{Relation: "child", Name: "Bea Planted", Email: "bea.planted@example.org"}, Stored: "ada.planted@example.org",
		},
		Proofs:     []dsr.Proof{{Identifier: "email", Value: "ada.planted@example.org", Method: "email_link", At: utc(instant(1))}},
		ReceivedAt: utc(instant(1)), VerifiedAt: utc(instant(2)), ExpiresAt: utc(instant(3)), Org: "org-1", CreatedBy: "hash-of-principal", PurgeOn: day(31),
	}
	req := &dsr.Request{
		Right: dsr.RightErasure, Status: dsr.StatusReceived, ReceivedAt: utc(instant(1)),
		AcknowledgeBy: day(4), DueOn: day(5), DueOnConservative: day(6), ExtendedUntil: day(7), ClockPaused: true,
		ClockEvents: []statute.Event{{Name: statute.EventFeeAsked, On: day(8)}}, AnsweredAt: utc(instant(9)),
		OnHold: true, AwaitingController: true, NeedsAttention: dsr.AttentionResidue, Assignee: "officer-1",
		PlanDigest: "digest-1", PlanMadeAt: utc(instant(10)), GraceEndsAt: utc(instant(11)), Stage: dsr.StageAct, DenyGround: dsr.GroundNoMatch,
		Changes: []dsr.Change{{Field: "name", To: "planted name"}}, Decision: "planted decision", NextActionAt: utc(instant(12)), Attempts: 4,
	}
	return sub, req
}

// plain gives a submission with one bare request of a right, received now and due now.
func (s suite) plain(t *testing.T, tenant dsr.TenantID, right dsr.Right) dsr.Request {
	t.Helper()
	now := s.db.Clock.Now()
	sub := &dsr.Submission{Channel: dsr.ChannelForm, Person: dsr.Person{Email: "plain@example.org"}, ReceivedAt: now}
	req := &dsr.Request{Right: right, DueOn: statute.DateOf(now).AddDays(30), NextActionAt: now}
	s.in(t, tenant, func(tx *store.Tx) error {
		return tx.CreateSubmission(sub, []*dsr.Request{req}, act("request.create"))
	})
	return *req
}

func (s suite) request(t *testing.T, tenant dsr.TenantID, id dsr.RequestID) (req dsr.Request) {
	t.Helper()
	s.read(t, tenant, func(tx *store.Tx) (err error) {
		req, err = tx.Request(id)
		return err
	})
	return req
}
