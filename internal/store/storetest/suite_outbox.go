package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/store"
)

func (s suite) mails(t *testing.T) {
	tenant := s.tenant(t)
	req := s.plain(t, tenant, dsr.RightAccess)
	var m store.OutMail
	s.in(t, tenant, func(tx *store.Tx) error {
		m = store.OutMail{
			ID: dsr.NewID(), Kind: "verify", DedupeKey: "verify/1", Submission: req.Submission, Request: req.ID, To: "planted@example.org", Subject: "planted subject",
			Text: "planted text", HTML: "<p>planted</p>", Language: "de", MessageID: "<1@x>", AddressHash: tx.EmailHash("planted@example.org"), State: store.OutQueued,
			Attempts: 1, NextAt: tx.Now, SentAt: utc(instant(2)), LastError: "tls", CreatedAt: tx.Now,
		}
		filled(t, m, "Epoch")
		queued, err := tx.QueueMail(m)
		must(t, err)
		again := m
		again.ID = ""
		twice, err := tx.QueueMail(again)
		must(t, err)
		wantEqual(t, "queued, and queued again", []bool{queued, twice}, []bool{true, false})
		got, err := tx.Mail(m.ID)
		must(t, err)
		wantEqual(t, "mail", got, m)
		n, err := tx.MailsTo(tx.EmailHash("PLANTED@example.org"), "verify", tx.Now)
		wantEqual(t, "mails to the address", n, 1)
		return err
	})
	s.in(t, tenant, func(tx *store.Tx) error {
		got, ok, err := tx.ClaimMail(m.ID, time.Minute)
		must(t, err)
		wantEqual(t, "claimed, with epoch", []any{ok, got.Epoch}, []any{true, int64(1)})
		_, ok, err = tx.ClaimMail(m.ID, time.Minute)
		must(t, err)
		wantEqual(t, "claimed twice", ok, false)
		wantKind(t, tx.MarkMail(m.ID, 0, store.OutSent, time.Time{}, ""), fault.Conflict)
		must(t, tx.MarkMail(m.ID, 1, store.OutQueued, tx.Now.Add(time.Minute), "refused"))
		got, err = tx.Mail(m.ID)
		must(t, err)
		wantEqual(t, "after a failed try", []any{got.State, got.Attempts, got.NextAt, got.LastError}, []any{store.OutQueued, 2, tx.Now.Add(time.Minute), "refused"})
		return nil
	})
	s.db.Clock.Move(time.Minute)
	s.in(t, tenant, func(tx *store.Tx) error {
		got, ok, err := tx.ClaimMail(m.ID, time.Minute)
		must(t, err)
		wantEqual(t, "claimed when due", ok, true)
		must(t, tx.MarkMail(m.ID, got.Epoch, store.OutSent, time.Time{}, ""))
		got, err = tx.Mail(m.ID)
		must(t, err)
		wantEqual(t, "sent", []any{got.State, got.SentAt}, []any{store.OutSent, tx.Now})
		for i := range 5 {
			_, err := tx.QueueMail(store.OutMail{Kind: "officer", DedupeKey: fmt.Sprint("o", i), To: "o@example.org", State: store.OutKept})
			must(t, err)
		}
		var walked []string
		cursor := ""
		for {
			page, next, err := tx.ListMail(2, cursor)
			must(t, err)
			for _, m := range page {
				walked = append(walked, m.DedupeKey)
			}
			if cursor = next; next == "" {
				break
			}
		}
		wantEqual(t, "mailbox, newest first", walked, []string{"o4", "o3", "o2", "o1", "o0", "verify/1"})
		return nil
	})
}

