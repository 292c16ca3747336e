package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/dsr"
)

// patience is how long the demo waits for anything that is due at once.
const patience = 15 * time.Second

// calls makes real HTTP calls as the people of the demo: the person at the form, an officer, an auditor.
type calls struct {
	base string
	http *http.Client
	keys *access.Keys
	now  func() time.Time

	lastReference string
}

func newCalls(base string, keys *access.Keys, now func() time.Time) *calls {
	return &calls{base: base, http: &http.Client{Timeout: 30 * time.Second}, keys: keys, now: now}
}

// token mints a token for one role, as `habeas token` does.
func (c *calls) token(role access.Role) (string, error) {
	return c.keys.Mint(demoshop.Tenant, "demo-"+string(role), []access.Role{role}, "", time.Hour, c.now())
}

// call makes a call and reads its JSON answer into out. An answer that is no success is an error with its problem.
func (c *calls) call(ctx context.Context, method, path, bearer string, body, out any) error {
	raw, err := c.raw(ctx, method, path, bearer, body)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("%s answers what can't be read: %w", path, err)
	}
	return nil
}

// raw is call with the answer as bytes.
func (c *calls) raw(ctx context.Context, method, path, bearer string, body any) ([]byte, error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, in)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", path, err)
	}
	if res.StatusCode >= 300 {
		var p api.Problem
		if json.Unmarshal(raw, &p) != nil || p.Title == "" {
			return nil, fmt.Errorf("%s answers %s", path, res.Status)
		}
		return nil, fmt.Errorf("%s answers %s: %s %s", path, res.Status, p.Title, p.Detail)
	}
	return raw, nil
}

// officer makes a call with an officer's token.
func (c *calls) officer(ctx context.Context, method, path string, body, out any) error {
	return c.as(ctx, access.RoleOfficer, method, path, body, out)
}

func (c *calls) as(ctx context.Context, role access.Role, method, path string, body, out any) error {
	t, err := c.token(role)
	if err != nil {
		return err
	}
	return c.call(ctx, method, path, t, body, out)
}

// request finds the one request behind a reference in the officers' queue, and gives all of it.
func (c *calls) request(ctx context.Context, reference string) (api.RequestDetail, error) {
	var list api.List[api.Request]
	if err := c.officer(ctx, http.MethodGet, "/v1/requests?reference="+reference, nil, &list); err != nil {
		return api.RequestDetail{}, err
	}
	if len(list.Items) != 1 {
		return api.RequestDetail{}, fmt.Errorf("the queue has %d requests with the reference %s", len(list.Items), reference)
	}
	var r api.RequestDetail
	err := c.officer(ctx, http.MethodGet, "/v1/requests/"+list.Items[0].ID, nil, &r)
	return r, err
}

// reaches waits until a request has the status, and in review a plan. A request that needs a person ends the wait.
func (c *calls) reaches(ctx context.Context, reference, status string) (api.RequestDetail, error) {
	var r api.RequestDetail
	err := eventually(ctx, patience, func() (bool, error) {
		var err error
		if r, err = c.request(ctx, reference); err != nil {
			return false, err
		}
		if r.NeedsAttention {
			reason := ""
			if r.AttentionReason != nil {
				reason = *r.AttentionReason
			}
			return false, fmt.Errorf("the request needs a person to look: %s %s", reason, findings(r))
		}
		planned := r.PlanDigest != nil || status != string(dsr.StatusInReview) // it comes right after the proof
		return r.Status == status && planned, nil
	})
	if errors.Is(err, errPatience) {
		err = fmt.Errorf("the request is still %s after %s", r.Status, patience)
	}
	return r, err
}

func findings(r api.RequestDetail) string {
	s := ""
	for _, f := range r.Findings {
		s += fmt.Sprintf("(%s %s.%s: %d rows) ", f.Kind, f.Table, f.Column, f.Rows)
	}
	return s
}

var errPatience = errors.New("it did not come in time")

// eventually looks every 50 ms until something holds.
func eventually(ctx context.Context, within time.Duration, look func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, within, errPatience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := look(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
