package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/fulfill"
	"github.com/habeas-data/habeas/internal/httpapi"
)

func TestRefusals(t *testing.T) {
	big := `{"message":"` + strings.Repeat("x", 1<<20) + `"}`
	submit := "/v1/public/acme/requests"
	tests := []struct {
		name   string
		req    *http.Request
		status int
		code   string
	}{
		{"unknown path", ask("GET", "/v1/nothing", ""), 404, "not_found"},
		{"unknown path, any method", ask("PUT", "/v1/public/acme/x/y", ""), 404, "not_found"},
		{"unknown page", ask("GET", "/a/b/c/d/e", ""), 404, "not_found"},
		{"page path below v1", ask("GET", "/v1/verify?token=x", ""), 404, "not_found"},
		{"unknown tenant", ask("GET", "/v1/public/nobody", ""), 404, "unknown_tenant"},
		{"no tenant's name", ask("GET", "/v1/public/UPPER", ""), 404, "unknown_tenant"},
		{"no id", ask("GET", "/v1/requests/42", "", "Authorization", "Bearer good"), 404, "unknown_request"},
		{"wrong method", ask("DELETE", submit, ""), 405, "method_not_allowed"},
		{"too large", ask("POST", submit, big), 413, "too_large"},
		{"too large without a length", unsized(ask("POST", submit, big)), 413, "too_large"},
		{"too large with a key", unsized(ask("POST", submit, big, "Idempotency-Key", "k")), 413, "too_large"},
		{"no JSON", ask("POST", submit, "types=access"), 415, "unsupported_media_type"},
		{"other charset", ask("POST", submit, "{}", "Content-Type", "application/json; charset=latin1"), 415, "unsupported_media_type"},
		{"no body", ask("POST", submit, ""), 415, "unsupported_media_type"},
		{"broken JSON", ask("POST", submit, "{"), 400, "invalid_json"},
		{"wrong limit", ask("GET", "/v1/requests?limit=0&sort=name&status=lost&due_before=soon", "", "Authorization", "Bearer good"), 400, "invalid_input"},
		{"approve without digest", ask("POST", "/v1/requests/"+testID+"/approve", "{}", "Authorization", "Bearer good"), 400, "invalid_input"},
		{"stale plan", ask("POST", "/v1/requests/"+testID+"/approve", `{"plan_digest":"stale"}`, "Authorization", "Bearer good"), 409, "plan_changed"},
		{"both proofs", ask("POST", "/v1/public/acme/verifications", `{"token":"x","code":"1"}`), 400, "invalid_input"},
		{"proof of nothing", ask("GET", "/v1/audit/proof", "", "Authorization", "Bearer good"), 400, "invalid_input"},
		{"no identifier", ask("GET", "/v1/suppressions/check", "", "Authorization", "Bearer good"), 400, "invalid_input"},
		{"bad key", ask("POST", submit, "{}", "Idempotency-Key", strings.Repeat("k", 256)), 400, "invalid_input"},
		{"a file that is not there", ask("GET", "/assets/other.css", ""), 404, "not_found"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			rec := w.do(test.req)
			var p api.Problem
			if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
			if rec.Code != test.status || p.Code != test.code || p.Status != test.status || p.Type != "urn:habeas:problem:"+test.code || p.Title == "" || p.Detail == "" {
				t.Errorf("%d %s, want %d %s", rec.Code, rec.Body, test.status, test.code)
			}
			if got := rec.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("media type %q", got)
			}
			if test.status == 405 && rec.Header().Get("Allow") == "" {
				t.Error("no Allow")
			}
			if len(w.did()) > 0 {
				t.Errorf("it did %v", w.did())
			}
		})
	}
	rec := newWorld(t).do(tests[15].req)
	for _, name := range []string{"limit", "sort", "status", "due_before"} {
		if !strings.Contains(rec.Body.String(), `"name":"`+name+`"`) {
			t.Errorf("%s is not named: %s", name, rec.Body)
		}
	}
}

func unsized(r *http.Request) *http.Request {
	r.ContentLength = -1
	return r
}

func TestQueryStringSetsNoField(t *testing.T) {
	w := newWorld(t)
	rec := w.do(ask("POST", "/v1/public/acme/requests?email=evil@example.org&channel=phone&types=erasure", `{"types":["access"],"email":"ada@example.org"}`))
	if in := w.inputs[0]; rec.Code != 201 || in.Email != "ada@example.org" || len(in.Types) != 1 || in.Channel != "form" {
		t.Errorf("%d %+v", rec.Code, in)
	}
}

func TestApprovalAnswers202WhileItWaits(t *testing.T) {
	for have, status := range map[int]int{1: 202, 2: 200} {
		w := newWorld(t)
		w.have = have
		rec := w.do(ask("POST", "/v1/requests/"+testID+"/approve", `{"plan_digest":"d"}`, "Authorization", "Bearer good"))
		if want := fmt.Sprintf(`"approvals":{"have":%d,"need":2}`, have); rec.Code != status || !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	}
}

