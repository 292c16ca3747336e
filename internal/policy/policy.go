package policy

import (
	"maps"
	"slices"

	"github.com/habeas-data/habeas/internal/statute"
)

// Words of the file, compared as they stand; Parse refuses anything else.
const (
	ReviewAuto    = "auto"    // a verified request runs without an officer: the policy approves
	ReviewOfficer = "officer" // an officer decides (the default)

	GraceLive    = "live"    // the data stay in use until the grace period ends (the default)
	GraceBlocked = "blocked" // the data stay in place, their use is stopped
	GraceSealed  = "sealed"  // the data leave production at once, into a vault of their own

	RoleController = "controller"
	RoleProcessor  = "processor"

	FromRow        = "row"          // retention counts from the row's own date
	FromRowYearEnd = "row_year_end" // from 31 December of the row's year
	FromEvent      = "event"        // from the event that Retention.After names

	ThenDelete    = "delete"    // the end of a retention (the default)
	ThenAnonymize = "anonymize" // what stays singles nobody out

	ObjectionStops  = "stops"   // an objection ends the use (the default)
	ObjectionGoesOn = "goes_on" // part of the service: an objection does not reach it

	MethodEmailLink      = "email_link"      // a link and a code sent to the address
	MethodProductSession = "product_session" // the product vouches for its signed-in user
	MethodOfficer        = "officer"         // an officer checked, and says what
	MethodNone           = "none"            // no proof: only where nothing is disclosed or destroyed
)

// Policy is one version of a tenant's promises. Keys of maps are those of the file. It is read-only once parsed.
type Policy struct {
	File        string `json:"-"`       // the name given to Parse, for messages
	VersionText string `json:"version"` // as written: "2026-04-02"

	Version       statute.Date           `json:"-"`                     // in force from that day
	Number        string                 `json:"number,omitempty"`      // the policy's own numbering ("3.1"); may be empty
	Tenant        string                 `json:"tenant"`                // slug: lower case letters, digits, hyphens; 1-40
	Controller    Controller             `json:"controller"`            //
	Jurisdictions []string               `json:"jurisdictions"`         // codes of the statute table; the first answers for people elsewhere
	MinimumAge    int                    `json:"minimum_age,omitempty"` // years; 0: none stated
	Sells         bool                   `json:"sells,omitempty"`       // data are sold or shared for advertising; false: an opt-out is answered truthfully
	Acknowledge   statute.Period         `json:"acknowledge,omitzero"`  // the tenant's own promise to acknowledge; zero: only what the law asks
	Rights        map[string]Right       `json:"rights"`                // by name of the right
	Verification  Verification           `json:"verification"`          //
	Categories    map[string]Category    `json:"categories,omitempty"`  //
	Purposes      map[string]Purpose     `json:"purposes,omitempty"`    // only purposes that need more than their name
	Consents      map[string]Consent     `json:"consents,omitempty"`    //
	Recipients    map[string]Recipient   `json:"recipients,omitempty"`  //
	Events        map[string]EventSource `json:"events,omitempty"`      //
	Instructions  Instructions           `json:"instructions"`          //
	Package       PackageRules           `json:"package"`               //
	Records       Records                `json:"records"`               //
	Changes       Changes                `json:"changes,omitzero"`      //
	at            map[string]position    // where each path stands in the file
}

// Controller is who answers for the data, as it stands in letters.
type Controller struct {
	Name          string   `json:"name"`
	Contact       string   `json:"contact"`                 // e-mail address of the privacy mailbox
	DPO           string   `json:"dpo,omitempty"`           // data protection officer: name or address
	Address       string   `json:"address,omitempty"`       // postal
	Languages     []string `json:"languages"`               // ISO 639-1; the first is the default
	Zone          string   `json:"zone"`                    // IANA zone in which days begin and end (default UTC)
	Establishment string   `json:"establishment,omitempty"` // place whose holidays count ("DE"); "": each jurisdiction's default
}

// Right is how one right is handled.
type Right struct {
	Review     string         `json:"review"`               // ReviewAuto or ReviewOfficer
	Approvals  int            `json:"approvals"`            // people who must approve the plan, 1 or 2; without meaning under ReviewAuto
	Grace      statute.Period `json:"grace,omitzero"`       // zero: none. Erasure only
	GraceMode  string         `json:"grace_mode,omitempty"` // GraceLive, GraceBlocked or GraceSealed; "" without a grace period
	ChildGrace statute.Period `json:"child_grace,omitzero"` // instead of Grace for a person below MinimumAge; zero: at once
}

