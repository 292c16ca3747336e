package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/app"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
)

type planCmd struct {
	settings `embed:""`
	Request  string `arg:"" help:"Id of a request, or reference of a submission."`
	Tenant   string `help:"The tenant (default: the only one)."`
	Diff     bool   `help:"Hold it against the plan that is under review or approved and say what moved; exit code 1 when something did."`
	JSON     bool   `help:"Print one JSON object."`
}

// Help shows an example.
func (planCmd) Help() string {
	return "Looks into the connected systems now and says what would be done. Nothing is done, and nothing is kept.\n\n" +
		example("habeas plan HB-7K3M-92QD", "habeas plan HB-7K3M-92QD --diff")
}

// foreseen is a plan with the request that it is for.
type foreseen struct {
	Request   dsr.RequestID `json:"request"`
	Reference dsr.Reference `json:"reference"`
	Type      dsr.Right     `json:"type"`
	Status    dsr.Status    `json:"status"`
	plan.Plan
	Changed []plan.Change `json:"changed,omitempty"` // with --diff
}

// Run prints the plan of each request that is meant.
func (c *planCmd) Run(ctx context.Context, p *program) (err error) {
	a, err := p.open(ctx, c.settings, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	id, err := tenantOf(ctx, a, c.Tenant)
	if err != nil {
		return err
	}
	requests, err := findRequests(ctx, a, id, c.Request)
	if err != nil {
		return err
	}
	by := access.Principal{Kind: access.KindJob, Tenant: string(id), Subject: "plan", Via: access.ViaJob}
	plans := []foreseen{}
	for _, r := range requests {
		f := foreseen{Request: r.ID, Reference: r.Reference, Type: r.Right, Status: r.Status}
		if c.Diff {
			f.Plan, f.Changed, err = a.Fulfill.Drift(ctx, by, r.ID)
		} else {
			f.Plan, err = a.Fulfill.Foresee(ctx, by, r.ID)
		}
		if err != nil {
			return fmt.Errorf("planning %s: %w", r.Right, err)
		}
		plans = append(plans, f)
	}
	if err := c.print(p, plans); err != nil || !c.Diff {
		return err
	}
	for _, f := range plans {
		if len(f.Changed) > 0 {
			return fmt.Errorf("the plan of %s no longer fits: %d things moved", f.Type, len(f.Changed))
		}
	}
	return nil
}

func (c *planCmd) print(p *program, plans []foreseen) error {
	switch {
	case c.JSON && len(plans) == 1:
		return p.json(plans[0])
	case c.JSON:
		return p.json(map[string]any{"items": plans})
	}
	for i, f := range plans {
		if i > 0 {
			_, _ = fmt.Fprintln(p.stdout)
		}
		if err := p.plan(f); err != nil {
			return err
		}
	}
	return nil
}

// findRequests gives the request with an id, or all of a submission by its reference.
func findRequests(ctx context.Context, a *app.App, id dsr.TenantID, which string) (out []dsr.Request, err error) {
	err = a.Store.Read(ctx, id, func(tx *store.Tx) error {
		if ref, err := dsr.ParseReference(which); err == nil {
			sub, err := tx.SubmissionByReference(ref)
			if err != nil {
				return err
			}
			out, err = tx.RequestsOf(sub.ID)
			return err
		}
		rid, err := dsr.ParseRequestID(which)
		if err != nil {
			return misused("%q is neither a reference such as HB-7K3M-92QD nor the id of a request", which)
		}
		one, err := tx.Request(rid)
		out = []dsr.Request{one}
		return err
	})
	return out, err
}

func (p *program) plan(f foreseen) error {
	_, _ = fmt.Fprintf(p.stdout, "%s %s (%s)\n", f.Reference, f.Type, f.Status)
	if f.NothingHeld {
		_, _ = fmt.Fprintln(p.stdout, "nothing is held of this person")
	}
	rows := [][]string{{"SYSTEM", "TABLE", "ACTION", "ROWS", "ON", "WHY"}}
	for _, s := range f.Steps {
		rows = append(rows, []string{s.System, s.Table, string(s.Action), fmt.Sprint(s.Rows), dateOr(s.On, "at once"), why(s)})
	}
	if len(rows) > 1 {
		if err := p.table(rows); err != nil {
			return err
		}
	}
	if len(f.Withheld) > 0 {
		_, _ = fmt.Fprintln(p.stdout, "\nkept or left out")
		rows = [][]string{{"SYSTEM", "TABLE", "WHAT", "ROWS", "UNTIL", "WHY"}}
		for _, w := range f.Withheld {
			table := w.Table
			if w.Column != "" {
				table += "." + w.Column
			}
			rows = append(rows, []string{w.System, table, w.What, fmt.Sprint(w.Rows), dateOr(w.Until, ""), w.Ground})
		}
		if err := p.table(rows); err != nil {
			return err
		}
	}
	for _, r := range f.Refusals {
		_, _ = fmt.Fprintf(p.stdout, "refused: %s: %s\n", where(r.System, r.Table), r.Message)
	}
	for _, x := range f.Changed {
		_, _ = fmt.Fprintf(p.stdout, "moved: %s: %s\n", where(x.System, x.Table), x.Message)
	}
	_, err := fmt.Fprintf(p.stdout, "\ndigest %s\n", f.Digest)
	return err
}

func where(system, table string) string {
	if table == "" || system == "" {
		return cmp.Or(system, table, "the plan")
	}
	return system + "." + table
}

func why(s plan.Step) string {
	var parts []string
	if s.Ground != "" {
		parts = append(parts, s.Ground)
	}
	if s.Because != "" {
		parts = append(parts, "needed by "+s.Because)
	}
	if len(s.Columns) > 0 {
		parts = append(parts, "columns "+strings.Join(s.Columns, ", "))
	}
	return strings.Join(parts, "; ")
}

func dateOr(d statute.Date, otherwise string) string {
	if d.IsZero() {
		return otherwise
	}
	return d.String()
}
