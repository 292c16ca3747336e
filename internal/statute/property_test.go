package statute_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/statute"
)

func genDate(lo statute.Date, days int) *rapid.Generator[statute.Date] {
	return rapid.Custom(func(t *rapid.T) statute.Date { return lo.AddDays(rapid.IntRange(0, days).Draw(t, "day")) })
}

// genQuestion draws a question that every jurisdiction in force can be asked, without events.
func genQuestion(b *statute.Book) *rapid.Generator[statute.Question] {
	return rapid.Custom(func(t *rapid.T) statute.Question {
		q := statute.Question{
			Jurisdiction:  rapid.SampledFrom(b.Codes()).Draw(t, "jurisdiction"),
			Received:      genDate(statute.NewDate(2028, time.January, 1), 60000).Draw(t, "received"),
			Establishment: rapid.SampledFrom(append(b.Places(), "", "BR")).Draw(t, "establishment"),
		}
		j, err := b.Jurisdiction(q.Jurisdiction, q.Received)
		if err != nil {
			t.Fatal(err)
		}
		q.Right = rapid.SampledFrom(j.Rights).Draw(t, "right").Right
		return q
	})
}

func drawPause(t *rapid.T, reason string, from statute.Date) (events []statute.Event) {
	asked := from.AddDays(rapid.IntRange(0, 20).Draw(t, reason+" asked"))
	got := asked.AddDays(rapid.IntRange(0, 25).Draw(t, reason+" answered"))
	return []statute.Event{{Name: reason + "_asked", On: asked}, {Name: reason + "_received", On: got}}
}

// For all questions: nothing is due before it arrived, the stricter reading is never later, an extension never earlier,
// and where days roll the last day is a working day.
func TestDatesAreInOrder(t *testing.T) {
	b := loadBook(t)
	rapid.Check(t, func(t *rapid.T) {
		q := genQuestion(b).Draw(t, "question")
		if rapid.Bool().Draw(t, "identity") {
			q.Events = append(q.Events, drawPause(t, "identity", q.Received)...)
		}
		if rapid.Bool().Draw(t, "clarification") {
			q.Events = append(q.Events, drawPause(t, "clarification", q.Received)...)
		}
		c, err := b.Clock(q)
		if err != nil {
			t.Fatal(err)
		}
		for name, d := range map[string]statute.Date{"acknowledge_by": c.AcknowledgeBy, "due_on": c.DueOn, "due_on_conservative": c.DueOnConservative, "extended_until": c.ExtendedUntil} {
			if !d.IsZero() && d.Before(q.Received) {
				t.Fatalf("%s %s lies before the receipt %s", name, d, q.Received)
			}
		}
		if c.DueOnConservative.After(c.DueOn) || (!c.AcknowledgeBy.IsZero() && c.AcknowledgeByConservative.After(c.AcknowledgeBy)) || c.ExtendedUntilConservative.After(c.ExtendedUntil) {
			t.Fatalf("the stricter reading is later: %+v", c)
		}
		if !c.ExtendedUntil.IsZero() && c.ExtendedUntil.Before(c.DueOn) {
			t.Fatalf("extended to %s, before %s", c.ExtendedUntil, c.DueOn)
		}
		if w := c.DueOn.Weekday(); (q.Jurisdiction == "eu" || q.Jurisdiction == "uk") && q.Right != "withdraw_consent" && !c.DueOn.IsZero() && (w == time.Saturday || w == time.Sunday) {
			t.Fatalf("due on a %s", w)
		}
		if c.Extended {
			t.Fatal("extended without a notice")
		}
	})
}

// For all pairs of receipts: who asks later is not answered earlier.
func TestDueIsMonotone(t *testing.T) {
	b := loadBook(t)
	rapid.Check(t, func(t *rapid.T) {
		q := genQuestion(b).Draw(t, "question")
		first, err := b.Clock(q)
		if err != nil {
			t.Fatal(err)
		}
		q.Received = q.Received.AddDays(rapid.IntRange(1, 60).Draw(t, "later"))
		second, err := b.Clock(q)
		if err != nil {
			t.Fatal(err)
		}
		if second.DueOn.Before(first.DueOn) || second.DueOnConservative.Before(first.DueOnConservative) ||
			second.AcknowledgeBy.Before(first.AcknowledgeBy) || second.AcknowledgeByConservative.Before(first.AcknowledgeByConservative) || second.ExtendedUntil.Before(first.ExtendedUntil) {
			t.Fatalf("%+v\nthen %+v", first, second)
		}
	})
}

