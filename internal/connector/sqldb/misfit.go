package sqldb

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
)

// rowCheck is one condition of a table.
type rowCheck struct{ name, expr string }

// misfit says why a value can't be written to a column of the rows; empty when it can. What only the database knows
// (a trigger, an index over an expression) shows when it is written: then nothing is kept.
func (c *corrector) misfit(ctx context.Context, t *table, col *datamap.CatalogColumn, value string, h *heldRows) (string, error) {
	if why := c.w.d.formOf(col, value); why != "" {
		return why, nil
	}
	if value != "" {
		taken, err := c.taken(ctx, t, col, value, h)
		if err != nil || taken != "" {
			return taken, err
		}
	}
	return c.refused(ctx, t, col, value, h)
}

var decimalType = regexp.MustCompile(`^(?:numeric|decimal)\((\d+)(?:,(\d+))?\)`)

// formOf holds a value against what the catalog says of a column.
func (d *DB) formOf(col *datamap.CatalogColumn, value string) string {
	kind := strings.ToLower(col.Type)
	switch {
	case value == "" && (col.Nullable || d.dialect.isText(col)):
		return ""
	case value == "":
		return "it must not be empty"
	case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
		return "this is no text"
	case len(col.Enum) > 0:
		for _, e := range col.Enum {
			if e == value {
				return ""
			}
		}
		return "this is none of " + strings.Join(col.Enum, ", ")
	case col.Length > 0 && utf8.RuneCountInString(value) > col.Length:
		return fmt.Sprintf("at most %d characters", col.Length)
	case d.dialect.isText(col):
		return ""
	case strings.Contains(kind, "date") && !strings.Contains(kind, "time"):
		if _, err := time.Parse(time.DateOnly, value); err != nil {
			return "write a date such as 2026-03-31"
		}
	case strings.Contains(kind, "timestamp"), strings.Contains(kind, "datetime"):
		if !isInstant(value) {
			return "write a time such as 2026-03-31 12:00:00"
		}
	case strings.Contains(kind, "int") && !strings.Contains(kind, "interval") && !strings.Contains(kind, "point"):
		if !fitsInteger(kind, value) {
			return "write a whole number within the column's range"
		}
	case strings.HasPrefix(kind, "numeric"), strings.HasPrefix(kind, "decimal"):
		return misfitDecimal(kind, value)
	case strings.HasPrefix(kind, "real"), strings.HasPrefix(kind, "double"), strings.HasPrefix(kind, "float"):
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			return "write a number"
		}
	}
	if _, ok := d.dialect.keyValue(value, col); !ok {
		return "this does not have the form of the column (" + col.Type + ")"
	}
	return ""
}

func isInstant(s string) bool {
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", time.DateTime, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05", time.RFC3339Nano} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}

func fitsInteger(kind, value string) bool {
	bits := 64
	for name, n := range map[string]int{"tinyint": 8, "smallint": 16, "mediumint": 24} {
		if strings.HasPrefix(kind, name) {
			bits = n
		}
	}
	if kind == "integer" || strings.HasPrefix(kind, "int(") || kind == "int" || kind == "int unsigned" {
		bits = 32
	}
	var err error
	if strings.Contains(kind, "unsigned") {
		var n uint64
		if n, err = strconv.ParseUint(value, 10, 64); err == nil && bits < 64 && n >= 1<<bits {
			return false
		}
		return err == nil
	}
	var n int64
	if n, err = strconv.ParseInt(value, 10, 64); err == nil && bits < 64 && (n >= 1<<(bits-1) || n < -1<<(bits-1)) {
		return false
	}
	return err == nil
}

// misfitDecimal tells what is wrong with a number for numeric(p,s).
func misfitDecimal(kind, value string) string {
	if !decimalForm.MatchString(value) {
		return "write a number such as 12.50"
	}
	m := decimalType.FindStringSubmatch(kind)
	if m == nil {
		return ""
	}
	digits, _ := strconv.Atoi(m[1])
	scale, _ := strconv.Atoi(m[2])
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(value, "-"), ".")
	if len(strings.TrimLeft(whole, "0")) > digits-scale || len(strings.TrimRight(fraction, "0")) > scale {
		return fmt.Sprintf("a number of at most %d digits, %d of them behind the point", digits, scale)
	}
	return ""
}

// taken tells whether another row has the value where no two may.
func (c *corrector) taken(ctx context.Context, t *table, col *datamap.CatalogColumn, value string, h *heldRows) (string, error) {
	alone := false
	for _, u := range t.cat.Unique {
		alone = alone || len(u) == 1 && u[0] == col.Name
	}
	if !alone {
		return "", nil
	}
	if h.rows > 1 {
		return "no two rows may hold the same value, and this person has several", nil
	}
	d := c.w.d
	v, ok := d.dialect.keyValue(value, col)
	if !ok {
		return "this does not have the form of the column (" + col.Type + ")", nil
	}
	b := &builder{dialect: d.dialect}
	a := b.alias()
	b.write("SELECT COUNT(*) FROM ", d.dialect.table(t.cat), " ", a, " WHERE ", b.col(a, col.Name), " = ")
	b.write(d.dialect.assign(b.param(v), col), " AND NOT (")
	if err := d.writeRows(b, a, t, []connector.Key{splitKey(t, h.keys[0])}); err != nil {
		return "", err
	}
	b.write(")")
	n := ""
	if err := each(ctx, c.q, b.sql.String(), b.args, 1, func(v []string) { n = v[0] }); err != nil {
		return "", d.fail(err, "looking for %s of %s", col.Name, t.name)
	}
	if n != "0" {
		return "another record holds this value already, and no two may", nil
	}
	return "", nil
}

