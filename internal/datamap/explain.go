package datamap

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/fault"
)

// Explain writes the ownership graph of a map: `text` for a terminal, `dot` for Graphviz, `mermaid` for Markdown. An
// arrow leads from rows to whose rows they are. An unknown format is an Invalid fault.
func Explain(m *Map, format string, w io.Writer) error {
	var b strings.Builder
	switch format {
	case "", "text":
		explainText(m, &b)
	case "dot":
		explainDot(m, &b)
	case "mermaid":
		explainMermaid(m, &b)
	default:
		return fault.New(fault.Invalid, "unknown_format", "The format %q is not known; use text, dot or mermaid.", format)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func explainText(m *Map, b *strings.Builder) {
	fmt.Fprintf(b, "tenant %s\n", m.Tenant)
	for i := range m.Systems {
		s := &m.Systems[i]
		fmt.Fprintf(b, "\nsystem %s (%s)\n", s.Name, s.Kind)
		for _, subject := range s.Subjects {
			var ids []string
			for _, id := range subject.Identifiers {
				where := id.Column
				if id.Table != subject.Table {
					where = id.Table + "." + id.Column
				}
				ids = append(ids, fmt.Sprintf("%s = %s (%s)", id.Name, where, id.Match))
			}
			fmt.Fprintf(b, "  subject %s: table %s, key %s; found by %s\n", subject.Name, subject.Table, strings.Join(subject.Key, "+"), strings.Join(ids, ", "))
		}
		for j := range s.Tables {
			t := &s.Tables[j]
			if !t.Personal {
				fmt.Fprintf(b, "  %s: not personal (%s)\n", t.Name, t.Why)
				continue
			}
			fmt.Fprintf(b, "  %s: %s\n", t.Name, whose(s, t))
			fmt.Fprintf(b, "      %s\n", fate(t))
		}
		if s.Wildcard != nil {
			fmt.Fprintf(b, "  all other tables: not personal (%s)\n", s.Wildcard.Why)
		}
		for _, key := range sortedKeys(s.Find) {
			fmt.Fprintf(b, "  found by %s %s\n", key, s.Find[key])
		}
	}
}

// whose says in words whose rows a table holds.
func whose(s *System, t *Table) string {
	var parts []string
	for _, subject := range s.Subjects {
		if subject.Table == t.Name {
			parts = append(parts, "the people themselves ("+subject.Name+")")
		}
	}
	for _, group := range []struct {
		words string
		list  []Relation
	}{{"owned by ", t.Owners}, {"also about ", t.AlsoAbout}, {"also reached from ", t.AlsoFrom}, {"mentions ", t.Mentions}} {
		for _, r := range group.list {
			parts = append(parts, group.words+relationWords(r))
		}
	}
	if t.Match != nil {
		if t.Match.None {
			parts = append(parts, "found by no machine: "+t.Why)
		}
		for _, all := range t.Match.Any {
			var cols []string
			for _, c := range all.Columns {
				cols = append(cols, c.Column+strings.TrimPrefix(c.JSON, "$")+" = "+c.Identifier)
			}
			parts = append(parts, "found by "+strings.Join(cols, " and "))
		}
	}
	return strings.Join(parts, "; ")
}

func relationWords(r Relation) string {
	out := r.Table
	switch {
	case r.Upward():
		out += ", whose " + strings.Join(r.From, "+") + " points here"
	case len(r.By) > 0:
		out += " by " + strings.Join(r.By, "+")
		if len(r.To) > 0 {
			out += " to " + strings.Join(r.To, "+")
		}
	}
	for _, k := range sortedKeys(r.When) {
		out += " when " + k + " is " + r.When[k]
	}
	return out
}

func fate(t *Table) string {
	do := t.Erase.Do
	if do == "" {
		do = EraseDelete
		if t.Match != nil && t.Match.None {
			do = EraseKeep
		}
	}
	out := "on erasure: " + strings.ReplaceAll(string(do), "_", " ")
	if t.Category != "" {
		out = "category " + t.Category + "; " + out
	}
	if len(t.RedactNow) > 0 {
		out += "; redacted at once: " + strings.Join(t.RedactNow, ", ")
	}
	if t.Erase.IfOthersRefer != "" {
		out += "; if other people's rows refer here: " + strings.ReplaceAll(string(t.Erase.IfOthersRefer), "_", " ")
	}
	return out
}

// edge is one arrow of the graph; solid ones own.
type edge struct {
	from, to, label string
	solid           bool
}

func edges(t *Table) []edge {
	var out []edge
	add := func(list []Relation, role string, solid bool) {
		for _, r := range list {
			label := strings.Join(append(slices.Clone(r.By), r.From...), "+")
			if r.Upward() {
				label = "↑ " + label
			}
			out = append(out, edge{t.Name, r.Table, strings.TrimSpace(role + " " + label), solid})
		}
	}
	add(t.Owners, "", true)
	add(t.AlsoAbout, "also about", false)
	add(t.AlsoFrom, "also from", false)
	add(t.Mentions, "mentions", false)
	return out
}

func explainDot(m *Map, b *strings.Builder) {
	b.WriteString("digraph datamap {\n  rankdir=RL;\n  node [shape=box, fontname=\"Helvetica\"];\n")
	for i := range m.Systems {
		s := &m.Systems[i]
		fmt.Fprintf(b, "  subgraph %s {\n    label=%s;\n", quote("cluster_"+s.Name), quote(s.Name+" ("+string(s.Kind)+")"))
		for j := range s.Tables {
			if t := &s.Tables[j]; t.Personal {
				extra := ""
				if isSubjectOf(s, t.Name) {
					extra = ", shape=oval, style=bold"
				}
				fmt.Fprintf(b, "    %s [label=%s%s];\n", quote(s.Name+"."+t.Name), dotLabel(t), extra)
			}
		}
		b.WriteString("  }\n")
		for j := range s.Tables {
			for _, e := range edges(&s.Tables[j]) {
				style := "solid"
				if !e.solid {
					style = "dashed"
				}
				fmt.Fprintf(b, "  %s -> %s [label=%s, style=%s];\n", quote(s.Name+"."+e.from), quote(s.Name+"."+e.to), quote(e.label), style)
			}
			if f := s.Tables[j].File; f != nil {
				fmt.Fprintf(b, "  %s -> %s [label=%s, style=dotted];\n", quote(f.System), quote(s.Name+"."+s.Tables[j].Name), quote(f.Key))
			}
		}
	}
	b.WriteString("}\n")
}

// dotLabel is the table's name with what becomes of its rows below it.
func dotLabel(t *Table) string {
	q := quote(t.Name)
	return q[:len(q)-1] + `\n` + quote(short(t))[1:]
}

// short says in a few words what becomes of a table's rows, and how they are found without a key.
func short(t *Table) string {
	do := string(t.Erase.Do)
	if do == "" {
		do = string(EraseDelete)
		if t.Match != nil && t.Match.None {
			do = string(EraseKeep)
		}
	}
	out := strings.ReplaceAll(do, "_", " ")
	switch {
	case t.Match != nil && t.Match.None:
		out += ", found by no machine"
	case t.Match != nil:
		out += ", found by " + strings.Join(matchedBy(t.Match), " or ")
	}
	if len(t.AlsoAbout) > 0 {
		out += ", shared"
	}
	if len(t.RedactNow) > 0 {
		out += ", redacted at once"
	}
	return out
}

func matchedBy(m *Match) []string {
	var out []string
	for _, all := range m.Any {
		for _, c := range all.Columns {
			out = append(out, c.Column+strings.TrimPrefix(c.JSON, "$"))
		}
	}
	return out
}

// quote writes a DOT string: only quotes and backslashes are special there.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(s) + `"`
}

func isSubjectOf(s *System, table string) bool {
	return slices.ContainsFunc(s.Subjects, func(x Subject) bool { return x.Table == table })
}

func explainMermaid(m *Map, b *strings.Builder) {
	b.WriteString("flowchart RL\n")
	text := func(s string) string {
		return `"` + strings.NewReplacer(`"`, "#quot;", "#", "#35;", "<", "#lt;", ">", "#gt;", "`", "#96;", "\n", " ").Replace(s) + `"`
	}
	node := func(t *Table) string {
		return strings.TrimSuffix(text(t.Name), `"`) + "<br>" + strings.TrimPrefix(text(short(t)), `"`)
	}
	ids := map[string]string{}
	id := func(system, table string) string {
		k := system + "\x00" + table
		if ids[k] == "" {
			ids[k] = fmt.Sprintf("t%d", len(ids)+1)
		}
		return ids[k]
	}
	for i := range m.Systems {
		s := &m.Systems[i]
		fmt.Fprintf(b, "  subgraph s%d [%s]\n", i+1, text(s.Name+" ("+string(s.Kind)+")"))
		for j := range s.Tables {
			t := &s.Tables[j]
			switch {
			case !t.Personal:
			case isSubjectOf(s, t.Name):
				fmt.Fprintf(b, "    %s([%s]):::people\n", id(s.Name, t.Name), node(t))
			case len(t.AlsoAbout) > 0:
				fmt.Fprintf(b, "    %s[%s]:::shared\n", id(s.Name, t.Name), node(t))
			case t.Erase.Do == EraseRetain || t.Erase.Do == EraseKeep:
				fmt.Fprintf(b, "    %s[%s]:::kept\n", id(s.Name, t.Name), node(t))
			default:
				fmt.Fprintf(b, "    %s[%s]\n", id(s.Name, t.Name), node(t))
			}
		}
		b.WriteString("  end\n")
		for j := range s.Tables {
			for _, e := range edges(&s.Tables[j]) {
				arrow := "-->"
				if !e.solid {
					arrow = "-.->"
				}
				if _, known := s.Table(e.to); !known {
					fmt.Fprintf(b, "  %s[%s]\n", id(s.Name, e.to), text(e.to))
				}
				if e.label != "" {
					arrow += "|" + text(e.label) + "|"
				}
				fmt.Fprintf(b, "  %s %s %s\n", id(s.Name, e.from), arrow, id(s.Name, e.to))
			}
			if f := s.Tables[j].File; f != nil {
				fmt.Fprintf(b, "  %s -.->|%s| %s\n", id(f.System, ""), text("file by "+f.Key), id(s.Name, s.Tables[j].Name))
			}
		}
		if !s.Kind.SQL() {
			fmt.Fprintf(b, "  %s[(%s)]\n", id(s.Name, ""), text(s.Name))
		}
	}
	b.WriteString("  classDef people stroke-width:3px\n  classDef shared stroke-dasharray:5 3\n  classDef kept stroke:#b58900,stroke-width:2px\n")
}

func sortedKeys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