// For all overlapping pauses: the days added are those of their union, counted here day by day.
func TestOverlappingPausesCountOnce(t *testing.T) {
	b := loadBook(t)
	rapid.Check(t, func(t *rapid.T) {
		q := statute.Question{Jurisdiction: "eu", Right: "access", Establishment: "DE",
			Received: genDate(statute.NewDate(2026, time.January, 1), 1500).Draw(t, "received")}
		out := map[statute.Date]bool{}
		for _, reason := range []string{"identity", "clarification"} {
			pair := drawPause(t, reason, q.Received)
			q.Events = append(q.Events, pair...)
			for d := pair[0].On; d.Before(pair[1].On); d = d.AddDays(1) {
				out[d] = true
			}
		}
		c, err := b.Clock(q)
		if err != nil {
			t.Fatal(err)
		}
		if c.PausedDays != len(out) {
			t.Fatalf("paused %d days, want %d: %v", c.PausedDays, len(out), q.Events)
		}
	})
}

// For all days of a notice: in time means on or before the due date; a second one is refused whenever it comes.
func TestExtensionOnceAndInTime(t *testing.T) {
	b := loadBook(t)
	rapid.Check(t, func(t *rapid.T) {
		q := genQuestion(b).Draw(t, "question")
		plain, err := b.Clock(q)
		if err != nil {
			t.Fatal(err)
		}
		on := q.Received.AddDays(rapid.IntRange(0, 120).Draw(t, "notice"))
		q.Events = []statute.Event{{Name: statute.EventExtensionNotice, On: on}}
		if plain.ExtendedUntil.IsZero() && !plain.ExtensionNoticeBy.IsZero() {
			// Without a limit the notice names the day.
			plain.ExtendedUntil = plain.DueOn.AddDays(rapid.IntRange(1, 300).Draw(t, "until"))
			q.Events = append(q.Events, statute.Event{Name: statute.EventExtensionUntil, On: plain.ExtendedUntil})
		}
		c, err := b.Clock(q)
		possible := !plain.ExtendedUntil.IsZero() && !on.After(plain.DueOn)
		switch {
		case possible && (err != nil || !c.Extended || c.ExtendedUntil != plain.ExtendedUntil || c.Until() != c.ExtendedUntil):
			t.Fatalf("notice of %s: %v, %+v", on, err, c)
		case !possible && !fault.Is(err, fault.Invalid):
			t.Fatalf("notice of %s was accepted, due %s, extension to %q", on, plain.DueOn, plain.ExtendedUntil)
		}
		q.Events = append(q.Events, statute.Event{Name: statute.EventExtensionNotice, On: on.AddDays(rapid.IntRange(0, 5).Draw(t, "again"))})
		if _, err := b.Clock(q); !fault.Is(err, fault.Invalid) {
			t.Fatalf("a second extension was accepted: %v", err)
		}
	})
}

// For all dates: months are clamped, never overflow, and a month is never longer than the next one's start allows.
func TestAddMonthsClamps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := genDate(statute.NewDate(1999, time.January, 1), 40000).Draw(t, "date")
		n := rapid.IntRange(-30, 30).Draw(t, "months")
		got := d.AddMonths(n)
		months := (got.Year-d.Year)*12 + int(got.Month) - int(d.Month)
		if months != n || got.Day > d.Day || (got.Day < d.Day && got.AddDays(1).Day != 1) {
			t.Fatalf("%s + %d months = %s", d, n, got)
		}
		if back := d.AddDays(n).AddDays(-n); back != d || d.DaysUntil(d.AddDays(n)) != n {
			t.Fatalf("days do not add up at %s", d)
		}
	})
}

// For all pairs of laws: weighed together no date lies after that of either, and the order of naming them changes nothing.
func TestStrictestIsNeverLater(t *testing.T) {
	b := loadBook(t)
	rapid.Check(t, func(t *rapid.T) {
		q := genQuestion(b).Draw(t, "question")
		one := q.Jurisdiction
		other := rapid.SampledFrom(b.Codes()).Draw(t, "other law")
		alone, err := b.Clock(q)
		if err != nil {
			t.Fatal(err)
		}
		both, err := b.Strictest(q, []string{one, other})
		if err != nil {
			t.Fatal(err)
		}
		turned, err := b.Strictest(q, []string{other, one})
		if err != nil || turned.DueOn != both.DueOn || turned.ExtendedUntil != both.ExtendedUntil || turned.AcknowledgeBy != both.AcknowledgeBy {
			t.Fatalf("%s and %s: %+v\nturned: %+v, %v", one, other, both, turned, err)
		}
		for name, d := range map[string][2]statute.Date{"due": {both.DueOn, alone.DueOn}, "safe": {both.DueOnConservative, alone.DueOnConservative}, "acknowledge": {both.AcknowledgeBy, alone.AcknowledgeBy}} {
			if !d[1].IsZero() && (d[0].IsZero() || d[0].After(d[1])) {
				t.Fatalf("%s with %s: %s is %q, and %q alone", one, other, name, d[0], d[1])
			}
		}
	})
}
