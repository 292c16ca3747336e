package datamap

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// place is a position in the file, from 1.
type place struct{ line, column int }

// reader walks a YAML document and collects every fault on the way; it never stops at the first.
type reader struct {
	file     string
	problems []Problem
	places   map[string]place // path -> where its value stands, for checks that come after reading
}

// pair is one key with its value.
type pair struct {
	key  string
	at   place
	node ast.Node // nil when the value is missing
}

func (r *reader) bad(at place, path, fix, format string, args ...any) {
	r.problems = append(r.problems, Problem{
		File: r.file, Line: at.line, Column: at.column, Path: path, Fix: fix, Message: fmt.Sprintf(format, args...),
	})
}

// badAt is bad for a path that was read before: it stands where the path, or what is nearest above it, stands.
func (r *reader) badAt(path, fix, format string, args ...any) {
	r.bad(r.find(path), path, fix, format, args...)
}

func (r *reader) warnAt(path, fix, format string, args ...any) {
	r.badAt(path, fix, format, args...)
	r.problems[len(r.problems)-1].Warning = true
}

func (r *reader) find(path string) place {
	for path != "" {
		if at, ok := r.places[path]; ok {
			return at
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return place{}
}

// document reads the one document of a file. It gives nil when there is nothing to read.
func (r *reader) document(src []byte) ast.Node {
	tree, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey()) // duplicates are reported by pairs, with our words
	if err != nil {
		at, msg := place{1, 1}, err.Error()
		var known yaml.Error
		if errors.As(err, &known) {
			msg = known.GetMessage()
			if tok := known.GetToken(); tok != nil && tok.Position != nil {
				at = place{tok.Position.Line, tok.Position.Column}
			}
		}
		r.bad(at, "", "check indentation, colons and quotes near here", "this is not YAML: %s", msg)
		return nil
	}
	var body ast.Node
	for _, doc := range tree.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			r.bad(spot(doc.Body), "", "one map a file", "a second document begins here")
			break
		}
		body = doc.Body
	}
	if body == nil && len(r.problems) == 0 {
		r.bad(place{1, 1}, "", "begin with tenant: and systems:", "the file is empty")
	}
	return body
}

func spot(n ast.Node) place {
	if n == nil {
		return place{}
	}
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		n = m.Key
	}
	tok := n.GetToken()
	if tok == nil || tok.Position == nil {
		return place{}
	}
	return place{tok.Position.Line, tok.Position.Column}
}

// mapping reads a mapping in the file's order. Anything else is a problem.
func (r *reader) mapping(n ast.Node, path string) ([]pair, bool) {
	var values []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		r.bad(spot(n), path, "", "this must be a mapping (key: value), not %s", kindOf(n))
		return nil, false
	}
	out := make([]pair, 0, len(values))
	for _, v := range values {
		key, ok := r.keyText(v.Key, path)
		if !ok {
			continue
		}
		at := spot(v.Key)
		if i := slices.IndexFunc(out, func(p pair) bool { return p.key == key }); i >= 0 {
			r.bad(at, join(path, key), "remove one of the two", "%q stands here twice; first in line %d", key, out[i].at.line)
			continue
		}
		r.places[join(path, key)] = at
		out = append(out, pair{key, at, v.Value})
	}
	return out, true
}

func (r *reader) keyText(n ast.MapKeyNode, path string) (string, bool) {
	if n.IsMergeKey() {
		r.bad(spot(n), path, "write the keys out", "merge keys (<<) are not read")
		return "", false
	}
	s, ok := scalar(n)
	if !ok {
		r.bad(spot(n), path, "", "this key is not a plain word")
	}
	return s, ok
}

// fields reads a mapping whose keys are known: unknown ones are refused with the nearest known word.
func (r *reader) fields(n ast.Node, path string, known ...string) map[string]pair {
	pairs, _ := r.mapping(n, path)
	out := make(map[string]pair, len(pairs))
	for _, p := range pairs {
		if !slices.Contains(known, p.key) {
			r.bad(p.at, join(path, p.key), suggest(p.key, known), "there is no key %q here", p.key)
			continue
		}
		out[p.key] = p
	}
	return out
}

// text reads a scalar as text, as it is written.
func (r *reader) text(n ast.Node, path string) string {
	s, ok := scalar(n)
	switch {
	case !ok:
		r.bad(spot(n), path, "", "this must be a word, not %s", kindOf(n))
	case s == "":
		r.bad(spot(n), path, "", "this must not be empty")
	}
	return s
}

// word reads one of a fixed set of words.
func (r *reader) word(n ast.Node, path string, known ...string) string {
	s, ok := scalar(n)
	if ok && slices.Contains(known, s) {
		return s
	}
	if !ok {
		r.bad(spot(n), path, "one of "+strings.Join(known, ", "), "this must be a word, not %s", kindOf(n))
		return ""
	}
	r.bad(spot(n), path, suggest(s, known), "%q is not a word for this place", s)
	return ""
}

func (r *reader) flag(n ast.Node, path string) (value, ok bool) {
	if b, is := n.(*ast.BoolNode); is {
		return b.Value, true
	}
	r.bad(spot(n), path, "true or false", "this must be true or false, not %s", kindOf(n))
	return false, false
}

func (r *reader) whole(n ast.Node, path string) int64 {
	s, _ := scalar(n)
	v, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, 64)
	if err != nil || v < 1 {
		r.bad(spot(n), path, "", "this must be a whole number above 0")
		return 0
	}
	return v
}

// share reads 0.25 or 25%.
func (r *reader) share(n ast.Node, path string) float64 {
	s, _ := scalar(n)
	digits, percent := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(digits, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v > 0 && v <= 1) {
		r.bad(spot(n), path, "", "this must be a share above 0 and up to 1, as 0.25 or 25%%")
		return 0
	}
	return v
}

// items gives the members of a list, or the one thing itself.
func items(n ast.Node) []ast.Node {
	if s, ok := n.(*ast.SequenceNode); ok {
		return s.Values
	}
	return []ast.Node{n}
}

// names reads one name or a list of names.
func (r *reader) names(n ast.Node, path string) []string {
	if s, ok := n.(*ast.SequenceNode); ok && len(s.Values) == 0 {
		r.bad(spot(n), path, "", "this list must not be empty")
	}
	var out []string
	for i, item := range items(n) {
		s := r.text(item, at(path, n, i))
		if s != "" && slices.Contains(out, s) {
			r.bad(spot(item), path, "remove one of the two", "%q stands here twice", s)
			continue
		}
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

func at(path string, list ast.Node, i int) string {
	if _, ok := list.(*ast.SequenceNode); ok {
		return indexed(path, i)
	}
	return path
}

func indexed(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// scalar gives a scalar as it is written; YAML's null as "null", so that a hurried `with: null` means the word.
func scalar(n ast.Node) (string, bool) {
	switch s := n.(type) {
	case *ast.StringNode:
		return s.Value, true
	case *ast.LiteralNode:
		return strings.TrimRight(s.Value.Value, "\n"), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	case *ast.NullNode:
		if n.GetToken().Type == token.ImplicitNullType {
			return "", true
		}
		return "null", true
	}
	return "", false
}

func kindOf(n ast.Node) string {
	switch n.(type) {
	case nil:
		return "nothing"
	case *ast.NullNode:
		return "nothing"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor or alias (these are not read: write the value out)"
	case *ast.TagNode:
		return "a tagged value (tags are not read)"
	default:
		return "a single value"
	}
}

func empty(n ast.Node) bool {
	_, ok := n.(*ast.NullNode)
	return ok || n == nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
