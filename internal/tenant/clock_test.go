package tenant_test

import (
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/tenant"
)

// TestEveryRightHasADate: whatever is asked wherever, the request stands with a legal date that lies ahead.
func TestEveryRightHasADate(t *testing.T) {
	book, err := statute.Load()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, received := range []time.Time{time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), time.Date(2028, 3, 2, 10, 0, 0, 0, time.UTC)} {
		for _, id := range book.Codes() {
			for _, right := range dsr.Rights() {
				n++
				c, err := tenant.Clock(book, &policy.Policy{Jurisdictions: []string{id, "eu"}}, id, right, received, nil)
				if err != nil || c.DueOn.IsZero() || c.DueOn.Before(statute.DateOf(received)) || c.DueOnConservative.IsZero() {
					t.Errorf("%s in %s: due on %s, %v", right, id, c.DueOn, err)
				}
			}
		}
	}
	if n < 2*15*60 {
		t.Fatalf("only %d pairs were looked at", n)
	}
}

// TestUndatedAndUnborn: what a law answers "without undue delay", and what comes before a law is in force, has the day
// of its like, and the explanation says so.
func TestUndatedAndUnborn(t *testing.T) {
	book, err := statute.Load()
	if err != nil {
		t.Fatal(err)
	}
	received := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	c, err := tenant.Clock(book, &policy.Policy{Jurisdictions: []string{"uk"}}, "uk", dsr.RightComplaint, received, nil)
	if err != nil || c.AcknowledgeBy.String() != "2026-07-30" || c.DueOn.String() != "2026-08-03" {
		t.Fatalf("a complaint in the United Kingdom: %+v, %v", c, err)
	}
	if last := c.Steps[len(c.Steps)-1]; last.Date != "due_on" || last.On != c.DueOn {
		t.Errorf("the last step is %+v", last)
	}
	c, err = tenant.Clock(book, &policy.Policy{Jurisdictions: []string{"in", "us-ca"}}, "in", dsr.RightErasure, received, nil)
	if err != nil || c.DueOn.String() != "2026-08-15" {
		t.Errorf("before the law of India: %s, %v", c.DueOn, err)
	}
	if _, err := tenant.Clock(book, &policy.Policy{Jurisdictions: []string{"in"}}, "in", dsr.RightErasure, received, nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("no law at all: %v", err)
	}
}

// TestTheLawsNoStays: what a law refuses is not asked for under another name or another law.
func TestTheLawsNoStays(t *testing.T) {
	book, err := statute.Load()
	if err != nil {
		t.Fatal(err)
	}
	received := time.Date(2026, 6, 9, 10, 0, 0, 0, time.UTC)
	p := &policy.Policy{Jurisdictions: []string{"eu", "us-ca", "uk"}}
	for _, c := range []struct {
		code, jurisdiction string
		right              dsr.Right
		notice             statute.Date
	}{
		{"no_extension", "us-ca", dsr.RightOptOut, statute.NewDate(2026, time.June, 10)},
		{"no_extension", "eu", dsr.RightWithdrawConsent, statute.NewDate(2026, time.June, 9)},
		{"extension_too_late", "eu", dsr.RightAccess, statute.NewDate(2026, time.July, 20)},
	} {
		got, err := tenant.Clock(book, p, c.jurisdiction, c.right, received, []statute.Event{{Name: statute.EventExtensionNotice, On: c.notice}})
		if e, ok := fault.As(err); !ok || e.Code != c.code {
			t.Errorf("%s in %s: extended %v, %v, want %s", c.right, c.jurisdiction, got.Extended, err, c.code)
		}
	}
}

// TestDaysAreTheControllers: a request that comes at 23:30 UTC is of the next day where the controller's clocks say so.
func TestDaysAreTheControllers(t *testing.T) {
	book, err := statute.Load()
	if err != nil {
		t.Fatal(err)
	}
	p := &policy.Policy{}
	late := time.Date(2026, 3, 2, 23, 30, 0, 0, time.UTC)
	utc, err := tenant.Clock(book, p, "us-ca", dsr.RightErasure, late, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.Controller.Zone = "Asia/Tokyo"
	tokyo, err := tenant.Clock(book, p, "us-ca", dsr.RightErasure, late, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !tokyo.DueOn.After(utc.DueOn) {
		t.Errorf("due on %s in UTC and %s in Tokyo", utc.DueOn, tokyo.DueOn)
	}
	p.Controller.Zone = "Nowhere/None"
	if tenant.Zone(p) != time.UTC {
		t.Error("a zone that does not exist is not UTC")
	}
}
