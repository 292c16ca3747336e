package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/dsr"
)

// TestFewShareWhatStays: where the map asks for a k and fewer people share what stays of anonymized rows, an officer
// must look before the request counts as done; the certificate says so, and what the database's own files still hold.
func TestFewShareWhatStays(t *testing.T) {
	b := newBench(t)
	b.applyMap("    tables:\n", "    limits: {k: 5}\n    tables:\n")
	r, _ := b.ask(demoshop.ErasurePerson, "erasure")
	b.approve(r, "erasure")
	b.pass(14*day + time.Minute)
	q := b.want(r, "erasure", dsr.StatusExecuting)
	v := b.view(q.ID)
	if q.NeedsAttention != dsr.AttentionResidue || len(v.Findings) == 0 || v.Findings[0].Kind != "few_share" || v.Findings[0].Column == "" {
		t.Fatalf("attention %q, findings %+v", q.NeedsAttention, v.Findings)
	}
	_, err := b.app.Fulfill.Retry(b.ctx, b.officer, q.ID)
	b.must(err)
	b.drain()
	b.want(r, "erasure", dsr.StatusFulfilled)
	c, err := b.app.Fulfill.Certificate(b.ctx, b.officer, q.ID)
	b.must(err)
	says := func(words string) bool {
		return slices.ContainsFunc(c.Notes, func(n string) bool { return strings.Contains(n, words) })
	}
	if c.Check != "passed" || !says("fewer people than the data map asks for") || !says("shop, backups: ") {
		t.Errorf("the certificate says %q, %q", c.Check, c.Notes)
	}
}

// TestUntilWhenBackupsHoldIt: the certificate says the day until which backups may hold what went, by the data map; a
// map that is silent is said to be. It needs no answer of the product's database.
func TestUntilWhenBackupsHoldIt(t *testing.T) {
	for keep, want := range map[string]string{"": "", "    backups: {keep: P35D}\n": "2026-04-20"} {
		b := newBench(t)
		b.applyMap("    tables:\n", keep+"    tables:\n")
		r, _ := b.ask(demoshop.ErasurePerson, "erasure")
		b.approve(r, "erasure")
		b.pass(14*day + time.Minute) // 2026-03-16
		q := b.want(r, "erasure", dsr.StatusFulfilled)
		b.must(b.shop.DB.Close())
		c, err := b.app.Fulfill.Certificate(b.ctx, b.officer, q.ID)
		b.must(err)
		if len(c.Backups) != 1 || c.Backups[0].System != "shop" || !c.Backups[0].Until.IsZero() != (want != "") || want != "" && c.Backups[0].Until.String() != want {
			t.Errorf("with %q the certificate says %+v, want %q", keep, c.Backups, want)
		}
	}
}
