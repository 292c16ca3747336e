package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/store"
)

// walk shows an access request, an erasure and the log of both. Every step holds what it shows against the shop itself.
func (d *demo) walk(ctx context.Context) error {
	begun := d.app.Now()
	before, err := d.shop.snapshot(ctx)
	if err != nil {
		return err
	}
	asked := &walk{demo: d, person: demoshop.Person, right: dsr.RightAccess, before: before, read: map[string]bool{}}
	if err := asked.access(ctx); err != nil {
		return err
	}
	head, err := d.treeHead(ctx, 1)
	if err != nil {
		return err
	}
	erased := &walk{demo: d, person: demoshop.ErasurePerson, right: dsr.RightErasure, before: before, read: asked.read}
	if err := erased.erasure(ctx); err != nil {
		return err
	}
	if err := d.audit(ctx, head); err != nil {
		return err
	}
	d.out.title("Every step held (%.1f s)", d.app.Now().Sub(begun).Seconds())
	return nil
}

// walk is one person's way through a request.
type walk struct {
	*demo
	person string
	right  dsr.Right
	before rowHashes
	read   map[string]bool // mails
	theirs map[string]map[string]bool

	reference string
	bearer    string // the person's access_token
	request   api.RequestDetail
	plan      api.Plan
}

// step runs one step and tells how it went.
func (d *demo) step(label string, fn func() (string, error)) error {
	said, err := fn()
	if err != nil {
		d.out.broke(label, err)
		return fmt.Errorf("the step %q did not hold: %w", label, err)
	}
	d.out.did(label, "%s", said)
	return nil
}

// steps runs steps in their order up to the first that does not hold.
func (d *demo) steps(ctx context.Context, list ...namedStep) error {
	for _, s := range list {
		if err := d.step(s.label, func() (string, error) { return s.do(ctx) }); err != nil {
			return err
		}
		if s.then != nil {
			s.then()
		}
	}
	return nil
}

type namedStep struct {
	label string
	do    func(context.Context) (string, error)
	then  func() // prints more, once the step held
}

func (w *walk) access(ctx context.Context) error {
	w.out.title("%s asks for a copy of their data", w.person)
	return w.steps(ctx,
		namedStep{"form", w.submit, nil},
		namedStep{"mail", w.verify, nil},
		namedStep{"plan", w.seePlan, w.showCollect},
		namedStep{"approval", w.approve, nil},
		namedStep{"package", w.finished, nil},
		namedStep{"mail", w.told, nil},
		namedStep{"download", w.download, nil},
		namedStep{"status page", w.status, w.showKept},
		namedStep{"shop", w.untouched, nil},
	)
}

// submit sends the form.
func (w *walk) submit(ctx context.Context) (said string, err error) {
	if w.theirs, err = w.shop.expected(ctx, w.person); err != nil {
		return "", err
	}
	var r api.Receipt
	err = w.calls.call(ctx, http.MethodPost, "/v1/public/"+demoshop.Tenant+"/requests", "",
		api.NewSubmission{Types: []string{string(w.right)}, Email: w.person, Language: "en", Jurisdiction: "eu"}, &r)
	if err != nil {
		return "", err
	}
	if len(r.Requests) != 1 || r.Requests[0].DueOn == nil {
		return "", errors.New("the receipt names no legal date")
	}
	w.reference, w.calls.lastReference = r.Reference, r.Reference
	return fmt.Sprintf("reference %s, to be answered by %s", r.Reference, *r.Requests[0].DueOn), nil
}

// verify reads the mail and presses the button behind its link.
func (w *walk) verify(ctx context.Context) (string, error) {
	m, err := w.mail(ctx, w.person, w.read, func(m store.OutMail) bool { _, ok := linkOf(m); return ok })
	if err != nil {
		return "", err
	}
	token, _ := linkOf(m)
	var v api.Verification
	if err := w.calls.call(ctx, http.MethodPost, "/v1/public/"+demoshop.Tenant+"/verifications", "", api.NewVerification{Token: token}, &v); err != nil {
		return "", err
	}
	if v.Reference != w.reference {
		return "", errors.New("the link proves another request")
	}
	w.bearer = v.AccessToken
	if err := w.calls.call(ctx, http.MethodPost, "/v1/public/"+demoshop.Tenant+"/verifications", "", api.NewVerification{Token: token}, nil); err == nil {
		return "", errors.New("the link works a second time")
	}
	return fmt.Sprintf("%s to %s; the link proves the address, once", quoted(m), m.To), nil
}