func (s suite) deliveries(t *testing.T) {
	tenant := s.tenant(t)
	var first string
	s.in(t, tenant, func(tx *store.Tx) error {
		e := store.Endpoint{ID: dsr.NewID(), URL: "https://hooks.example.org/planted", Events: []string{"request.fulfilled"}, Secrets: []string{"whsec_planted"}, Disabled: true, CreatedAt: tx.Now}
		filled(t, e)
		var err error
		first, err = tx.PutEndpoint(e, act("webhook.manage"))
		must(t, err)
		got, err := tx.Endpoint(first)
		must(t, err)
		wantEqual(t, "endpoint", got, e)
		e.Disabled, e.Secrets = false, nil
		_, err = tx.PutEndpoint(e, act("webhook.manage"))
		must(t, err)
		must(t, tx.RotateEndpointSecret(first, "whsec_2", act("webhook.manage")))
		must(t, tx.RotateEndpointSecret(first, "whsec_3", act("webhook.manage")))
		got, err = tx.Endpoint(first)
		must(t, err)
		wantEqual(t, "secrets", got.Secrets, []string{"whsec_3", "whsec_2"})
		_, err = tx.PutEndpoint(store.Endpoint{URL: "https://all.example.org", Events: []string{"*"}, Secrets: []string{"s"}}, act("webhook.manage"))
		must(t, err)
		_, err = tx.PutEndpoint(store.Endpoint{URL: "https://off.example.org", Events: []string{"*"}, Disabled: true}, act("webhook.manage"))
		must(t, err)
		for i, want := range []int{2, 0} {
			n, err := tx.QueueDeliveries("request.fulfilled", []byte(`{"planted":1}`), "fulfilled/1")
			must(t, err)
			if n != want {
				t.Fatalf("call %d queued %d", i, n)
			}
		}
		n, err := tx.QueueDeliveries("request.denied", []byte(`{}`), "denied/1")
		wantEqual(t, "deliveries of an event that one wants", n, 1)
		return err
	})
	s.in(t, tenant, func(tx *store.Tx) error {
		list, _, err := tx.ListDeliveries(first, 10, "")
		must(t, err)
		wantEqual(t, "deliveries", len(list), 1)
		d := list[0]
		wantEqual(t, "delivery", []any{d.Event, string(d.Body), d.DedupeKey, d.State, d.NextAt, d.CreatedAt},
			[]any{"request.fulfilled", `{"planted":1}`, "fulfilled/1", store.OutQueued, tx.Now, tx.Now})
		wantKind(t, tx.Redeliver(d.ID, act("webhook.manage")), fault.Conflict)
		claimed, ok, err := tx.ClaimDelivery(d.ID, time.Minute)
		must(t, err)
		wantEqual(t, "claimed", ok, true)
		_, ok, err = tx.ClaimDelivery(d.ID, time.Minute)
		must(t, err)
		wantEqual(t, "claimed twice", ok, false)
		wantKind(t, tx.MarkDelivery(d.ID, 7, store.OutSent, time.Time{}, 200, ""), fault.Conflict)
		must(t, tx.MarkDelivery(d.ID, claimed.Epoch, store.OutSent, time.Time{}, 204, "none"))
		got, err := tx.Delivery(d.ID)
		must(t, err)
		filled(t, got, "NextAt")
		wantEqual(t, "after sending", []any{got.State, got.SentAt, got.LastStatus, got.Attempts}, []any{store.OutSent, tx.Now, 204, 1})
		must(t, tx.Redeliver(d.ID, act("webhook.manage")))
		got, err = tx.Delivery(d.ID)
		must(t, err)
		wantEqual(t, "queued again under its id", []any{got.ID, got.State, got.Attempts}, []any{d.ID, store.OutQueued, 0})
		must(t, tx.DeleteEndpoint(first, act("webhook.manage")))
		_, err = tx.Delivery(d.ID)
		wantKind(t, err, fault.NotFound)
		wantKind(t, tx.DeleteEndpoint(first, act("webhook.manage")), fault.NotFound)
		all, err := tx.ListEndpoints()
		wantEqual(t, "endpoints left", len(all), 2)
		return err
	})
}

func (s suite) sources(t *testing.T) {
	tenant := s.tenant(t)
	s.in(t, tenant, func(tx *store.Tx) error {
		src := store.Source{ID: dsr.NewID(), Name: "shop", Secrets: []string{"whsec_planted"}, Disabled: true, CreatedAt: tx.Now}
		filled(t, src)
		_, err := tx.PutSource(src, act("webhook.manage"))
		must(t, err)
		got, err := tx.Source("shop")
		must(t, err)
		wantEqual(t, "source", got, src)
		_, err = tx.PutSource(store.Source{Name: "shop"}, act("webhook.manage"))
		must(t, err)
		src.Disabled = false
		list, err := tx.ListSources()
		must(t, err)
		wantEqual(t, "sources", list, []store.Source{src})
		_, err = tx.Source("other")
		wantKind(t, err, fault.NotFound)
		for i, want := range []bool{true, false} {
			first, err := tx.SeenInbound("shop", "msg_1")
			must(t, err)
			if first != want {
				t.Fatalf("message %d is the first: %v", i, first)
			}
		}
		first, err := tx.SeenInbound("crm", "msg_1")
		wantEqual(t, "the same id from another source", first, true)
		return err
	})
}

func (s suite) officers(t *testing.T) {
	tenant := s.tenant(t)
	s.in(t, tenant, func(tx *store.Tx) error {
		o := store.Officer{ID: dsr.NewID(), Email: "Planted.Officer@example.org", Name: "Planted Officer", Subject: "o1", Roles: []string{"officer", "admin"}, DisabledAt: utc(instant(1)), CreatedAt: tx.Now}
		filled(t, o)
		_, err := tx.PutOfficer(o, act("settings.write"))
		must(t, err)
		got, err := tx.Officer("o1")
		must(t, err)
		wantEqual(t, "officer", got, o)
		o.Roles, o.DisabledAt = []string{"auditor"}, time.Time{}
		_, err = tx.PutOfficer(o, act("settings.write"))
		must(t, err)
		got, err = tx.OfficerByEmail("planted.officer@example.org")
		must(t, err)
		wantEqual(t, "officer by address", got, o)
		_, err = tx.PutOfficer(store.Officer{Subject: "o2", Email: o.Email}, act("settings.write"))
		must(t, err)
		_, err = tx.OfficerByEmail(o.Email)
		wantKind(t, err, fault.NotFound)
		_, err = tx.Officer("o3")
		wantKind(t, err, fault.NotFound)
		list, err := tx.ListOfficers()
		wantEqual(t, "officers", len(list), 2)
		return err
	})
}
