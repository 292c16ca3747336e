package datamap

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// erasedText is what stands in a text that may not be null.
const erasedText = "[erased]"

// anonymization asks about columns that will be anonymized and for which no way is known.
func (c *coverage) anonymization() {
	all, now := c.anonymized()
	for i := range c.sys.Tables {
		t := &c.sys.Tables[i]
		live, ok := c.cat.Table(t.Name)
		if !ok || live.View || !t.Personal {
			continue
		}
		if (all[t.Name] || now[t.Name]) && len(live.PrimaryKey) == 0 {
			c.bad(t.Name, "", "give it a primary key, or say erase: delete or keep", "rows of %s may be anonymized, and it has no primary key by which a row is found again", t.Name)
		}
		for j := range live.Columns {
			col := &live.Columns[j]
			rule := t.Columns[col.Name]
			switch {
			case rule.Anonymize != nil:
				c.anonymizer(t, live, col, *rule.Anonymize)
			case now[t.Name] && slices.Contains(t.RedactNow, col.Name) && (col.Generated || col.Identity):
				c.bad(t.Name, col.Name, "redact the columns it is computed from", "redact_now names a column that the database computes; it can't be written")
			case now[t.Name] && slices.Contains(t.RedactNow, col.Name), all[t.Name] && c.byDefault(t, live, col):
				c.defaultWay(t, live, col)
			}
		}
	}
}

// anonymized tells which tables may be anonymized as a whole, and which have columns redacted while rows are kept.
func (c *coverage) anonymized() (all, redacted map[string]bool) {
	all, redacted = map[string]bool{}, map[string]bool{}
	kept := map[string]bool{}
	for changed := true; changed; {
		changed = false
		mark := func(m map[string]bool, name string) {
			if !m[name] {
				m[name], changed = true, true
			}
		}
		for i := range c.sys.Tables {
			t := &c.sys.Tables[i]
			if !t.Personal {
				continue
			}
			if t.Erase.Do == EraseAnonymize || t.Erase.IfOthersRefer == OthersAnonymize {
				mark(all, t.Name)
			}
			if t.Erase.Do == EraseRetain {
				mark(kept, t.Name)
			}
			if len(t.RedactNow) > 0 {
				mark(redacted, t.Name)
			}
			for _, o := range t.Owners {
				if t.Erase.Do == EraseWithOwner && all[o.Table] {
					mark(all, t.Name)
				}
				if t.Erase.Do == EraseWithOwner && kept[o.Table] {
					mark(kept, t.Name)
				}
			}
		}
		// What kept rows need is anonymized now and deleted with the last of them.
		for _, l := range append(slices.Clone(c.links), c.owned...) {
			t, ok := c.sys.Table(l.To)
			if !ok || !t.Personal || !kept[l.From] || kept[l.To] || t.Erase.Do == EraseKeep {
				continue
			}
			mark(all, l.To)
		}
	}
	return all, redacted
}

// byDefault tells whether a column without a rule of its own is anonymized with its row: not the keys, which tell
// nothing once the rows they point at are gone or anonymized, and not what the database computes.
func (c *coverage) byDefault(t *Table, live *CatalogTable, col *CatalogColumn) bool {
	if rule, ok := t.Columns[col.Name]; ok && rule.Personal != nil && !*rule.Personal {
		return false
	}
	if col.Generated || col.Identity || col.Name == t.RowDate {
		return false
	}
	key := slices.Contains(live.PrimaryKey, col.Name)
	for _, l := range append(slices.Clone(c.links), c.owned...) {
		key = key || l.From == t.Name && slices.Contains(l.FromColumns, col.Name) || l.To == t.Name && slices.Contains(l.ToColumns, col.Name)
		for name := range l.When {
			key = key || l.From == t.Name && name == col.Name
		}
	}
	if !key {
		return true
	}
	what := looksPersonal(col.Name)
	if what != "" && classOf(col) == typeText {
		c.bad(t.Name, col.Name, "add columns: {"+col.Name+": {anonymize: {with: …}}}", "rows of %s may be anonymized; this column is part of a key and looks like %s: say what becomes of it", t.Name, what)
	}
	return false
}

// defaultWay tells whether null or a text will do.
func (c *coverage) defaultWay(t *Table, live *CatalogTable, col *CatalogColumn) {
	if col.Nullable {
		c.checked(t, live, col, AnonNull, "")
		return
	}
	fix := "add columns: {" + col.Name + ": {personal: false}} or {" + col.Name + ": {anonymize: {with: …}}}"
	if classOf(col) != typeText {
		c.bad(t.Name, col.Name, fix, "rows of %s may be anonymized; this column is %s, may not be null, and nothing says what to write", t.Name, col.Type)
		return
	}
	c.checked(t, live, col, AnonFixed, erasedText)
	// A unique text carries the row's key; 20 characters hold the mark, a space and an eleven-digit key.
	if col.Length > 0 && col.Length < len(erasedText)+12 && unique(live, col.Name) && c.sys.Kind != KindSQLite {
		c.bad(t.Name, col.Name, fix, "rows of %s may be anonymized; this unique text of at most %d characters is too short for a mark and a key", t.Name, col.Length)
	}
}

