package statute

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/habeas-data/habeas/internal/fault"
)

//go:embed jurisdictions/*.yaml
var embedded embed.FS

// Book holds all jurisdictions. It is read-only after Load and safe for concurrent use.
type Book struct{ laws map[string]*law }

// law is one file.
type law struct {
	Schema        int                 `yaml:"schema"`
	Code          string              `yaml:"code"`
	Name          string              `yaml:"name"`
	Law           string              `yaml:"law"`
	Extends       string              `yaml:"extends"` // code of a pattern whose rules hold where this file has none
	ValidFrom     Date                `yaml:"valid_from"`
	Establishment string              `yaml:"establishment"` // default place whose holidays count
	Authority     Authority           `yaml:"authority"`
	Rights        []Grant             `yaml:"rights"`
	Instead       map[string][]string `yaml:"instead"` // right that the law lacks -> those that serve the same wish
	Acknowledge   []span              `yaml:"acknowledge"`
	Response      []span              `yaml:"response"`
	Extension     []span              `yaml:"extension"`
	Pauses        []pauseRule         `yaml:"pauses"`
	Rollover      []rollRule          `yaml:"rollover"`
	Remarks       []Remark            `yaml:"remarks"`
	Facts         []Fact              `yaml:"facts"`
	parent        *law
}

// Authority is where a person can complain.
type Authority struct {
	Name string `yaml:"name" json:"name"`
	URL  string `yaml:"url" json:"url"`
}

// Jurisdiction is one law as it stands on a day.
type Jurisdiction struct {
	Code          string    `json:"code"`
	Name          string    `json:"name"`
	Law           string    `json:"law"`
	Establishment string    `json:"establishment"`
	Authority     Authority `json:"authority"`
	Rights        []Grant   `json:"rights"`
	on            Date
	law           *law
}

// Load parses and checks every embedded jurisdiction; the error names every fault of every file.
func Load() (*Book, error) { return loadFS(embedded, "jurisdictions") }

