package statute

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"

	"github.com/habeas-data/habeas/internal/fault"
)

// almanac is one file of holidays.
type almanac struct {
	Schema     int       `yaml:"schema"`
	Place      string    `yaml:"place"` // ISO 3166: DE, GB-SCT
	Name       string    `yaml:"name"`
	Cite       string    `yaml:"cite"`
	Confidence string    `yaml:"confidence"`
	Regions    []string  `yaml:"regions"` // parts of the country that share it; empty, and none has a file: any part is taken
	Holidays   []holiday `yaml:"holidays"`
	days       map[Date]freeDay
}

// openAlmanacs finds the calendars by the names of their files. Each is read when somebody asks, and once: reading all
// of them and laying out two hundred years of holidays is more than a single question is worth.
func openAlmanacs(fsys fs.FS, dir string) (map[string]func() (*almanac, error), error) {
	names, err := fs.Glob(fsys, dir+"/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("listing holidays: %w", err)
	}
	out := map[string]func() (*almanac, error){}
	for _, name := range names {
		place := strings.ToUpper(strings.TrimSuffix(path.Base(name), ".yaml"))
		out[place] = sync.OnceValues(func() (*almanac, error) {
			a := new(almanac)
			if err := readYAML(fsys, name, a); err != nil {
				return nil, err
			}
			if err := a.check(name, place); err != nil {
				return nil, err
			}
			a.days = freeDays(a.Holidays)
			return a, nil
		})
	}
	return out, nil
}

func (a *almanac) check(name, place string) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(name+": "+format, args...)) }
	if a.Schema != 1 {
		bad("schema %d is not 1", a.Schema)
	}
	if a.Place != place || !placeForm.MatchString(place) || a.Name == "" || a.Cite == "" || !confidenceForm.MatchString(a.Confidence) {
		bad("place (as the file is named), name, cite and confidence are required")
	}
	for i := range a.Holidays {
		if msg := a.Holidays[i].faults(); msg != "" {
			bad("holidays[%d] %s: %s", i, a.Holidays[i].Name, msg)
		}
	}
	return errors.Join(errs...)
}

var placeForm = regexp.MustCompile(`^[A-Z]{2}(-[A-Z0-9]{1,3})?$`)

// Places lists the codes that have a calendar of holidays; parts of a country that share one are not among them.
func (b *Book) Places() []string { return slices.Sorted(maps.Keys(b.places)) }

// CheckPlace tells what is wrong with an establishment, as a fault.Invalid in one sentence; nil when it can be counted with.
func (b *Book) CheckPlace(place string) error {
	_, err := b.calendar(place)
	return err
}

// calendar finds the calendar of a place. A part of a country gets the holidays that all its parts share, a country
// without a calendar here its weekends. What is no country, or no part of one whose parts are known, is refused.
func (b *Book) calendar(place string) (calendar, error) {
	bad := func(format string, args ...any) (calendar, error) {
		return calendar{}, fault.BadInput([]fault.Field{{Name: "establishment", Message: fmt.Sprintf(format, args...)}})
	}
	if !placeForm.MatchString(place) {
		return bad("%q is not a country or region code such as DE, FR, GB-ENG or US", place)
	}
	open, ok := b.places[place]
	if !ok {
		of, part, isPart := strings.Cut(place, "-")
		if msg := noCountry(of); msg != "" {
			return bad("%s", msg)
		}
		if open, ok = b.places[of]; !ok {
			return calendar{name: place}, nil
		}
		a, err := open()
		if err != nil {
			return calendar{}, err
		}
		if parts := b.parts(a); isPart && len(parts) > 0 && !slices.Contains(parts, part) {
			return bad("%s has no part %s; its parts are %s", of, part, strings.Join(parts, ", "))
		}
	}
	a, err := open()
	if err != nil {
		return calendar{}, err
	}
	return calendar{name: a.Name, days: a.days, known: true}, nil
}

func noCountry(code string) string {
	r, err := language.ParseRegion(code)
	switch known := r.Canonicalize().String(); {
	case err != nil || !r.IsCountry():
		return fmt.Sprintf("there is no country %s; write a code such as DE, FR, GB-ENG or US", code)
	case known != code:
		return fmt.Sprintf("the code of that country is %s, not %s", known, code)
	}
	return ""
}

// parts lists the known parts of a country: those that share its calendar and those that have one of their own.
func (b *Book) parts(a *almanac) []string {
	parts := slices.Clone(a.Regions)
	for other := range b.places {
		if rest, ok := strings.CutPrefix(other, a.Place+"-"); ok {
			parts = append(parts, rest)
		}
	}
	slices.Sort(parts)
	return parts
}