// Verification is how people may prove who they are.
type Verification struct {
	Methods []string            `json:"methods"`       // allowed at all, in the order of preference (default email_link)
	For     map[string][]string `json:"for,omitempty"` // right -> the methods that suffice for it; absent: Methods
	LinkTTL statute.Period      `json:"link_ttl"`      // how long a link in a mail works (default P1D)
	Expire  statute.Period      `json:"expire"`        // an unverified submission expires after it (default P14D)
}

// Category is one kind of data with one promise about it.
type Category struct {
	Role         string     `json:"role"`                    // RoleController (default) or RoleProcessor
	InstructedBy string     `json:"instructed_by,omitempty"` // for a processor: who instructs, a kind of subject of the data map or a word for letters
	Personal     bool       `json:"personal"`                // false: not about a person, and declared so (default true)
	Description  string     `json:"description,omitempty"`
	Purposes     []string   `json:"purposes,omitempty"`
	Basis        string     `json:"basis,omitempty"`  // GDPR Art. 6(1): contract, consent, legal_obligation, ...
	Source       string     `json:"source,omitempty"` // where the data come from, as it stands in letters
	Recipients   []string   `json:"recipients,omitempty"`
	Retention    *Retention `json:"retention,omitempty"`    // nil: none promised; goes with an erasure
	Automated    string     `json:"automated,omitempty"`    // automated decisions made with it: logic and meaning, as it stands in letters
	Disclosure   string     `json:"disclosure,omitempty"`   // sold, shared, business_purpose, none: CCPA lists
	StatutoryAs  string     `json:"statutory_as,omitempty"` // the name the law gives the category (Cal. Civ. Code 1798.140(v))
}

// Retention is how long a category stays, counted from where, and why it may outlive an erasure.
type Retention struct {
	From   string `json:"from"`             // FromRow, FromRowYearEnd or FromEvent
	After  string `json:"after,omitempty"`  // with FromEvent: the event's name
	Keep   Keep   `json:"keep"`             //
	Then   string `json:"then"`             // ThenDelete or ThenAnonymize
	Ground string `json:"ground,omitempty"` // the reason told to the person; required wherever the data map retains
}

// Keep is a period: a fixed one, or one that hangs on a state in the tenant's own data.
//
//	P5Y                                             Period
//	account.retention_days                          Else.Column
//	{by: account.plan, free: P30D, else: account.d} By, Cases, Else
type Keep struct {
	Period statute.Period `json:"period,omitzero"` // the fixed period; without meaning unless Fixed
	By     string         `json:"by,omitempty"`    // TABLE.COLUMN whose value chooses a case; "" when nothing chooses
	Cases  []KeepCase     `json:"cases,omitempty"` // in the file's order
	Else   *KeepCase      `json:"else,omitempty"`  // when no case fits; nil for a fixed period
}

// KeepCase is one branch of a Keep.
type KeepCase struct {
	Value  string         `json:"value,omitempty"`  // the column's value as text; "" in Else
	Period statute.Period `json:"period,omitzero"`  // the period chosen; without meaning when Column is set
	Column string         `json:"column,omitempty"` // TABLE.COLUMN that holds a whole number of days
}

// Fixed gives the period when it hangs on nothing.
func (k Keep) Fixed() (statute.Period, bool) { return k.Period, k.Else == nil }

// Choose gives the branch for the value that By holds; with no By it is always Else. Values are compared as text.
func (k Keep) Choose(value string) KeepCase {
	for _, c := range k.Cases {
		if c.Value == value {
			return c
		}
	}
	if k.Else != nil {
		return *k.Else
	}
	return KeepCase{Period: k.Period}
}

