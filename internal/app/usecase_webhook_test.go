package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/config"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/intake"
	"github.com/habeas-data/habeas/internal/webhook"
)

// hook sends an event as a product does.
func (b *bench) hook(source, secret, id string, at time.Time, event string, data map[string]any) error {
	b.Helper()
	body, err := json.Marshal(map[string]any{"type": event, "timestamp": at, "data": data})
	b.must(err)
	signature, err := webhook.Sign([]string{secret}, id, at, body)
	b.must(err)
	h := http.Header{}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	h.Set("webhook-signature", signature)
	return b.app.Intake.Hook(b.ctx, demo, source, h, body)
}

// erasures lists the erasures there are.
func (b *bench) erasures() []dsr.Request {
	b.Helper()
	items, _, err := b.app.Fulfill.List(b.ctx, b.officer, fulfill.Filter{Types: []string{"erasure"}, Limit: 100})
	b.must(err)
	return items
}

// TestAccountClosedAndReopened: a closed account starts an erasure with its grace period, a reopened one calls it
// back; a repeated message does nothing again.
func TestAccountClosedAndReopened(t *testing.T) {
	b := newBench(t, "erasure:\n    review: officer", "erasure:\n    review: auto")
	src, err := b.app.Oversee.AddSource(b.ctx, b.admin, "shop")
	b.must(err)
	secret := src.Secrets[0]
	before := b.shop.Snapshot(t)
	who := map[string]any{"email": demoshop.ErasurePerson, "user_id": fmt.Sprint(b.customer(demoshop.ErasurePerson))}
	for range 3 {
		b.must(b.hook("shop", secret, "msg_1", b.clock.Now(), "account.closed", who))
		b.drain()
	}
	all := b.erasures()
	if len(all) != 1 || all[0].Status != dsr.StatusInGrace {
		t.Fatalf("there are %+v", all)
	}
	b.pass(13 * day)
	// Another person's account that is reopened calls nobody else's erasure back.
	for i, other := range []map[string]any{{"email": demoshop.Person}, {"user_id": "999999"}, {"email": demoshop.ErasurePerson, "user_id": "999999"}} {
		b.must(b.hook("shop", secret, fmt.Sprintf("msg_o%d", i), b.clock.Now(), "account.reopened", other))
	}
	if s := b.erasures()[0].Status; s != dsr.StatusInGrace {
		t.Fatalf("somebody else's reopening made it %s", s)
	}
	b.must(b.hook("shop", secret, "msg_2", b.clock.Now(), "account.reopened", map[string]any{"email": strings.Replace(demoshop.ErasurePerson, "example.com", "EXAMPLE.com", 1)}))
	b.pass(30 * day)
	if s := b.erasures()[0].Status; s != dsr.StatusWithdrawn {
		t.Fatalf("after the reopening it is %s", s)
	}
	b.untouched(before, "closed and reopened")
	b.must(b.hook("shop", secret, "msg_1", b.clock.Now(), "account.closed", who)) // the first message once more
	b.drain()
	if n := len(b.erasures()); n != 1 {
		t.Errorf("a repeated message made %d erasures", n)
	}
	b.must(b.hook("shop", secret, "msg_3", b.clock.Now(), "account.closed", who))
	b.drain()
	b.pass(15 * day)
	for _, q := range b.erasures() {
		if q.ID != all[0].ID && q.Status != dsr.StatusFulfilled {
			t.Errorf("closed again it is %s", q.Status)
		}
	}
	b.nothingLeft(b.shop.Count(t, "SELECT ?", who["user_id"]), demoshop.ErasurePerson)
}

// TestClosingUnderReview: the same closing told twice under two ids is one erasure, and its grace period runs from the
// closing although an officer still has to approve.
func TestClosingUnderReview(t *testing.T) {
	b := newBench(t)
	src, err := b.app.Oversee.AddSource(b.ctx, b.admin, "shop")
	b.must(err)
	who := map[string]any{"email": demoshop.ErasurePerson}
	closed := b.clock.Now()
	for i := range 2 {
		b.must(b.hook("shop", src.Secrets[0], fmt.Sprintf("msg_%d", i), b.clock.Now(), "account.closed", who))
		b.drain()
	}
	all := b.erasures()
	if len(all) != 1 || all[0].Status != dsr.StatusInReview {
		t.Fatalf("there are %+v", all)
	}
	if !all[0].GraceEndsAt.After(closed) {
		t.Errorf("the grace period ends at %s, the account was closed at %s", all[0].GraceEndsAt, closed)
	}
}

