package app

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/statute"
)

func (w *walk) erasure(ctx context.Context) error {
	w.out.title("%s asks to be erased", w.person)
	return w.steps(ctx,
		namedStep{"form", w.submit, nil},
		namedStep{"mail", w.verify, nil},
		namedStep{"plan", w.seePlan, w.showErase},
		namedStep{"approval", w.approve, nil},
		namedStep{"grace period", w.grace, nil},
		namedStep{"erasure", w.executed, nil},
		namedStep{"the check afterwards", w.certificate, nil},
		namedStep{"what had to go", w.gone, nil},
		namedStep{"what is kept", w.kept, w.showKept},
		namedStep{"everybody else", w.others, nil},
		namedStep{"mail", w.told, nil},
		namedStep{"status page", w.status, nil},
	)
}

func (w *walk) showErase() {
	var rows [][]string
	for _, s := range w.plan.Steps {
		on, why := "", ""
		if s.On != nil {
			on = "goes " + *s.On
		}
		if s.Ground != nil {
			why = *s.Ground
		}
		rows = append(rows, []string{s.Action, s.Table, strconv.FormatInt(s.Rows, 10), on, why})
	}
	w.out.table(rows)
}

// grace waits for the end of the grace period, in which nothing is touched.
func (w *walk) grace(ctx context.Context) (string, error) {
	var err error
	if w.request, err = w.calls.reaches(ctx, w.reference, string(dsr.StatusInGrace)); err != nil {
		return "", err
	}
	left, err := w.seconds(w.request.GraceEndsAt)
	if err != nil {
		return "", err
	}
	if _, err := w.untouched(ctx); err != nil {
		return "", err
	}
	if mine, err := w.own(ctx); err != nil || !mine.CanWithdraw {
		return "", errors.Join(errors.New("the person can't call it back"), err)
	}
	if err := w.out.countdown(ctx, left); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d seconds, so that nobody has to wait here: a real shop writes P14D or P30D. Nothing was touched, and it could be called back",
		int(left.Seconds()+0.5)), nil
}

