package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/habeas-data/habeas/internal/statute"
)

// position is a place in the file, from 1.
type position struct{ line, column int }

// reader collects every problem and where each path stands.
type reader struct {
	file     string
	problems []Problem
	at       map[string]position
}

func (r *reader) bad(at position, path, fix, format string, args ...any) {
	r.problems = append(r.problems, Problem{
		File: r.file, Line: at.line, Column: at.column, Path: path, Message: fmt.Sprintf(format, args...), Fix: fix,
	})
}

// document parses the text into its one mapping.
func (r *reader) document(src []byte) (ast.Node, bool) {
	if len(src) > maxFile {
		r.bad(position{1, 1}, "", "", "the file is larger than %d bytes", maxFile)
		return nil, false
	}
	f, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey()) // duplicates are told by object, with both lines
	if err != nil {
		at, msg := position{1, 1}, err.Error()
		var known yaml.Error
		if errors.As(err, &known) {
			msg = known.GetMessage()
			if t := known.GetToken(); t != nil && t.Position != nil {
				at = position{t.Position.Line, t.Position.Column}
			}
		}
		r.bad(at, "", "look at the indentation, the colons and the quotes there", "this is not YAML: %s", msg)
		return nil, false
	}
	var bodies []ast.Node
	for _, d := range f.Docs {
		if d.Body != nil && d.Body.Type() != ast.CommentType {
			bodies = append(bodies, d.Body)
		}
	}
	switch len(bodies) {
	case 1:
		return bodies[0], true
	case 0:
		r.bad(position{1, 1}, "", "begin with version: and tenant:", "the file is empty")
	default:
		r.bad(where(bodies[1]), "", "keep one policy a file", "a second document begins here")
	}
	return nil, false
}

const maxFile = 1 << 20

// entry is one key of a mapping and its value.
type entry struct {
	key  string
	at   position // of the key
	node ast.Node
}

// object is a mapping whose keys are being asked for.
type object struct {
	r       *reader
	path    string
	at      position
	entries []entry
	meant   []string // keys that unknown ones were probably meant to be
}

// entries reads a mapping of any keys in the file's order.
func (r *reader) entries(n ast.Node, path string) ([]entry, bool) {
	var values []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		r.bad(where(n), path, "", "%s must be a mapping (key: value), not %s", subject(path), kind(n))
		return nil, false
	}
	var out []entry
	for _, v := range values {
		key, ok := scalar(v.Key)
		if !ok || v.Key.IsMergeKey() {
			r.bad(where(v.Key), path, "write the keys out", "this key cannot be read")
			continue
		}
		e := entry{key, where(v.Key), v.Value}
		if i := slices.IndexFunc(out, func(o entry) bool { return o.key == key }); i >= 0 {
			r.bad(e.at, join(path, key), "remove one of the two", "%q stands here twice, first in line %d", key, out[i].at.line)
			continue
		}
		r.at[join(path, key)] = e.at
		out = append(out, e)
	}
	return out, true
}

// object reads a mapping with a fixed set of keys: another key is a problem, with the key that was probably meant.
func (r *reader) object(n ast.Node, path string, known ...string) *object {
	entries, _ := r.entries(n, path)
	o := &object{r: r, path: path, at: where(n)}
	if at, ok := r.at[path]; ok {
		o.at = at
	}
	for _, e := range entries {
		if slices.Contains(known, e.key) {
			o.entries = append(o.entries, e)
			continue
		}
		r.bad(e.at, join(path, e.key), suggest(e.key, known), "unknown key %q%s", e.key, in(path))
		o.meant = append(o.meant, nearest(e.key, known))
	}
	return o
}

func (o *object) get(key string) (ast.Node, string, bool) {
	for _, e := range o.entries {
		if e.key == key {
			return e.node, join(o.path, key), true
		}
	}
	return nil, join(o.path, key), false
}

func (o *object) has(key string) bool { _, _, ok := o.get(key); return ok }

// need reports each of the keys that is missing, unless a misspelled one was told already.
func (o *object) need(keys ...string) {
	for _, k := range keys {
		if !o.has(k) && !slices.Contains(o.meant, k) {
			o.r.bad(o.at, join(o.path, k), "add "+k+":", "%q is missing%s", k, in(o.path))
		}
	}
}

// text reads words; a number is read as it is written.
func (o *object) text(key string) string {
	n, path, ok := o.get(key)
	if !ok {
		return ""
	}
	return o.r.text(n, path)
}

// like reads a text of a form, described by fix.
func (o *object) like(key string, form *regexp.Regexp, fix string) string {
	n, path, ok := o.get(key)
	if !ok {
		return ""
	}
	return o.r.like(n, path, form, fix)
}

func (o *object) word(key, otherwise string, known ...string) string {
	n, path, ok := o.get(key)
	if !ok {
		return otherwise
	}
	return o.r.word(n, path, known)
}

func (o *object) flag(key string, otherwise bool) bool {
	n, path, ok := o.get(key)
	if !ok {
		return otherwise
	}
	if b, is := n.(*ast.BoolNode); is {
		return b.Value
	}
	o.r.bad(where(n), path, "true or false", "%s must be true or false", subject(path))
	return otherwise
}

