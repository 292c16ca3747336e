package httpapi_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/habeas-data/habeas/internal/httpapi"
	"github.com/habeas-data/habeas/internal/web/ui"
)

// filled gives a path for the pattern of a route.
func filled(pattern string) string {
	if strings.HasPrefix(pattern, "/assets/") {
		return ui.StylePath()
	}
	path := strings.NewReplacer(":tenant", "acme", ":reference", testRef, ":id", testID, ":source", "shop", ":message", "0", ":file", "0").Replace(pattern)
	if strings.HasSuffix(pattern, "verify") || strings.HasSuffix(pattern, "sign-in") {
		path += "?token=" + goodLink
	}
	return path
}

// everyRoute gives a request for each route, with everything that proves who calls.
func everyRoute(w *world, visit func(method, pattern string, r *http.Request)) {
	for _, r := range w.e.Routes() {
		path := filled(r.Path)
		for _, accept := range []string{"application/json", "text/html"} {
			req := browser(r.Method, path, "")
			req.Header.Set("Accept", accept)
			if h := proof(r.Path); h != nil {
				req.Header.Set(h[0], h[1])
			}
			visit(r.Method, r.Path, req)
		}
	}
}

func TestReadingChangesNothing(t *testing.T) {
	w, reads := newWorld(t), 0
	everyRoute(w, func(method, pattern string, r *http.Request) {
		if method != "GET" && method != "HEAD" {
			return
		}
		reads++
		for _, query := range []string{"", "token=" + goodLink, "done=withdrawn&code=123456&types=erasure&form_token=" + ui.FormToken(session)} {
			again := r.Clone(r.Context())
			again.URL.RawQuery = strings.Trim(again.URL.RawQuery+"&"+query, "&")
			if rec := w.do(again); rec.Code >= 500 {
				t.Errorf("%s %s: %d", method, again.URL, rec.Code)
			}
		}
		if did := w.did(); len(did) > 0 {
			t.Fatalf("%s %s did %v", method, pattern, did)
		}
	})
	if reads < 80 {
		t.Errorf("only %d reads", reads)
	}
}

func TestHeadersStandOnEveryAnswer(t *testing.T) {
	w := newWorld(t, func(d *httpapi.Deps) { d.PublicURL = "https://privacy.acme.example" })
	check := func(what string, h http.Header) {
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
			"Strict-Transport-Security": "max-age=31536000; includeSubDomains"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", what, name, h.Get(name))
			}
		}
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script-src") {
			t.Errorf("%s: %s", what, csp)
		}
		// The HTML of a mail in its sandboxed frame is the one exception, in what it may look like and where it may stand.
		if !strings.HasSuffix(what, "/html") && (strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") || h.Get("X-Frame-Options") != "DENY") {
			t.Errorf("%s: %s, X-Frame-Options %s", what, csp, h.Get("X-Frame-Options"))
		}
		if strings.HasSuffix(what, "/html") && !strings.Contains(csp, "sandbox;") {
			t.Errorf("%s: %s", what, csp)
		}
		if cache := h.Get("Cache-Control"); cache != "no-store" && !strings.Contains(what, "/assets/") {
			t.Errorf("%s: Cache-Control %q", what, cache)
		}
		if h.Get("X-Request-Id") == "" {
			t.Errorf("%s: no request id", what)
		}
	}
	everyRoute(w, func(method, pattern string, r *http.Request) {
		check(method+" "+pattern, w.do(r).Header())
	})
	for _, r := range []*http.Request{browser("GET", "/no/such/page", ""), ask("DELETE", "/healthz", ""), ask("POST", "/v1/public/acme/requests", "{"), ask("GET", "/v1/requests", "")} {
		check("error "+r.URL.Path, w.do(r).Header())
	}
	plain := newWorld(t).do(ask("GET", "/healthz", ""))
	if plain.Header().Get("Strict-Transport-Security") != "" {
		t.Error("HSTS on plain http")
	}
}

// hostile is put around every text that the use cases give and every field that is sent.
const hostile = `"><script>alert(1)</script>'<img src=x onerror=alert(1)>{{.}}javascript:alert(1)&lt;`

