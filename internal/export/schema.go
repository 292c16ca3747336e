package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
)

// schemaDialect is the JSON Schema version of the files under schema/.
const schemaDialect = "https://json-schema.org/draft/2020-12/schema"

// tagComment tells readers of a schema what an object with a tag stands for.
const tagComment = "A value whose plain form would read as another one is an object with one key: $text (a text), $base64 (bytes), " +
	"$text_base64 (the bytes of a text that is no UTF-8), $real (a number beyond JSON), $json (the text of a JSON value), $array (PostgreSQL's text of an array)."

// writeSchema gives the JSON Schema of a collection's file: an array of objects. `x-habeas` tells whose data it
// describes and which columns are the key, for readers of the stream.
func writeSchema(c connector.Collection, optional []string) ([]byte, error) {
	var b bytes.Buffer
	q := func(v any) string {
		out, err := marshalPlain(v)
		if err != nil {
			return `""` // texts and lists of texts always encode
		}
		return out
	}
	properties, required := 0, []string{}
	for _, col := range c.Columns {
		if !shown(col) {
			continue
		}
		properties++
		if !slices.Contains(optional, col.Name) {
			required = append(required, col.Name)
		}
	}
	key := c.Key
	if key == nil {
		key = []string{}
	}
	fmt.Fprintf(&b, "{\n  \"$schema\": %s,\n  \"title\": %s,\n", q(schemaDialect), q(c.System+"/"+c.Table))
	fmt.Fprintf(&b, "  \"x-habeas\": {\"system\": %s, \"collection\": %s, \"key\": %s},\n", q(c.System), q(c.Table), q(key))
	if slices.ContainsFunc(c.Columns, func(col connector.CollectionColumn) bool { return shown(col) && col.Tagged }) {
		fmt.Fprintf(&b, "  \"$comment\": %s,\n", q(tagComment))
	}
	b.WriteString("  \"type\": \"array\",\n  \"items\": {\n    \"type\": \"object\",\n    \"additionalProperties\": false,\n")
	fmt.Fprintf(&b, "    \"required\": %s,\n    \"properties\": {", q(required))
	first := true
	for _, col := range c.Columns { // in the source's order, which a map would lose
		if !shown(col) {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		fmt.Fprintf(&b, "\n      %s: %s", q(col.Name), q(columnSchema(col)))
	}
	if properties > 0 {
		b.WriteString("\n    ")
	}
	b.WriteString("}\n  }\n}\n")
	if !json.Valid(b.Bytes()) {
		return nil, fmt.Errorf("the schema of %s is no JSON", c.Table)
	}
	return b.Bytes(), nil
}

// property is the schema of one column.
type property struct {
	Type     any    `json:"type,omitempty"`
	Format   string `json:"format,omitempty"`
	Encoding string `json:"contentEncoding,omitempty"`
	Source   string `json:"description,omitempty"` // the source's own type
}

// columnSchema says what values of a column look like. Numbers and the rest may be strings too where the source holds
// what JSON has no such value for: NaN, infinity, a text in a numeric column of SQLite, a date before the year 1.
func columnSchema(c connector.CollectionColumn) property {
	p := property{Source: c.Type}
	switch c.JSON {
	case connector.JSONNumber, connector.JSONInteger:
		p.Type = []string{"number", "string"}
	case connector.JSONBoolean:
		p.Type = []string{"boolean", "number", "string"}
	case connector.JSONDateTime, connector.JSONDate:
		p.Type = []string{"string", "number"}
		p.Format = "x-" + string(c.JSON) // told, not enforced: a source may hold what RFC 3339 can't say
	case connector.JSONBytes:
		p.Type, p.Encoding = []string{"string", "number"}, "base64"
	case connector.JSONString:
		p.Type = []string{"string", "number", "boolean"}
	case connector.JSONAny:
		return p
	}
	if c.Tagged {
		p.Type = append(p.Type.([]string), "object") //nolint:forcetypeassert // set above
	}
	if c.Nullable {
		p.Type = append(p.Type.([]string), "null") //nolint:forcetypeassert // set above
	}
	return p
}

// marshalPlain is JSON on one line, with `<` as it is.
func marshalPlain(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("writing JSON: %w", err)
	}
	return string(bytes.TrimSpace(b.Bytes())), nil
}

// shown tells whether values of a column go into a package.
func shown(c connector.CollectionColumn) bool { return c.Show == datamap.ShowFull }