func (o *object) whole(key string, otherwise, least, most int) int {
	n, path, ok := o.get(key)
	if !ok {
		return otherwise
	}
	s, _ := scalar(n)
	v, err := strconv.Atoi(s)
	if _, is := n.(*ast.IntegerNode); !is || err != nil || v < least || v > most {
		o.r.bad(where(n), path, "", "%s must be a whole number from %d to %d", subject(path), least, most)
		return otherwise
	}
	return v
}

// period reads a duration; text without a value is otherwise.
func (o *object) period(key, otherwise string) statute.Period {
	n, path, ok := o.get(key)
	if !ok {
		p, _ := statute.ParsePeriod(otherwise) // "" is no period
		return p
	}
	return o.r.period(n, path)
}

// list reads a list of texts without repeats.
func (o *object) list(key string, one func(n ast.Node, path string) string) []string {
	n, path, ok := o.get(key)
	if !ok {
		return nil
	}
	return o.r.list(n, path, one)
}

// each reads a mapping whose keys are names. What stands under a bad name is read as well, for its own problems.
func (o *object) each(key string, form *regexp.Regexp, one func(name string, n ast.Node, path string)) {
	n, path, ok := o.get(key)
	if !ok {
		return
	}
	entries, _ := o.r.entries(n, path)
	for _, e := range entries {
		if form != nil && !form.MatchString(e.key) {
			o.r.bad(e.at, join(path, e.key), "lower case letters, digits, _ and -, beginning with a letter", "%q cannot be a name", e.key)
		}
		one(e.key, e.node, join(path, e.key))
	}
}

func (r *reader) list(n ast.Node, path string, one func(n ast.Node, path string) string) []string {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		fix := ""
		if t, is := scalar(n); is {
			fix = "write [" + t + "]"
		}
		r.bad(where(n), path, fix, "%s must be a list, not %s", subject(path), kind(n))
		return nil
	}
	if len(s.Values) == 0 {
		r.bad(where(n), path, "leave it out or name at least one", "%s must not be empty", subject(path))
	}
	var out []string
	for i, item := range s.Values {
		p := path + "[" + strconv.Itoa(i) + "]"
		r.at[p] = where(item)
		v := one(item, p)
		if v != "" && slices.Contains(out, v) {
			r.bad(where(item), p, "remove one of the two", "%q stands here twice", v)
		}
		out = append(out, v)
	}
	return out
}

func (r *reader) text(n ast.Node, path string) string {
	s, ok := scalar(n)
	switch {
	case !ok:
		r.bad(where(n), path, "", "%s must be a text, not %s", subject(path), kind(n))
	case strings.TrimSpace(s) == "":
		r.bad(where(n), path, "leave it out or say what it is", "%s must not be empty", subject(path))
	}
	return s
}

func (r *reader) like(n ast.Node, path string, form *regexp.Regexp, fix string) string {
	s := r.text(n, path)
	if s != "" && !form.MatchString(s) {
		r.bad(where(n), path, fix, "%q is not right for %s", s, subject(path))
	}
	return s
}

func (r *reader) word(n ast.Node, path string, known []string) string {
	s := r.text(n, path)
	if s != "" && !slices.Contains(known, s) {
		r.bad(where(n), path, suggest(s, known), "%q is not a word for %s", s, subject(path))
	}
	return s
}

func (r *reader) words(known ...string) func(ast.Node, string) string {
	return func(n ast.Node, path string) string { return r.word(n, path, known) }
}

func (r *reader) period(n ast.Node, path string) statute.Period {
	s := r.text(n, path)
	if s == "" {
		return statute.Period{}
	}
	p, err := statute.ParsePeriod(s)
	if err != nil {
		r.bad(where(n), path, durationFix(s), "%q is not a duration", s)
	}
	return p
}

// durationFix guesses what was meant by "30 days" or "30d".
func durationFix(s string) string {
	if m := looseDuration.FindStringSubmatch(strings.ToLower(strings.TrimSpace(s))); m != nil {
		unit := strings.ToUpper(m[2][:1])
		if unit == "H" {
			return "write PT" + m[1] + unit
		}
		return "write P" + m[1] + unit
	}
	return "write it as in P30D, P1M, P5Y or PT24H"
}

var (
	looseDuration = regexp.MustCompile(`^p?(\d+)\s*(d|w|m|y|h|days?|weeks?|months?|years?|hours?)$`)
)

// scalar gives a single value as text; booleans as true and false.
func scalar(n ast.Node) (string, bool) {
	switch s := n.(type) {
	case *ast.StringNode:
		return s.Value, true
	case *ast.LiteralNode:
		return strings.TrimRight(s.Value.Value, "\n"), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func kind(n ast.Node) string {
	switch n.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return "an anchor, alias or tag (write the value out)"
	}
	return "a single value"
}

func where(n ast.Node) position {
	switch m := n.(type) {
	case nil:
		return position{}
	case *ast.MappingNode:
		if len(m.Values) > 0 && !m.IsFlowStyle {
			return where(m.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return where(m.Key)
	}
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return position{}
	}
	return position{t.Position.Line, t.Position.Column}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func in(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

func subject(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}