var text = regexp.MustCompile(`(?i)^(a|abbr|article|b|body|br|button|caption|dd|details|div|dl|dt|fieldset|footer|form|h1|h2|h3|head|header|html|iframe|input|label|legend|li|link|main|meta|nav|ol|option|p|pre|section|select|span|strong|summary|table|tbody|td|textarea|th|thead|time|title|tr|ul)$`)

// harmless parses a page and looks for what only a text of a stranger could have brought in.
func harmless(t *testing.T, what, page string) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return
		}
		if kind == html.StartTagToken || kind == html.SelfClosingTagToken {
			tag := z.Token()
			if !text.MatchString(tag.Data) {
				t.Errorf("%s has an element %s", what, tag.Data)
			}
			for _, a := range tag.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") && a.Key != "value" {
					t.Errorf("%s has an attribute %s=%q", what, a.Key, a.Val)
				}
			}
		}
	}
}

func TestStrangersTextStaysText(t *testing.T) {
	w := newWorld(t)
	w.say = func(s string) string { return s + hostile }
	seen := 0
	everyRoute(w, func(method, pattern string, r *http.Request) {
		if method != "GET" || r.Header.Get("Accept") != "text/html" {
			return
		}
		rec := w.do(r)
		if !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html") || strings.HasSuffix(pattern, "/html") {
			return
		}
		if strings.Contains(rec.Body.String(), "alert(1)") {
			seen++
		}
		harmless(t, pattern, rec.Body.String())
	})
	if seen < 12 {
		t.Errorf("the text was on %d pages only", seen)
	}
	for _, name := range []string{"types", "email", "name", "message", "jurisdiction", "lang", "q", "status", "type", "assignee", "sort", "cursor", "done", "token", "state"} {
		for _, path := range []string{"/acme", "/console", "/acme/verify", "/acme/r/" + testRef, "/console/requests/" + testID, "/console/obligations", "/console/sign-in"} {
			rec := w.do(browser("GET", path+"?"+name+"="+url.QueryEscape(hostile), ""))
			harmless(t, path+"?"+name, rec.Body.String())
		}
	}
	for _, name := range []string{"types", "email", "name", "message", "jurisdiction", "changes[0].field", "changes[2].to", "on_behalf_of.name", "on_behalf_of.email", "on_behalf_of.relation", "identifiers.user_id", "language"} {
		rec := w.do(browser("POST", "/acme", url.Values{name: {hostile}, "email": {"no address " + hostile}}.Encode()))
		if rec.Code != 400 || !strings.Contains(rec.Body.String(), "alert(1)") {
			t.Errorf("%s: %d", name, rec.Code)
		}
		harmless(t, "POST /acme "+name, rec.Body.String())
	}
}

