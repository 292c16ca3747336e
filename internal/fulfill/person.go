package fulfill

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/export"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/notify"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/seal"
	"github.com/habeas-data/habeas/internal/store"
)

// Status gives a person the view of their submission.
func (s *Service) Status(ctx context.Context, p access.Principal, reference dsr.Reference) (PersonView, error) {
	var out PersonView
	err := s.store.Read(ctx, dsr.TenantID(p.Tenant), func(tx *store.Tx) error {
		r, reqs, err := s.asPerson(tx, p, reference)
		if err != nil {
			return err
		}
		out, err = s.personView(tx, r, reqs)
		return err
	})
	return out, err
}

func (s *Service) personView(tx *store.Tx, r *run, reqs []dsr.Request) (PersonView, error) {
	words := notify.Words(r.sub.Language)
	out := PersonView{Reference: r.sub.Reference, Tenant: tx.Tenant, Controller: r.set.Policy.Controller.Name, Contact: r.set.Policy.Controller.Contact,
		Language: r.sub.Language, ReceivedAt: r.sub.ReceivedAt, Verified: !r.sub.VerifiedAt.IsZero()}
	for _, q := range reqs {
		v := PersonRequest{Request: q, StatusText: words.Status(q.Status), Decision: q.Decision, CanWithdraw: canWithdraw(q)}
		v.NextText, v.NextOn = words.Next(q, zone(r.set.Policy))
		events, err := tx.Events(q.ID)
		if err != nil {
			return out, err
		}
		for _, e := range events {
			if t := words.Event(e.Name, e.Facts); t != "" {
				v.History = append(v.History, HistoryItem{At: e.At, Text: t})
			}
		}
		if v.Kept, err = s.keptOf(tx, q); err != nil {
			return out, err
		}
		if v.Package, err = packageView(tx, q.ID); err != nil {
			return out, err
		}
		out.Requests = append(out.Requests, v)
	}
	msgs, err := messages(tx, r.sub.ID)
	out.Messages = msgs
	return out, err
}

func canWithdraw(q dsr.Request) bool {
	return slices.Contains(dsr.Possible(q.Status), dsr.EventWithdrawn)
}

// keptOf tells what of a plan was kept or left out: once the plan is decided, not while an officer still looks at it.
func (s *Service) keptOf(tx *store.Tx, q dsr.Request) ([]Kept, error) {
	if q.PlanDigest == "" || q.Status == dsr.StatusInReview || q.Status == dsr.StatusDenied || q.Status == dsr.StatusWithdrawn {
		return nil, nil
	}
	p, err := tx.Plan(q.ID, q.PlanDigest)
	if err != nil {
		return nil, err
	}
	return keptIn(p), nil
}

func keptIn(p plan.Plan) []Kept {
	var out []Kept
	for _, w := range p.Withheld {
		out = append(out, Kept{What: w.What, Why: w.Ground, Rows: w.Rows, Until: w.Until, System: w.System, Table: strings.TrimSuffix(w.Table+"."+w.Column, ".")})
	}
	return out
}

// packageView gives a request's package, or nil when there is none.
func packageView(tx *store.Tx, id dsr.RequestID) (*PackageView, error) {
	pkg, err := tx.PackageOf(id)
	if fault.Is(err, fault.NotFound) {
		return nil, nil //nolint:nilnil // no package is an ordinary answer
	}
	if err != nil {
		return nil, err
	}
	v := &PackageView{Size: pkg.Size, Rows: pkg.Rows, SHA256: pkg.SHA256, MadeAt: pkg.MadeAt, ExpiresAt: pkg.ExpiresAt, Downloads: pkg.Downloads,
		Available: usablePackage(tx, pkg), NeedReview: pkg.ReleasedAt.IsZero()}
	if len(pkg.Manifest) > 0 {
		var m export.Manifest
		if err := json.Unmarshal(pkg.Manifest, &m); err != nil {
			return nil, err
		}
		for _, f := range m.Files {
			v.Files = append(v.Files, PackageFile{Path: f.Path, Rows: int64(f.Rows), SHA256: f.SHA256})
		}
	}
	return v, nil
}

func usablePackage(tx *store.Tx, pkg store.Package) bool {
	return pkg.DestroyedAt.IsZero() && !pkg.ReleasedAt.IsZero() && tx.Now.Before(pkg.ExpiresAt)
}

func messages(tx *store.Tx, id dsr.SubmissionID) ([]Message, error) {
	all, err := tx.Messages(id)
	if err != nil {
		return nil, err
	}
	out := make([]Message, len(all))
	for i, m := range all {
		out[i] = Message{At: m.At, FromPerson: m.Direction == store.MessageIn, Body: m.Text}
		for _, a := range m.Attachments {
			out[i].Attachments = append(out[i].Attachments, Attachment{Name: a.Name, Type: a.Type})
		}
	}
	return out, nil
}

