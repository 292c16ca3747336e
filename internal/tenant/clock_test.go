package tenant_test

import (
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
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
	received := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	n := 0
	for _, id := range book.Codes() {
		for _, right := range dsr.Rights() {
			n++
			c, err := tenant.Clock(book, &policy.Policy{}, id, right, received, nil)
			if err != nil || c.DueOn.IsZero() || c.DueOn.Before(statute.DateOf(received)) {
				t.Errorf("%s in %s: due on %s, %v", right, id, c.DueOn, err)
			}
		}
	}
	if n < 45 {
		t.Fatalf("only %d pairs were looked at", n)
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
