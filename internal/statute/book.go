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

//go:embed jurisdictions/*.yaml holidays/*.yaml
var embedded embed.FS

// Book holds all jurisdictions and calendars. It is read-only after Load and safe for concurrent use.
type Book struct {
	laws   map[string]*law
	places map[string]func() (*almanac, error)
}

// law is one file.
type law struct {
	Schema        int                 `yaml:"schema"`
	Code          string              `yaml:"code"`
	Name          string              `yaml:"name"`
	Law           string              `yaml:"law"`
	Extends       string              `yaml:"extends"`  // code of a pattern whose rules hold where this file has none
	Abstract      bool                `yaml:"abstract"` // a pattern that answers nobody by itself
	Before        string              `yaml:"before"`   // code of the law that answers before valid_from; "": none does
	ValidFrom     Date                `yaml:"valid_from"`
	Covers        map[string]string   `yaml:"covers"`        // further codes that this file answers for, with their names
	Establishment string              `yaml:"establishment"` // default place whose holidays count
	Controllers   []string            `yaml:"controllers"`   // kinds of controller that the law tells apart; the first is the default
	Authority     Authority           `yaml:"authority"`
	Rights        []Grant             `yaml:"rights"`
	Instead       map[string][]string `yaml:"instead"` // right that the law lacks -> those that serve the same wish
	Acknowledge   []span              `yaml:"acknowledge"`
	Response      []span              `yaml:"response"`
	Extension     []span              `yaml:"extension"`
	Milestones    []milestone         `yaml:"milestones"`
	Pauses        []pauseRule         `yaml:"pauses"`
	Rollover      []rollRule          `yaml:"rollover"`
	Remarks       []Remark            `yaml:"remarks"`
	Facts         []Fact              `yaml:"facts"`
	file          string
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
	Controllers   []string  `json:"controllers,omitempty"` // kinds of controller told apart; the first is the default
	Authority     Authority `json:"authority"`
	Rights        []Grant   `json:"rights"`
	on            Date
	kind          string // of controller; "" where the law tells none apart
	law           *law
}

// Load parses and checks every embedded jurisdiction; the error names every fault of every file. Calendars are read as
// they are asked for.
func Load() (*Book, error) { return loadFS(embedded, "jurisdictions", "holidays") }

