package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/habeas-data/habeas/internal/access"
)

const atRequest = "/console/requests/" + testID

func TestConsoleSignIn(t *testing.T) {
	w := newWorld(t)
	anonymous := func(method, path, form string) *http.Request {
		return ask(method, path, form, "Accept", "text/html")
	}
	if rec := w.do(anonymous("GET", "/console", "")); rec.Code != 303 || rec.Header().Get("Location") != "/console/sign-in" {
		t.Errorf("%d %s", rec.Code, rec.Header().Get("Location"))
	}
	if rec := w.do(anonymous("GET", "/console/sign-in?token="+goodLink, "")); rec.Code != 200 || len(w.did()) > 0 {
		t.Errorf("%d %v", rec.Code, w.did())
	}
	rec := w.do(anonymous("POST", "/console/sign-in", "token="+goodLink))
	cookies := rec.Result().Cookies()
	if rec.Code != 303 || len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].Path != "/console" || cookies[0].SameSite != http.SameSiteLaxMode {
		t.Errorf("%d %v", rec.Code, cookies)
	}
	if rec := w.do(anonymous("POST", "/console/sign-in", "token=used")); rec.Code != 410 || len(rec.Result().Cookies()) > 0 {
		t.Errorf("used link: %d", rec.Code)
	}
}

func TestConsoleActs(t *testing.T) {
	tests := []struct{ act, form, did string }{
		{"approve", "plan_digest=5f2c&note=ok", "Approve 5f2c"},
		{"deny", "ground=no_match&explanation=x", "Deny"},
		{"answer", "text=x", "Answer"},
		{"extend", "ground=complexity&explanation=x", "Extend"},
		{"pause", "reason=identity_asked&explanation=x", "Pause"},
		{"resume", "x=", "Resume"},
		{"hold", "reason=x&until=2027-01-01", "Hold"},
		{"release", "note=x", "ReleaseHold"},
		{"assign", "assignee=dana", "Assign dana"},
		{"note", "body=x", "AddNote"},
		{"message", "body=x", "SendMessage"},
		{"verify", "checked=x", "ByOfficer"},
		{"withdraw", "note=x", "Withdraw"},
		{"retry", "x=", "Retry"},
		{"replan", "x=", "Replan"},
	}
	for _, test := range tests {
		w := newWorld(t)
		rec := w.do(browser("POST", atRequest+"/"+test.act, test.form+"&"+formToken("/console")))
		if got := strings.Join(w.did(), " "); got != test.did || rec.Code != 303 || rec.Header().Get("Location") != atRequest+"?done="+test.act {
			t.Errorf("%s: %d, did %q", test.act, rec.Code, got)
		}
		if page := w.do(browser("GET", atRequest+"?done="+test.act, "")).Body.String(); !strings.Contains(page, `role="status"`) {
			t.Errorf("%s: nothing says that it was done", test.act)
		}
		w = newWorld(t)
		for name, r := range map[string]*http.Request{
			"no form token": browser("POST", atRequest+"/"+test.act, test.form),
			"no session":    ask("POST", atRequest+"/"+test.act, test.form+"&"+formToken("/console")),
			"another site":  crossSite(browser("POST", atRequest+"/"+test.act, test.form+"&"+formToken("/console"))),
			"JSON":          ask("POST", atRequest+"/"+test.act, "{}", "Cookie", "habeas_console="+desk),
			"the query":     browser("POST", atRequest+"/"+test.act+"?"+formToken("/console"), ""),
		} {
			if rec := w.do(r); rec.Code != 401 && rec.Code != 403 && rec.Code != 415 || len(w.did()) > 0 {
				t.Errorf("%s with %s: %d, did %v", test.act, name, rec.Code, w.did())
			}
		}
	}
}

func TestConsoleKeepsWhatWasEntered(t *testing.T) {
	w := newWorld(t)
	rec := w.do(browser("POST", atRequest+"/deny", "ground=other&explanation=&"+formToken("/console")))
	page := rec.Body.String()
	if rec.Code != 400 || !strings.Contains(page, `<details class="act" open><summary>Refuse`) || !strings.Contains(page, `value="other" selected`) || !strings.Contains(page, "explanation: is empty") {
		t.Errorf("%d", rec.Code)
	}
	rec = w.do(browser("POST", atRequest+"/approve", "plan_digest=stale&note=mine&"+formToken("/console")))
	if page = rec.Body.String(); rec.Code != 409 || !strings.Contains(page, "The plan has changed.") || !strings.Contains(page, "Possible now: replan") || !strings.Contains(page, `value="mine"`) || len(w.did()) > 0 {
		t.Errorf("%d %v", rec.Code, w.did())
	}
}

