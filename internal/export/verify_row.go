package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// eachRow reads a JSON array, element by element, and nothing after it.
func eachRow(body io.Reader, visit func(json.RawMessage) error) error {
	dec := json.NewDecoder(body)
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return errors.New("it is not a JSON array")
	}
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return errors.New("it is not JSON")
		}
		if err := visit(raw); err != nil {
			return err
		}
	}
	if t, err := dec.Token(); err != nil || t != json.Delim(']') {
		return errors.New("the array does not end")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the array")
	}
	return nil
}

// rowReader checks rows one by one against a shape.
type rowReader struct {
	shape    *rowShape
	key      []string
	seen     map[string]json.RawMessage
	provable bool // key holds the text of every part
	hidden   bool // a part of the key is left out, and the schema says that it may be
}

func newRow(s *rowShape) *rowReader {
	return &rowReader{shape: s, key: make([]string, len(s.Key)), seen: map[string]json.RawMessage{}}
}

func (r *rowReader) read(raw json.RawMessage) error {
	clear(r.seen)
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.New("it is not an object")
	}
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return errors.New("it is not an object")
		}
		column, known := r.shape.columns[name]
		if _, twice := r.seen[name]; twice || !known {
			return errors.New("it has a column that the schema does not know, or one twice")
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return errors.New("it is not an object")
		}
		if err := column.check(value); err != nil {
			return fmt.Errorf("column %s: %w", name, err)
		}
		r.seen[name] = value
	}
	for _, name := range r.shape.required {
		if _, ok := r.seen[name]; !ok {
			return fmt.Errorf("it lacks the column %s", name)
		}
	}
	r.readKey()
	return nil
}

func (r *rowReader) readKey() {
	r.provable, r.hidden = len(r.key) > 0, false
	for i, name := range r.shape.Key {
		column, shown := r.shape.columns[name]
		value, there := r.seen[name]
		if !there {
			r.provable = false
			r.hidden = r.hidden || shown && !slices.Contains(r.shape.required, name)
			continue
		}
		text, ok := keyText(value)
		r.key[i] = text
		r.provable = r.provable && ok && column.keyable
	}
}

// keyText gives the text of a key's part from its JSON value: the digits of a whole number, the characters of a text.
// Other values are written in the data otherwise than in a key, and can't be read back.
func keyText(v json.RawMessage) (string, bool) {
	switch {
	case len(v) > 0 && v[0] == '"':
		var s string
		if err := json.Unmarshal(v, &s); err != nil {
			return "", false
		}
		return s, !strings.ContainsRune(s, '\uFFFD') // bytes that are no text became this sign
	case len(v) > 0 && strings.Trim(strings.TrimPrefix(string(v), "-"), "0123456789") == "":
		return string(v), true
	}
	return "", false
}

// check holds a value against the column's types.
func (c columnShape) check(v json.RawMessage) error {
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