func TestIdempotencyKey(t *testing.T) {
	w := newWorld(t)
	post := func(path, body, key string, header ...string) *httptest.ResponseRecorder {
		return w.do(ask("POST", path, body, append(header, "Idempotency-Key", key)...))
	}
	path, body := "/v1/public/acme/requests", `{"types":["access"],"email":"ada@example.org"}`
	first := post(path, body, "k1")
	again := post(path, body, "k1")
	if first.Code != 201 || again.Code != 201 || first.Body.String() != again.Body.String() || again.Header().Get("Content-Type") != first.Header().Get("Content-Type") {
		t.Errorf("%d %s, %d %s", first.Code, first.Body, again.Code, again.Body)
	}
	if n := len(w.did()); n != 1 {
		t.Errorf("done %d times", n)
	}
	if rec := post(path, strings.Replace(body, "ada", "eve", 1), "k1"); rec.Code != 409 || len(w.did()) != 1 {
		t.Errorf("another body: %d", rec.Code)
	}
	// What was not done can be tried again under its key.
	if rec := post(path, `{"types":[]}`, "k2"); rec.Code != 400 {
		t.Errorf("wrong input: %d", rec.Code)
	}
	if rec := post(path, body, "k2"); rec.Code != 201 {
		t.Errorf("after a wrong try: %d %s", rec.Code, rec.Body)
	}
	// A key belongs to its caller; an empty answer is repeated too.
	note := "/v1/requests/" + testID + "/notes"
	for range 2 {
		if rec := post(note, `{"body":"x"}`, "k1", "Authorization", "Bearer good"); rec.Code != 204 || rec.Body.Len() != 0 {
			t.Errorf("note: %d %s", rec.Code, rec.Body)
		}
	}
	if n := len(w.did()); n != 3 {
		t.Errorf("done %v", w.did())
	}
	// Without the right to call, a key gives no answer.
	if rec := post(note, `{"body":"x"}`, "k1"); rec.Code != 401 {
		t.Errorf("without a token: %d", rec.Code)
	}
}

func TestLimits(t *testing.T) {
	w := newWorld(t)
	call := func(address string) *httptest.ResponseRecorder {
		r := ask("POST", "/v1/public/acme/requests", `{"types":["access"],"email":"ada@example.org"}`)
		r.RemoteAddr = address
		r.Header.Set("X-Forwarded-For", strconv.Itoa(len(w.did())%250)+".1.1.1")
		return w.do(r)
	}
	for i := range 300 {
		if rec := call("10.9.8.7:1000"); rec.Code != 201 {
			t.Fatalf("call %d: %d", i, rec.Code)
		}
	}
	rec := call("10.9.8.7:2000")
	if wait, err := strconv.Atoi(rec.Header().Get("Retry-After")); rec.Code != 429 || err != nil || wait < 1 {
		t.Errorf("%d, Retry-After %q", rec.Code, rec.Header().Get("Retry-After"))
	}
	if rec := call("10.9.8.8:1000"); rec.Code != 201 {
		t.Errorf("another network: %d", rec.Code)
	}
	page := browser("POST", "/acme", "types=access&email=ada@example.org")
	page.RemoteAddr = "10.9.8.7:3000"
	if rec := w.do(page); rec.Code != 429 || !strings.Contains(rec.Body.String(), "Please") {
		t.Errorf("the page is counted apart: %d", rec.Code)
	}
}

func TestLimiterStaysSmallAndRefills(t *testing.T) {
	at := now
	l := httpapi.NewLimiter(func() time.Time { return at })
	for i := range 60 {
		if ok, _ := l.Allow(t.Context(), "k", 60); !ok {
			t.Fatalf("call %d", i)
		}
	}
	if ok, wait := l.Allow(t.Context(), "k", 60); ok || wait <= 0 || wait > 2*time.Second {
		t.Errorf("%t %s", ok, wait)
	}
	at = at.Add(3 * time.Second)
	n := 0
	for range 10 {
		if ok, _ := l.Allow(t.Context(), "k", 60); ok {
			n++
		}
	}
	if n != 3 {
		t.Errorf("%d calls after three seconds", n)
	}
	for i := range 200_000 {
		l.Allow(t.Context(), strconv.Itoa(i), 60)
	}
}

