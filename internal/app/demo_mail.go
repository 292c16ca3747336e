package app

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/store"
)

var (
	linkLine = regexp.MustCompile(`(?m)^\s*\S+/verify\?token=([A-Za-z0-9_-]{22,})\s*$`)
	codeForm = regexp.MustCompile(`\b\d{6}\b`)
)

// mail waits for the newest mail to an address that looks right, and has not been read before.
func (d *demo) mail(ctx context.Context, to string, read map[string]bool, right func(store.OutMail) bool) (store.OutMail, error) {
	by := access.Principal{Kind: access.KindJob, Tenant: demoshop.Tenant, Subject: "demo", Via: access.ViaJob}
	var got store.OutMail
	err := eventually(ctx, patience, func() (bool, error) {
		mails, _, err := d.app.Oversee.Mailbox(ctx, by, "")
		if err != nil {
			return false, err
		}
		for _, m := range mails {
			if !read[m.ID] && m.To == to && m.State == store.OutKept && right(m) {
				got, read[m.ID] = m, true
				return true, nil
			}
		}
		return false, nil
	})
	if errors.Is(err, errPatience) {
		err = fmt.Errorf("the mail to %s did not come", to)
	}
	return got, err
}

// linkOf gives the token of a verification link, which stands alone on its line.
func linkOf(m store.OutMail) (string, bool) {
	found := linkLine.FindStringSubmatch(m.Text)
	if found == nil {
		return "", false
	}
	return found[1], true
}

// codeOf gives the one six-digit number of a mail.
func codeOf(m store.OutMail) (string, bool) {
	found := codeForm.FindAllString(m.Text, -1)
	if len(found) != 1 {
		return "", false
	}
	return found[0], true
}

// quoted gives a mail's subject on one line.
func quoted(m store.OutMail) string {
	return "“" + strings.Join(strings.Fields(m.Subject), " ") + "”"
}