// TestApproveButtonCarriesTheDigestOfThePage is what makes an approval one of what was looked at.
func TestApproveButtonCarriesTheDigestOfThePage(t *testing.T) {
	w := newWorld(t)
	if page := w.do(browser("GET", atRequest, "")).Body.String(); !strings.Contains(page, `name="plan_digest" value="5f2c6e0b91aa77d0c3"`) {
		t.Error("no digest in the form")
	}
}

func TestAddressIsMaskedUntilRevealed(t *testing.T) {
	w := newWorld(t)
	page := w.do(browser("GET", atRequest, "")).Body.String()
	for _, hidden := range []string{"ada@example.org", "Lovelace", "Byron", "Please delete all.", "Köln"} {
		if strings.Contains(page, hidden) {
			t.Errorf("%q is in the clear", hidden)
		}
	}
	if !strings.Contains(page, "a•••@example.org") {
		t.Error("no masked address")
	}
	rec := w.do(browser("POST", atRequest+"/reveal", formToken("/console")))
	if !strings.Contains(rec.Body.String(), "ada@example.org") || strings.Join(w.did(), " ") != "Reveal" {
		t.Errorf("%d %v", rec.Code, w.did())
	}
	// What can't be recorded is not shown.
	w = newWorld(t)
	w.err = http.ErrHandlerTimeout
	if rec := w.do(browser("POST", atRequest+"/reveal", formToken("/console"))); rec.Code != 500 || strings.Contains(rec.Body.String(), "ada@example.org") {
		t.Errorf("%d", rec.Code)
	}
	w = newWorld(t)
	w.roles = []access.Role{access.RoleAdmin}
	if rec := w.do(browser("POST", atRequest+"/reveal", formToken("/console"))); rec.Code != 403 || len(w.did()) > 0 {
		t.Errorf("an admin: %d %v", rec.Code, w.did())
	}
}

func TestQueueFilters(t *testing.T) {
	w := newWorld(t)
	page := w.do(browser("GET", "/console?status=in_grace&type=erasure&q=hb-7k3m&sort=-due&assignee=dana&cursor=c", "")).Body.String()
	f := w.filters[0]
	if len(f.Status) != 1 || f.Status[0] != "in_grace" || f.Types[0] != "erasure" || f.Query != "hb-7k3m" || f.Sort != "-due" || f.Assignee != "dana" || f.Cursor != "c" {
		t.Errorf("%+v", f)
	}
	for _, want := range []string{`value="in_grace" selected`, `value="hb-7k3m"`, "cursor=next-page", "overdue: 18 November 2026, 2 days ago", "soon: 24 November 2026, in 4 days", "no legal date"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	w.do(browser("GET", "/console?status=nonsense&sort=nonsense", ""))
	if f := w.filters[1]; f.Sort != "due" || len(f.Status) != 5 {
		t.Errorf("%+v", f)
	}
}

func TestAttachmentIsNeverShown(t *testing.T) {
	rec := newWorld(t).do(browser("GET", atRequest+"/messages/0/files/0", ""))
	if rec.Header().Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(rec.Header().Get("Content-Disposition"), "attachment") || !strings.Contains(rec.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%v", rec.Header())
	}
	for _, path := range []string{"/messages/9/files/0", "/messages/0/files/9", "/messages/-1/files/0", "/messages/x/files/0"} {
		if rec := newWorld(t).do(browser("GET", atRequest+path, "")); rec.Code != 404 {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
}

func TestMailboxLinksOurOwnAddressesAlone(t *testing.T) {
	w := newWorld(t)
	w.say = func(s string) string { return s + "\nhttp://evil.example/x\nhttp://localhost:8080/\"onclick=x\n" }
	page := w.do(browser("GET", "/console/mailbox/"+testID, "")).Body.String()
	if !strings.Contains(page, `<a href="http://localhost:8080/acme/verify?token=`+goodLink+`">`) || strings.Contains(page, `href="http://evil`) || strings.Contains(page, `"onclick`) {
		t.Error(page)
	}
}
