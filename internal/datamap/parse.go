package datamap

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/habeas-data/habeas/internal/statute"
)

var (
	tenantForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	nameForm   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,62}$`)
	secondForm = regexp.MustCompile(`^PT([0-9]{1,2}(?:\.[0-9]{1,3})?)S$`)
	jsonForm   = regexp.MustCompile(`^\$(\.[A-Za-z_][A-Za-z0-9_-]*|\[[0-9]{1,4}\])+$`)
)

// Parse reads a datamap.yaml. name is the file's name in the problems. All faults are told at once, in the order of
// the file, each with its place and what would be right; the map is nil when one of them is more than a warning.
// It does not know the live databases: that is Coverage.
func Parse(name string, src []byte) (*Map, []Problem) {
	p := &mapReader{reader: reader{file: name, places: map[string]place{}}}
	m := &Map{}
	if doc := p.document(src); doc != nil {
		p.root(doc, m)
		p.check(m)
	}
	slices.SortStableFunc(p.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	if Wrong(p.problems) {
		return nil, p.problems
	}
	return m, p.problems
}

// mapReader reads the shape of a data map.
type mapReader struct {
	reader
}

func (p *mapReader) root(doc ast.Node, m *Map) {
	f := p.fields(doc, "", "tenant", "systems")
	if v, ok := f["tenant"]; ok {
		m.Tenant = p.text(v.node, "tenant")
		if m.Tenant != "" && !tenantForm.MatchString(m.Tenant) {
			p.bad(spot(v.node), "tenant", "lower-case letters, digits and -, beginning with a letter", "%q is not a tenant's name", m.Tenant)
		}
	} else {
		p.bad(place{1, 1}, "tenant", "add tenant: acme", "the tenant is missing")
	}
	v, ok := f["systems"]
	if !ok {
		p.bad(place{1, 1}, "systems", "add systems: with at least one", "no systems are named")
		return
	}
	pairs, _ := p.mapping(v.node, "systems")
	if len(pairs) == 0 && !Wrong(p.problems) {
		p.bad(v.at, "systems", "name at least one", "no systems are named")
	}
	for _, s := range pairs {
		if !nameForm.MatchString(s.key) {
			p.bad(s.at, join("systems", s.key), "letters, digits, _ and -", "%q is not a system's name", s.key)
		}
		m.Systems = append(m.Systems, p.system(s))
	}
}

func (p *mapReader) system(s pair) System {
	path := join("systems", s.key)
	sys := System{Name: s.key, Line: s.at.line}
	f := p.fields(s.node, path, "kind", "dsn", "session", "url", "subject", "subjects", "references", "schemas", "tables", "find", "limits", "backups")
	if v, ok := f["kind"]; ok {
		sys.Kind = Kind(p.word(v.node, join(path, "kind"), "postgres", "mysql", "sqlite", "blob", "webhook", "rest", "manual"))
	} else {
		p.bad(s.at, path, "add kind: postgres, mysql, sqlite, blob, webhook, rest or manual", "the system's kind is missing")
	}
	if v, ok := f["dsn"]; ok {
		sys.DSN, sys.WriteDSN = p.dsn(v.node, join(path, "dsn"))
	}
	if v, ok := f["session"]; ok {
		sys.Session = p.texts(v.node, join(path, "session"))
	}
	if v, ok := f["url"]; ok {
		sys.URL = p.text(v.node, join(path, "url"))
	}
	p.subjects(f, path, &sys)
	if v, ok := f["references"]; ok {
		sys.References = p.references(v.node, join(path, "references"))
	}
	if v, ok := f["schemas"]; ok {
		sys.Schemas = p.schemas(v.node, join(path, "schemas"))
	}
	if v, ok := f["find"]; ok {
		sys.Find = p.texts(v.node, join(path, "find"))
	}
	if v, ok := f["limits"]; ok {
		sys.Limits = p.limits(v.node, join(path, "limits"))
	}
	if v, ok := f["backups"]; ok {
		sys.Backups = p.backups(v.node, join(path, "backups"))
	}
	if v, ok := f["tables"]; ok {
		p.tables(v.node, join(path, "tables"), &sys)
	}
	return sys
}

// dsn reads one address, or {read: …, write: …} where another role erases.
func (p *mapReader) dsn(n ast.Node, path string) (read, write string) {
	if _, single := scalar(n); single {
		return p.text(n, path), ""
	}
	f := p.fields(n, path, "read", "write")
	for key, into := range map[string]*string{"read": &read, "write": &write} {
		if v, ok := f[key]; ok {
			*into = p.text(v.node, join(path, key))
		} else {
			p.bad(spot(n), path, "write {read: ${APP_READ_DSN}, write: ${APP_WRITE_DSN}}", "dsn lacks %s", key)
		}
	}
	return read, write
}

func (p *mapReader) tables(n ast.Node, path string, sys *System) {
	pairs, _ := p.mapping(n, path)
	for _, t := range pairs {
		table := p.table(t, join(path, t.key))
		if t.key == "*" {
			sys.Wildcard = &table
			continue
		}
		if strings.ContainsAny(t.key, "*?") {
			p.bad(t.at, join(path, t.key), `only "*" alone is a wildcard`, "table names hold no patterns")
		}
		sys.Tables = append(sys.Tables, table)
	}
}

// texts reads a mapping of words to words.
func (p *mapReader) texts(n ast.Node, path string) map[string]string {
	pairs, _ := p.mapping(n, path)
	out := make(map[string]string, len(pairs))
	for _, v := range pairs {
		out[v.key] = p.text(v.node, join(path, v.key))
	}
	return out
}

func (p *mapReader) limits(n ast.Node, path string) Limits {
	var l Limits
	f := p.fields(n, path, "max_rows", "max_share", "lock_time", "k")
	if v, ok := f["max_rows"]; ok {
		l.MaxRows = p.whole(v.node, join(path, "max_rows"))
	}
	if v, ok := f["max_share"]; ok {
		l.MaxShare = p.share(v.node, join(path, "max_share"))
	}
	if v, ok := f["lock_time"]; ok {
		l.LockTime = p.seconds(v.node, join(path, "lock_time"))
	}
	if v, ok := f["k"]; ok {
		if l.K = p.whole(v.node, join(path, "k")); l.K == 1 {
			p.bad(spot(v.node), join(path, "k"), "2 or more", "one person alone is what k guards against")
		}
	}
	return l
}

// backups reads {keep: P35D}.
func (p *mapReader) backups(n ast.Node, path string) statute.Period {
	v, ok := p.fields(n, path, "keep")["keep"]
	if !ok {
		p.bad(spot(n), path, "write {keep: P35D}", "backups lacks keep")
		return statute.Period{}
	}
	keep, err := statute.ParsePeriod(p.text(v.node, join(path, "keep")))
	if err != nil || keep.IsZero() {
		p.bad(spot(v.node), join(path, "keep"), "a period such as P35D: the longest that a backup is kept", "this is no period")
	}
	return keep
}

// seconds reads a short ISO 8601 duration: `PT0.25S`.
func (p *mapReader) seconds(n ast.Node, path string) time.Duration {
	text := p.text(n, path)
	m := secondForm.FindStringSubmatch(text)
	if m == nil {
		p.bad(spot(n), path, "write PT0.25S", "%q is not a time in seconds", text)
		return 0
	}
	s, _ := strconv.ParseFloat(m[1], 64) // the form is a number
	d := time.Duration(math.Round(s*1000)) * time.Millisecond
	if d < MinLockTime || d > MaxLockTime {
		p.bad(spot(n), path, "between PT0.01S and PT10S", "%s is outside what is possible", text)
	}
	return d
}

func (p *mapReader) schemas(n ast.Node, path string) Schemas {
	var s Schemas
	f := p.fields(n, path, "include", "ignore")
	if v, ok := f["include"]; ok {
		s.Include = p.names(v.node, join(path, "include"))
	}
	if v, ok := f["ignore"]; ok {
		if _, list := v.node.(*ast.SequenceNode); list {
			p.bad(spot(v.node), join(path, "ignore"), `write {backup: "a copy; equal ids are other people"}`, "an ignored schema needs a reason")
			return s
		}
		s.Ignore = p.texts(v.node, join(path, "ignore"))
	}
	return s
}

func (p *mapReader) subjects(f map[string]pair, path string, sys *System) {
	one, single := f["subject"]
	many, plural := f["subjects"]
	switch {
	case single && plural:
		p.bad(many.at, join(path, "subjects"), "name all kinds of people under subjects:", "subject: and subjects: stand side by side")
	case single:
		s := p.subject("", one.node, join(path, "subject"))
		s.Name = s.Table
		sys.Subjects = []Subject{s}
	case plural:
		pairs, _ := p.mapping(many.node, join(path, "subjects"))
		for _, v := range pairs {
			if !nameForm.MatchString(v.key) {
				p.bad(v.at, join(path, "subjects."+v.key), "letters, digits, _ and -", "%q is not a name for a kind of person", v.key)
			}
			sys.Subjects = append(sys.Subjects, p.subject(v.key, v.node, join(path, "subjects."+v.key)))
		}
	}
}

func (p *mapReader) subject(name string, n ast.Node, path string) Subject {
	s := Subject{Name: name}
	f := p.fields(n, path, "table", "key", "identifiers", "members")
	if v, ok := f["table"]; ok {
		s.Table = p.text(v.node, join(path, "table"))
	} else if len(f) > 0 || !empty(n) {
		p.bad(spot(n), path, "add table: customer", "the subject's table is missing")
	}
	if v, ok := f["key"]; ok {
		s.Key = p.names(v.node, join(path, "key"))
	} else if len(f) > 0 {
		p.bad(spot(n), path, "add key: customer_id", "the key of the subject's table is missing")
	}
	if v, ok := f["identifiers"]; ok {
		pairs, _ := p.mapping(v.node, join(path, "identifiers"))
		for _, id := range pairs {
			s.Identifiers = append(s.Identifiers, p.identifier(id, join(path, "identifiers."+id.key), s.Table))
		}
	}
	if v, ok := f["members"]; ok {
		s.Members = p.members(v.node, join(path, "members"))
	}
	if len(s.Identifiers) == 0 && s.Members == nil && len(f) > 0 {
		p.bad(spot(n), path, "add identifiers: {email: email}", "nothing says by what a person is found")
	}
	return s
}

func (p *mapReader) members(n ast.Node, path string) *Members {
	m := &Members{}
	f := p.fields(n, path, "table", "by", "person")
	for key, into := range map[string]*string{"table": &m.Table, "by": &m.By, "person": &m.Person} {
		if v, ok := f[key]; ok {
			*into = p.text(v.node, join(path, key))
		}
	}
	if m.Table == "" || m.By == "" || m.Person == "" {
		p.bad(spot(n), path, "write {table: membership, by: workspace_id, person: user_id}", "members need table, by and person")
	}
	return m
}

// identifier reads `email` or `{column: email, match: domain_ci, table: emailaddress, by: person_id}`.
func (p *mapReader) identifier(v pair, path, table string) Identifier {
	id := Identifier{Name: v.key, Table: table}
	if s, ok := scalar(v.node); ok {
		id.Column = s
		if s == "" {
			p.bad(v.at, path, "write "+v.key+": its column", "the identifier's column is missing")
		}
		id.Match = defaultRule(id.Name)
		return id
	}
	f := p.fields(v.node, path, "column", "match", "table", "by")
	if c, ok := f["column"]; ok {
		id.Column = p.text(c.node, join(path, "column"))
	} else {
		p.bad(v.at, path, "add column:", "the identifier's column is missing")
	}
	id.Match = defaultRule(id.Name)
	if c, ok := f["match"]; ok {
		id.Match = p.rule(c.node, join(path, "match"))
	}
	if c, ok := f["table"]; ok {
		id.Table = p.text(c.node, join(path, "table"))
	}
	if c, ok := f["by"]; ok {
		id.By = p.names(c.node, join(path, "by"))
	}
	if id.Table != table && len(id.By) == 0 {
		p.bad(v.at, path, "add by: the column of "+id.Table+" that holds the subject's key", "an identifier in another table needs by")
	}
	if id.Table == table && len(id.By) > 0 {
		p.bad(v.at, path, "add table:, or remove by:", "by is for identifiers in another table")
	}
	return id
}

func (p *mapReader) rule(n ast.Node, path string) MatchRule {
	return MatchRule(p.word(n, path, string(MatchExact), string(MatchDomainCI), string(MatchASCIICI)))
}

// defaultRule compares addresses with their domain in any case (RFC 5321 section 2.4: the domain is case-insensitive, the
// local part belongs to the host) and everything else exactly.
func defaultRule(name string) MatchRule {
	if strings.Contains(strings.ToLower(strings.ReplaceAll(name, "-", "")), "email") {
		return MatchDomainCI
	}
	return MatchExact
}

func (p *mapReader) references(n ast.Node, path string) []Reference {
	if _, ok := n.(*ast.SequenceNode); !ok {
		p.bad(spot(n), path, "write - {from: payment.rental_id, to: rental.rental_id}", "references must be a list")
		return nil
	}
	var out []Reference
	for i, item := range items(n) {
		here := at(path, n, i)
		p.places[here] = spot(item)
		f := p.fields(item, here, "from", "to")
		from, okFrom := f["from"]
		to, okTo := f["to"]
		if !okFrom || !okTo {
			p.bad(spot(item), here, "write {from: payment.rental_id, to: rental.rental_id}", "a reference needs from and to")
			continue
		}
		var ref Reference
		ref.FromTable, ref.FromColumns = p.dotted(from.node, join(here, "from"))
		ref.ToTable, ref.ToColumns = p.dotted(to.node, join(here, "to"))
		if len(ref.FromColumns) != len(ref.ToColumns) {
			p.bad(spot(item), here, "", "from names %d columns, to %d", len(ref.FromColumns), len(ref.ToColumns))
		}
		out = append(out, ref)
	}
	return out
}

// dotted reads `table.column`, `schema.table.column`, or a list of such of one table (a composite key).
func (p *mapReader) dotted(n ast.Node, path string) (table string, columns []string) {
	for _, s := range p.names(n, path) {
		t, c, ok := splitColumn(s)
		switch {
		case !ok:
			p.bad(spot(n), path, "write table.column", "%q does not name a table and a column", s)
		case table != "" && t != table:
			p.bad(spot(n), path, "", "a key lies in one table, not in %s and %s", table, t)
		default:
			table, columns = t, append(columns, c)
		}
	}
	return table, columns
}

// splitColumn splits at the last dot that does not stand within double quotes: names with dots are written
// `"odd.table".column`.
func splitColumn(s string) (table, column string, ok bool) {
	cut, quoted := -1, false
	for i, r := range s {
		switch {
		case r == '"':
			quoted = !quoted
		case r == '.' && !quoted:
			cut = i
		}
	}
	if cut <= 0 || cut == len(s)-1 || quoted {
		return "", "", false
	}
	return strings.ReplaceAll(s[:cut], `"`, ""), strings.ReplaceAll(s[cut+1:], `"`, ""), true
}