func loadFS(fsys fs.FS, dir string) (*Book, error) {
	names, err := fs.Glob(fsys, dir+"/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("listing jurisdictions: %w", err)
	}
	b := &Book{laws: map[string]*law{}}
	var errs []error
	for _, name := range names {
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		l := new(law)
		if err := yaml.UnmarshalWithOptions(src, l, yaml.Strict()); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			continue
		}
		if want := dir + "/" + l.Code + ".yaml"; name != want || b.laws[l.Code] != nil {
			errs = append(errs, fmt.Errorf("%s: holds the code %q; one file a code, named after it", name, l.Code))
		}
		b.laws[l.Code] = l
	}
	for _, code := range b.Codes() {
		errs = append(errs, b.laws[code].link(b)...)
	}
	for _, code := range b.Codes() {
		errs = append(errs, b.laws[code].check()...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return b, nil
}

// Codes lists the jurisdictions in alphabetical order.
func (b *Book) Codes() []string { return slices.Sorted(maps.Keys(b.laws)) }

// Jurisdiction gives a law as it stands on a day. An unknown code, and a day before the rules held here begin,
// are fault.Invalid.
func (b *Book) Jurisdiction(code string, on Date) (*Jurisdiction, error) {
	l, ok := b.laws[code]
	if !ok {
		return nil, fault.New(fault.Invalid, "unknown_jurisdiction",
			"There is no jurisdiction %q; known are %s.", code, strings.Join(b.Codes(), ", "))
	}
	if on.Before(l.ValidFrom) {
		return nil, fault.New(fault.Invalid, "jurisdiction_not_in_force",
			"The rules held for %s begin on %s; %s lies before.", l.Name, l.ValidFrom, on)
	}
	j := &Jurisdiction{Code: l.Code, Name: l.Name, Law: l.Law, Establishment: l.Establishment, Authority: l.Authority, on: on, law: l}
	for _, name := range RightNames() {
		if g, ok := j.Grant(name); ok {
			j.Rights = append(j.Rights, g)
		}
	}
	return j, nil
}

// Grant finds the row that gives a right on the jurisdiction's day.
func (j *Jurisdiction) Grant(right string) (Grant, bool) {
	for l := j.law; l != nil; l = l.parent {
		for _, g := range l.Rights {
			if g.Right == right && g.inForce(j.on) {
				return g, !g.None
			}
		}
	}
	return Grant{}, false
}

// Instead lists the rights that serve the same wish where the law does not give this one: in California a wish for
// access is know_specific. Empty when there is nothing like it.
func (j *Jurisdiction) Instead(right string) []string {
	var out []string
	for l := j.law; l != nil && out == nil; l = l.parent {
		for _, alt := range l.Instead[right] {
			if _, ok := j.Grant(alt); ok {
				out = append(out, alt)
			}
		}
	}
	return out
}

// Fact finds a rule that is not a date; right may be "" for one that holds for all.
func (j *Jurisdiction) Fact(name, right string) (Fact, bool) {
	return chain(j, func(l *law) []Fact { return l.Facts }, right, func(f Fact) bool { return f.Fact == name })
}

// Remarks lists what belongs beside the dates of a right.
func (j *Jurisdiction) Remarks(right string) []Remark {
	var out []Remark
	for l := j.law; l != nil; l = l.parent {
		for _, r := range l.Remarks {
			if r.holds(right, j.on) {
				out = append(out, r)
			}
		}
	}
	return out
}

// chain finds the rule for a right on the jurisdiction's day: one that names the right before one that is for all,
// and among equals the file's own before that of the pattern it extends. So a state that counts 90 days keeps the
// pattern's own figure for appeals. A row that says "none" ends the search.
func chain[T headed](j *Jurisdiction, rules func(*law) []T, right string, also func(T) bool) (T, bool) {
	for _, named := range []bool{true, false} {
		for l := j.law; l != nil; l = l.parent {
			for _, r := range rules(l) {
				h := r.head()
				if (len(h.Rights) > 0) == named && h.holds(right, j.on) && (also == nil || also(r)) {
					return r, !h.None
				}
			}
		}
	}
	var none T
	return none, false
}

func (j *Jurisdiction) refuse(right string) error {
	var has []string
	for _, g := range j.Rights {
		has = append(has, g.Right)
	}
	list := strings.Join(has, ", ")
	if !slices.Contains(RightNames(), right) {
		msg := fmt.Sprintf("%q is not the name of a right", right)
		if meant := otherName(right); meant != "" {
			msg += "; did you mean " + meant + "?"
		}
		return fault.New(fault.Invalid, "unknown_right", "%s. %s has: %s.", msg, j.Name, list)
	}
	if alt := j.Instead(right); len(alt) > 0 {
		return fault.New(fault.Invalid, "right_not_available", "%s had no right named %s on %s; what serves there is %s. It has: %s.",
			j.Name, right, j.on, strings.Join(alt, " or "), list)
	}
	return fault.New(fault.Invalid, "right_not_available", "%s had no right named %s on %s. It has: %s.", j.Name, right, j.on, list)
}

// otherName gives the program's name for names that texts of law and other programs use.
func otherName(right string) string {
	switch strings.ToLower(right) {
	case "opt_out_of_sale_sharing", "opt_out_of_sale", "do_not_sell":
		return "opt_out"
	case "know":
		return "know_specific or know_categories"
	case "delete", "deletion":
		return "erasure"
	case "correct", "correction":
		return "rectification"
	case "grievance":
		return "complaint"
	case "object":
		return "objection"
	case "port", "export":
		return "portability"
	}
	return ""
}

func (l *law) link(b *Book) []error {
	if l.Extends == "" {
		return nil
	}
	p, ok := b.laws[l.Extends]
	if !ok || p == l || p.Extends != "" {
		return []error{fmt.Errorf("%s: extends %q, which is no pattern", l.Code, l.Extends)}
	}
	l.parent = p
	l.Establishment = cmp.Or(l.Establishment, p.Establishment)
	return nil
}