// WithdrawAsPerson calls requests back: all that can be, or those of the given rights. It also ends a running grace
// period. Naming a right that can't be called back any more is a conflict, and then nothing is.
func (s *Service) WithdrawAsPerson(ctx context.Context, p access.Principal, reference dsr.Reference, rights []string) (PersonView, error) {
	if err := p.Check(access.RequestWithdraw); err != nil {
		return PersonView{}, err
	}
	for i, name := range rights {
		if _, ok := dsr.ParseRight(name); !ok {
			return PersonView{}, badField("types", "entry %d is none of the rights of this request", i)
		}
	}
	err := s.store.InTx(ctx, dsr.TenantID(p.Tenant), func(tx *store.Tx) error {
		r, reqs, err := s.asPerson(tx, p, reference)
		if err != nil {
			return err
		}
		n, last := 0, dsr.Request{}
		for _, q := range reqs {
			named := slices.Contains(rights, string(q.Right))
			if !named && (len(rights) > 0 || !canWithdraw(q)) {
				last = q
				continue
			}
			one := *r
			one.req = q
			if err := s.withdraw(tx, &one, p); err != nil {
				return err
			}
			n++
		}
		if n == 0 {
			_, err := dsr.Next(last.Status, dsr.EventWithdrawn)
			return err
		}
		return nil
	})
	if err != nil {
		return PersonView{}, err
	}
	return s.Status(ctx, p, reference)
}

// SendDownloadCode mails a one-time code for the submission's packages to the address on file.
func (s *Service) SendDownloadCode(ctx context.Context, p access.Principal, reference dsr.Reference) error {
	return s.store.InTx(ctx, dsr.TenantID(p.Tenant), func(tx *store.Tx) error {
		r, reqs, err := s.asPerson(tx, p, reference)
		if err != nil {
			return err
		}
		if _, err := usablePackageOf(tx, reqs, ""); err != nil {
			return err
		}
		to := addressOf(r.sub)
		if to == "" {
			return fault.New(fault.Conflict, "no_address", "There is no address on file to send a code to: please contact %s.", r.set.Policy.Controller.Contact)
		}
		hash := tx.EmailHash(to)
		n, err := tx.CountTokens(store.TokenDownload, hash, tx.Now.Add(-time.Hour))
		if err != nil {
			return err
		}
		if n >= codesAnHour {
			e := fault.New(fault.TooMany, "too_many_codes", "Several codes were sent already: please use the newest, or wait an hour.")
			e.RetryAfter = time.Hour
			return e
		}
		if err := tx.RevokeTokens(store.TokenDownload, r.sub.ID, ""); err != nil {
			return err
		}
		code := seal.Code()
		t := store.Token{ID: dsr.NewID(), Purpose: store.TokenDownload, Submission: r.sub.ID, CodeHash: codeHash(tx, r.sub.ID, code),
			ExpiresAt: tx.Now.Add(codeFor), AddressHash: hash}
		if err := tx.PutToken(t); err != nil {
			return err
		}
		if err := tx.Audit(store.Act{By: tx.Actor(p), Action: "package.code"}, objectOf(r.sub.ID)); err != nil {
			return err
		}
		d := s.outbox.Data(r.set.Policy, r.sub, reqs)
		d.Code = code
		return s.outbox.Queue(tx, notify.Mail{Kind: notify.KindDownloadCode, To: to, Submission: r.sub.ID, Dedupe: "code:" + t.ID, Data: d})
	})
}

func codeHash(tx *store.Tx, id dsr.SubmissionID, code string) string {
	return tx.Hash("download-code", string(id)+":"+code)
}

// usablePackageOf finds the package to hand over: of the given right, or the first.
func usablePackageOf(tx *store.Tx, reqs []dsr.Request, right string) (store.Package, error) {
	expired := false
	for _, q := range reqs {
		if right != "" && string(q.Right) != right {
			continue
		}
		pkg, err := tx.PackageOf(q.ID)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return pkg, err
		}
		if usablePackage(tx, pkg) {
			return pkg, nil
		}
		expired = expired || !pkg.DestroyedAt.IsZero() || !tx.Now.Before(pkg.ExpiresAt)
	}
	if expired {
		return store.Package{}, fault.New(fault.Gone, "package_gone", "The package has expired and was destroyed. You can ask again.")
	}
	return store.Package{}, fault.New(fault.Conflict, "no_package", "There is no package to download yet.")
}

// Download redeems a code and opens the package. When a submission has several, right chooses ("" is the first).
func (s *Service) Download(ctx context.Context, p access.Principal, reference dsr.Reference, code, right string) (Download, error) {
	var (
		pkg     store.Package
		refused error
	)
	err := s.store.InTx(ctx, dsr.TenantID(p.Tenant), func(tx *store.Tx) error {
		r, reqs, err := s.asPerson(tx, p, reference)
		if err != nil {
			return err
		}
		if pkg, err = usablePackageOf(tx, reqs, right); err != nil {
			return err
		}
		_, err = tx.RedeemCode(store.TokenDownload, r.sub.ID, codeHash(tx, r.sub.ID, code), codeTries)
		if err != nil && fault.KindOf(err) != fault.Internal && fault.KindOf(err) != fault.Unavailable {
			// The wrong try counts: the transaction commits, the refusal follows.
			refused = fault.Wrap(err, fault.Forbidden, "wrong_code", "This code is wrong, used or too old. Ask for a new one.")
			return tx.Audit(store.Act{By: tx.Actor(p), Action: "package.download", Outcome: "refused"}, objectOf(r.sub.ID))
		}
		if err != nil {
			return err
		}
		return tx.MarkDownloaded(pkg.ID, store.Act{By: tx.Actor(p), Action: "package.download"})
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return Download{}, err
	}
	return s.openPackage(ctx, pkg, reference)
}
