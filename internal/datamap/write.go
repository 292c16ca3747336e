package datamap

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Write gives a map as a datamap.yaml that Parse reads back to the same map, with a comment `# decide: …` for every
// note at its table or column.
func Write(m *Map, notes []Note) []byte {
	w := &writer{notes: notes}
	w.line(0, "# datamap.yaml: where the data of people lie, whose row is whose, and what an erasure does with it.")
	if len(notes) > 0 {
		w.line(0, "# Every \"# decide:\" waits for a person who knows the product; then: habeas map check")
	}
	w.line(0, "tenant: %s", plain(m.Tenant))
	w.line(0, "systems:")
	for i := range m.Systems {
		w.system(&m.Systems[i])
	}
	return []byte(w.b.String())
}

type writer struct {
	b     strings.Builder
	notes []Note
}

func (w *writer) line(depth int, format string, args ...any) {
	w.b.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(&w.b, format, args...)
	w.b.WriteByte('\n')
}

func (w *writer) decide(depth int, table, column string) {
	for _, kind := range []NoteKind{NoteDecide, NoteRemark} {
		for _, n := range w.notes {
			if n.Table == table && n.Column == column && n.Kind == kind {
				w.line(depth, "# %s%s", lead(kind), oneLine(n.Text))
			}
		}
	}
}

func lead(kind NoteKind) string {
	if kind == NoteDecide {
		return "decide: "
	}
	return ""
}

// oneLine keeps a name with a line break from ending a comment.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// reason says why a reference is believed.
func (w *writer) reason(r Reference) string {
	for _, n := range w.notes {
		if n.Kind == NoteReason && n.Table == r.FromTable && slices.Contains(r.FromColumns, n.Column) {
			return " # " + oneLine(n.Text)
		}
	}
	return ""
}

func (w *writer) system(s *System) {
	w.line(1, "%s:", plain(s.Name))
	w.decide(2, "", "")
	w.line(2, "kind: %s", s.Kind)
	switch {
	case s.WriteDSN != "":
		w.line(2, "dsn: {read: %s, write: %s}", plain(s.DSN), plain(s.WriteDSN))
	case s.DSN != "":
		w.line(2, "dsn: %s", plain(s.DSN))
	}
	if len(s.Session) > 0 {
		w.line(2, "session: %s", pairs(s.Session))
	}
	if s.URL != "" {
		w.line(2, "url: %s", plain(s.URL))
	}
	w.subjects(s)
	if len(s.References) > 0 {
		w.line(2, "references: # keys that the database does not declare")
		for _, r := range s.References {
			w.line(3, "- {from: %s, to: %s}%s", dotted(r.FromTable, r.FromColumns), dotted(r.ToTable, r.ToColumns), w.reason(r))
		}
	}
	if in := s.Schemas; len(in.Include)+len(in.Ignore) > 0 {
		w.line(2, "schemas:")
		if len(in.Include) > 0 {
			w.line(3, "include: %s", list(in.Include))
		}
		if len(in.Ignore) > 0 {
			w.line(3, "ignore: %s", pairs(in.Ignore))
		}
	}
	if len(s.Find) > 0 {
		w.line(2, "find: %s", pairs(s.Find))
	}
	if s.Limits != (Limits{}) {
		var parts []string
		if s.Limits.MaxRows > 0 {
			parts = append(parts, "max_rows: "+strconv.FormatInt(s.Limits.MaxRows, 10))
		}
		if s.Limits.MaxShare > 0 {
			parts = append(parts, "max_share: "+strconv.FormatFloat(s.Limits.MaxShare, 'f', -1, 64))
		}
		if s.Limits.LockTime > 0 {
			parts = append(parts, "lock_time: PT"+strconv.FormatFloat(s.Limits.LockTime.Seconds(), 'f', -1, 64)+"S")
		}
		if s.Limits.K > 0 {
			parts = append(parts, "k: "+strconv.FormatInt(s.Limits.K, 10))
		}
		w.line(2, "limits: {%s}", strings.Join(parts, ", "))
	}
	if !s.Backups.IsZero() {
		w.line(2, "backups: {keep: %s}", s.Backups)
	}
	if len(s.Tables) == 0 && s.Wildcard == nil {
		return
	}
	w.line(2, "tables:")
	for i := range s.Tables {
		w.table(&s.Tables[i])
	}
	if s.Wildcard != nil {
		w.table(s.Wildcard)
	}
}

