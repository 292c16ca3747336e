package app_test

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/habeas-data/habeas/internal/app/apptest"
	"github.com/habeas-data/habeas/internal/app/demoshop"
)

var linkInMail = regexp.MustCompile(`https?://[^\s"'<>]+`)

// TestGetChangesNothing fetches every link of every mail of an erasure's life five times each by GET and HEAD, and once
// with a browser that runs scripts, as mail scanners do: nothing changes, and the person's link still works afterwards.
func TestGetChangesNothing(t *testing.T) {
	t.Parallel()
	tenants, _ := shopTenant(t)
	p := apptest.Start(t, apptest.Options{Footing: apptest.Embedded, Tenants: tenants})
	officer := p.Token(demoshop.Tenant, "officer", "olga")
	browser := newBrowser(t)
	fetched := map[string]bool{}
	fetchAll := func(reference string) {
		t.Helper()
		before := state(p, officer, reference)
		for _, m := range p.Mail.All() {
			for _, link := range linkInMail.FindAllString(m.Text+"\n"+strings.ReplaceAll(m.HTML, "&amp;", "&"), -1) {
				link = strings.TrimRight(link, ".,)")
				if !strings.HasPrefix(link, p.URL) || fetched[link] {
					continue
				}
				fetched[link] = true
				path := strings.TrimPrefix(link, p.URL)
				for range 5 {
					for _, method := range []string{http.MethodGet, http.MethodHead} {
						if a := p.Call(method, path, "", nil); a.Status >= 500 || a.Status == 0 {
							t.Errorf("%s of a link in a mail answers %d", method, a.Status)
						}
					}
				}
				browser(link)
			}
		}
		time.Sleep(1500 * time.Millisecond) // what a GET had started would have come to light
		if after := state(p, officer, reference); after != before {
			t.Errorf("fetching links changed\n%s\nto\n%s", before, after)
		}
	}
	receipt := p.Submit(demoshop.Tenant, demoshop.ErasurePerson, "erasure")
	p.Mail.Wait(demoshop.ErasurePerson, func(m apptest.Mail) bool { return m.Token() != "" })
	fetchAll(receipt.Reference)
	if len(fetched) == 0 {
		t.Fatal("the verification mail holds no link")
	}
	p.Verify(demoshop.Tenant, demoshop.ErasurePerson, receipt.Reference) // still usable, by the button
	r := p.WaitFor(officer, receipt.Reference, "erasure", "in_review", 30*time.Second)
	p.Must(http.StatusOK, http.MethodPost, "/v1/requests/"+r.ID+"/hold", officer, map[string]any{"reason": "the test looks at the links first"})
	p.Must(http.StatusOK, http.MethodPost, "/v1/requests/"+r.ID+"/release", officer, map[string]any{})
	p.Approve(officer, r.ID, p.PlanOf(officer, r.ID).Digest)
	p.WaitFor(officer, receipt.Reference, "erasure", "fulfilled", 60*time.Second)
	p.Eventually(20*time.Second, "the last letter arrives", func() (bool, string) {
		for _, m := range p.Mail.All() {
			if strings.Contains(m.Subject, "were deleted") {
				return true, ""
			}
		}
		return false, ""
	})
	fetchAll(receipt.Reference)
	t.Logf("%d links, each fetched 10 times and once by a browser", len(fetched))
}

// state is everything about a request that a GET could have moved.
func state(p *apptest.Program, officer, reference string) string {
	found := p.Find(officer, reference)
	b, _ := json.Marshal(found)
	out := string(b)
	for _, r := range found {
		out += "\n" + string(p.Call(http.MethodGet, "/v1/requests/"+r.ID+"/events", officer, nil).Body)
	}
	return out
}

// newBrowser gives a function that opens an address in a headless Chromium with scripts on, and waits a moment.
func newBrowser(t *testing.T) func(address string) {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() { cancel(); cancelAlloc() })
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("a Chromium is needed for the browser tests: %v", err)
	}
	return func(address string) {
		t.Helper()
		page, done := context.WithTimeout(ctx, 30*time.Second)
		defer done()
		if err := chromedp.Run(page, chromedp.Navigate(address), chromedp.Sleep(300*time.Millisecond)); err != nil {
			t.Errorf("opening a link in the browser: %v", err)
		}
	}
}
