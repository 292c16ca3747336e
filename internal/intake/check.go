package intake

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/mail"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/tenant"
)

// assertionAge is how old a product's sign-in may be to stand for a verification.
const assertionAge = time.Hour

var jurisdictionForm = regexp.MustCompile(`^[a-z]{2}(-[a-z]{2,7})?$`)

// checker holds one input against the tenant's settings and gathers every wrong field.
type checker struct {
	set *tenant.Settings
	p   access.Principal
	in  *Input
	now time.Time

	rights      []dsr.Right
	channel     dsr.Channel
	subject     string
	language    string
	receivedAt  time.Time
	proofs      []dsr.Proof
	graceEndsAt time.Time // of an erasure that an event of the product began
	org         string
	faults      []fault.Field
}

func (c *checker) bad(name, format string, args ...any) {
	c.faults = append(c.faults, fault.Field{Name: name, Message: fmt.Sprintf(format, args...)})
}

func (c *checker) check() error {
	c.checkTypes()
	c.checkEmail()
	c.checkTexts()
	c.checkIdentifiers()
	c.checkPlace()
	c.checkChanges()
	c.checkOrigin()
	c.checkAssertion()
	return fault.BadInput(c.faults)
}

func (c *checker) checkTypes() {
	if len(c.in.Types) == 0 {
		c.bad("types", "say what you ask for: one or more of %s", wordList(dsr.Rights()))
	}
	if len(c.in.Types) > MaxTypes {
		c.bad("types", "at most %d at once", MaxTypes)
		return
	}
	for i, t := range c.in.Types {
		right, ok := dsr.ParseRight(t)
		switch {
		case !ok:
			c.bad(fmt.Sprintf("types[%d]", i), "this is none of %s", wordList(dsr.Rights()))
		case slices.Contains(c.rights, right):
			c.bad(fmt.Sprintf("types[%d]", i), "%s is there twice", right)
		default:
			c.rights = append(c.rights, right)
		}
	}
}

func (c *checker) checkEmail() {
	c.in.Email = strings.TrimSpace(c.in.Email)
	if c.in.Email == "" {
		if c.p.Kind == access.KindPublic || len(c.in.Identifiers)+len(c.in.Subject) == 0 {
			c.bad("email", "we need an address to answer to")
		}
		return
	}
	if _, err := mail.ParseAddress(c.in.Email); err != nil {
		c.bad("email", "this is not an e-mail address that we can write to, such as name@example.com")
	}
}

func (c *checker) checkTexts() {
	c.text("name", &c.in.Name, MaxName)
	c.text("message", &c.in.Message, MaxMessage)
	if b := c.in.OnBehalfOf; b != nil {
		c.text("on_behalf_of.name", &b.Name, MaxName)
		if b.Name == "" {
			c.bad("on_behalf_of.name", "say for whom you ask")
		}
		if !slices.Contains([]string{"child", "agent", "other"}, b.Relation) {
			c.bad("on_behalf_of.relation", "this is none of child, agent, other")
		}
		if b.Email != "" {
			if _, err := mail.ParseAddress(b.Email); err != nil {
				c.bad("on_behalf_of.email", "this is not an e-mail address that we can write to")
			}
		}
	}
}

// text bounds a text in characters and takes out what no text of a person needs and what can deceive an officer who
// reads it: control characters but line breaks, and those that turn the direction of other text.
func (c *checker) text(name string, s *string, most int) {
	if !utf8.ValidString(*s) {
		c.bad(name, "this is not valid UTF-8")
		return
	}
	*s = strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case unicode.IsControl(r), '\u202a' <= r && r <= '\u202e', '\u2066' <= r && r <= '\u2069':
			return -1
		}
		return r
	}, *s))
	if n := utf8.RuneCountInString(*s); n > most {
		c.bad(name, "at most %d characters; these are %d", most, n)
	}
}

func (c *checker) checkIdentifiers() {
	known := identifierNames(c.set)
	if len(c.in.Identifiers) > MaxIdentifiers {
		c.bad("identifiers", "at most %d", MaxIdentifiers)
		return
	}
	for name, value := range c.in.Identifiers {
		field := "identifiers." + name
		switch {
		case name == "email":
			c.bad(field, "the address goes into the field email")
		case !slices.Contains(known, name):
			c.bad("identifiers", "there is an identifier that is not known here; known are %s", orNone(known))
		case !fitsIdentifier(value):
			c.bad(field, "between 1 and %d characters", MaxIdentifier)
		}
	}
	slices.SortFunc(c.faults, func(a, b fault.Field) int { return strings.Compare(a.Name, b.Name) })
}

func fitsIdentifier(value string) bool {
	return value != "" && utf8.RuneCountInString(value) <= MaxIdentifier && utf8.ValidString(value) && !strings.ContainsFunc(value, unicode.IsControl)
}

func (c *checker) checkPlace() {
	if j := c.in.Jurisdiction; j != "" && !jurisdictionForm.MatchString(j) {
		c.bad("jurisdiction", "this is not a jurisdiction such as %s", wordList(c.set.Policy.Jurisdictions))
	}
	if l := c.in.Language; len(l) > 16 || strings.ContainsAny(l, "\r\n\x00") {
		c.bad("language", "this is not a language such as %s", wordList(c.set.Policy.Controller.Languages))
		return
	}
	c.language = c.set.Policy.Language(c.in.Language)
}