func (w *writer) subjects(s *System) {
	single := len(s.Subjects) == 1 && s.Subjects[0].Name == s.Subjects[0].Table
	if len(s.Subjects) > 0 && !single {
		w.line(2, "subjects:")
	}
	for _, x := range s.Subjects {
		depth := 3
		if single {
			depth = 2
			w.line(2, "subject:")
		} else {
			w.line(3, "%s:", plain(x.Name))
			depth = 3
		}
		w.line(depth+1, "table: %s", plain(x.Table))
		w.line(depth+1, "key: %s", list(x.Key))
		if len(x.Identifiers) > 0 {
			var parts []string
			for _, id := range x.Identifiers {
				parts = append(parts, plain(id.Name)+": "+identifierText(id, x.Table))
			}
			w.line(depth+1, "identifiers: {%s}", strings.Join(parts, ", "))
		}
		if m := x.Members; m != nil {
			w.line(depth+1, "members: {table: %s, by: %s, person: %s}", plain(m.Table), plain(m.By), plain(m.Person))
		}
	}
}

func identifierText(id Identifier, table string) string {
	if id.Table == table && id.Match == defaultRule(id.Name) {
		return plain(id.Column)
	}
	out := "{"
	if id.Table != table {
		out += "table: " + plain(id.Table) + ", "
	}
	out += "column: " + plain(id.Column)
	if len(id.By) > 0 {
		out += ", by: " + list(id.By)
	}
	return out + ", match: " + string(id.Match) + "}"
}

func (w *writer) table(t *Table) {
	w.decide(3, t.Name, "")
	if !t.Personal {
		columns := ""
		if len(t.Columns) > 0 {
			var parts []string
			for _, name := range slices.Sorted(maps.Keys(t.Columns)) {
				parts = append(parts, plain(name)+": {"+columnText(t.Columns[name])+"}")
			}
			columns = ", columns: {" + strings.Join(parts, ", ") + "}"
		}
		w.line(3, "%s: {personal: false, why: %s%s}", plain(t.Name), plain(t.Why), columns)
		return
	}
	w.line(3, "%s:", plain(t.Name))
	if t.Why != "" {
		w.line(4, "why: %s", plain(t.Why))
	}
	for _, group := range []struct {
		key  string
		list []Relation
	}{{"owner", t.Owners}, {"also_about", t.AlsoAbout}, {"also_from", t.AlsoFrom}, {"mentions", t.Mentions}} {
		w.relations(group.key, group.list)
	}
	if t.Match != nil {
		w.line(4, "match: %s", matchText(t.Match))
	}
	if t.Category != "" {
		w.line(4, "category: %s", plain(t.Category))
	}
	if e := t.Erase; e.Do != "" && e.IfOthersRefer == "" && e.Why == "" {
		w.line(4, "erase: %s", e.Do)
	} else if e.Do != "" {
		parts := []string{"do: " + string(e.Do)}
		if e.IfOthersRefer != "" {
			parts = append(parts, "if_others_refer: "+string(e.IfOthersRefer))
		}
		if e.Why != "" {
			parts = append(parts, "why: "+plain(e.Why))
		}
		w.line(4, "erase: {%s}", strings.Join(parts, ", "))
	}
	if t.RowDate != "" {
		w.line(4, "row_date: %s", plain(t.RowDate))
	}
	if len(t.RedactNow) > 0 {
		w.line(4, "redact_now: %s", list(t.RedactNow))
	}
	w.export(t.Export)
	if t.File != nil {
		w.line(4, "file: {system: %s, key: %s}", plain(t.File.System), plain(t.File.Key))
	}
	if t.Slow {
		w.line(4, "index: accepted")
	}
	w.columns(t)
}

func (w *writer) export(e Export) {
	var parts []string
	if len(e.HideOthers) > 0 {
		parts = append(parts, "hide_others: "+list(e.HideOthers))
	}
	if e.Skip {
		parts = append(parts, "skip: true")
	}
	if e.Why != "" {
		parts = append(parts, "why: "+plain(e.Why))
	}
	if len(parts) > 0 {
		w.line(4, "export: {%s}", strings.Join(parts, ", "))
	}
}

func (w *writer) relations(key string, rels []Relation) {
	if len(rels) == 0 {
		return
	}
	var parts []string
	for _, r := range rels {
		parts = append(parts, relationText(r))
	}
	if len(parts) == 1 {
		w.line(4, "%s: %s", key, parts[0])
		return
	}
	w.line(4, "%s: [%s]", key, strings.Join(parts, ", "))
}