// countdown waits, and on a terminal shows how long still.
func (p *progress) countdown(ctx context.Context, left time.Duration) error {
	if !p.color {
		p.line("grace period", "waiting %d seconds …", int(left.Seconds()+0.5))
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	end := time.NewTimer(max(left, 0))
	defer end.Stop()
	for n := int(left.Seconds() + 0.5); ; n-- {
		if p.color {
			_, _ = fmt.Fprintf(p.w, "\r    %s%d s … ", pad("grace period", labelWidth), max(n, 0))
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-end.C:
			if p.color {
				_, _ = fmt.Fprint(p.w, "\r\x1b[K")
			}
			return nil
		case <-tick.C:
		}
	}
}

// executed waits for the end.
func (w *walk) executed(ctx context.Context) (string, error) {
	var err error
	if w.request, err = w.calls.reaches(ctx, w.reference, string(dsr.StatusFulfilled)); err != nil {
		return "", err
	}
	n := map[string]int64{}
	for _, s := range w.plan.Steps {
		n[s.Action] += s.Rows
	}
	return fmt.Sprintf("%d rows deleted, %d anonymized, %d kept by law; status fulfilled", n["delete"], n["anonymize"], n["retain"]), nil
}

// certificate is the program's own evidence: what was expected, done, and found when it looked again.
func (w *walk) certificate(ctx context.Context) (string, error) {
	var c api.Certificate
	if err := w.calls.officer(ctx, http.MethodGet, "/v1/requests/"+w.request.ID+"/certificate", nil, &c); err != nil {
		return "", err
	}
	if c.Check != "passed" {
		return "", fmt.Errorf("the program's own look says %s", c.Check)
	}
	if c.PlanDigest != w.plan.Digest {
		return "", errors.New("another plan was carried out than the approved one")
	}
	held := 0
	for _, s := range c.Steps {
		if s.Action == "unlink" {
			continue // counts whom others refer to, and changes those that refer
		}
		if s.Affected+s.AlreadyGone != s.Expected {
			return "", fmt.Errorf("%s of %s did %d of %d rows", s.Action, s.Table, s.Affected, s.Expected)
		}
		held++
	}
	return fmt.Sprintf("passed; %d steps of the certificate each did as many rows as planned", held), nil
}

// mustGo are the tables of which nothing of the person may be left, by what the shop promises.
func mustGo() []string {
	return []string{"household_member", "subscription", "payment_method", "orders", "order_line", "product_review", "wishlist",
		"wishlist_item", "upload", "support_ticket", "ticket_reply", "session", "event", "newsletter_entry"}
}

// gone asks the shop, not the program.
func (w *walk) gone(ctx context.Context) (string, error) {
	now, err := w.shop.snapshot(ctx)
	if err != nil {
		return "", err
	}
	for _, table := range mustGo() {
		for key := range w.theirs[table] {
			if _, there := now[table][key]; there {
				return "", fmt.Errorf("a row of %s is still there", table)
			}
		}
	}
	total := 0
	for table, keys := range w.theirs {
		n := 0
		for key := range keys {
			if _, there := now[table][key]; !there {
				n++
			}
		}
		if want := w.planned(table, "delete"); n != want {
			return "", fmt.Errorf("%d rows of %s are gone, and the plan said %d", n, table, want)
		}
		total += n
	}
	left, err := w.shop.expected(ctx, w.person)
	if err != nil {
		return "", err
	}
	for table := range left {
		return "", fmt.Errorf("the shop still finds the person in %s", table)
	}
	where, err := w.shop.mentions(ctx, w.person)
	if err != nil {
		return "", err
	}
	if len(where) > 0 {
		return "", fmt.Errorf("the address still stands in %s", strings.Join(where, ", "))
	}
	return fmt.Sprintf("%d rows are gone, and the address stands nowhere in the shop any more", total), nil
}

// kept holds the invoices against the law that keeps them: five years from their day, and no day longer.
func (w *walk) kept(ctx context.Context) (string, error) {
	rows, err := w.shop.QueryContext(ctx, "SELECT CAST(invoice_id AS TEXT), issued_on FROM invoice")
	if err != nil {
		return "", err
	}
	defer rows.Close()
	left := 0
	var last statute.Date
	for rows.Next() {
		var id, issued string
		if err := rows.Scan(&id, &issued); err != nil {
			return "", err
		}
		if !w.theirs["invoice"][id] {
			continue
		}
		on, err := statute.ParseDate(issued[:min(10, len(issued))])
		if err != nil {
			return "", err
		}
		until := statute.Period{Years: 5}.AddToDate(on)
		if !until.After(statute.DateOf(w.app.Now().UTC())) {
			return "", errors.New("an invoice is kept beyond its five years")
		}
		if left++; until.After(last) {
			last = until
		}
	}
	if err := rows.Err(); err != nil {
		return "", err
	}
	if left == 0 || left != w.planned("invoice", "retain") {
		return "", fmt.Errorf("%d invoices are left, and the plan keeps %d", left, w.planned("invoice", "retain"))
	}
	if err := w.unreachable(ctx); err != nil {
		return "", err
	}
	var due api.List[api.Obligation]
	if err := w.calls.officer(ctx, http.MethodGet, "/v1/obligations?state=open", nil, &due); err != nil {
		return "", err
	}
	dates := 0
	for _, o := range due.Items {
		if o.Request != nil && *o.Request == w.request.ID {
			dates++
		}
	}
	if dates == 0 {
		return "", errors.New("no date is set on which what is kept goes")
	}
	return fmt.Sprintf("%d invoices by tax law, the last until %s, without means to reach the person; %d dates are set on which rows go by themselves", left, last, dates), nil
}

// unreachable looks whether what is kept still leads to the person: the account's row without its person, invoices
// without address and number, other people's messages without the key.
func (w *walk) unreachable(ctx context.Context) error {
	for key := range w.theirs["customer"] {
		var still int
		err := w.shop.QueryRowContext(ctx, `SELECT count(*) FROM customer WHERE customer_id = ? AND NOT (full_name = '[erased]'
			AND email LIKE 'erased-%' AND phone IS NULL AND birth_date IS NULL AND address_id IS NULL AND password_hash = '!')`, key).Scan(&still)
		if err != nil {
			return err
		}
		if still > 0 {
			return errors.New("the account's row still tells whose it was")
		}
		err = w.shop.QueryRowContext(ctx, `SELECT count(*) FROM invoice WHERE customer_id = ?
			AND (billing_email IS NOT NULL OR billing_phone IS NOT NULL)`, key).Scan(&still)
		if err != nil {
			return err
		}
		if still > 0 {
			return fmt.Errorf("%d invoices still hold an address or a number", still)
		}
		err = w.shop.QueryRowContext(ctx, `SELECT count(*) FROM message WHERE sender_id = ?1 OR recipient_id = ?1`, key).Scan(&still)
		if err != nil {
			return err
		}
		if still > 0 {
			return fmt.Errorf("%d messages still name the person by key", still)
		}
	}
	return nil
}

// others holds every row that is not the person's against what it was.
func (w *walk) others(ctx context.Context) (string, error) {
	now, err := w.shop.snapshot(ctx)
	if err != nil {
		return "", err
	}
	if err := moved(w.before, now, w.theirs); err != nil {
		return "", err
	}
	n := w.before.count()
	for _, keys := range w.theirs {
		n -= len(keys)
	}
	return fmt.Sprintf("%d rows of other people, all as before by their hashes", n), nil
}

// audit verifies the log of both requests: against itself, and against the head that was kept in between.
func (d *demo) audit(ctx context.Context, kept api.TreeHead) error {
	d.out.title("The audit log")
	return d.steps(ctx,
		namedStep{"verified", func(ctx context.Context) (string, error) {
			by := access.Principal{Kind: access.KindJob, Tenant: demoshop.Tenant, Subject: "demo", Via: access.ViaJob}
			r, err := d.app.Oversee.Check(ctx, by)
			if err != nil {
				return "", err
			}
			if !r.OK() {
				return "", fmt.Errorf("entry %d: %s", r.FirstBad, r.Problem)
			}
			return fmt.Sprintf("%d entries, root %s", r.Size, r.Root), nil
		}, nil},
		namedStep{"only ever grew", func(ctx context.Context) (string, error) { return d.grew(ctx, kept) }, nil},
	)
}

// grew proves that the log begins with what it was when a head was kept.
func (d *demo) grew(ctx context.Context, kept api.TreeHead) (string, error) {
	head, err := d.treeHead(ctx, kept.Size+1)
	if err != nil {
		return "", err
	}
	older, err := auditlog.OpenCheckpoint([]byte(kept.Note), kept.PublicKey)
	if err != nil {
		return "", err
	}
	newer, err := auditlog.OpenCheckpoint([]byte(head.Note), kept.PublicKey)
	if err != nil {
		return "", err
	}
	var p api.AuditProof
	path := fmt.Sprintf("/v1/audit/proof?from=%d&size=%d", older.Size, newer.Size)
	if err := d.calls.as(ctx, access.RoleAuditor, http.MethodGet, path, nil, &p); err != nil {
		return "", err
	}
	hashes := make(tlog.TreeProof, len(p.Hashes))
	for i, h := range p.Hashes {
		raw, err := base64.StdEncoding.DecodeString(h)
		if err != nil || len(raw) != len(hashes[i]) {
			return "", errors.New("the proof can't be read")
		}
		copy(hashes[i][:], raw)
	}
	if err := auditlog.CheckConsistency(hashes, newer, older); err != nil {
		return "", err
	}
	return fmt.Sprintf("the %d entries begin with the %d that were signed before the erasure: proven by %d hashes", newer.Size, older.Size, len(hashes)), nil
}
