package statute_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/statute"
)

// vector is one worked example. Dates left out are dates that must not exist, except the conservative ones, which
// default to the plain ones.
type vector struct {
	ID            string            `yaml:"id"`
	Jurisdiction  string            `yaml:"jurisdiction"`
	Establishment string            `yaml:"establishment"`
	Right         string            `yaml:"right"`
	Received      statute.Date      `yaml:"received"`
	Events        map[string]string `yaml:"events"`
	EventList     [][]string        `yaml:"event_list"`
	Controller    string            `yaml:"controller"`
	Source        string            `yaml:"source"` // where the law says so
	Why           string            `yaml:"why"`

	Ack                  statute.Date `yaml:"ack"`
	AckConservative      statute.Date `yaml:"ack_conservative"`
	Due                  statute.Date `yaml:"due"`
	Conservative         statute.Date `yaml:"conservative"`
	Extended             statute.Date `yaml:"extended"`
	ExtendedConservative statute.Date `yaml:"extended_conservative"`
	Appeal               statute.Date `yaml:"appeal"`
	PausedDays           int          `yaml:"paused_days"`
	Paused               bool         `yaml:"paused"`
	IsExtended           bool         `yaml:"is_extended"`

	Milestones map[string]statute.Date `yaml:"milestones"`

	Refused string `yaml:"refused"` // code of the error
	Says    string `yaml:"says"`    // part of its message
}

func (v vector) question(t *testing.T, code string) statute.Question {
	t.Helper()
	q := statute.Question{Jurisdiction: code, Right: v.Right, Received: v.Received, Establishment: v.Establishment, Controller: v.Controller}
	add := func(name, on string) {
		d, err := statute.ParseDate(on)
		if err != nil {
			t.Fatal(err)
		}
		q.Events = append(q.Events, statute.Event{Name: name, On: d})
	}
	for name, on := range v.Events {
		add(name, on)
	}
	for _, e := range v.EventList {
		add(e[0], e[1])
	}
	return q
}

func loadBook(t testing.TB) *statute.Book {
	t.Helper()
	b, err := statute.Load()
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return b
}

func orElse(d, other statute.Date) statute.Date {
	if d.IsZero() {
		return other
	}
	return d
}

// TestVectors runs every file of testdata/clock: one file a jurisdiction, named after its code, so that a new
// jurisdiction needs no Go.
func TestVectors(t *testing.T) {
	b := loadBook(t)
	for _, code := range b.Files() {
		src, err := os.ReadFile(filepath.Join("testdata", "clock", code+".yaml"))
		if err != nil {
			t.Errorf("every jurisdiction has its worked examples: %v", err)
			continue
		}
		var vectors []vector
		if err := yaml.UnmarshalWithOptions(src, &vectors, yaml.Strict()); err != nil {
			t.Fatalf("%s: %v", code, err)
		}
		if len(vectors) == 0 {
			t.Errorf("%s: no worked examples", code)
		}
		for _, v := range vectors {
			if v.Source == "" {
				t.Errorf("%s/%s names no source", code, v.ID)
			}
			t.Run(code+"/"+v.ID, func(t *testing.T) { v.run(t, b, code) })
		}
	}
}

func (v vector) run(t *testing.T, b *statute.Book, code string) {
	c, err := b.Clock(v.question(t, code))
	if v.Refused != "" {
		e, ok := fault.As(err)
		if !ok || e.Kind != fault.Invalid || e.Code != v.Refused || !strings.Contains(err.Error(), v.Says) {
			t.Fatalf("got error %v (%+v), want code %s with %q", err, e, v.Refused, v.Says)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []struct {
		name      string
		got, want statute.Date
	}{
		{"acknowledge_by", c.AcknowledgeBy, v.Ack},
		{"acknowledge_by_conservative", c.AcknowledgeByConservative, orElse(v.AckConservative, v.Ack)},
		{"due_on", c.DueOn, v.Due},
		{"due_on_conservative", c.DueOnConservative, orElse(v.Conservative, v.Due)},
		{"extended_until", c.ExtendedUntil, v.Extended},
		{"extended_until_conservative", c.ExtendedUntilConservative, orElse(v.ExtendedConservative, v.Extended)},
		{"appeal_due_on", c.AppealDueOn, v.Appeal},
	} {
		if d.got != d.want {
			t.Errorf("%s = %q, want %q (%s)", d.name, d.got, d.want, v.Why)
		}
		if !d.got.IsZero() && !explained(c, d.name, d.got) {
			t.Errorf("%s = %s has no step that says so", d.name, d.got)
		}
	}
	for _, m := range c.Milestones {
		if v.Milestones[m.What] != m.On {
			t.Errorf("milestone %s on %s, want %s", m.What, m.On, v.Milestones[m.What])
		}
	}
	if len(c.Milestones) != len(v.Milestones) {
		t.Errorf("%d milestones, want %d", len(c.Milestones), len(v.Milestones))
	}
	if c.PausedDays != v.PausedDays || c.Paused != v.Paused || c.Extended != v.IsExtended {
		t.Errorf("paused_days %d, paused %v, extended %v; want %d, %v, %v", c.PausedDays, c.Paused, c.Extended, v.PausedDays, v.Paused, v.IsExtended)
	}
}

// explained tells whether the last step about a date reaches its value. A stricter date without steps of its own is
// explained by those of the plain one.
func explained(c statute.Clock, name string, on statute.Date) bool {
	last := map[string]statute.Date{}
	for _, s := range c.Steps {
		last[s.Date] = s.On
	}
	if got, ok := last[name]; ok {
		return got == on
	}
	return last[strings.TrimSuffix(name, "_conservative")] == on
}
