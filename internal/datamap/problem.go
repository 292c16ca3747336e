package datamap

import (
	"fmt"
	"strings"
)

// Problem is one fault of a datamap.yaml: where it stands, what is wrong and what would be right.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // from 1; 0: the file as a whole
	Column  int    `json:"column"`
	Path    string `json:"path"` // `systems.app.tables.invoice.owner`
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`     // what would be right; may be empty
	Warning bool   `json:"warning,omitempty"` // the map can be used all the same
}

// String gives the one-line form that editors and terminals understand: file:line:column: message.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Message)
	if p.Fix != "" {
		b.WriteString("; " + p.Fix)
	}
	return b.String()
}

// Wrong tells whether any of the problems is more than a warning.
func Wrong(problems []Problem) bool {
	for _, p := range problems {
		if !p.Warning {
			return true
		}
	}
	return false
}

// Finding is one difference between a map and a live database.
type Finding struct {
	System  string `json:"system"`
	Table   string `json:"table,omitempty"` // as a map writes it; empty: the system as a whole
	Column  string `json:"column,omitempty"`
	Line    int    `json:"line,omitempty"` // of the map, where the table or column stands; 0: it doesn't
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
	Warning bool   `json:"warning,omitempty"` // an erasure may run all the same
}

// String gives the one-line form.
func (f Finding) String() string {
	where := f.System
	if f.Table != "" {
		where += "." + f.Table
	}
	if f.Column != "" {
		where += "." + f.Column
	}
	out := where + ": "
	if f.Warning {
		out += "warning: "
	}
	out += f.Message
	if f.Fix != "" {
		out += "; " + f.Fix
	}
	return out
}

// In is String with the place in the map's file, as editors and terminals understand it.
func (f Finding) In(file string) string {
	if file == "" || f.Line == 0 {
		return f.String()
	}
	return fmt.Sprintf("%s:%d: %s", file, f.Line, f)
}
