package notify

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/statute"
)

// sayChecked is Say for letters, where a missing phrase is a mistake of the letter.
func (p *Phrases) sayChecked(key string, pairs []string) (string, error) {
	if !p.Has(key) {
		return "", fmt.Errorf("there is no phrase %q", key)
	}
	return p.Say(key, pairs...), nil
}

// day writes a date or an instant as a day in the letter's zone.
func (p *Phrases) day(at any, d Data) (string, error) {
	switch v := at.(type) {
	case statute.Date:
		return p.Date(v), nil
	case time.Time:
		if v.IsZero() {
			return "", nil
		}
		return p.At(v, d.Zone), nil
	}
	return "", fmt.Errorf("a %T is no day", at)
}

// asked lists what a letter is about: the one right, else all that was asked at once.
func (p *Phrases) asked(d Data) string {
	rights := d.Rights
	if d.Right != "" {
		rights = []dsr.Right{d.Right}
	}
	names := make([]string, len(rights))
	for i, r := range rights {
		names[i] = p.RightNoun(r)
	}
	return p.List(names)
}

// keptLines says each thing that stays: what, how many, why, until when.
func (p *Phrases) keptLines(d Data) []string {
	var out []string
	for _, l := range d.Kept {
		pairs := []string{"what", p.Thing(cmp.Or(l.What, l.Category)), "rows", p.Count("entries", l.Rows), "why", strings.TrimRight(oneLine(p.Reason(l.Ground)), "."),
			"first", p.Date(l.From), "until", p.Date(l.Until)}
		key := "kept.open"
		switch {
		case !l.Until.IsZero() && !l.From.IsZero() && l.From != l.Until:
			key = "kept.between"
		case !l.Until.IsZero():
			key = "kept.until"
		}
		if l.Ground == "" {
			key += ".plain"
		}
		out = append(out, p.Say(key, pairs...))
	}
	return out
}

// doneLines says what went, each thing once.
func (p *Phrases) doneLines(d Data) []string {
	type same struct {
		what       string
		anonymized bool
	}
	rows := map[same]int64{}
	var order []same
	for _, l := range d.Done {
		k := same{cmp.Or(l.What, l.Category), l.Anonymized}
		if _, ok := rows[k]; !ok {
			order = append(order, k)
		}
		rows[k] += l.Rows
	}
	var out []string
	for _, k := range order {
		key := "done.deleted"
		if k.anonymized {
			key = "done.anonymized"
		}
		out = append(out, p.Say(key, "what", p.Thing(k.what), "rows", p.Count("entries", rows[k])))
	}
	return out
}

// recourse says where a person can turn when they disagree, by the law that answers for them.
func (p *Phrases) recourse(d Data) []string {
	where := func(key string) string {
		return p.Say(key, "authority", cmp.Or(d.Authority, p.Say("recourse.authority")), "url", d.AuthorityURL, "contact", d.Contact)
	}
	var out []string
	if d.Appeal {
		// Several US states: the refusal must say how to appeal. Elsewhere the line is left out.
		out = append(out, where("recourse.appeal"))
	}
	code := d.Jurisdiction
	if strings.HasPrefix(code, "us-") && code != "us-ca" {
		code = "us"
	}
	switch code {
	case "eu":
		// GDPR Art. 12(4): complaint to an authority and judicial remedy.
		out = append(out, p.Say("recourse.eu"))
	case "uk":
		// DPA 2018 s.164A: a complaint to the controller itself comes first since 19 June 2026.
		out = append(out, where("recourse.controller"), p.Say("recourse.uk"))
	case "us-ca":
		out = append(out, p.Say("recourse.us-ca"))
	case "us":
		out = append(out, where("recourse.us"))
	case "ch":
		out = append(out, p.Say("recourse.ch"))
	default:
		out = append(out, where("recourse.other"))
	}
	if d.AuthorityURL != "" && linkForm.MatchString(d.AuthorityURL) {
		out = append(out, p.Say("recourse.url", "url", d.AuthorityURL))
	}
	return out
}

// Recourse says where a person can turn when they disagree with an answer, one sentence each.
func (p *Phrases) Recourse(jurisdiction, authority, authorityURL, contact string, appeal bool) []string {
	return p.recourse(Data{Jurisdiction: jurisdiction, Authority: authority, AuthorityURL: authorityURL, Contact: contact, Appeal: appeal})
}

// Kept says one thing that was kept, as letters do.
func (p *Phrases) Kept(l KeptLine) string { return p.keptLines(Data{Kept: []KeptLine{l}})[0] }
