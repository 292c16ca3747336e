package oracle

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/connector/connectortest"
	"github.com/habeas-data/habeas/internal/datamap"
)

// bench is a case in a real database.
type bench struct {
	connectortest.Fixture
	c *Case
}

func (b bench) name(t *Table) string {
	switch {
	case b.c.Engine != datamap.KindPostgres:
		return b.Quote(t.Bare)
	case t.Schema != "":
		return b.Quote(t.Schema) + "." + b.Quote(t.Bare)
	}
	return b.Quote(b.c.Schema) + "." + b.Quote(t.Bare)
}

func (b bench) list(cols []string) string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = b.Quote(c)
	}
	return strings.Join(out, ", ")
}

func (b bench) sqlType(c Column) string {
	switch c.Kind {
	case Int:
		return "INTEGER"
	case Date:
		return "DATE"
	case JSON:
		return b.JSON
	case Text:
	}
	out := "TEXT"
	if c.Length > 0 {
		out = fmt.Sprintf("VARCHAR(%d)", c.Length)
	}
	switch {
	case b.c.Engine == datamap.KindMySQL && c.Fold:
		out += " COLLATE utf8mb4_general_ci"
	case b.c.Engine == datamap.KindMySQL:
		out += " COLLATE utf8mb4_bin"
	case b.c.Engine == datamap.KindSQLite && c.Fold:
		out += " COLLATE NOCASE"
	}
	return out
}

func (b bench) foreignKey(fk ForeignKey) string {
	s := fmt.Sprintf("FOREIGN KEY (%s) REFERENCES %s (%s)", b.list(fk.Columns), b.name(b.c.Table(fk.To)), b.list(fk.Refs))
	if fk.OnDelete != "" {
		s += " ON DELETE " + fk.OnDelete
	}
	if fk.Deferrable {
		s += " DEFERRABLE"
	}
	return s
}

func (b bench) create() []string {
	var out, after []string
	if b.c.Engine == datamap.KindPostgres {
		out = append(out, "CREATE SCHEMA "+b.Quote(b.c.Schema), "CREATE SCHEMA "+b.Quote(b.c.Schema+" 2"))
	}
	for _, t := range b.c.Tables {
		var parts []string
		for _, c := range t.Columns {
			s := b.Quote(c.Name) + " " + b.sqlType(c)
			if c.NotNull {
				s += " NOT NULL"
			}
			if c.Copy != "" {
				s += " GENERATED ALWAYS AS (" + b.Quote(c.Copy) + ") STORED"
			}
			parts = append(parts, s)
		}
		if len(t.Key) > 0 {
			parts = append(parts, "PRIMARY KEY ("+b.list(t.Key)+")")
		}
		for _, u := range t.Unique {
			parts = append(parts, "UNIQUE ("+b.list(u)+")")
		}
		for _, fk := range t.ForeignKeys {
			if b.AlterForeignKey {
				after = append(after, "ALTER TABLE "+b.name(t)+" ADD "+b.foreignKey(fk))
			} else {
				parts = append(parts, b.foreignKey(fk))
			}
		}
		s := "CREATE TABLE " + b.name(t) + " (" + strings.Join(parts, ", ") + ")"
		if t.Partitioned {
			s += " PARTITION BY HASH (" + b.list(t.Key) + ")"
		}
		out = append(out, s)
		for n := range 2 {
			if t.Partitioned {
				part := Table{Schema: t.Schema, Bare: fmt.Sprintf("%s_p%d", t.Bare, n)}
				out = append(out, fmt.Sprintf("CREATE TABLE %s PARTITION OF %s FOR VALUES WITH (MODULUS 2, REMAINDER %d)", b.name(&part), b.name(t), n))
			}
		}
		after = append(after, b.trigger(t)...)
	}
	return append(out, after...)
}

