package httpapi_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/fault"
)

// loadSpec reads the document so that an answer with a field that is not in it is an error too.
func loadSpec(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec())
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	no := false
	for name, s := range doc.Components.Schemas {
		if len(s.Value.Properties) > 0 {
			s.Value.AdditionalProperties = openapi3.BoolSchema{Has: &no}
		}
		_ = name
	}
	return doc
}

var param = regexp.MustCompile(`:(\w+)`)

// holds checks one answer against the document.
func holds(t *testing.T, doc *openapi3.T, pattern string, r *http.Request, rec *httptest.ResponseRecorder) {
	t.Helper()
	path := param.ReplaceAllString(pattern, "{$1}")
	item := doc.Paths.Value(path)
	if item == nil {
		t.Fatalf("%s is not in the document", path)
	}
	op := item.GetOperation(r.Method)
	if op == nil {
		t.Fatalf("%s %s is not in the document", r.Method, path)
	}
	body := rec.Body.Bytes()
	err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, Route: &routers.Route{Spec: doc, Path: path, PathItem: item, Method: r.Method, Operation: op}},
		Status:                 rec.Code, Header: rec.Header(), Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true, ExcludeResponseBody: rec.Header().Get("Content-Type") == "application/zip" || strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html") || rec.Header().Get("Content-Type") == "application/yaml"},
	})
	if err != nil {
		t.Errorf("%s %s answered %d: %v\n%.600s", r.Method, path, rec.Code, err, body)
	}
}

