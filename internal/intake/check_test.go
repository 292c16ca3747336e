package intake

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/tenant"
)

func settings() *tenant.Settings {
	return &tenant.Settings{
		Policy: &policy.Policy{Jurisdictions: []string{"eu", "us-ca"}, Controller: policy.Controller{Languages: []string{"en", "de"}}},
		Map: &datamap.Map{Systems: []datamap.System{{Name: "app", Subjects: []datamap.Subject{{Name: "customer", Table: "customer",
			Identifiers: []datamap.Identifier{{Name: "email", Column: "email"}, {Name: "user_id", Column: "id"}}}}}}},
	}
}

func now() time.Time { return time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC) }

func principal(k access.Kind) access.Principal {
	return access.Principal{Kind: k, Tenant: "acme", Subject: "s"}
}

// wrong gives the names of the fields that are refused, sorted.
func wrong(t *testing.T, p access.Principal, in Input) []string {
	t.Helper()
	c := &checker{set: settings(), p: p, in: &in, now: now()}
	err := c.check()
	if err == nil {
		return nil
	}
	e, ok := fault.As(err)
	if !ok || e.Kind != fault.Invalid {
		t.Fatalf("the error is %v", err)
	}
	names := map[string]bool{}
	for _, f := range e.Fields {
		names[f.Name] = true
		for _, stranger := range []string{"evil", "\x00", "@"} {
			if strings.Contains(f.Message, stranger) && !strings.Contains(f.Message, "name@example.com") {
				t.Errorf("the message of %s repeats the input: %q", f.Name, f.Message)
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func good() Input { return Input{Types: []string{"access"}, Email: "ann@example.com"} }

func TestWrongFieldsAreNamed(t *testing.T) {
	many := func(n int) []string { return slices.Repeat([]string{"access"}, n) }
	changes := func(n int, field, to string) []dsr.Change {
		return slices.Repeat([]dsr.Change{{Field: field, To: to}}, n)
	}
	long := func(n int) string { return strings.Repeat("é", n) }
	for name, c := range map[string]struct {
		change func(*Input)
		want   []string
	}{
		"nothing wrong":                   {func(*Input) {}, nil},
		"no right":                        {func(i *Input) { i.Types = nil }, []string{"types"}},
		"too many rights":                 {func(i *Input) { i.Types = many(9) }, []string{"types"}},
		"a right twice":                   {func(i *Input) { i.Types = many(2) }, []string{"types[1]"}},
		"rights that do not exist":        {func(i *Input) { i.Types = []string{"evil", "access", "Access", ""} }, []string{"types[0]", "types[2]", "types[3]"}},
		"no address":                      {func(i *Input) { i.Email = "" }, []string{"email"}},
		"spaces for an address":           {func(i *Input) { i.Email = "  " }, []string{"email"}},
		"no address at all":               {func(i *Input) { i.Email = "evil" }, []string{"email"}},
		"two addresses":                   {func(i *Input) { i.Email = "a@example.com,evil@example.com" }, []string{"email"}},
		"a header in the address":         {func(i *Input) { i.Email = "a@example.com\r\nBcc: evil@example.com" }, []string{"email"}},
		"a name around the address":       {func(i *Input) { i.Email = "Ann <ann@example.com>" }, []string{"email"}},
		"an address that runs backwards":  {func(i *Input) { i.Email = "ann@\u202eexample.com" }, []string{"email"}},
		"an address of 10,000":            {func(i *Input) { i.Email = strings.Repeat("a", 10000) + "@example.com" }, []string{"email"}},
		"a long name":                     {func(i *Input) { i.Name = long(201) }, []string{"name"}},
		"a name of 200":                   {func(i *Input) { i.Name = long(200) }, nil},
		"a name that is no text":          {func(i *Input) { i.Name = "a\xff" }, []string{"name"}},
		"a long message":                  {func(i *Input) { i.Message = long(4001) }, []string{"message"}},
		"a message of 4,000":              {func(i *Input) { i.Message = long(4000) }, nil},
		"an identifier that nobody knows": {func(i *Input) { i.Identifiers = map[string]string{"evil": "1"} }, []string{"identifiers"}},
		"an address as identifier":        {func(i *Input) { i.Identifiers = map[string]string{"email": "b@example.com"} }, []string{"identifiers.email"}},
		"an empty identifier":             {func(i *Input) { i.Identifiers = map[string]string{"user_id": ""} }, []string{"identifiers.user_id"}},
		"a long identifier":               {func(i *Input) { i.Identifiers = map[string]string{"user_id": long(321)} }, []string{"identifiers.user_id"}},
		"a zero byte in an identifier":    {func(i *Input) { i.Identifiers = map[string]string{"user_id": "1\x00"} }, []string{"identifiers.user_id"}},
		"many identifiers": {func(i *Input) {
			i.Identifiers = map[string]string{"1": "", "2": "", "3": "", "4": "", "5": "", "6": "", "7": "", "8": "", "9": ""}
		}, []string{"identifiers"}},
		"a jurisdiction that is none":   {func(i *Input) { i.Jurisdiction = "EU" }, []string{"jurisdiction"}},
		"a jurisdiction with a path":    {func(i *Input) { i.Jurisdiction = "../eu" }, []string{"jurisdiction"}},
		"an unknown place":              {func(i *Input) { i.Jurisdiction = "br" }, nil}, // answered as the policy says
		"a language that is none":       {func(i *Input) { i.Language = long(17) }, []string{"language"}},
		"a header in the language":      {func(i *Input) { i.Language = "en\r\nx" }, []string{"language"}},
		"nothing to correct":            {func(i *Input) { i.Types = []string{"rectification"} }, []string{"changes"}},
		"a correction in words":         {func(i *Input) { i.Types = []string{"rectification"}; i.Message = "My name is Anne." }, nil},
		"many corrections":              {func(i *Input) { i.Changes = changes(21, "f", "t") }, []string{"changes"}},
		"a correction of nothing":       {func(i *Input) { i.Changes = changes(1, " ", "t") }, []string{"changes[0].field"}},
		"a correction to a book":        {func(i *Input) { i.Changes = changes(1, "f", long(2001)) }, []string{"changes[0].to"}},
		"a correction to nothing":       {func(i *Input) { i.Changes = changes(1, "f", "") }, nil},
		"for somebody who has no name":  {func(i *Input) { i.OnBehalfOf = &dsr.Represented{Relation: "child"} }, []string{"on_behalf_of.name"}},
		"for somebody by no relation":   {func(i *Input) { i.OnBehalfOf = &dsr.Represented{Relation: "evil", Name: "B", Email: "x"} }, []string{"on_behalf_of.email", "on_behalf_of.relation"}},
		"a purpose that can't be named": {func(i *Input) { i.Purpose = "evil" }, []string{"purpose"}},
		"what only a backend may say": {func(i *Input) {
			i.Subject, i.Channel, i.Org, i.Assertion, i.ReceivedAt = "1", "api", "o", &Assertion{}, now()
		}, []string{"assertion", "channel", "org", "received_at", "subject"}},
		"everything at once": {func(i *Input) {
			*i = Input{Types: []string{"evil"}, Email: "evil", Name: long(300), Identifiers: map[string]string{"evil": "1"}, Jurisdiction: "E", Message: long(5000),
				Changes: changes(1, "", "x"), OnBehalfOf: &dsr.Represented{}, Purpose: "p", Org: "o"}
		}, []string{"changes[0].field", "email", "identifiers", "jurisdiction", "message", "name", "on_behalf_of.name", "on_behalf_of.relation", "org", "purpose", "types[0]"}},
	} {
		t.Run(name, func(t *testing.T) {
			in := good()
			c.change(&in)
			if got := wrong(t, principal(access.KindPublic), in); !slices.Equal(got, c.want) {
				t.Errorf("refused: %v, want %v", got, c.want)
			}
		})
	}
}

func TestWhatBackendsMaySay(t *testing.T) {
	org := principal(access.KindOfficer)
	org.Roles, org.Org = []access.Role{access.RoleOrgAdmin}, "acme"
	for name, c := range map[string]struct {
		p      access.Principal
		change func(*Input)
		want   []string
	}{
		"a number alone":            {principal(access.KindProduct), func(i *Input) { i.Email, i.Subject = "", "42" }, nil},
		"a number and no address":   {principal(access.KindProduct), func(i *Input) { i.Email = "" }, []string{"email"}},
		"two numbers":               {principal(access.KindProduct), func(i *Input) { i.Subject, i.Identifiers = "42", map[string]string{"user_id": "43"} }, []string{"subject"}},
		"a kind of person":          {principal(access.KindOfficer), func(i *Input) { i.Subject = "customer" }, nil},
		"an unknown channel":        {principal(access.KindOfficer), func(i *Input) { i.Channel = "pigeon" }, []string{"channel"}},
		"mail that lay about":       {principal(access.KindOfficer), func(i *Input) { i.ReceivedAt, i.Channel = now().AddDate(0, -1, 0), "post" }, nil},
		"from the future":           {principal(access.KindOfficer), func(i *Input) { i.ReceivedAt = now().Add(time.Hour) }, []string{"received_at"}},
		"from long ago":             {principal(access.KindOfficer), func(i *Input) { i.ReceivedAt = now().AddDate(-3, 0, 0) }, []string{"received_at"}},
		"an officer vouches":        {principal(access.KindOfficer), func(i *Input) { i.Assertion = &Assertion{"product_session", now()} }, []string{"assertion"}},
		"for another organization":  {org, func(i *Input) { i.Org = "umbrella" }, []string{"org"}},
		"for the own organization":  {org, func(i *Input) { i.Org = "acme" }, nil},
		"a long number":             {principal(access.KindProduct), func(i *Input) { i.Subject = strings.Repeat("9", 321) }, []string{"subject"}},
		"a number with a zero byte": {principal(access.KindProduct), func(i *Input) { i.Subject = "1\x00" }, []string{"subject"}},
	} {
		t.Run(name, func(t *testing.T) {
			in := good()
			c.change(&in)
			if got := wrong(t, c.p, in); !slices.Equal(got, c.want) {
				t.Errorf("refused: %v, want %v", got, c.want)
			}
		})
	}
}

// TestTextsAreCleaned: no control character but the end of a line gets into what officers read.
func TestTextsAreCleaned(t *testing.T) {
	in := good()
	in.Name = " \x1b[31mAnn\x00\r\x7f "
	in.Message = "first\nsecond\tthird\u0085\u009b\x08\u202e\u2066"
	c := &checker{set: settings(), p: principal(access.KindPublic), in: &in, now: now()}
	if err := c.check(); err != nil {
		t.Fatal(err)
	}
	if in.Name != "[31mAnn" || in.Message != "first\nsecond\tthird" {
		t.Errorf("left are %q and %q", in.Name, in.Message)
	}
}