func (b bench) trigger(t *Table) []string {
	if t.Log == "" {
		return nil
	}
	insert := fmt.Sprintf("INSERT INTO %s VALUES ('%s')", b.name(b.c.Table(t.Log)), strings.ReplaceAll(strings.ReplaceAll(t.Bare, "'", "''"), `\`, `\\`))
	name := b.Quote("trigger of " + t.Log)
	switch b.c.Engine {
	case datamap.KindPostgres:
		fn := b.Quote(b.c.Schema) + "." + name
		return []string{"CREATE FUNCTION " + fn + "() RETURNS trigger LANGUAGE plpgsql AS $fn$ BEGIN " + insert + "; RETURN OLD; END $fn$",
			"CREATE TRIGGER " + name + " AFTER DELETE ON " + b.name(t) + " FOR EACH ROW EXECUTE FUNCTION " + fn + "()"}
	case datamap.KindMySQL:
		return []string{"CREATE TRIGGER " + name + " AFTER DELETE ON " + b.name(t) + " FOR EACH ROW " + insert}
	case datamap.KindSQLite, datamap.KindBlob, datamap.KindManual, datamap.KindREST, datamap.KindWebhook:
	}
	return []string{"CREATE TRIGGER " + name + " AFTER DELETE ON " + b.name(t) + " BEGIN " + insert + "; END"}
}

// load makes the tables and fills them; keys are not checked meanwhile, for tables may refer to one another.
func (b bench) load(ctx context.Context) error {
	conn, err := b.DB.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	run := func(s string, args ...any) error {
		if _, err := conn.ExecContext(ctx, s, args...); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
		return nil
	}
	if b.c.Engine == datamap.KindPostgres {
		// One message for all: the schema costs more than the rows.
		if err := run(strings.Join(b.create(), ";\n")); err != nil {
			return err
		}
	} else {
		for _, s := range b.create() {
			if err := run(s); err != nil {
				return err
			}
		}
	}
	off, on := b.unchecked()
	if err := run(off); err != nil {
		return err
	}
	for _, t := range b.c.Tables {
		for _, r := range t.Rows {
			if err := b.insert(t, r, run); err != nil {
				return err
			}
		}
	}
	return run(on)
}

func (b bench) unchecked() (off, on string) {
	switch b.c.Engine {
	case datamap.KindPostgres:
		return "SET session_replication_role = replica", "SET session_replication_role = DEFAULT"
	case datamap.KindMySQL:
		return "SET foreign_key_checks = 0", "SET foreign_key_checks = 1"
	case datamap.KindSQLite, datamap.KindBlob, datamap.KindManual, datamap.KindREST, datamap.KindWebhook:
	}
	return "PRAGMA foreign_keys = 0", "PRAGMA foreign_keys = 1"
}

func (b bench) insert(t *Table, r []Value, run func(string, ...any) error) error {
	var cols, marks []string
	var args []any
	for i, c := range t.Columns {
		if c.Copy != "" {
			continue
		}
		cols = append(cols, c.Name)
		mark := "?"
		if b.c.Engine == datamap.KindPostgres {
			mark = fmt.Sprintf("$%d::text::%s", len(args)+1, b.sqlType(c))
		}
		marks = append(marks, mark)
		if r[i].Set {
			args = append(args, r[i].Text)
		} else {
			args = append(args, nil)
		}
	}
	return run("INSERT INTO "+b.name(t)+" ("+b.list(cols)+") VALUES ("+strings.Join(marks, ", ")+")", args...)
}

// unload drops the tables.
func (b bench) unload(ctx context.Context) error {
	conn, err := b.DB.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	var all []string
	switch b.c.Engine {
	case datamap.KindPostgres:
		all = append(all, "SET client_min_messages = error", "DROP SCHEMA IF EXISTS "+b.Quote(b.c.Schema)+" CASCADE", "DROP SCHEMA IF EXISTS "+b.Quote(b.c.Schema+" 2")+" CASCADE")
	case datamap.KindMySQL:
		all = append(all, "SET foreign_key_checks = 0")
		for _, t := range b.c.Tables {
			all = append(all, "DROP TABLE IF EXISTS "+b.name(t))
		}
		all = append(all, "SET foreign_key_checks = 1")
	case datamap.KindSQLite, datamap.KindBlob, datamap.KindManual, datamap.KindREST, datamap.KindWebhook:
		all = append(all, "PRAGMA foreign_keys = 0")
		for _, t := range b.c.Tables {
			all = append(all, "DROP TABLE IF EXISTS "+b.name(t))
		}
	}
	for _, s := range all {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// read gives every row of every table, as Case.texts does.
func (b bench) read(ctx context.Context) (map[string][]string, error) {
	out := map[string][]string{}
	for _, t := range b.c.Tables {
		cols := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			cols[i] = "CAST(" + b.Quote(c.Name) + " AS " + map[bool]string{true: "CHAR", false: "TEXT"}[b.c.Engine == datamap.KindMySQL] + ")"
		}
		list, err := b.readTable(ctx, "SELECT "+strings.Join(cols, ", ")+" FROM "+b.name(t), len(cols))
		if err != nil {
			return nil, err
		}
		slices.Sort(list)
		out[t.Name] = list
	}
	return out, nil
}

func (b bench) readTable(ctx context.Context, query string, n int) ([]string, error) {
	rows, err := b.DB.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []string{}
	for rows.Next() {
		v, dest := make([]sql.NullString, n), make([]any, n)
		for i := range v {
			dest[i] = &v[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		row := make([]Value, n)
		for i := range v {
			row[i] = Value{v[i].String, v[i].Valid}
		}
		whole := Table{}
		out = append(out, whole.keyText(row))
	}
	return out, rows.Err()
}
