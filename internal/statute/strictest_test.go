package statute_test

import (
	"strings"
	"testing"

	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/statute"
)

func day(t *testing.T, s string) statute.Date {
	t.Helper()
	d, err := statute.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Several laws at once: each date is that of the stricter law, and a step says which.
func TestStrictest(t *testing.T) {
	b := loadBook(t)
	for _, c := range []struct {
		name, laws, right, received, place string
		events                             []statute.Event
		ack, due, safe, until              string
		extended                           bool
		says                               string
	}{
		{name: "Europe answers first, California extends less", laws: "eu us-ca", right: "access", received: "2026-11-02", place: "DE",
			ack: "2026-11-17", due: "2026-12-02", safe: "2026-12-02", until: "2027-01-31", says: "eu says 2026-12-02, us-ca says 2026-12-17. The stricter is that of eu"},
		{name: "the other way round", laws: "us-ca eu", right: "access", received: "2026-11-02", place: "DE",
			ack: "2026-11-17", due: "2026-12-02", safe: "2026-12-02", until: "2027-01-31", says: "us-ca says 2026-12-17, eu says 2026-12-02. The stricter is that of eu"},
		{name: "Brazil knows no extension", laws: "eu br", right: "access", received: "2026-11-02", place: "DE",
			due: "2026-11-17", safe: "2026-11-17", says: "No extension helps: a law that knows none, or got no notice, ends on 2026-11-17"},
		{name: "a notice that is late for one law", laws: "eu us-ca", right: "access", received: "2026-11-02", place: "DE",
			events: []statute.Event{{Name: statute.EventExtensionNotice, On: statute.NewDate(2026, 12, 10)}},
			ack:    "2026-11-17", due: "2026-12-02", safe: "2026-12-02", says: "comes too late"},
		{name: "a notice that is in time for both", laws: "eu us-ca", right: "access", received: "2026-11-02", place: "DE",
			events: []statute.Event{{Name: statute.EventExtensionNotice, On: statute.NewDate(2026, 12, 1)}},
			ack:    "2026-11-17", due: "2026-12-02", safe: "2026-12-02", until: "2027-01-31", extended: true, says: "us-ca says 2027-01-31"},
		{name: "a right that one law lacks", laws: "us-va us-ut", right: "rectification", received: "2026-06-15",
			due: "2026-07-30", safe: "2026-07-30", until: "2026-09-13", says: "Utah had no right named rectification"},
		{name: "a law that is not in force", laws: "in jp", right: "erasure", received: "2026-11-02",
			due: "2026-11-16", safe: "2026-11-16", says: "India begin on 2027-05-13"},
		{name: "the same law twice", laws: "jp jp", right: "erasure", received: "2026-11-02", due: "2026-11-16", safe: "2026-11-16", says: "All say the same"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, err := b.Strictest(statute.Question{Right: c.right, Received: day(t, c.received), Establishment: c.place, Events: c.events}, strings.Fields(c.laws))
			if err != nil {
				t.Fatal(err)
			}
			if k.AcknowledgeBy.String() != c.ack || k.DueOn.String() != c.due || k.DueOnConservative.String() != c.safe || k.ExtendedUntil.String() != c.until || k.Extended != c.extended {
				t.Errorf("acknowledge %q, due %q, safe %q, until %q, extended %v", k.AcknowledgeBy, k.DueOn, k.DueOnConservative, k.ExtendedUntil, k.Extended)
			}
			var all strings.Builder
			for _, s := range k.Steps {
				all.WriteString(s.Text + "\n")
			}
			if !strings.Contains(all.String(), c.says) {
				t.Errorf("no step says %q:\n%s", c.says, all.String())
			}
		})
	}
	for laws, says := range map[string]string{"eu xx": "no jurisdiction", "": "at least one", "in uk": "begin on"} {
		_, err := b.Strictest(statute.Question{Right: "restriction", Received: day(t, "2026-01-02")}, strings.Fields(laws))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", laws, err, says)
		}
	}
}
