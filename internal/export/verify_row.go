package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// rowShape is what a collection's schema says, as far as packages use JSON Schema.
type rowShape struct {
	System, Table string
	Key           []string
	path          string
	required      []string
	columns       map[string]columnShape
}

// columnShape is what the schema says of one property.
type columnShape struct {
	types   []string // empty: anything
	keyable bool     // its value in the data is the text of a key: a plain number or text
}

func parseShape(b []byte) (*rowShape, error) {
	var s struct {
		Type   string `json:"type"`
		Habeas struct {
			System     string   `json:"system"`
			Collection string   `json:"collection"`
			Key        []string `json:"key"`
		} `json:"x-habeas"`
		Items struct {
			Type       string   `json:"type"`
			Additional *bool    `json:"additionalProperties"`
			Required   []string `json:"required"`
			Properties map[string]struct {
				Type     []string `json:"type"`
				Format   string   `json:"format"`
				Encoding string   `json:"contentEncoding"`
			} `json:"properties"`
		} `json:"items"`
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, errors.New("the schema can't be read")
	}
	if s.Type != "array" || s.Items.Type != "object" || s.Items.Additional == nil || *s.Items.Additional || s.Habeas.System == "" || s.Habeas.Collection == "" {
		return nil, errors.New("the schema does not describe a collection")
	}
	out := &rowShape{System: s.Habeas.System, Table: s.Habeas.Collection, Key: s.Habeas.Key, required: s.Items.Required, columns: map[string]columnShape{}}
	for name, p := range s.Items.Properties {
		out.columns[name] = columnShape{types: p.Type, keyable: len(p.Type) > 0 && p.Format == "" && p.Encoding == ""}
	}
	for _, name := range out.required {
		if _, ok := out.columns[name]; !ok {
			return nil, errors.New("the schema asks for a column that it does not describe")
		}
	}
	return out, nil
}

// rowReader checks rows one by one against a shape.
type rowReader struct {
	shape    *rowShape
	key      []string
	provable bool // key holds the text of every part

	order  []member       // the members of the row before: nearly all rows have the same
	places map[string]int // of each column in values
	values [][]byte       // of the columns of the row; nil where it lacks one

	required, keyAt []int // places of what the schema asks for and of the key; -1 for a part that is not shown
}

// member is a name as it is written, and the column that it means.
type member struct {
	raw    []byte
	name   string
	place  int
	column columnShape
}

func newRow(s *rowShape) *rowReader {
	r := &rowReader{shape: s, key: make([]string, len(s.Key)), places: map[string]int{}, values: make([][]byte, len(s.columns))}
	for _, name := range sortedKeys(s.columns) {
		r.places[name] = len(r.places)
	}
	for _, name := range s.required {
		r.required = append(r.required, r.places[name])
	}
	for _, name := range s.Key {
		place, shown := r.places[name]
		if !shown {
			place = -1
		}
		r.keyAt = append(r.keyAt, place)
	}
	return r
}

var (
	errNoObject = errors.New("it is not an object")
	errColumns  = errors.New("it has a column that the schema does not know, or one twice")
)

// read takes the row that begins at b[i] and gives the index behind it; errMore when it does not end within b.
func (r *rowReader) read(b []byte, i int) (int, error) {
	clear(r.values)
	if b[i] != '{' {
		return i, errNoObject
	}
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i + 1, r.done()
	}
	for n := 0; ; n++ {
		m, at, err := r.name(n, b, i)
		if err != nil {
			return i, err
		}
		end, err := skipValue(b, at, 1)
		switch {
		case errors.Is(err, errJSON):
			return i, errNoObject
		case err != nil:
			return i, err
		case r.values[m.place] != nil:
			return i, errColumns
		}
		value := b[at:end]
		if err := m.column.check(value); err != nil {
			return i, fmt.Errorf("column %s: %w", m.name, err)
		}
		r.values[m.place] = value
		if i = skipSpace(b, end); i >= len(b) {
			return i, errMore
		}
		switch b[i] {
		case '}':
			return i + 1, r.done()
		case ',':
			if i = skipSpace(b, i+1); i >= len(b) {
				return i, errMore
			}
		default:
			return i, errNoObject
		}
	}
}

// name reads the n-th name of a row and gives its column and where the value begins.
func (r *rowReader) name(n int, b []byte, i int) (*member, int, error) {
	if n < len(r.order) {
		m := &r.order[n]
		if end := i + len(m.raw); end < len(b) && b[end] == ':' && string(b[i:end]) == string(m.raw) {
			return m, end + 1, nil
		}
	}
	at, err := skipName(b, i)
	if errors.Is(err, errJSON) {
		return nil, i, errNoObject
	}
	if err != nil {
		return nil, i, err
	}
	end, err := skipString(b, i)
	if err != nil {
		return nil, i, err
	}
	m, err := r.member(n, b[i:end])
	return m, at, err
}

func (r *rowReader) done() error {
	for n, place := range r.required {
		if r.values[place] == nil {
			return fmt.Errorf("it lacks the column %s", r.shape.required[n])
		}
	}
	r.readKey()
	return nil
}

// member finds the column of the n-th name of a row.
func (r *rowReader) member(n int, raw []byte) (*member, error) {
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		return nil, errNoObject
	}
	place, known := r.places[name]
	if !known {
		return nil, errColumns
	}
	r.order = append(r.order[:min(n, len(r.order))], member{bytes.Clone(raw), name, place, r.shape.columns[name]})
	return &r.order[len(r.order)-1], nil
}

func (r *rowReader) readKey() {
	r.provable = len(r.key) > 0
	for i, place := range r.keyAt {
		if place < 0 || r.values[place] == nil {
			r.provable = false
			continue
		}
		text, ok := keyText(r.values[place])
		r.key[i] = text
		r.provable = r.provable && ok && r.shape.columns[r.shape.Key[i]].keyable
	}
}

// keyText gives the text of a key's part from its JSON value: the digits of a whole number, the characters of a text.
// Other values are written in the data otherwise than in a key, and can't be read back.
func keyText(v []byte) (string, bool) {
	switch {
	case len(v) > 1 && v[0] == '"' && plain(v[1:len(v)-1]):
		return string(v[1 : len(v)-1]), true
	case len(v) > 0 && v[0] == '"':
		var s string
		if err := json.Unmarshal(v, &s); err != nil {
			return "", false
		}
		return s, !strings.ContainsRune(s, '\uFFFD') // bytes that are no text became this sign
	case len(v) > 0 && len(bytes.Trim(bytes.TrimPrefix(v, []byte("-")), "0123456789")) == 0:
		return string(v), true
	}
	return "", false
}

// check holds a value against the column's types.
func (c columnShape) check(v []byte) error {
	if len(c.types) == 0 {
		return nil
	}
	kind := ""
	switch v[0] {
	case '"':
		kind = "string"
	case 't', 'f':
		kind = "boolean"
	case 'n':
		kind = "null"
	case '{':
		kind = "object"
	case '[':
		kind = "array"
	default:
		kind = "number"
	}
	if !slices.Contains(c.types, kind) {
		return fmt.Errorf("a %s stands where the schema wants %s", kind, strings.Join(c.types, " or "))
	}
	return nil
}
