package intake

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/mail"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/webhook"
)

// The events of a product that mean something here.
const (
	hookAccountClosed   = "account.closed"
	hookAccountReopened = "account.reopened"
)

// hookMethod is how an identifier from a signed webhook counts as proven: the product itself says so.
const hookMethod = "product_webhook"

// event is an inbound webhook's body: the form that Standard Webhooks recommends.
type event struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      struct {
		Email       string            `json:"email"`
		UserID      string            `json:"user_id"`
		Subject     string            `json:"subject"`
		Identifiers map[string]string `json:"identifiers"`
		Language    string            `json:"language"`
		// Jurisdiction is the person's, as the product knows it.
		Jurisdiction string `json:"jurisdiction"`
	} `json:"data"`
}

// Withdrawer calls open erasures of a person back: the other half of account.reopened.
type Withdrawer interface {
	CallBack(tx *store.Tx, by access.Principal, identifiers map[string]string) (int, error)
	// Closing tells whether an erasure that such an event began is open for the person.
	Closing(tx *store.Tx, by access.Principal, identifiers map[string]string) (bool, error)
}

// Hook accepts an inbound webhook of a product: account.closed starts an erasure with its grace period,
// account.reopened calls it back. body is the raw body as signed. A repeated webhook-id does nothing again.
// An unknown source answers like a wrong signature.
func (s *Service) Hook(ctx context.Context, id dsr.TenantID, source string, header http.Header, body []byte) error {
	return s.store.InTx(ctx, id, func(tx *store.Tx) error {
		src, err := tx.Source(source)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		secrets := src.Secrets
		if err != nil || src.Disabled {
			secrets = []string{s.decoy} // the same work for a source that does not exist
		}
		hookID, err := webhook.Verify(secrets, header, body, tx.Now)
		if err != nil {
			return err
		}
		first, err := tx.SeenInbound(src.Name, hookID)
		if err != nil || !first {
			return err
		}
		var e event
		if err := json.Unmarshal(body, &e); err != nil {
			return fault.Wrap(err, fault.Invalid, "bad_event", "The body is not an event such as {\"type\":\"account.closed\",\"data\":{…}}.")
		}
		return s.handle(tx, src, e)
	})
}

func (s *Service) handle(tx *store.Tx, src store.Source, e event) error {
	p := access.Principal{Kind: access.KindSystem, Tenant: string(tx.Tenant), Subject: src.Name, Via: "webhook"}
	if err := p.Check(access.EventSend); err != nil {
		return err
	}
	identifiers, err := identifiersOf(e)
	if err != nil {
		return err
	}
	switch e.Type {
	case hookAccountClosed:
		return s.accountClosed(tx, p, e, identifiers)
	case hookAccountReopened:
		_, err := s.callBack.CallBack(tx, p, identifiers)
		return err
	}
	// Other events belong to parts that come later: they are acknowledged and logged, so that a product can send all.
	return tx.Audit(store.Act{By: tx.Actor(p), Action: "hook.ignored", Facts: map[string]string{"source": src.Name}}, object("source", src.ID))
}

func identifiersOf(e event) (map[string]string, error) {
	out := map[string]string{}
	for k, v := range e.Data.Identifiers {
		out[k] = v
	}
	if e.Data.Email != "" {
		out["email"] = e.Data.Email
	}
	if e.Data.UserID != "" {
		out["user_id"] = e.Data.UserID
	}
	for k, v := range out {
		if v == "" || len(v) > MaxIdentifier {
			delete(out, k)
		}
	}
	if len(out) == 0 {
		return nil, fault.BadInput([]fault.Field{{Name: "data", Message: "name the person by email, user_id or identifiers"}})
	}
	if a, ok := out["email"]; ok {
		if _, err := mail.ParseAddress(a); err != nil {
			return nil, fault.BadInput([]fault.Field{{Name: "data.email", Message: "this is not an e-mail address"}})
		}
	}
	return out, nil
}

// accountClosed enters an erasure for the account that the product closed. The product's signature stands for the
// proof of every identifier it names: the account is its own.
func (s *Service) accountClosed(tx *store.Tx, p access.Principal, e event, identifiers map[string]string) error {
	if open, err := s.callBack.Closing(tx, p, identifiers); err != nil || open {
		return err // told twice under two ids: the first one counts
	}
	set, err := s.tenants.Current(tx)
	if err != nil {
		return err
	}
	in := Input{Types: []string{string(dsr.RightErasure)}, Email: identifiers["email"], Identifiers: map[string]string{},
		Language: e.Data.Language, Jurisdiction: e.Data.Jurisdiction}
	for k, v := range identifiers {
		if k != "email" {
			in.Identifiers[k] = v
		}
	}
	c := &checker{set: set, p: p, in: &in, now: tx.Now}
	if err := c.check(); err != nil {
		return err
	}
	c.channel = dsr.ChannelWebhook
	for k, v := range identifiers {
		c.proofs = append(c.proofs, dsr.Proof{Identifier: k, Value: v, Method: hookMethod, At: tx.Now})
	}
	// A grace period begins with the closing of the account, whoever still has to approve: the two are never added.
	if grace, _ := set.Policy.GraceFor(string(dsr.RightErasure), false); !grace.IsZero() {
		c.graceEndsAt = grace.AddTo(tx.Now)
	}
	_, err = s.put(tx, set, p, c)
	return err
}
