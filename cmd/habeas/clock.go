package main

import (
	"fmt"
	"strings"

	"github.com/habeas-data/habeas/internal/statute"
)

type clockCmd struct {
	Jurisdiction  []string `required:"" help:"eu, uk, ch, us-ca (us- and the state), au, br, ca-pipeda, ca-qc, in, za, jp; several by commas or repeated: the strictest is taken." placeholder:"CODE"`
	Right         string   `required:"" help:"access, erasure, know_specific, …" placeholder:"NAME"`
	Received      string   `required:"" help:"The day on which the request arrived." placeholder:"YYYY-MM-DD"`
	Establishment string   `help:"The place whose holidays count: DE, FR, GB-ENG, … (default: the jurisdiction's)." placeholder:"PLACE"`
	Controller    string   `help:"The kind of controller, where the law tells kinds apart: au agency, br small (default: the ordinary one)." placeholder:"KIND"`
	Event         []string `help:"What happened since and may move the dates; repeatable. Names: ${events}." placeholder:"NAME=DATE"`
	JSON          bool     `help:"Print one JSON object."`
}

// Help shows an example.
func (clockCmd) Help() string {
	return "Counts what the law says, with its source at each step. It is no legal advice.\n\n" +
		example("habeas clock --jurisdiction us-ca --right know_specific --received 2026-11-02",
			"habeas clock --jurisdiction eu --right access --received 2026-11-02 --establishment DE --event identity_asked=2026-11-04 --event identity_received=2026-11-09",
			"habeas clock --jurisdiction eu,us-ca --right access --received 2026-11-02")
}

// Run prints the dates. It touches no disk.
func (c *clockCmd) Run(p *program) error {
	q := statute.Question{Right: c.Right, Establishment: c.Establishment, Controller: c.Controller}
	var err error
	if q.Received, err = statute.ParseDate(c.Received); err != nil {
		return misused("--received: %v", err)
	}
	for _, e := range c.Event {
		name, day, ok := strings.Cut(e, "=")
		if !ok {
			return misused("--event: %q is not NAME=DATE", e)
		}
		on, err := statute.ParseDate(day)
		if err != nil {
			return misused("--event %s: %v", name, err)
		}
		q.Events = append(q.Events, statute.Event{Name: name, On: on})
	}
	book, err := statute.Load()
	if err != nil {
		return fmt.Errorf("reading the statutes: %w", err)
	}
	k, err := book.Strictest(q, c.Jurisdiction)
	if err != nil {
		return err
	}
	if c.JSON {
		return p.json(k)
	}
	return p.clock(k, len(c.Jurisdiction) > 1)
}

// clock prints the dates, and the steps with the law that speaks where there are several.
func (p *program) clock(k statute.Clock, several bool) error {
	rows := [][]string{}
	add := func(name string, d statute.Date, beside string) {
		if !d.IsZero() {
			rows = append(rows, []string{name, d.String() + " " + d.Weekday().String()[:3], beside})
		}
	}
	add("acknowledge_by", k.AcknowledgeBy, "")
	if k.AcknowledgeByConservative != k.AcknowledgeBy {
		add("acknowledge_by_conservative", k.AcknowledgeByConservative, "under the stricter reading")
	}
	add("due_on", k.DueOn, "")
	if k.DueOnConservative != k.DueOn {
		add("due_on_conservative", k.DueOnConservative, "under the stricter reading; alarms run on it")
	} else {
		add("due_on_conservative", k.DueOnConservative, "")
	}
	extension := "at most, if announced by " + k.ExtensionNoticeBy.String()
	if k.Extended {
		extension = "announced"
	}
	add("extended_until", k.ExtendedUntil, extension)
	add("appeal_due_on", k.AppealDueOn, "")
	for _, m := range k.Milestones {
		add(m.What, m.On, "")
	}
	if k.Paused {
		rows = append(rows, []string{"paused", "yes", "while an answer of the person is outstanding"})
	}
	if err := p.table(rows); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(p.stdout)
	for _, s := range k.Steps {
		on := ""
		if !s.On.IsZero() {
			on = " " + s.On.String()
		}
		if several && s.Jurisdiction != "" {
			_, _ = fmt.Fprint(p.stdout, s.Jurisdiction+" ")
		}
		_, _ = fmt.Fprintf(p.stdout, "%s%s: %s", s.Date, on, s.Text)
		if s.Cite != "" {
			_, _ = fmt.Fprintf(p.stdout, " [%s; checked: %s]", s.Cite, s.Confidence)
		}
		_, _ = fmt.Fprintln(p.stdout)
	}
	return nil
}