func relationText(r Relation) string {
	if len(r.By)+len(r.From)+len(r.When) == 0 && r.OnErase == "" {
		return plain(r.Table)
	}
	out := "{table: " + plain(r.Table)
	for _, part := range []struct {
		key   string
		names []string
	}{{"by", r.By}, {"to", r.To}, {"from", r.From}} {
		if len(part.names) > 0 {
			out += ", " + part.key + ": " + list(part.names)
		}
	}
	if len(r.When) > 0 {
		out += ", when: " + pairs(r.When)
	}
	if r.OnErase != "" {
		out += ", on_erase: " + quoteWord(r.OnErase)
	}
	return out + "}"
}

func matchText(m *Match) string {
	if m.None {
		return "none"
	}
	var all []string
	for _, a := range m.Any {
		var cols []string
		for _, c := range a.Columns {
			if c.JSON == "" && c.Rule == "" {
				cols = append(cols, plain(c.Column)+": "+plain(c.Identifier))
				continue
			}
			out := plain(c.Column) + ": {"
			if c.JSON != "" {
				out += "json: " + strconv.Quote(c.JSON) + ", "
			}
			out += "is: " + plain(c.Identifier)
			if c.Rule != "" {
				out += ", match: " + string(c.Rule)
			}
			cols = append(cols, out+"}")
		}
		all = append(all, "{"+strings.Join(cols, ", ")+"}")
	}
	return "{any: [" + strings.Join(all, ", ") + "]}"
}

func (w *writer) columns(t *Table) {
	// A note may stand at a column without an entry: then it stands above the columns.
	for _, n := range w.notes {
		if _, has := t.Columns[n.Column]; n.Table == t.Name && n.Column != "" && !has && n.Kind != NoteReason {
			w.line(4, "# %s%s %s", lead(n.Kind), n.Column, oneLine(n.Text))
		}
	}
	if len(t.Columns) == 0 {
		return
	}
	w.line(4, "columns:")
	for _, name := range slices.Sorted(maps.Keys(t.Columns)) {
		c := t.Columns[name]
		w.decide(5, t.Name, name)
		w.line(5, "%s: {%s}", plain(name), columnText(c))
	}
}

func columnText(c Column) string {
	var parts []string
	if c.Personal != nil {
		parts = append(parts, "personal: "+strconv.FormatBool(*c.Personal))
	}
	if c.Export != "" {
		parts = append(parts, "export: "+string(c.Export))
	}
	if a := c.Anonymize; a != nil {
		text := "{with: " + quoteWord(string(a.With))
		if a.With == AnonFixed {
			text += ", value: " + strconv.Quote(a.Value)
		}
		if a.Why != "" {
			text += ", why: " + plain(a.Why)
		}
		parts = append(parts, "anonymize: "+text+"}")
	}
	if c.CopyOf != "" {
		parts = append(parts, "copy_of: "+plain(c.CopyOf))
	}
	if c.Why != "" {
		parts = append(parts, "why: "+plain(c.Why))
	}
	return strings.Join(parts, ", ")
}

var plainForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// plain writes a scalar: bare where YAML can't take it for anything else, else in double quotes (JSON's, which are YAML's).
func plain(s string) string {
	if plainForm.MatchString(s) {
		return quoteWord(s)
	}
	return strconv.Quote(s)
}

// quoteWord keeps words that some YAML readers take for null or booleans as text.
func quoteWord(s string) string {
	switch strings.ToLower(s) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return strconv.Quote(s)
	}
	return s
}

func list(names []string) string {
	if len(names) == 1 {
		return plain(names[0])
	}
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = plain(n)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func pairs(m map[string]string) string {
	var out []string
	for _, k := range sortedKeys(m) {
		out = append(out, plain(k)+": "+plain(m[k]))
	}
	return "{" + strings.Join(out, ", ") + "}"
}

// dotted writes `table.column`, or a list of them, with quotes around names that hold dots themselves.
func dotted(table string, columns []string) string {
	out := make([]string, len(columns))
	for i, c := range columns {
		if strings.Contains(c, ".") {
			c = `"` + c + `"`
		}
		out[i] = table + "." + c
		if strings.ContainsAny(out[i], `" []{},:#&*!|>%@`) {
			out[i] = strconv.Quote(out[i])
		}
	}
	if len(out) == 1 {
		return out[0]
	}
	return "[" + strings.Join(out, ", ") + "]"
}