// Columns lists every TABLE.COLUMN that must be read to find the period, without repeats.
func (k Keep) Columns() []string {
	var out []string
	add := func(c string) {
		if c != "" && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	add(k.By)
	for _, c := range k.Cases {
		add(c.Column)
	}
	if k.Else != nil {
		add(k.Else.Column)
	}
	return out
}

// Purpose says more about one use of data than its name.
type Purpose struct {
	Description string `json:"description,omitempty"`
	Basis       string `json:"basis,omitempty"`
	Objection   string `json:"objection"`     // ObjectionStops or ObjectionGoesOn
	Why         string `json:"why,omitempty"` // required with goes_on
}

// Consent is a consent that can be shown and withdrawn.
type Consent struct {
	Description string   `json:"description,omitempty"`
	By          string   `json:"by"` // "person" (default) or "organization"
	Purposes    []string `json:"purposes,omitempty"`
	Categories  []string `json:"categories,omitempty"`
}

// Recipient is somebody else who gets data.
type Recipient struct {
	Name        string `json:"name"`
	Purpose     string `json:"purpose,omitempty"`
	Country     string `json:"country,omitempty"`   // ISO 3166-1 alpha-2
	Safeguard   string `json:"safeguard,omitempty"` // of a transfer abroad: none_needed, adequacy, scc, bcr, ...
	Role        string `json:"role"`                // processor (default), controller, joint_controller
	Kind        string `json:"kind,omitempty"`      // vendor, payment, integration, member, adviser, acquirer, authority, ...
	Contract    string `json:"contract,omitempty"`  // the agreement under which it gets data ("DPA of 2026-01-10")
	PolicyURL   string `json:"policy_url,omitempty"`
	AskDirectly bool   `json:"ask_directly,omitempty"` // the answer names it as somebody to ask as well
}

// EventSource says where the day of an event can be read.
type EventSource struct {
	Table  string `json:"table"`  // SYSTEM.TABLE or TABLE of the data map
	Column string `json:"column"` // a date or timestamp; null means that it has not happened
}

// Instructions are how the processor's part of a request is handed to whoever instructs.
type Instructions struct {
	Within statute.Period `json:"within"` // deadline given to them (default P10D)
	Remind statute.Period `json:"remind"` // chased again after each such period (default P3D)
}

// PackageRules are the rules of the export package.
type PackageRules struct {
	Keep   statute.Period `json:"keep"`             // downloadable for so long (default P7D)
	Review bool           `json:"review,omitempty"` // an officer looks at each package before its release
}

// Records are the tenant's rules for Habeas' own records about a finished request.
type Records struct {
	Keep statute.Period `json:"keep"` // after it the record of a request goes (default P3Y)
}

// Changes tell how the policy itself changes.
type Changes struct {
	Announce []string      `json:"announce,omitempty"` // email, event: to people with open requests
	Log      []ChangeEntry `json:"log,omitempty"`      // the public change log, newest first
}

// ChangeEntry is one line of the change log.
type ChangeEntry struct {
	Version string `json:"version"`
	Summary string `json:"summary"`
}

// RightNames gives the rights of the policy in alphabetical order.
func (p *Policy) RightNames() []string { return slices.Sorted(maps.Keys(p.Rights)) }

// CategoryNames gives the categories of the policy in alphabetical order.
func (p *Policy) CategoryNames() []string { return slices.Sorted(maps.Keys(p.Categories)) }

// Jurisdiction gives the code asked for if the policy lists it, else the first of the list ("" when there is none).
func (p *Policy) Jurisdiction(asked string) string {
	switch {
	case slices.Contains(p.Jurisdictions, asked):
		return asked
	case len(p.Jurisdictions) == 0:
		return ""
	}
	return p.Jurisdictions[0]
}

// Language gives the language asked for if the controller offers it, else the first.
func (p *Policy) Language(asked string) string {
	if slices.Contains(p.Controller.Languages, asked) {
		return asked
	}
	if len(p.Controller.Languages) == 0 {
		return "en"
	}
	return p.Controller.Languages[0]
}

// MethodsFor gives the verification methods that suffice for a right.
func (p *Policy) MethodsFor(right string) []string {
	if m, ok := p.Verification.For[right]; ok {
		return m
	}
	return p.Verification.Methods
}

// GraceFor gives the grace period and its mode for a right; below tells that the person is below MinimumAge.
// The mode is "" when there is no grace period.
func (p *Policy) GraceFor(right string, below bool) (statute.Period, string) {
	r := p.Rights[right]
	grace := r.Grace
	if below {
		grace = r.ChildGrace
	}
	if grace.IsZero() {
		return statute.Period{}, ""
	}
	return grace, r.GraceMode
}
