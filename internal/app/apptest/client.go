package apptest

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

// Answer is an HTTP answer.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON reads the body into v.
func (a Answer) JSON(p *Program, v any) {
	p.t.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		p.t.Fatalf("the answer %d is not JSON: %v: %s", a.Status, err, a.Body)
	}
}

// Call makes a call; body is marshaled unless it is nil.
func (p *Program) Call(method, path, token string, body any, headers ...string) Answer {
	p.t.Helper()
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			p.t.Fatal(err)
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, p.URL+path, r)
	if err != nil {
		p.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return Answer{Status: 0, Body: []byte(err.Error())}
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return Answer{Status: 0, Body: []byte(err.Error())}
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Body: b}
}

// Must is Call that wants a status.
func (p *Program) Must(want int, method, path, token string, body any, headers ...string) Answer {
	p.t.Helper()
	a := p.Call(method, path, token, body, headers...)
	if a.Status != want {
		p.t.Fatalf("%s %s answers %d, want %d: %s", method, path, a.Status, want, a.Body)
	}
	return a
}

// Token mints a token of a role.
func (p *Program) Token(tenant, role, subject string) string {
	p.t.Helper()
	out, code := p.Command("token", "--tenant", tenant, "--role", role, "--subject", subject)
	if code != 0 {
		p.t.Fatalf("token ends with %d", code)
	}
	return strings.TrimSpace(out)
}

// Receipt is the answer to a submission.
type Receipt struct {
	Reference string `json:"reference"`
	Requests  []struct {
		Type          string  `json:"type"`
		Status        string  `json:"status"`
		AcknowledgeBy *string `json:"acknowledge_by"`
		DueOn         *string `json:"due_on"`
	} `json:"requests"`
}

// Request is a request in an answer.
type Request struct {
	ID             string  `json:"id"`
	Reference      string  `json:"reference"`
	Type           string  `json:"type"`
	Status         string  `json:"status"`
	PlanDigest     *string `json:"plan_digest"`
	NeedsAttention any     `json:"needs_attention"`
	OnHold         bool    `json:"on_hold"`
	DueOn          *string `json:"due_on"`
	ExtendedUntil  *string `json:"extended_until"`
	GraceEndsAt    *string `json:"grace_ends_at"`
}

// Plan is a plan in an answer.
type Plan struct {
	Digest   string           `json:"digest"`
	Steps    []Step           `json:"steps"`
	Withheld []map[string]any `json:"withheld"`
	Refusals []map[string]any `json:"refusals"`
}

// Step is a step of a plan in an answer.
type Step struct {
	System, Table, Action, Ground string
	Rows                          int64
	On                            *string
}

// Submit asks for rights as a person at the form.
func (p *Program) Submit(tenant, email string, types ...string) Receipt {
	p.t.Helper()
	var r Receipt
	p.Must(http.StatusCreated, http.MethodPost, "/v1/public/"+tenant+"/requests", "", map[string]any{"types": types, "email": email}).JSON(p, &r)
	return r
}

// Verify proves the address by the link in the mail and gives the person's access token.
func (p *Program) Verify(tenant, mailbox, reference string) string {
	p.t.Helper()
	m := p.Mail.Wait(mailbox, func(m Mail) bool { return m.Token() != "" && strings.Contains(m.Text, reference) })
	var s struct {
		AccessToken string `json:"access_token"`
	}
	p.Must(http.StatusOK, http.MethodPost, "/v1/public/"+tenant+"/verifications", "", map[string]any{"token": m.Token()}).JSON(p, &s)
	if s.AccessToken == "" {
		p.t.Fatal("the verification gives no access_token")
	}
	return s.AccessToken
}

// Find gives the requests of a reference, as an officer sees them.
func (p *Program) Find(officer, reference string) []Request {
	p.t.Helper()
	var list struct {
		Items []Request `json:"items"`
	}
	a := p.Call(http.MethodGet, "/v1/requests?reference="+reference, officer, nil)
	if a.Status != http.StatusOK {
		return nil // the program may be restarting
	}
	a.JSON(p, &list)
	return list.Items
}

// WaitFor waits until the request of a type has a status, and gives it.
func (p *Program) WaitFor(officer, reference, kind, status string, within time.Duration) Request {
	p.t.Helper()
	var out Request
	p.Eventually(within, kind+" is "+status, func() (bool, string) {
		for _, r := range p.Find(officer, reference) {
			if r.Type != kind {
				continue
			}
			out = r
			b, _ := json.Marshal(r)
			return r.Status == status, string(b)
		}
		return false, "no such request"
	})
	return out
}

// PlanOf gives the plan of a request.
func (p *Program) PlanOf(officer, id string) Plan {
	p.t.Helper()
	var out Plan
	p.Must(http.StatusOK, http.MethodGet, "/v1/requests/"+id+"/plan", officer, nil).JSON(p, &out)
	return out
}

// Approve approves the plan of a request.
func (p *Program) Approve(officer, id, digest string) {
	p.t.Helper()
	p.Must(http.StatusOK, http.MethodPost, "/v1/requests/"+id+"/approve", officer, map[string]any{"plan_digest": digest})
}

// Download asks for a code, reads it from the mail and fetches the package.
func (p *Program) Download(tenant, mailbox, reference, access string) *zip.Reader {
	p.t.Helper()
	base := "/v1/public/" + tenant + "/requests/" + reference
	seen := len(p.Mail.All())
	a := p.Call(http.MethodPost, base+"/download-codes", access, map[string]any{})
	if a.Status/100 != 2 {
		p.t.Fatalf("download-codes answers %d: %s", a.Status, a.Body)
	}
	var code string
	p.Eventually(20*time.Second, "the code arrives", func() (bool, string) {
		for _, m := range p.Mail.All()[seen:] {
			if strings.EqualFold(m.To, mailbox) && m.Code() != "" {
				code = m.Code()
				return true, ""
			}
		}
		return false, "no mail with a code"
	})
	z := p.Must(http.StatusOK, http.MethodPost, base+"/downloads", access, map[string]any{"code": code})
	r, err := zip.NewReader(bytes.NewReader(z.Body), int64(len(z.Body)))
	if err != nil {
		p.t.Fatalf("the download is no ZIP: %v", err)
	}
	return r
}

// Rows reads a collection of a package.
func Rows(p *Program, z *zip.Reader, system, table string) []map[string]any {
	p.t.Helper()
	f, err := z.Open("data/" + system + "/" + table + ".json")
	if err != nil {
		p.t.Fatalf("the package has no %s: %v", table, err)
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.UseNumber()
	var rows []map[string]any
	if err := d.Decode(&rows); err != nil {
		p.t.Fatalf("%s is no array of objects: %v", table, err)
	}
	return rows
}
