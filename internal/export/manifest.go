package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/habeas-data/habeas/internal/statute"
)

// Manifest is manifest.json: what the package holds, each file with its SHA-256. Its schema is
// api/schema/manifest.schema.json.
type Manifest struct {
	Format        string         `json:"format"`
	Request       string         `json:"request"`
	Reference     string         `json:"reference"`
	Type          string         `json:"type"`
	Tenant        string         `json:"tenant"`
	Language      string         `json:"language"`
	PolicyVersion string         `json:"policy_version"`
	MadeAt        time.Time      `json:"made_at"`
	Rows          int64          `json:"rows"`
	Files         []File         `json:"files"`    // sorted by path; all but manifest.json itself
	Hidden        []HiddenRows   `json:"hidden"`   // rows that were reached and are left out
	Withheld      []WithheldPart `json:"withheld"` // what the plan leaves out, and why
}

// File is one file of a package.
type File struct {
	Path      string `json:"path"`
	SHA256    string `json:"sha256"` // hex
	Bytes     int64  `json:"bytes"`
	Rows      int64  `json:"rows,omitempty"`       // of a data file
	Schema    string `json:"schema,omitempty"`     // of a data file and of changes.json: the path of its JSON Schema
	KeyDigest string `json:"key_digest,omitempty"` // of a data file: keyed digest over the keys of its rows
}

// HiddenRows are rows that were reached and are somebody else's, or rows that lack the value of one column.
type HiddenRows struct {
	System string `json:"system"`
	Table  string `json:"table"`
	Column string `json:"column,omitempty"` // "" for whole rows
	Rows   int64  `json:"rows"`
	Why    string `json:"why"`
}

// WithheldPart is something that the package leaves out, and why.
type WithheldPart struct {
	System string       `json:"system"`
	Table  string       `json:"table,omitempty"`
	Column string       `json:"column,omitempty"`
	What   string       `json:"what"`
	Rows   int64        `json:"rows,omitempty"`
	Ground string       `json:"ground"`
	Until  statute.Date `json:"until,omitzero"`
}

// encodeJSON writes indented JSON that ends with a newline, with `<` as it is: these are files for people too.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	return b.Bytes(), nil
}