// good is one right call of every operation.
var good = []struct {
	method, pattern, path, body string
	status                      int
}{
	{"GET", "/v1/public/:tenant", "/v1/public/acme", "", 200},
	{"POST", "/v1/public/:tenant/requests", "/v1/public/acme/requests", `{"types":["access","opt_out"],"email":"ada@example.org","name":null,"identifiers":{"user_id":"42"},"changes":[{"field":"city","to":"Bonn"}],"on_behalf_of":{"relation":"child","name":"B"}}`, 201},
	{"POST", "/v1/public/:tenant/verifications", "/v1/public/acme/verifications", `{"token":"` + goodLink + `"}`, 200},
	{"GET", "/v1/public/:tenant/requests/:reference", "/v1/public/acme/requests/hb-7k3m-92qd", "", 200},
	{"POST", "/v1/public/:tenant/requests/:reference/withdraw", "/v1/public/acme/requests/" + testRef + "/withdraw", "", 200},
	{"POST", "/v1/public/:tenant/requests/:reference/messages", "/v1/public/acme/requests/" + testRef + "/messages", `{"body":"Hello","attachments":[{"name":"a.txt","type":"text/plain","data":"aGk="}]}`, 204},
	{"POST", "/v1/public/:tenant/requests/:reference/download-codes", "/v1/public/acme/requests/" + testRef + "/download-codes", "", 202},
	{"POST", "/v1/public/:tenant/requests/:reference/downloads", "/v1/public/acme/requests/" + testRef + "/downloads", `{"code":"123456"}`, 200},
	{"POST", "/v1/requests", "/v1/requests", `{"types":["erasure"],"email":"ada@example.org","channel":"phone","subject":"customer","received_at":"2026-11-02T09:00:00Z","assertion":{"method":"product_session","authenticated_at":"2026-11-02T09:00:00Z"}}`, 201},
	{"GET", "/v1/requests", "/v1/requests?status=in_review,in_grace&type=erasure&due_before=2026-12-24&sort=-due&limit=200&needs_attention=true", "", 200},
	{"GET", "/v1/requests/:id", "/v1/requests/" + testID, "", 200},
	{"GET", "/v1/requests/:id/events", "/v1/requests/" + testID + "/events", "", 200},
	{"GET", "/v1/requests/:id/notes", "/v1/requests/" + testID + "/notes", "", 200},
	{"GET", "/v1/requests/:id/messages", "/v1/requests/" + testID + "/messages", "", 200},
	{"GET", "/v1/requests/:id/plan", "/v1/requests/" + testID + "/plan", "", 200},
	{"GET", "/v1/requests/:id/clock", "/v1/requests/" + testID + "/clock", "", 200},
	{"GET", "/v1/requests/:id/package", "/v1/requests/" + testID + "/package", "", 200},
	{"GET", "/v1/requests/:id/certificate", "/v1/requests/" + testID + "/certificate", "", 200},
	{"POST", "/v1/requests/:id/plan", "/v1/requests/" + testID + "/plan", "", 200},
	{"POST", "/v1/requests/:id/approve", "/v1/requests/" + testID + "/approve", `{"plan_digest":"5f2c","note":"ok"}`, 200},
	{"POST", "/v1/requests/:id/deny", "/v1/requests/" + testID + "/deny", `{"ground":"no_match","explanation":"We hold nothing."}`, 200},
	{"POST", "/v1/requests/:id/extend", "/v1/requests/" + testID + "/extend", `{"ground":"complexity","explanation":"Many systems."}`, 200},
	{"POST", "/v1/requests/:id/pause", "/v1/requests/" + testID + "/pause", `{"reason":"identity_asked"}`, 200},
	{"POST", "/v1/requests/:id/resume", "/v1/requests/" + testID + "/resume", "{}", 200},
	{"POST", "/v1/requests/:id/hold", "/v1/requests/" + testID + "/hold", `{"reason":"court","until":"2027-01-01"}`, 200},
	{"POST", "/v1/requests/:id/lift-ceiling", "/v1/requests/" + testID + "/lift-ceiling", `{"reason":"an archive"}`, 200},
	{"POST", "/v1/requests/:id/release", "/v1/requests/" + testID + "/release", "", 200},
	{"POST", "/v1/requests/:id/assign", "/v1/requests/" + testID + "/assign", `{"assignee":null}`, 200},
	{"POST", "/v1/requests/:id/verify", "/v1/requests/" + testID + "/verify", `{"checked":"called back"}`, 204},
	{"POST", "/v1/requests/:id/notes", "/v1/requests/" + testID + "/notes", `{"body":"x"}`, 204},
	{"POST", "/v1/requests/:id/messages", "/v1/requests/" + testID + "/messages", `{"body":"x"}`, 204},
	{"POST", "/v1/requests/:id/withdraw", "/v1/requests/" + testID + "/withdraw", `{"note":"by phone"}`, 200},
	{"POST", "/v1/requests/:id/retry", "/v1/requests/" + testID + "/retry", "", 200},
	{"POST", "/v1/requests/:id/answer", "/v1/requests/" + testID + "/answer", `{"text":"Dear Ada"}`, 200},
	{"POST", "/v1/requests/:id/package/downloads", "/v1/requests/" + testID + "/package/downloads", "", 200},
	{"GET", "/v1/obligations", "/v1/obligations?state=open&before=2032-01-01", "", 200},
	{"GET", "/v1/suppressions/check", "/v1/suppressions/check?list=marketing&identifier=ada%40example.org", "", 200},
	{"POST", "/v1/suppressions/check", "/v1/suppressions/check", `{"identifiers":["a@b.example","c@d.example"]}`, 200},
	{"GET", "/v1/audit/entries", "/v1/audit/entries?from=2026-01-01T00:00:00Z&action=request.approve", "", 200},
	{"GET", "/v1/audit/tree-head", "/v1/audit/tree-head", "", 200},
	{"GET", "/v1/audit/proof", "/v1/audit/proof?entry=7", "", 200},
	{"GET", "/v1/audit/proof", "/v1/audit/proof?from=3&size=8", "", 200},
	{"GET", "/v1/webhook-endpoints", "/v1/webhook-endpoints", "", 200},
	{"POST", "/v1/webhook-endpoints", "/v1/webhook-endpoints", `{"url":"https://acme.example/hook"}`, 201},
	{"DELETE", "/v1/webhook-endpoints/:id", "/v1/webhook-endpoints/" + testID, "", 204},
	{"GET", "/v1/webhook-endpoints/:id/deliveries", "/v1/webhook-endpoints/" + testID + "/deliveries", "", 200},
	{"POST", "/v1/webhook-endpoints/:id/redeliver", "/v1/webhook-endpoints/" + testID + "/redeliver", `{"delivery":"d"}`, 202},
	{"POST", "/v1/webhook-endpoints/:id/rotate-secret", "/v1/webhook-endpoints/" + testID + "/rotate-secret", "", 200},
	{"GET", "/v1/webhook-sources", "/v1/webhook-sources", "", 200},
	{"POST", "/v1/webhook-sources", "/v1/webhook-sources", `{"name":"shop"}`, 201},
	{"DELETE", "/v1/webhook-sources/:id", "/v1/webhook-sources/" + testID, "", 204},
	{"POST", "/v1/webhook-sources/:id/rotate-secret", "/v1/webhook-sources/" + testID + "/rotate-secret", "", 200},
	{"POST", "/v1/hooks/:tenant/:source", "/v1/hooks/acme/shop", `{"type":"account.closed"}`, 202},
	{"GET", "/healthz", "/healthz", "", 200},
	{"GET", "/readyz", "/readyz", "", 200},
	{"GET", "/openapi.yaml", "/openapi.yaml", "", 200},
	{"GET", "/docs", "/docs", "", 200},
}

// proof gives the header that a call needs.
func proof(pattern string) []string {
	switch {
	case strings.HasPrefix(pattern, "/v1/public/:tenant/requests/:reference"):
		return []string{"Authorization", "Bearer " + session}
	case strings.HasPrefix(pattern, "/v1/public"), strings.HasPrefix(pattern, "/v1/hooks"), !strings.HasPrefix(pattern, "/v1"):
		return nil
	}
	return []string{"Authorization", "Bearer good"}
}