// TestManyClosedAccounts: of hundreds of open erasures the reopened one is found.
func TestManyClosedAccounts(t *testing.T) {
	t.Parallel()
	b := newBench(t, "erasure:\n    review: officer", "erasure:\n    review: auto")
	src, err := b.app.Oversee.AddSource(b.ctx, b.admin, "shop")
	b.must(err)
	for i, id := range b.keys("SELECT customer_id FROM customer LIMIT 205") {
		b.must(b.hook("shop", src.Secrets[0], fmt.Sprintf("c%d", i), b.clock.Now(), "account.closed", map[string]any{"user_id": id}))
	}
	for i, id := range b.keys("SELECT customer_id FROM customer LIMIT 205") {
		b.must(b.hook("shop", src.Secrets[0], fmt.Sprintf("r%d", i), b.clock.Now(), "account.reopened", map[string]any{"user_id": id}))
		if i == 2 {
			break
		}
	}
	n := 0
	for cursor := ""; ; {
		items, next, err := b.app.Fulfill.List(b.ctx, b.officer, fulfill.Filter{Status: []string{"withdrawn"}, Cursor: cursor, Limit: 100})
		b.must(err)
		n += len(items)
		if cursor = next; next == "" {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d were called back, want 3", n)
	}
}

// TestHooksFromNobody: unknown source, wrong secret and a removed source answer alike; old messages are refused; an
// event that says nothing is named as such.
func TestHooksFromNobody(t *testing.T) {
	b := newBench(t)
	src, err := b.app.Oversee.AddSource(b.ctx, b.admin, "shop")
	b.must(err)
	gone, err := b.app.Oversee.AddSource(b.ctx, b.admin, "gone")
	b.must(err)
	b.must(b.app.Oversee.RemoveSource(b.ctx, b.admin, gone.ID))
	who := map[string]any{"email": demoshop.ErasurePerson}
	var texts []string
	for _, c := range [][2]string{{"shop", webhook.NewSecret()}, {"unknown", src.Secrets[0]}, {"gone", gone.Secrets[0]}, {"", src.Secrets[0]}} {
		err := b.hook(c[0], c[1], "m", b.clock.Now(), "account.closed", who)
		if err == nil {
			t.Fatalf("%s is believed", c[0])
		}
		e, _ := fault.As(err)
		texts = append(texts, fmt.Sprint(e.Kind, e.Code, e.Message))
	}
	for _, text := range texts {
		if text != texts[0] {
			t.Errorf("the answers differ: %v", texts)
		}
	}
	for _, age := range []time.Duration{6 * time.Minute, -6 * time.Minute} {
		if b.hook("shop", src.Secrets[0], "old", b.clock.Now().Add(-age), "account.closed", who) == nil {
			t.Errorf("a message %s old is taken", age)
		}
	}
	for name, data := range map[string]map[string]any{"nobody": {}, "no address": {"email": "not an address"}, "unknown identifier": {"identifiers": map[string]any{"shoe": "42"}}} {
		if err := b.hook("shop", src.Secrets[0], "m-"+strings.ReplaceAll(name, " ", ""), b.clock.Now(), "account.closed", data); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(b.erasures()); n != 0 {
		t.Fatalf("%d erasures were started", n)
	}
	b.must(b.hook("shop", src.Secrets[0], "other", b.clock.Now(), "document.deleted", who))
	rotated, err := b.app.Oversee.RotateSource(b.ctx, b.admin, src.ID)
	b.must(err)
	b.must(b.hook("shop", src.Secrets[0], "a", b.clock.Now(), "account.closed", who))
	b.must(b.hook("shop", rotated.Secrets[0], "b", b.clock.Now(), "account.reopened", who))
}

// receiver is a product's endpoint.
type receiver struct {
	mu     sync.Mutex
	status []int // one a call; the last one for all further
	calls  []call
}

type call struct {
	header http.Header
	body   []byte
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call{req.Header, body})
	w.WriteHeader(r.status[min(len(r.calls), len(r.status))-1])
}

func (b *bench) receiver(status ...int) (*receiver, string) {
	r := &receiver{status: status}
	srv := httptest.NewServer(r)
	b.Cleanup(srv.Close)
	return r, srv.URL
}

// TestDeliveries: signed so that the product can check them, tried again with growing waits under one id, and free of
// personal data.
func TestDeliveries(t *testing.T) {
	b := newBench(t)
	r, url := b.receiver(500, 503, 200)
	end, err := b.app.Oversee.AddEndpoint(b.ctx, b.admin, url, []string{"request.received"})
	b.must(err)
	b.submit(b.public, intake.Input{Email: demoshop.Person, Name: "Nora Lindqvist", Message: "Grisella", Types: []string{"access"}})
	b.drain()
	if len(r.calls) != 1 {
		t.Fatalf("%d calls at once, want 1", len(r.calls))
	}
	b.pass(4 * time.Second)
	if len(r.calls) != 1 {
		t.Error("tried again too early")
	}
	b.pass(2 * time.Second)
	b.pass(4 * time.Minute)
	if len(r.calls) != 2 {
		t.Fatalf("%d calls after four minutes, want 2", len(r.calls))
	}
	b.pass(2 * time.Minute)
	b.pass(7 * day)
	if len(r.calls) != 3 {
		t.Fatalf("%d calls in all, want 3", len(r.calls))
	}
	for i, c := range r.calls {
		at, _ := strconv.ParseInt(c.header.Get("webhook-timestamp"), 10, 64)
		if id, err := webhook.Verify(end.Secrets, c.header, c.body, time.Unix(at, 0)); err != nil || id != r.calls[0].header.Get("webhook-id") {
			t.Errorf("call %d: %s, %v", i, id, err)
		}
		if _, err := webhook.Verify([]string{webhook.NewSecret()}, c.header, c.body, time.Unix(at, 0)); err == nil {
			t.Error("any secret fits")
		}
		for _, word := range []string{demoshop.Person, "nora", "Lindqvist", "Grisella"} {
			if strings.Contains(string(c.body), word) {
				t.Errorf("the payload holds %q: %s", word, c.body)
			}
		}
	}
	items, _, err := b.app.Oversee.Deliveries(b.ctx, b.admin, end.ID, "", 10)
	b.must(err)
	if len(items) != 1 || items[0].State != "sent" || items[0].Attempts != 3 {
		t.Errorf("the outbox says %+v", items)
	}
	b.must(b.app.Oversee.Redeliver(b.ctx, b.admin, end.ID, items[0].ID))
	b.drain()
	if len(r.calls) != 4 || r.calls[3].header.Get("webhook-id") != items[0].ID {
		t.Error("it was not sent again under its id")
	}
}

// TestDeliveryEnds: after ten tries it is over; 410 ends the subscription; nothing is sent to a private address
// unless that is allowed.
func TestDeliveryEnds(t *testing.T) {
	b := newBench(t)
	failing, url := b.receiver(500)
	end, err := b.app.Oversee.AddEndpoint(b.ctx, b.admin, url, []string{"request.received"})
	b.must(err)
	leaving, url2 := b.receiver(410)
	second, err := b.app.Oversee.AddEndpoint(b.ctx, b.admin, url2, []string{"request.received"})
	b.must(err)
	ask := func() {
		b.submit(b.officer, intake.Input{Email: "x@example.net", Types: []string{"access"}})
		b.drain()
	}
	ask()
	ask()
	if len(leaving.calls) != 1 {
		t.Errorf("%d calls to one who is gone", len(leaving.calls))
	}
	for range 6 * 24 {
		b.pass(time.Hour)
	}
	if n := len(failing.calls); n != 20 {
		t.Errorf("%d calls for two events, want ten tries each", n)
	}
	ends, err := b.app.Oversee.Endpoints(b.ctx, b.admin)
	b.must(err)
	for _, e := range ends {
		if e.Disabled != (e.ID == second.ID) {
			t.Errorf("disabled: %v", e.Disabled)
		}
	}
	items, _, err := b.app.Oversee.Deliveries(b.ctx, b.admin, end.ID, "", 10)
	b.must(err)
	for _, d := range items {
		if d.State != "failed" || d.LastStatus != 500 {
			t.Errorf("the outbox says %s, %d", d.State, d.LastStatus)
		}
	}
	if b.leaves()["webhook.disable/ok"] != 1 {
		t.Error("the end of the subscription is not in the log")
	}

	// The same endpoints, the program without the permission for private addresses.
	third, url3 := b.receiver(200)
	_, err = b.app.Oversee.AddEndpoint(b.ctx, b.admin, url3, []string{"request.received"})
	b.must(err)
	b.must(b.app.Close())
	b.cfg, err = config.Load([]string{"HABEAS_DATA_DIR=" + b.dir}, nil)
	b.must(err)
	b.open()
	ask()
	if len(third.calls) != 0 {
		t.Error("a private address was called")
	}
	for _, private := range []string{url3, "http://10.0.0.1/", "https://localhost/", "https://[::1]/", "https://169.254.169.254/latest", "ftp://example.com/"} {
		_, err := b.app.Oversee.AddEndpoint(b.ctx, b.admin, private, nil)
		b.refuses(err, fault.Invalid, "")
	}
}