func (c *checker) checkChanges() {
	if slices.Contains(c.rights, dsr.RightRectification) && len(c.in.Changes) == 0 && c.in.Message == "" {
		c.bad("changes", "say which field should be corrected and what it should say, or write it in the message")
	}
	if len(c.in.Changes) > MaxChanges {
		c.bad("changes", "at most %d", MaxChanges)
		return
	}
	for i := range c.in.Changes {
		ch := &c.in.Changes[i]
		c.text(fmt.Sprintf("changes[%d].field", i), &ch.Field, MaxName)
		c.text(fmt.Sprintf("changes[%d].to", i), &ch.To, MaxChange)
		if ch.Field == "" {
			c.bad(fmt.Sprintf("changes[%d].field", i), "say which field should be corrected")
		}
	}
	if p := c.in.Purpose; p != "" && p != PurposeMarketing {
		c.bad("purpose", "the one purpose that can be named is %s", PurposeMarketing)
	}
}

// checkOrigin settles what only officers and backends may say: channel, subject, day of receipt, organization.
func (c *checker) checkOrigin() {
	c.receivedAt, c.channel = c.now, dsr.ChannelForm
	if c.p.Kind == access.KindPublic {
		c.refusePrivileged()
		return
	}
	c.channel = dsr.ChannelAPI
	if c.p.Kind == access.KindProduct {
		c.channel = dsr.ChannelProduct
	}
	if ch := dsr.Channel(c.in.Channel); ch != "" {
		if !slices.Contains([]dsr.Channel{dsr.ChannelForm, dsr.ChannelAPI, dsr.ChannelProduct, dsr.ChannelWebhook, dsr.ChannelEmail, dsr.ChannelPhone, dsr.ChannelPost}, ch) {
			c.bad("channel", "this is none of form, api, product, webhook, email, phone, post")
		}
		c.channel = ch
	}
	if at := c.in.ReceivedAt; !at.IsZero() {
		if at.After(c.now.Add(time.Minute)) {
			c.bad("received_at", "this lies in the future")
		} else if at.Before(c.now.AddDate(-2, 0, 0)) {
			c.bad("received_at", "this is more than two years ago")
		}
		c.receivedAt = at.UTC().Truncate(time.Microsecond)
	}
	c.checkSubject()
	c.org = c.in.Org
	if c.p.OrgOnly() {
		if c.in.Org != "" && c.in.Org != c.p.Org {
			c.bad("org", "you act for another organization")
		}
		c.org = c.p.Org
	}
}

func (c *checker) refusePrivileged() {
	for name, set := range map[string]bool{"subject": c.in.Subject != "", "channel": c.in.Channel != "" && c.in.Channel != string(dsr.ChannelForm), "assertion": c.in.Assertion != nil,
		"received_at": !c.in.ReceivedAt.IsZero(), "org": c.in.Org != ""} {
		if set {
			c.bad(name, "this can't be said here")
		}
	}
}

// checkSubject reads `subject`: the name of a kind of person in the data map, or the product's own id of the person.
func (c *checker) checkSubject() {
	if c.in.Subject == "" {
		return
	}
	for _, sys := range c.set.Map.Systems {
		if _, ok := sys.Subject(c.in.Subject); ok {
			c.subject = c.in.Subject
			return
		}
	}
	if !fitsIdentifier(c.in.Subject) {
		c.bad("subject", "between 1 and %d characters", MaxIdentifier)
		return
	}
	if slices.Contains(identifierNames(c.set), "user_id") {
		if c.in.Identifiers == nil {
			c.in.Identifiers = map[string]string{}
		}
		if old, ok := c.in.Identifiers["user_id"]; ok && old != c.in.Subject {
			c.bad("subject", "identifiers.user_id says something else")
		}
		c.in.Identifiers["user_id"] = c.in.Subject
		return
	}
	c.bad("subject", "the data map has no such kind of person and no identifier user_id")
}

// checkAssertion takes a product's word for its signed-in user where the policy allows the method for every right
// asked. It proves every identifier that the product names.
func (c *checker) checkAssertion() {
	a := c.in.Assertion
	if a == nil || len(c.faults) > 0 {
		return
	}
	if c.p.Kind != access.KindProduct {
		c.bad("assertion", "only a product's backend can vouch for its signed-in user")
		return
	}
	if a.AuthenticatedAt.IsZero() || a.AuthenticatedAt.After(c.now.Add(time.Minute)) {
		c.bad("assertion.authenticated_at", "say when the user signed in, in the past")
		return
	}
	if a.Method == "" {
		c.bad("assertion.method", "say how the user signed in, such as %s", policy.MethodProductSession)
		return
	}
	if c.now.Sub(a.AuthenticatedAt) > assertionAge || !c.vouchable(a.Method) {
		return // not enough here: the person proves it by mail instead
	}
	for name, value := range c.in.Identifiers {
		c.proofs = append(c.proofs, dsr.Proof{Identifier: name, Value: value, Method: a.Method, At: c.now})
	}
	if c.in.Email != "" {
		c.proofs = append(c.proofs, dsr.Proof{Identifier: "email", Value: c.in.Email, Method: a.Method, At: c.now})
	}
	slices.SortFunc(c.proofs, func(x, y dsr.Proof) int { return strings.Compare(x.Identifier, y.Identifier) })
}

func (c *checker) vouchable(method string) bool {
	if method != policy.MethodProductSession {
		return false
	}
	for _, r := range c.rights {
		if r.NeedsProof() && !slices.Contains(c.set.Policy.MethodsFor(string(r)), method) {
			return false
		}
	}
	return true
}

func wordList[T ~string](words []T) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return strings.Join(out, ", ")
}

func orNone(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

func object(kind, id string) auditlog.Object { return auditlog.Object{Kind: kind, ID: id} }