func TestTrustedProxies(t *testing.T) {
	w := newWorld(t, func(d *httpapi.Deps) { d.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	spent := func(remote, forwarded string) int {
		for i := range 400 {
			r := ask("POST", "/v1/public/acme/verifications", `{"token":"x"}`, "X-Forwarded-For", forwarded)
			r.RemoteAddr = remote
			if w.do(r).Code == 429 {
				return i
			}
		}
		return 400
	}
	if n := spent("10.1.1.1:1", "198.51.100.1"); n != 300 {
		t.Errorf("first caller behind the proxy: %d", n)
	}
	if n := spent("10.1.1.1:1", "198.51.100.2"); n != 300 {
		t.Errorf("second caller behind the proxy: %d", n)
	}
	if n := spent("192.0.2.9:1", "198.51.100.3"); n != 300 {
		t.Errorf("not a proxy: %d", n)
	}
	if n := spent("192.0.2.9:1", "198.51.100.4"); n != 0 {
		t.Errorf("a caller who names another address: %d", n)
	}
}

func TestLogHoldsNothingPersonal(t *testing.T) {
	w := newWorld(t)
	r := ask("GET", "/v1/requests?q=ada%40example.org&cursor=SECRETCURSOR", "", "Authorization", "Bearer good")
	r.RemoteAddr = "10.9.8.7:1000"
	w.do(r)
	w.do(ask("GET", "/acme/verify?token="+goodLink, ""))
	w.do(ask("GET", "/v1/public/acme/requests/"+testRef, "", "Authorization", "Bearer "+session))
	w.do(ask("PURGE\x7f"[:5], "/acme", ""))
	log := w.log.String()
	for _, secret := range []string{"ada", "SECRETCURSOR", goodLink, "10.9.8", session, testRef, "PURGE"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q:\n%s", secret, log)
		}
	}
	if strings.Count(log, "msg=request ") != 4 || !strings.Contains(log, "route=/v1/requests ") || !strings.Contains(log, "status=200") {
		t.Errorf("the log:\n%s", log)
	}
}

func TestPanicIsAnAnswer(t *testing.T) {
	w := newWorld(t)
	w.zip = func() fulfill.Download { panic("SECRET") }
	rec := w.do(ask("POST", "/v1/requests/"+testID+"/package/downloads", "", "Authorization", "Bearer good"))
	if rec.Code != 500 || strings.Contains(rec.Body.String(), "SECRET") || !strings.Contains(w.log.String(), "panic") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

// TestBrokenPackageDoesNotLookWhole cuts the stream in the middle.
func TestBrokenPackageDoesNotLookWhole(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(w.e)
	defer server.Close()
	fetch := func() ([]byte, *http.Response, error) {
		req, _ := http.NewRequest("POST", server.URL+"/v1/requests/"+testID+"/package/downloads", nil)
		req.Header.Set("Authorization", "Bearer good")
		resp, err := server.Client().Do(req)
		if err != nil {
			return nil, nil, err
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		return raw, resp, err
	}
	w.zip = func() fulfill.Download {
		return fulfill.Download{Name: "../ü.zip", Size: -1, Stream: io.NopCloser(io.MultiReader(strings.NewReader(strings.Repeat("PK", 1<<16)), iotest.ErrReader(errors.New("sealed wrongly"))))}
	}
	if raw, _, err := fetch(); err == nil {
		t.Errorf("%d bytes came as if that were all", len(raw))
	}
	if !strings.Contains(w.log.String(), "sealed wrongly") {
		t.Error("the log does not say why")
	}
	w.zip = func() fulfill.Download {
		return fulfill.Download{Name: "x.zip", Size: 10, Stream: io.NopCloser(iotest.ErrReader(errors.New("sealed wrongly")))}
	}
	if _, resp, err := fetch(); err != nil || resp.StatusCode != 500 || resp.Header.Get("Content-Disposition") != "" {
		t.Errorf("before the first byte: %v %v", resp, err)
	}
	w.zip = func() fulfill.Download {
		return fulfill.Download{Name: "a/../b\r\nx.zip", Size: 2, Stream: io.NopCloser(strings.NewReader("PK"))}
	}
	raw, resp, err := fetch()
	if err != nil || string(raw) != "PK" || resp.Header.Get("Content-Disposition") != `attachment; filename="a-..-b--x.zip"` || resp.Header.Get("Content-Type") != "application/zip" {
		t.Errorf("%q %v %v", raw, resp.Header, err)
	}
}

func TestReady(t *testing.T) {
	w := newWorld(t, func(d *httpapi.Deps) {
		d.Ready = func(ctx context.Context) error { return errors.New("postgres://user:SECRET@db is away") }
	})
	rec := w.do(ask("GET", "/readyz", ""))
	if rec.Code != 503 || strings.Contains(rec.Body.String(), "SECRET") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if rec := w.do(ask("GET", "/healthz", "")); rec.Code != 200 {
		t.Errorf("healthz %d", rec.Code)
	}
}

func TestMetrics(t *testing.T) {
	m := httpapi.NewMetrics(func(context.Context) (map[string]float64, error) {
		return map[string]float64{"habeas_requests_overdue": 3}, nil
	})
	w := newWorld(t, func(d *httpapi.Deps) { d.Metrics = m })
	w.do(ask("GET", "/healthz", ""))
	w.do(ask("GET", "/v1/nothing", ""))
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, ask("GET", "/metrics", ""))
	for _, line := range []string{`habeas_http_answers_total{status="200"} 1`, `habeas_http_answers_total{status="404"} 1`, "habeas_requests_overdue 3"} {
		if !strings.Contains(rec.Body.String(), line+"\n") {
			t.Errorf("no %s in\n%s", line, rec.Body)
		}
	}
	if rec := w.do(ask("GET", "/metrics", "", "Accept", "text/plain")); rec.Code != 404 {
		t.Errorf("the main listener serves metrics: %d", rec.Code)
	}
}