func TestFormKeepsWhatWasEntered(t *testing.T) {
	w := newWorld(t)
	in := url.Values{"types": {"rectification", "access"}, "email": {"not an address"}, "name": {"Ada"}, "message": {"line one\r\nline two"}, "jurisdiction": {"us-ca"}, "language": {"de"},
		"identifiers.user_id": {"4711"}, "changes[1].field": {"Stadt"}, "changes[1].to": {"Köln"}, "on_behalf_of.relation": {"agent"}, "on_behalf_of.name": {"Grace"}, "on_behalf_of.email": {"g@h.example"}}
	rec := w.do(browser("POST", "/acme", in.Encode()))
	page := rec.Body.String()
	if rec.Code != 400 || len(w.did()) > 0 {
		t.Fatalf("%d %v", rec.Code, w.did())
	}
	for _, want := range []string{`<html lang="de">`, `value="rectification" checked`, `value="access" checked`, `value="not an address"`, `value="Ada"`, "line one\nline two</textarea>", `value="us-ca" selected`, `value="4711"`,
		`value="Stadt"`, `value="Köln"`, `value="agent" selected`, `value="Grace"`, `value="g@h.example"`, `<a href="#email">`, `aria-invalid="true"`, "Bitte geben Sie eine E-Mail-Adresse an"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(page, `value="erasure" checked`) {
		t.Error("a box is ticked that was not")
	}
	in.Set("email", "ada@example.org")
	rec = w.do(browser("POST", "/acme", in.Encode()))
	if rec.Code != 201 || !strings.Contains(rec.Body.String(), testRef) || !strings.Contains(rec.Body.String(), "2. Dezember 2026") || len(rec.Result().Cookies()) > 0 {
		t.Errorf("%d %v\n%s", rec.Code, rec.Result().Cookies(), rec.Body)
	}
	if got := w.inputs[1]; got.Language != "de" || got.Identifiers["user_id"] != "4711" || len(got.Changes) != 1 || got.OnBehalfOf.Name != "Grace" || got.Message != "line one\nline two" {
		t.Errorf("%+v", got)
	}
}

func TestFormIsPrefilled(t *testing.T) {
	page := newWorld(t).do(browser("GET", "/acme?types=erasure,access&email=ada%40example.org&name=Ada&lang=fr", "")).Body.String()
	for _, want := range []string{`<html lang="fr">`, `value="erasure" checked`, `value="access" checked`, `value="ada@example.org"`, `value="Ada"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}

func TestVerifyLinkActsOnTheButtonAlone(t *testing.T) {
	w := newWorld(t)
	if rec := w.do(browser("GET", "/acme/verify?token="+goodLink, "")); rec.Code != 200 || !strings.Contains(rec.Body.String(), `value="`+goodLink+`"`) || len(w.did()) > 0 {
		t.Errorf("%d %v", rec.Code, w.did())
	}
	rec := w.do(ask("POST", "/acme/verify", "token="+goodLink))
	cookies := rec.Result().Cookies()
	if rec.Code != 303 || rec.Header().Get("Location") != "/acme/r/"+testRef+"?done=verified" || len(cookies) != 1 {
		t.Fatalf("%d %s %v", rec.Code, rec.Header().Get("Location"), cookies)
	}
	if c := cookies[0]; !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/acme/r/"+testRef || c.Value != session || c.Secure {
		t.Errorf("cookie %+v", c)
	}
	for _, r := range []*http.Request{browser("GET", "/acme/verify?token=used", ""), ask("POST", "/acme/verify", "token=used")} {
		if rec := w.do(r); rec.Code != 410 || !strings.Contains(rec.Body.String(), `name="email"`) {
			t.Errorf("%s of a used link: %d", r.Method, rec.Code)
		}
	}
	if !ui.Secure("https://x.example") || ui.Secure("http://localhost:8080") || !ui.Secure("") {
		t.Error("cookies are for https alone beyond loopback")
	}
}

// TestNewLinkTellsNothing compares the answers about known and unknown people.
func TestNewLinkTellsNothing(t *testing.T) {
	w := newWorld(t)
	known := w.do(browser("POST", "/acme/r/"+testRef+"/link", "email=ada@example.org"))
	for _, r := range []*http.Request{browser("POST", "/acme/r/"+testRef+"/link", "email=unknown@example.org"), browser("POST", "/acme/r/HB-AAAA-AAAA/link", "email=ada@example.org"), browser("POST", "/acme/r", "reference=nonsense&email=x")} {
		if rec := w.do(r); rec.Code != known.Code || rec.Body.String() != known.Body.String() {
			t.Errorf("%s differs: %d", r.URL.Path, rec.Code)
		}
	}
	stranger := func(ref string) string {
		r := ask("GET", "/acme/r/"+ref, "", "Accept", "text/html")
		return strings.ReplaceAll(w.do(r).Body.String(), ref, "")
	}
	if stranger(testRef) != stranger("HB-AAAA-AAAA") {
		t.Error("the page of a reference says whether it exists")
	}
}

func TestPersonActs(t *testing.T) {
	home := "/acme/r/" + testRef
	tests := []struct{ path, form, did, to string }{
		{"/withdraw", "types=erasure", "WithdrawAsPerson", home + "?done=withdrawn"},
		{"/messages", "body=Hello", "MessageAsPerson", home + "?done=message"},
		{"/download-codes", "x=", "SendDownloadCode", home + "?done=code#code"},
		{"/downloads", "code=123+456", "Download", ""},
		{"/leave", "x=", "", ""},
	}
	for _, test := range tests {
		w := newWorld(t)
		rec := w.do(browser("POST", home+test.path, test.form+"&"+formToken("")))
		if got := strings.Join(w.did(), " "); got != test.did || rec.Header().Get("Location") != test.to {
			t.Errorf("%s: %d, did %q, to %q", test.path, rec.Code, got, rec.Header().Get("Location"))
		}
		for name, r := range map[string]*http.Request{
			"no form token":  browser("POST", home+test.path, test.form),
			"another's":      browser("POST", home+test.path, test.form+"&form_token="+ui.FormToken("other")),
			"no session":     ask("POST", home+test.path, test.form+"&"+formToken("")),
			"another site":   crossSite(browser("POST", home+test.path, test.form+"&"+formToken(""))),
			"another's page": browser("POST", "/acme/r/HB-AAAA-AAAA"+test.path, test.form+"&"+formToken("")),
		} {
			w := newWorld(t)
			if rec := w.do(r); rec.Code != 401 && rec.Code != 403 || len(w.did()) > 0 {
				t.Errorf("%s with %s: %d, did %v", test.path, name, rec.Code, w.did())
			}
		}
	}
	w := newWorld(t)
	if rec := w.do(browser("POST", home+"/downloads", "code=000000&"+formToken(""))); rec.Code != 401 || !strings.Contains(rec.Body.String(), "This code is not valid.") {
		t.Errorf("wrong code: %d", rec.Code)
	}
	if rec := w.do(browser("GET", home+"/withdraw?type=erasure", "")); !strings.Contains(rec.Body.String(), "Stop the deletion?") || !strings.Contains(rec.Body.String(), `name="types" value="erasure"`) {
		t.Error("the question is not asked")
	}
	if rec := w.do(browser("GET", "/acme/r/hb-7k3m-92qd", "")); rec.Code != 303 || rec.Header().Get("Location") != home {
		t.Errorf("another spelling: %d %s", rec.Code, rec.Header().Get("Location"))
	}
}

func crossSite(r *http.Request) *http.Request {
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Origin", "https://evil.example")
	return r
}

func TestMessageWithFiles(t *testing.T) {
	w := newWorld(t)
	send := func(files, size int) *httptest.ResponseRecorder {
		var b bytes.Buffer
		form := multipart.NewWriter(&b)
		_ = form.WriteField("form_token", ui.FormToken(session)) // a bytes.Buffer takes everything
		_ = form.WriteField("body", "With files")
		for range files {
			part, _ := form.CreateFormFile("files", "../../etc/passwd")
			_, _ = part.Write(make([]byte, size))
		}
		form.Close()
		r := browser("POST", "/acme/r/"+testRef+"/messages", "x")
		r2 := httptest.NewRequest("POST", r.URL.Path, &b)
		r2.Header = r.Header
		r2.Header.Set("Content-Type", form.FormDataContentType())
		return w.do(r2)
	}
	if rec := send(2, 1000); rec.Code != 303 || len(w.letters) != 1 || len(w.letters[0].Attachments) != 2 || w.letters[0].Attachments[0].Name != "passwd" {
		t.Errorf("%d %+v", rec.Code, w.letters)
	}
	if rec := send(6, 10); rec.Code != 400 || !strings.Contains(rec.Body.String(), "With files</textarea>") {
		t.Errorf("six files: %d", rec.Code)
	}
	if rec := send(1, 6<<20); rec.Code != 413 {
		t.Errorf("six megabytes: %d", rec.Code)
	}
}

func TestPageErrors(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		req    *http.Request
		status int
		has    string
	}{
		{browser("GET", "/nobody", ""), 404, "There is nothing here"},
		{browser("GET", "/no/such/page", ""), 404, "There is nothing here"},
		{browser("DELETE", "/acme", ""), 405, "Not this way"},
		{browser("POST", "/acme", "{}"), 415, "Not this format"},
		{browser("POST", "/acme", "message="+strings.Repeat("x", 100_000)), 413, "Too large"},
		{browser("POST", "/acme", "name=%00"), 400, "That did not work"},
		{browser("GET", "/console/verify", ""), 404, "There is nothing here"},
		{browser("GET", "/v1/verify", ""), 404, "urn:habeas:problem"},
		{ask("GET", "/nobody", "", "Accept", "text/html", "Accept-Language", "de-AT,de;q=0.9"), 404, "Hier ist nichts"},
	}
	for _, test := range tests {
		if rec := w.do(test.req); rec.Code != test.status || !strings.Contains(rec.Body.String(), test.has) {
			t.Errorf("%s %s: %d\n%.300s", test.req.Method, test.req.URL, rec.Code, rec.Body)
		}
	}
}