// seePlan is what the officer looks at before deciding.
func (w *walk) seePlan(ctx context.Context) (string, error) {
	var err error
	if w.request, err = w.calls.reaches(ctx, w.reference, string(dsr.StatusInReview)); err != nil {
		return "", err
	}
	if err := w.calls.officer(ctx, http.MethodGet, "/v1/requests/"+w.request.ID+"/plan", nil, &w.plan); err != nil {
		return "", err
	}
	if w.plan.Digest != *w.request.PlanDigest {
		return "", errors.New("it is not the one under review")
	}
	if len(w.plan.Refusals) > 0 {
		return "", fmt.Errorf("it refuses: %s", w.plan.Refusals[0].Message)
	}
	rows, tables := 0, 0
	for table, keys := range w.theirs {
		if got := w.planned(table); got != len(keys) {
			return "", fmt.Errorf("it speaks of %d rows of %s, and %d are the person's", got, table, len(keys))
		}
		rows, tables = rows+len(keys), tables+1
	}
	for _, s := range w.plan.Steps {
		if len(w.theirs[s.Table]) == 0 {
			return "", fmt.Errorf("it speaks of %s, where nothing is the person's", s.Table)
		}
	}
	return fmt.Sprintf("%d rows in %d tables, the same that queries written by hand find", rows, tables), nil
}

// planned counts the rows of a table that the plan speaks of. Redacting and unlinking are done to rows beside what
// becomes of them, and so is anonymizing a row that kept rows still need.
func (w *walk) planned(table string, actions ...string) (rows int) {
	for _, s := range w.plan.Steps {
		beside := s.Action == "redact" || s.Action == "unlink" || s.Action == "anonymize" && s.Because != nil
		if s.Table == table && (len(actions) == 0 && !beside || slices.Contains(actions, s.Action)) {
			rows += int(s.Rows)
		}
	}
	return rows
}

func (w *walk) showCollect() {
	var rows [][]string
	for _, s := range w.plan.Steps {
		rows = append(rows, []string{s.Table, strconv.FormatInt(s.Rows, 10)})
	}
	half := (len(rows) + 1) / 2 // two beside each other, so that the walk stays on a screen
	for i := range rows[:half] {
		if half+i < len(rows) {
			rows[i] = append(rows[i], rows[half+i]...)
		}
	}
	w.out.table(rows[:half])
}

// approve approves the plan that was looked at, by its digest.
func (w *walk) approve(ctx context.Context) (string, error) {
	var a struct {
		Status    string
		Approvals api.Approvals
	}
	path := "/v1/requests/" + w.request.ID + "/approve"
	if err := w.calls.officer(ctx, http.MethodPost, path, map[string]string{"plan_digest": "sha256:" + strings.Repeat("0", 64)}, nil); err == nil {
		return "", errors.New("another plan than the one that was looked at can be approved")
	}
	if err := w.calls.officer(ctx, http.MethodPost, path, map[string]string{"plan_digest": w.plan.Digest}, &a); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d of %d, of this plan alone (%s…)", a.Approvals.Have, a.Approvals.Need, w.plan.Digest[:min(19, len(w.plan.Digest))]), nil
}

// finished waits for the package.
func (w *walk) finished(ctx context.Context) (string, error) {
	var err error
	if w.request, err = w.calls.reaches(ctx, w.reference, string(dsr.StatusFulfilled)); err != nil {
		return "", err
	}
	p := w.request.Package
	if p == nil || !p.Available {
		return "", errors.New("there is none")
	}
	return fmt.Sprintf("%d rows, %d KiB, read back and checked before its release; status fulfilled", p.Rows, p.Size/1024), nil
}