func loadFS(fsys fs.FS, laws, holidays string) (*Book, error) {
	names, err := fs.Glob(fsys, laws+"/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("listing jurisdictions: %w", err)
	}
	b := &Book{laws: map[string]*law{}}
	if b.places, err = openAlmanacs(fsys, holidays); err != nil {
		return nil, err
	}
	var errs []error
	var read []*law
	for _, name := range names {
		l := &law{file: name}
		if err := readYAML(fsys, name, l); err != nil {
			errs = append(errs, err)
			continue
		}
		if want := laws + "/" + l.Code + ".yaml"; name != want {
			errs = append(errs, fmt.Errorf("%s: holds the code %q; one file a code, named after it", name, l.Code))
		}
		b.laws[l.Code] = l
		read = append(read, l)
	}
	for _, l := range read {
		errs = append(errs, l.link(b)...)
	}
	for _, l := range read {
		errs = append(errs, l.check(b)...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return b, nil
}

// readYAML reads one file; an unknown key, or a value of the wrong kind, is refused with file, line and column.
func readYAML(fsys fs.FS, name string, into any) error {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	err = yaml.UnmarshalWithOptions(src, into, yaml.Strict())
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		return fmt.Errorf("%s:%d:%d: %s", name, at.GetToken().Position.Line, at.GetToken().Position.Column, at.GetMessage())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// link finds the pattern that a file extends, and lets the file answer for the other codes that it covers.
func (l *law) link(b *Book) []error {
	var errs []error
	if l.Extends != "" {
		p, ok := b.laws[l.Extends]
		if !ok || p == l || p.Extends != "" {
			return []error{fmt.Errorf("%s: extends %q, which is no pattern", l.file, l.Extends)}
		}
		l.parent = p
		l.Establishment = cmp.Or(l.Establishment, p.Establishment)
	}
	if _, ok := b.laws[l.Before]; l.Before != "" && (!ok || l.Before == l.Code) {
		errs = append(errs, fmt.Errorf("%s: before: there is no jurisdiction %q", l.file, l.Before))
	}
	for code, name := range l.Covers {
		if b.laws[code] != nil || !codeForm.MatchString(code) || name == "" {
			errs = append(errs, fmt.Errorf("%s: covers %q, which has a file of its own or is no code with a name", l.file, code))
			continue
		}
		b.laws[code] = &law{Schema: l.Schema, Code: code, Name: name, Law: l.Law, ValidFrom: l.ValidFrom, Before: l.Before,
			Establishment: l.Establishment, Controllers: l.Controllers, Authority: l.Authority, parent: l, file: l.file}
	}
	return errs
}

// Codes lists the jurisdictions in alphabetical order.
func (b *Book) Codes() []string {
	var out []string
	for code, l := range b.laws {
		if !l.Abstract {
			out = append(out, code)
		}
	}
	slices.Sort(out)
	return out
}

// Files lists the codes that have a file of their own; the others are covered by one of these.
func (b *Book) Files() []string {
	return slices.DeleteFunc(b.Codes(), func(code string) bool {
		return b.laws[code].parent != nil && b.laws[code].file == b.laws[code].parent.file
	})
}

// Jurisdiction gives a law as it stands on a day. An unknown code, and a day before the rules held here begin,
// are fault.Invalid.
func (b *Book) Jurisdiction(code string, on Date) (*Jurisdiction, error) {
	j, err := b.find(code, on)
	if err != nil {
		return nil, err
	}
	j.Rights = j.granted()
	return j, nil
}

// find is Jurisdiction without the list of rights.
func (b *Book) find(code string, on Date) (*Jurisdiction, error) {
	l, ok := b.laws[code]
	if !ok || l.Abstract {
		return nil, b.unknown(code)
	}
	name := l.Name
	for ; on.Before(l.ValidFrom); l = b.laws[l.Before] {
		if l.Before == "" {
			return nil, fault.New(fault.Invalid, "jurisdiction_not_in_force",
				"The rules held for %s begin on %s; %s lies before.", l.Name, l.ValidFrom, on)
		}
	}
	if l.Name != name {
		name += " (before its own law: " + l.Name + ")"
	}
	j := &Jurisdiction{Code: code, Name: name, Law: l.Law, Establishment: l.Establishment, Controllers: l.Controllers,
		Authority: l.Authority, on: on, law: l}
	if len(l.Controllers) > 0 {
		j.kind = l.Controllers[0]
	}
	return j, nil
}

// granted lists the rights in the order of RightNames.
func (j *Jurisdiction) granted() []Grant {
	var out []Grant
	for _, name := range RightNames() {
		if g, ok := j.Grant(name); ok {
			out = append(out, g)
		}
	}
	return out
}

// InForceFrom gives the first day on which a jurisdiction's own rules hold, the zero Date for an unknown code.
func (b *Book) InForceFrom(code string) Date {
	if l := b.laws[code]; l != nil {
		return l.ValidFrom
	}
	return Date{}
}

func (b *Book) unknown(code string) error {
	return fault.New(fault.Invalid, "unknown_jurisdiction", "There is no jurisdiction %q: %s.", code, b.Suggest(code))
}

// Suggest names the jurisdiction that an unknown code was probably meant to be, and all there are; the many states of
// one country stand as one.
func (b *Book) Suggest(code string) string {
	var list []string
	for _, c := range b.Codes() {
		if _, state, _ := strings.Cut(c, "-"); b.laws[c].parent != nil && len(state) == 2 {
			c = country(c) + "-<state>"
		}
		if !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	known := "known are " + strings.Join(list, ", ")
	if near := nearestWord(code, b.Codes()); near != "" {
		return "did you mean " + near + "? " + upper(known)
	}
	return known
}

// Grant finds the row that gives a right on the jurisdiction's day.
func (j *Jurisdiction) Grant(right string) (Grant, bool) {
	for l := j.law; l != nil; l = l.parent {
		for _, g := range l.Rights {
			if g.Right == right && g.holds(right, j.kind, j.on) {
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

// FactNames lists the facts that the law states for a right ("": for all), in alphabetical order.
func (j *Jurisdiction) FactNames(right string) []string {
	has := map[string]bool{}
	for _, name := range factNames() {
		if _, ok := j.Fact(name, right); ok {
			has[name] = true
		}
	}
	return slices.Sorted(maps.Keys(has))
}

// Remarks lists what belongs beside the dates of a right.
func (j *Jurisdiction) Remarks(right string) []Remark {
	var out []Remark
	for l := j.law; l != nil; l = l.parent {
		for _, r := range l.Remarks {
			if r.holds(right, j.kind, j.on) {
				out = append(out, r)
			}
		}
	}
	return out
}

// chain finds the rule for a right on the jurisdiction's day: one that names the right before one that is for all, one
// that names the kind of controller before one that names none, and among equals the file's own before that of the
// pattern it extends. So a state that counts 90 days keeps the pattern's own figure for appeals. A row that says
// "none" ends the search.
func chain[T headed](j *Jurisdiction, rules func(*law) []T, right string, also func(T) bool) (T, bool) {
	for narrow := 3; narrow >= 0; narrow-- {
		for l := j.law; l != nil; l = l.parent {
			for _, r := range rules(l) {
				h := r.head()
				if h.narrowness() == narrow && h.holds(right, j.kind, j.on) && (also == nil || also(r)) {
					return r, !h.None
				}
			}
		}
	}
	var none T
	return none, false
}