func unique(t *CatalogTable, column string) bool {
	if slices.Equal(t.PrimaryKey, []string{column}) {
		return true
	}
	return slices.ContainsFunc(t.Unique, func(u []string) bool { return slices.Contains(u, column) })
}

// anonymizer holds a column's own rule against what the database allows.
func (c *coverage) anonymizer(t *Table, live *CatalogTable, col *CatalogColumn, a Anonymize) {
	class := classOf(col)
	bad := func(fix, format string, args ...any) { c.bad(t.Name, col.Name, fix, format, args...) }
	c.checked(t, live, col, a.With, a.Value)
	if to := c.keyTo(t.Name, col.Name); to != "" && a.With != AnonNull && a.With != AnonKeep {
		bad("say null or keep, or anonymize the row it points at", "the column is a key to %s: any other value points nowhere, and the database refuses it", to)
		return
	}
	switch {
	case a.With == AnonGeneralize && unique(live, col.Name):
		bad("use hash, fake or fixed with {key}", "the column is unique, and two people may fall on the same generalized value")
	case col.Identity && a.With != AnonKeep:
		bad("remove the rule", "the database numbers this column; it can't be written")
	case col.Generated && a.With != AnonKeep:
		bad("anonymize the columns it is computed from", "the database computes this column; it can't be written")
	case a.With == AnonNull && !col.Nullable:
		bad("use fixed", "the column may not be null")
	case a.With == AnonFixed:
		c.fixed(t, live, col, a.Value)
	case a.With == AnonHash && class != typeText && class != typeBytes && class != typeOther:
		bad("use null, fixed or generalize", "a hash is a text; this column is %s", col.Type)
	case a.With == AnonGeneralize && class != typeTime && class != typeNumber && class != typeText:
		bad("use null or fixed", "only dates, numbers and texts can be generalized; this column is %s", col.Type)
	}
}

func (c *coverage) fixed(t *Table, live *CatalogTable, col *CatalogColumn, value string) {
	switch {
	case unique(live, col.Name) && !strings.Contains(value, "{key}"):
		c.warn(t.Name, col.Name, "put {key} into the value", "the column is unique: the row's key is added to the value, so that a second anonymized row is not refused")
	case col.Length > 0 && c.sys.Kind != KindSQLite && utf8.RuneCountInString(strings.ReplaceAll(value, "{key}", "1")) > col.Length:
		c.bad(t.Name, col.Name, "shorten it", "the value is longer than the column's %d characters", col.Length)
	case len(col.Enum) > 0 && !slices.Contains(col.Enum, value):
		c.bad(t.Name, col.Name, "one of "+strings.Join(col.Enum, ", "), "%q is not a value of this column's type", value)
	}
}

// keyTo gives the table to which the database itself ties a column; "" when it does not.
func (c *coverage) keyTo(table, column string) string {
	for _, l := range c.links {
		if l.Enforced && l.From == table && slices.Contains(l.FromColumns, column) {
			return l.To
		}
	}
	return ""
}

var quotedText = regexp.MustCompile(`'((?:[^']|'')*)'`)

// checked holds what would be written into a column against the rules that the database has for it, as far as a reader
// can: a list of values is understood, other rules are told.
func (c *coverage) checked(t *Table, live *CatalogTable, col *CatalogColumn, with Anonymizer, value string) {
	for _, check := range live.Checks {
		if check.Column != col.Name || with == AnonKeep {
			continue
		}
		expr := strings.ToLower(check.Expr)
		fix := "say columns: {" + col.Name + ": {anonymize: {with: fixed, value: …}}} with a value that the rule allows"
		if with == AnonNull {
			if strings.Contains(expr, "is not null") {
				c.bad(t.Name, col.Name, fix, "the check %s forbids null here", check.Name)
			}
			continue
		}
		var allowed []string
		for _, m := range quotedText.FindAllStringSubmatch(check.Expr, -1) {
			allowed = append(allowed, strings.ReplaceAll(m[1], "''", "'"))
		}
		listing := len(allowed) > 0 && (strings.Contains(expr, " in ") || strings.Contains(expr, " in(") || strings.Contains(expr, "any (array") || strings.Contains(expr, "any ((array"))
		switch {
		case with == AnonFixed && listing && !slices.Contains(allowed, value):
			c.bad(t.Name, col.Name, fix, "the check %s allows only %s here, not %q", check.Name, strings.Join(allowed, ", "), value)
		case listing && with != AnonFixed:
			c.bad(t.Name, col.Name, fix, "the check %s allows only %s here", check.Name, strings.Join(allowed, ", "))
		case !listing:
			c.warn(t.Name, col.Name, "try the erasure on a copy", "the check %s may refuse what is written here: %s", check.Name, check.Expr)
		}
	}
}