// told waits for the mail that tells of the end.
func (w *walk) told(ctx context.Context) (string, error) {
	m, err := w.mail(ctx, w.person, w.read, func(m store.OutMail) bool { _, link := linkOf(m); return !link })
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s to %s", quoted(m), m.To), nil
}

// download fetches the package with a one-time code and holds every key in it against the shop.
func (w *walk) download(ctx context.Context) (string, error) {
	person := "/v1/public/" + demoshop.Tenant + "/requests/" + w.reference
	if err := w.calls.call(ctx, http.MethodPost, person+"/download-codes", w.bearer, nil, nil); err != nil {
		return "", err
	}
	m, err := w.mail(ctx, w.person, w.read, func(m store.OutMail) bool { _, ok := codeOf(m); return ok })
	if err != nil {
		return "", err
	}
	code, _ := codeOf(m)
	raw, err := w.calls.raw(ctx, http.MethodPost, person+"/downloads", w.bearer, api.NewDownload{Code: code})
	if err != nil {
		return "", err
	}
	if _, err := w.calls.raw(ctx, http.MethodPost, person+"/downloads", w.bearer, api.NewDownload{Code: code}); err == nil {
		return "", errors.New("the code works a second time")
	}
	u, err := w.shop.unpack(ctx, raw, w.reference)
	if err != nil {
		return "", err
	}
	if err := sameKeys(u.keys, w.theirs); err != nil {
		return "", err
	}
	return fmt.Sprintf("by a one-time code: %d files, each as its SHA-256 says; %d rows in %d tables, by their keys all of theirs and nobody else's",
		u.files, u.rows, len(u.keys)), nil
}

// status is the person's own page.
func (w *walk) status(ctx context.Context) (string, error) {
	r, err := w.own(ctx)
	if err != nil {
		return "", err
	}
	return r.StatusText, nil
}

// own gives the request as the person sees it.
func (w *walk) own(ctx context.Context) (api.PersonRequest, error) {
	var s api.PersonStatus
	if err := w.calls.call(ctx, http.MethodGet, "/v1/public/"+demoshop.Tenant+"/requests/"+w.reference, w.bearer, nil, &s); err != nil {
		return api.PersonRequest{}, err
	}
	if len(s.Requests) != 1 {
		return api.PersonRequest{}, fmt.Errorf("it shows %d requests", len(s.Requests))
	}
	return s.Requests[0], nil
}

func (w *walk) showKept() {
	rows := [][]string{}
	for _, x := range w.plan.Withheld {
		place := x.Table
		if x.Column != nil {
			place += "." + *x.Column
		}
		until := ""
		if x.Until != nil {
			until = "until " + *x.Until
		}
		count := ""
		if x.Rows > 0 {
			count = strconv.FormatInt(x.Rows, 10)
		}
		rows = append(rows, []string{x.What, place, count, until, x.Ground})
	}
	w.out.table(rows)
}

// untouched holds the whole shop against what it was: reading changes nothing.
func (w *walk) untouched(ctx context.Context) (string, error) {
	now, err := w.shop.snapshot(ctx)
	if err != nil {
		return "", err
	}
	if err := moved(w.before, now, nil); err != nil {
		return "", err
	}
	return fmt.Sprintf("all %d rows as before", now.count()), nil
}

// treeHead waits for a signed head of the audit log over at least so many entries.
func (d *demo) treeHead(ctx context.Context, atLeast int64) (api.TreeHead, error) {
	var h api.TreeHead
	err := eventually(ctx, patience, func() (bool, error) {
		err := d.calls.as(ctx, access.RoleAuditor, http.MethodGet, "/v1/audit/tree-head", nil, &h)
		return err == nil && h.Size >= atLeast, nil
	})
	if err != nil {
		return h, fmt.Errorf("waiting for a signed head of the audit log: %w", err)
	}
	return h, nil
}

// seconds is how long until an instant of an answer.
func (d *demo) seconds(at *string) (time.Duration, error) {
	if at == nil {
		return 0, errors.New("there is no grace period")
	}
	t, err := time.Parse(time.RFC3339, *at)
	return t.Sub(d.app.Now()), err
}