// refused tries the table's checks on the rows as they would be. Nothing is written: the rows are read with the new
// value in the column's place. What the database says of the value itself (a domain, a range) shows here too.
func (c *corrector) refused(ctx context.Context, t *table, col *datamap.CatalogColumn, value string, h *heldRows) (string, error) {
	d := c.w.d
	checks, err := d.dialect.checks(ctx, c.q, t.cat)
	if err != nil {
		return "", d.fail(err, "reading the checks of %s", t.name)
	}
	for _, check := range checks {
		if !strings.Contains(strings.ToLower(check.expr), strings.ToLower(col.Name)) {
			continue
		}
		n, err := c.failing(ctx, t, col, value, h, check.expr)
		if err != nil {
			var answer *dbError
			if errors.As(err, &answer) && (fault.Is(err, fault.Conflict) || strings.HasPrefix(answer.code, "SQLSTATE 22")) {
				return "a rule of the database (" + check.name + ") stands against this value", nil
			}
			return "", err
		}
		if n != "0" {
			return "the check " + check.name + " of the database stands against this value", nil
		}
	}
	return "", nil
}

func (c *corrector) failing(ctx context.Context, t *table, col *datamap.CatalogColumn, value string, h *heldRows, expr string) (string, error) {
	d := c.w.d
	b := &builder{dialect: d.dialect}
	a := b.alias()
	b.write("SELECT COUNT(*) FROM (SELECT ")
	for i, x := range t.cat.Columns {
		if i > 0 {
			b.write(", ")
		}
		switch {
		case x.Name != col.Name:
			b.write(b.col(a, x.Name))
		case value == "" && col.Nullable:
			b.write("NULL")
		default:
			v, _ := d.dialect.keyValue(value, col) // its form was looked at
			b.write(d.dialect.assign(b.param(v), col))
		}
		b.write(" AS ", d.dialect.quote(x.Name))
	}
	b.write(" FROM ", d.dialect.table(t.cat), " ", a, " WHERE ")
	keys := make([]connector.Key, len(h.keys))
	for i, k := range h.keys {
		keys[i] = splitKey(t, k)
	}
	if err := d.writeRows(b, a, t, keys); err != nil {
		return "", err
	}
	b.write(") ", d.dialect.quote(t.cat.Bare), " WHERE NOT (", expr, ")")
	n := ""
	// On a connection of its own: a value that the database can't even read ends the transaction it is asked in.
	err := d.inSnapshot(ctx, func(q querier) error {
		return each(ctx, q, b.sql.String(), b.args, 1, func(v []string) { n = v[0] })
	})
	return n, d.fail(err, "trying the checks of %s", t.name)
}

// quotedOrSpace are the parts of a statement in which a word means nothing.
var sqlPart = regexp.MustCompile(`(?is)^(?:'(?:[^']|'')*'|"(?:[^"]|"")*"|` + "`(?:[^`]|``)*`" + `|\[[^\]]*\]|--[^\n]*|/\*.*?\*/|[a-z_][a-z0-9_$]*|.)`)

// liteChecks reads the checks out of the text of a CREATE TABLE: SQLite lists them nowhere else.
func liteChecks(create string) []rowCheck {
	var out []rowCheck
	var name string
	words := [2]string{} // the last two words
	for rest := create; rest != ""; {
		part := sqlPart.FindString(rest)
		rest = rest[len(part):]
		switch {
		case strings.TrimSpace(part) == "", strings.HasPrefix(part, "--"), strings.HasPrefix(part, "/*"):
			continue
		case part == "(" && strings.EqualFold(words[1], "check"):
			inner, after := balanced(rest)
			rest = after
			if name == "" {
				name = "of " + strings.Join(strings.Fields(inner), " ")
			}
			out = append(out, rowCheck{name: name, expr: inner})
			name = ""
		case strings.EqualFold(words[1], "constraint"):
			name = strings.Trim(part, "\"`[]'")
		case part == ",":
			name = ""
		}
		words[0], words[1] = words[1], part
	}
	return out
}

// balanced gives what stands up to the closing parenthesis, and what follows it.
func balanced(s string) (inner, rest string) {
	depth := 1
	for i := 0; i < len(s); {
		part := sqlPart.FindString(s[i:])
		switch part {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				return s[:i], s[i+1:]
			}
		}
		i += len(part)
	}
	return s, ""
}