func TestAnswersHoldAgainstTheDocument(t *testing.T) {
	doc := loadSpec(t)
	covered := make(map[string]bool)
	for _, g := range good {
		t.Run(g.method+" "+g.path, func(t *testing.T) {
			w := newWorld(t)
			r := ask(g.method, g.path, g.body, proof(g.pattern)...)
			rec := w.do(r)
			if rec.Code != g.status {
				t.Fatalf("status %d, want %d: %s", rec.Code, g.status, rec.Body)
			}
			holds(t, doc, g.pattern, r, rec)
		})
		covered[g.method+" "+param.ReplaceAllString(g.pattern, "{$1}")] = true
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			if !covered[method+" "+path] {
				t.Errorf("no test calls %s %s", method, path)
			}
		}
	}
}

// TestErrorsHoldAgainstTheDocument makes every use case fail, each in another way, and each with a fault of our own.
func TestErrorsHoldAgainstTheDocument(t *testing.T) {
	doc := loadSpec(t)
	failed := 0
	for i, g := range good {
		for _, kind := range []fault.Kind{fault.Internal, fault.Kind(i%int(fault.Unavailable)) + 1} {
			w := newWorld(t)
			w.err = fault.New(kind, "planted", "SECRET of the database")
			r := ask(g.method, g.path, g.body, proof(g.pattern)...)
			rec := w.do(r)
			if len(w.did()) == 0 {
				continue // it changes nothing, so it did not fail
			}
			failed++
			if rec.Code != fault.HTTPStatus(kind) {
				t.Errorf("%s: %s answered %d", g.path, kind, rec.Code)
			}
			if kind == fault.Internal && strings.Contains(rec.Body.String(), "SECRET") {
				t.Errorf("%s tells a stranger what went wrong inside: %s", g.path, rec.Body)
			}
			holds(t, doc, g.pattern, r, rec)
		}
	}
	if failed < 60 {
		t.Errorf("only %d calls failed", failed)
	}
}

func TestWithoutProofNobodyGetsIn(t *testing.T) {
	doc := loadSpec(t)
	for i, g := range good {
		if proof(g.pattern) == nil {
			continue
		}
		w := newWorld(t)
		for j, header := range []string{"", "Bearer ", "Bearer wrong", "Basic good", "good", "Bearer good good2"} {
			r := ask(g.method, g.path, g.body, "Authorization", header)
			rec := w.do(r)
			if rec.Code != 401 || !strings.HasPrefix(rec.Header().Get("WWW-Authenticate"), "Bearer") || len(w.did()) > 0 {
				t.Errorf("%s %s with %q: %d, %v, did %v", g.method, g.path, header, rec.Code, rec.Header()["Www-Authenticate"], w.did())
			}
			if j == i%6 { // one of them is enough for its form
				holds(t, doc, g.pattern, r, rec)
			}
		}
	}
}

// TestRoutesAndDocumentAgree holds the routes of Echo against the document, both ways; pages are not in it.
func TestRoutesAndDocumentAgree(t *testing.T) {
	doc, w := loadSpec(t), newWorld(t)
	routed := make(map[string]bool)
	for _, r := range w.e.Routes() {
		if r.Method == http.MethodHead || strings.HasSuffix(r.Path, "/*") || r.Path == "/v1" {
			continue
		}
		path := param.ReplaceAllString(r.Path, "{$1}")
		routed[r.Method+" "+path] = true
		item := doc.Paths.Value(path)
		page := strings.HasPrefix(r.Path, "/:tenant") || strings.HasPrefix(r.Path, "/console") || r.Path == "/assets/:file"
		if inDoc := item != nil && item.GetOperation(r.Method) != nil; inDoc == page {
			t.Errorf("%s %s: in the document %t, a page %t", r.Method, r.Path, inDoc, page)
		}
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			if !routed[method+" "+path] {
				t.Errorf("%s %s is in the document and has no route", method, path)
			}
		}
	}
}

func TestOperationsAreNamedOnce(t *testing.T) {
	var ids []string
	for _, item := range loadSpec(t).Paths.Map() {
		for _, op := range item.Operations() {
			if op.OperationID == "" || slices.Contains(ids, op.OperationID) {
				t.Errorf("operationId %q is empty or there twice", op.OperationID)
			}
			ids = append(ids, op.OperationID)
		}
	}
}

func TestDocsPageShowsEveryCall(t *testing.T) {
	body := newWorld(t).do(ask("GET", "/docs", "")).Body.String()
	for path, item := range loadSpec(t).Paths.Map() {
		for method, op := range item.Operations() {
			if !strings.Contains(body, method+" "+path+"<") || !strings.Contains(body, `id="`+op.OperationID+`"`) {
				t.Errorf("%s %s is not on the page", method, path)
			}
		}
	}
	if strings.Contains(body, "<script") || strings.Contains(body, "http://") || strings.Contains(body, "https://") {
		t.Error("the page has a script or an outside link")
	}
}
