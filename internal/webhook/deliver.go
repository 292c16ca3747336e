package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/store"
)

// deliveryLease bounds one try: the client's own timeouts are shorter.
const deliveryLease = time.Minute

// retryAfter is the wait after each failed try, as Standard Webhooks recommends: ten tries over three days.
func retryAfter() []time.Duration {
	return []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}
}

// Sender carries deliveries out.
type Sender struct {
	store  *store.Store
	client *http.Client
	now    func() time.Time
}

// NewSender makes a sender over a client from NewClient.
func NewSender(s *store.Store, client *http.Client, now func() time.Time) *Sender {
	return &Sender{store: s, client: client, now: now}
}

// Deliver tries one delivery that is due. A delivery that somebody else holds is left alone.
func (s *Sender) Deliver(ctx context.Context, tenant dsr.TenantID, id string) error {
	var (
		d  store.Delivery
		to store.Endpoint
		ok bool
	)
	err := s.store.InTx(ctx, tenant, func(tx *store.Tx) (err error) {
		if d, ok, err = tx.ClaimDelivery(id, deliveryLease); err != nil || !ok {
			return err
		}
		to, err = tx.Endpoint(d.Endpoint)
		return err
	})
	if err != nil || !ok {
		return err
	}
	if to.Disabled {
		return s.mark(ctx, tenant, d, store.OutFailed, time.Time{}, 0, "endpoint_disabled")
	}
	status, tryErr := s.post(ctx, to, d)
	switch {
	case tryErr == nil && status >= 200 && status < 300:
		return s.mark(ctx, tenant, d, store.OutSent, time.Time{}, status, "")
	case status == http.StatusGone: // the receiver wants no more
		return s.disable(ctx, tenant, to, d, status)
	}
	waits := retryAfter()
	if d.Attempts >= len(waits) {
		return s.mark(ctx, tenant, d, store.OutFailed, time.Time{}, status, code(tryErr, status))
	}
	return s.mark(ctx, tenant, d, store.OutQueued, s.now().Add(waits[max(d.Attempts, 0)]), status, code(tryErr, status))
}

func (s *Sender) post(ctx context.Context, to store.Endpoint, d store.Delivery) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(d.Body))
	if err != nil {
		return 0, fmt.Errorf("making the call: %w", err)
	}
	at := s.now()
	signature, err := Sign(to.Secrets, d.ID, at, d.Body)
	if err != nil {
		return 0, fmt.Errorf("signing the call: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "habeas")
	req.Header.Set("webhook-id", d.ID)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	req.Header.Set("webhook-signature", signature)
	res, err := s.client.Do(req)
	if err != nil {
		return 0, err
	}
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10) // the answer's body means nothing to us
	return res.StatusCode, res.Body.Close()
}

func (s *Sender) mark(ctx context.Context, tenant dsr.TenantID, d store.Delivery, state string, next time.Time, status int, why string) error {
	return s.store.InTx(ctx, tenant, func(tx *store.Tx) error {
		return tx.MarkDelivery(d.ID, d.Epoch, state, next, status, why)
	})
}

func (s *Sender) disable(ctx context.Context, tenant dsr.TenantID, to store.Endpoint, d store.Delivery, status int) error {
	return s.store.InTx(ctx, tenant, func(tx *store.Tx) error {
		if err := tx.MarkDelivery(d.ID, d.Epoch, store.OutFailed, time.Time{}, status, "gone"); err != nil {
			return err
		}
		to, err := tx.Endpoint(to.ID) // as it is now: secrets may have been rotated during the call
		if err != nil {
			return err
		}
		to.Disabled = true
		_, err = tx.PutEndpoint(to, store.Act{By: auditlog.Actor{Kind: "job"}, Action: "webhook.disable", Facts: map[string]string{"endpoint": to.ID}})
		return err
	})
}

// code names what went wrong without the address, which may hold a secret in its path.
func code(err error, status int) string {
	var dns *net.DNSError
	switch {
	case err == nil:
		return "http_" + strconv.Itoa(status)
	case errors.As(err, &dns):
		return "dns"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	default:
		return "no_connection"
	}
}
