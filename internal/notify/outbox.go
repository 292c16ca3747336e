package notify

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
)

// Outbox queues letters: rows in the database, written in the transaction of what they tell.
type Outbox struct {
	base   string // without a slash at the end
	domain string
	book   *statute.Book
}

// NewOutbox makes an outbox. publicURL is the base of links in letters (`https://privacy.example.com`); book says where
// people can complain, and may be nil: then letters say so in general words.
func NewOutbox(publicURL string, book *statute.Book) (*Outbox, error) {
	u, err := url.Parse(publicURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("the public address must look like https://privacy.example.com")
	}
	return &Outbox{base: strings.TrimRight(publicURL, "/"), domain: idDomain(u.Hostname()), book: book}, nil
}

// idDomain gives the right side of Message-IDs. An address of digits or with colons is no domain.
func idDomain(host string) string {
	if strings.Trim(host, "0123456789.") == "" || strings.Contains(host, ":") || !strings.Contains(host, ".") {
		return "habeas.localhost"
	}
	return strings.ToLower(host)
}

// URL gives the address of a page of a tenant: URL("acme", "r/HB-7K3M-92QD").
func (o *Outbox) URL(tenant dsr.TenantID, path string) string {
	return o.base + "/" + url.PathEscape(string(tenant)) + "/" + strings.TrimLeft(path, "/")
}

// Data fills in what every letter of a submission says: who answers, which rights, which dates, where to look, where
// to complain. The person's own words are not among it.
func (o *Outbox) Data(p *policy.Policy, sub dsr.Submission, reqs []dsr.Request) Data {
	d := Data{
		Controller: p.Controller.Name, Contact: p.Controller.Contact, Reference: sub.Reference, Language: sub.Language,
		Jurisdiction: sub.Jurisdiction, Zone: time.UTC, StatusURL: o.URL(sub.Tenant, "r/"+string(sub.Reference)),
	}
	if loc, err := time.LoadLocation(p.Controller.Zone); err == nil {
		d.Zone = loc
	}
	for _, r := range reqs {
		if !slices.Contains(d.Rights, r.Right) {
			d.Rights = append(d.Rights, r.Right)
		}
		d.AcknowledgeBy = earlier(d.AcknowledgeBy, r.AcknowledgeBy)
		d.DueOn = earlier(d.DueOn, r.DueOn)
	}
	o.recourse(&d, sub, reqs)
	return d
}

// recourse looks up who hears complaints, and whether the law gives an appeal to the controller for every right asked.
func (o *Outbox) recourse(d *Data, sub dsr.Submission, reqs []dsr.Request) {
	if o.book == nil {
		return
	}
	j, err := o.book.Jurisdiction(sub.Jurisdiction, statute.DateOf(sub.ReceivedAt.In(d.Zone)))
	if err != nil {
		return // a law that the book does not hold: the letter says it in general words
	}
	d.Authority, d.AuthorityURL = j.Authority.Name, j.Authority.URL
	g, ok := j.Grant(string(dsr.RightAppeal))
	d.Appeal = ok && len(reqs) > 0 && !slices.ContainsFunc(reqs, func(r dsr.Request) bool {
		return len(g.Of) > 0 && !slices.Contains(g.Of, string(r.Right))
	})
}

func earlier(a, b statute.Date) statute.Date {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// Mail is one letter to be queued.
type Mail struct {
	Kind       Kind
	To         string
	Submission dsr.SubmissionID
	Request    dsr.RequestID // "" when it is about the whole submission
	Dedupe     string        // the same cause queues one letter
	Data       Data
}

// Queue renders a letter and puts it into the outbox, in the caller's transaction. A letter of the same Dedupe is not
// queued twice. Its Message-ID is fixed now, so that a letter sent twice after a lost answer can be told to be one.
func (o *Outbox) Queue(tx *store.Tx, m Mail) error {
	letter, err := Render(m.Kind, m.Data)
	if err != nil {
		return err
	}
	id := dsr.NewID()
	_, err = tx.QueueMail(store.OutMail{
		ID: id, Kind: string(m.Kind), DedupeKey: m.Dedupe, Submission: m.Submission, Request: m.Request, To: m.To,
		Subject: letter.Subject, Text: letter.Text, HTML: letter.HTML, Language: Words(m.Data.Language).Lang(),
		MessageID: id + "@" + o.domain,
	})
	if err != nil {
		return fmt.Errorf("queueing a letter of kind %s: %w", m.Kind, err)
	}
	return nil
}
