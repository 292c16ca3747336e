package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/mail"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/tenant"
)

// mailLease bounds one try: the sender's own timeouts add up to less.
const mailLease = 2 * time.Minute

// Post takes letters from the outbox to the mail server.
type Post struct {
	store   *store.Store
	tenants *tenant.Registry
	sender  mail.Sender
	from    string
	now     func() time.Time
}

// PostDeps are what the post works with.
type PostDeps struct {
	Store   *store.Store
	Tenants *tenant.Registry
	Sender  mail.Sender      // nil: letters are kept for the demo mailbox and not sent
	From    string           // sender of all letters; "" is the controller's contact
	Now     func() time.Time // the clock
}

// NewPost makes the post.
func NewPost(d PostDeps) *Post {
	return &Post{store: d.Store, tenants: d.Tenants, sender: d.Sender, from: d.From, now: d.Now}
}

// retryAfter is the wait after each failed try; the last one repeats until giveUp.
func retryAfter() []time.Duration {
	return []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour}
}

// giveUp is how long a letter is tried, counted from when it was queued.
const giveUp = 3 * 24 * time.Hour

// Deliver tries one letter that is due. A letter that somebody else holds, or that is done, is left alone. A letter
// may be sent twice when the answer of the mail server, or of our own database, is lost; its Message-ID is then the
// same. The error is for the log and holds no address.
func (p *Post) Deliver(ctx context.Context, id dsr.TenantID, mailID string) error {
	var (
		m      store.OutMail
		letter mail.Message
		ok     bool
	)
	err := p.store.InTx(ctx, id, func(tx *store.Tx) (err error) {
		if m, ok, err = tx.ClaimMail(mailID, mailLease); err != nil || !ok {
			return err
		}
		letter, err = p.message(tx, m)
		return err
	})
	if err != nil {
		return fmt.Errorf("taking letter %s from the outbox: %w", mailID, err)
	}
	if !ok {
		return nil
	}
	if p.sender == nil {
		return p.mark(ctx, id, m, store.OutKept, time.Time{}, "", "mail.keep")
	}
	sendErr := p.sender.Send(ctx, letter)
	if sendErr == nil {
		// What was sent is marked even when the program is being stopped.
		return p.mark(context.WithoutCancel(ctx), id, m, store.OutSent, time.Time{}, "", "mail.send")
	}
	return p.failed(context.WithoutCancel(ctx), id, m, sendErr)
}

// message makes the mail of an outbox row.
func (p *Post) message(tx *store.Tx, m store.OutMail) (mail.Message, error) {
	set, err := p.tenants.Current(tx)
	if err != nil {
		return mail.Message{}, err
	}
	c := set.Policy.Controller
	out := mail.Message{From: p.from, FromName: oneLine(c.Name), To: m.To, Subject: m.Subject, Text: m.Text, HTML: m.HTML,
		MessageID: m.MessageID, Language: m.Language, ReplyTo: c.Contact, Date: m.CreatedAt}
	if out.From == "" {
		out.From, out.ReplyTo = c.Contact, ""
	}
	if out.Date.IsZero() {
		out.Date = tx.Now
	}
	return out, nil
}

// failed plans the next try, or ends the letter: for good when the server refused it for good, or after three days.
func (p *Post) failed(ctx context.Context, id dsr.TenantID, m store.OutMail, cause error) error {
	now := p.now()
	next := now.Add(waitAfter(m.Attempts))
	if !mail.Temporary(cause) {
		return errors.Join(cause, p.mark(ctx, id, m, store.OutFailed, time.Time{}, "refused", "mail.fail"))
	}
	if !m.CreatedAt.IsZero() && next.After(m.CreatedAt.Add(giveUp)) {
		return errors.Join(cause, p.mark(ctx, id, m, store.OutFailed, time.Time{}, "gave_up", "mail.fail"))
	}
	return errors.Join(cause, p.mark(ctx, id, m, store.OutQueued, next, code(cause), ""))
}

// waitAfter gives how long to wait after a failed try that so many failed tries came before.
func waitAfter(before int) time.Duration {
	waits := retryAfter()
	return waits[min(max(before, 0), len(waits)-1)]
}

// mark writes how a try ended; action, when there is one, goes into the log in the same transaction.
func (p *Post) mark(ctx context.Context, id dsr.TenantID, m store.OutMail, state string, next time.Time, why, action string) error {
	err := p.store.InTx(ctx, id, func(tx *store.Tx) error {
		if err := tx.MarkMail(m.ID, m.Epoch, state, next, why); err != nil || action == "" {
			return err
		}
		act := store.Act{By: auditlog.Actor{Kind: string(access.KindJob)}, Action: action, Facts: map[string]string{"template": m.Kind}}
		if m.Language != "" {
			act.Facts["language"] = m.Language
		}
		if state == store.OutFailed {
			act.Outcome, act.Facts["code"] = auditlog.OutcomeFailed, why
		}
		return tx.Audit(act, auditlog.Object{Kind: "mail", ID: m.ID})
	})
	if err != nil {
		return fmt.Errorf("marking letter %s as %s: %w", m.ID, state, err)
	}
	return nil
}

// code names a passing failure without what the server said, which likes to repeat the address.
func code(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "dns"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	default:
		return "temporary"
	}
}
