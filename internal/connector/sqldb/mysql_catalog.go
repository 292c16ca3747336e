package sqldb

import (
	"context"
	"strconv"
	"strings"

	"github.com/habeas-data/habeas/internal/datamap"
)

const (
	myTables = `
SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE <> 'BASE TABLE', COALESCE(TABLE_ROWS, -1)
FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED')`

	myColumns = `
SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, COALESCE(CHARACTER_MAXIMUM_LENGTH, 0), IS_NULLABLE = 'YES',
  COALESCE(GENERATION_EXPRESSION, '') <> '', EXTRA LIKE '%auto_increment%', COLUMN_DEFAULT IS NOT NULL,
  COALESCE(COLLATION_NAME LIKE '%\_ci' AND COLLATION_NAME NOT LIKE '%turkish%', 0)
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION`

	myIndexes = `
SELECT TABLE_NAME, INDEX_NAME, MAX(NON_UNIQUE) = 0, GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX SEPARATOR '\x1f'), MAX(SUB_PART IS NOT NULL), MAX(INDEX_TYPE) IN ('BTREE', 'HASH'), MAX(COLUMN_NAME IS NULL)
FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE()
GROUP BY TABLE_NAME, INDEX_NAME ORDER BY TABLE_NAME, INDEX_NAME <> 'PRIMARY', INDEX_NAME`

	myForeignKeys = `
SELECT k.TABLE_NAME, k.CONSTRAINT_NAME, k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME,
  GROUP_CONCAT(k.COLUMN_NAME ORDER BY k.ORDINAL_POSITION SEPARATOR '\x1f'),
  GROUP_CONCAT(k.REFERENCED_COLUMN_NAME ORDER BY k.ORDINAL_POSITION SEPARATOR '\x1f'), MAX(r.DELETE_RULE), DATABASE()
FROM information_schema.KEY_COLUMN_USAGE k
JOIN information_schema.REFERENTIAL_CONSTRAINTS r
  ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
WHERE k.TABLE_SCHEMA = DATABASE() AND k.REFERENCED_TABLE_NAME IS NOT NULL
GROUP BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME`

	myTriggers = `
SELECT EVENT_OBJECT_TABLE, TRIGGER_NAME, LOWER(EVENT_MANIPULATION), LOWER(ACTION_STATEMENT) RLIKE 'delete|replace|call'
FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = DATABASE() AND EVENT_MANIPULATION <> 'INSERT'`

	// MySQL's catalog has no table beside the rule; MariaDB's has.
	myChecks = `
SELECT TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS
WHERE CONSTRAINT_SCHEMA = DATABASE() AND CHECK_CLAUSE NOT LIKE 'json_valid(%' ORDER BY TABLE_NAME, CONSTRAINT_NAME`

	// MariaDB keeps JSON columns as longtext with this check.
	myJSONChecks = `
SELECT TABLE_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS
WHERE CONSTRAINT_SCHEMA = DATABASE() AND CHECK_CLAUSE LIKE 'json_valid(%'`
)

// separated puts the separator of lists into a query: MySQL has no escape for it.
func separated(query string) string { return strings.ReplaceAll(query, `\x1f`, "\x1f") }

func (mysqlDialect) catalog(ctx context.Context, q querier, _ *datamap.System) (*datamap.Catalog, error) {
	b := newCatalogBuilder(datamap.KindMySQL)
	err := each(ctx, q, myTables, nil, 4, func(v []string) {
		rows, _ := strconv.ParseInt(v[3], 10, 64)
		b.add(datamap.CatalogTable{Name: v[1], Schema: v[0], Bare: v[1], View: v[2] == "1", Rows: rows})
	})
	if err != nil {
		return nil, err
	}
	ignoresCase := map[string]bool{} // by table and column; in Turkish i is no I
	err = each(ctx, q, myColumns, nil, 9, func(v []string) {
		t, ok := b.byName[v[0]]
		if !ok {
			return
		}
		length, _ := strconv.ParseInt(v[3], 10, 64)
		t.Columns = append(t.Columns, datamap.CatalogColumn{
			Name: v[1], Type: v[2], Length: int(min(length, 1<<31-1)), Nullable: v[4] == "1", Generated: v[5] == "1",
			Identity: v[6] == "1", Default: v[7] == "1", Enum: mysqlEnum(v[2]),
		})
		ignoresCase[v[0]+"."+v[1]] = v[8] == "1"
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, q, separated(myIndexes), nil, 7, func(v []string) {
		if v[6] == "1" {
			return // over an expression: it says nothing about whole columns
		}
		cols := split(v[3])
		b.index(v[0], cols, v[1] == "PRIMARY", v[2] == "1" && v[4] != "1")
		if t, ok := b.byName[v[0]]; ok && len(cols) > 0 && ignoresCase[v[0]+"."+cols[0]] && v[5] == "1" {
			if c, ok := t.Column(cols[0]); ok {
				c.Folded = datamap.FoldedPlain
			}
		}
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, q, separated(myForeignKeys), nil, 8, func(v []string) {
		ref := v[3]
		if v[2] != v[7] {
			ref = v[2] + "." + v[3]
		}
		b.foreignKey(v[0], datamap.ForeignKey{
			Name: v[1], RefTable: ref, Columns: split(v[4]), RefColumns: split(v[5]), OnDelete: strings.ToLower(v[6]),
		})
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, q, myTriggers, nil, 4, func(v []string) { b.trigger(v[0], v[1], v[2], v[3] == "1") })
	if err != nil {
		return nil, err
	}
	// MySQL has JSON as a type of its own and its catalog lacks the column asked for here: no answer is an answer.
	_ = each(ctx, q, myChecks, nil, 3, func(v []string) {
		if t, ok := b.byName[v[0]]; ok {
			for i := range t.Columns {
				if c := &t.Columns[i]; strings.Contains(v[2], "`"+c.Name+"`") {
					t.Checks = append(t.Checks, datamap.Check{Name: v[1], Column: c.Name, Expr: v[2]})
				}
			}
		}
	})
	_ = each(ctx, q, myJSONChecks, nil, 2, func(v []string) {
		if t, ok := b.byName[v[0]]; ok {
			name := strings.Trim(strings.TrimSuffix(strings.TrimPrefix(v[1], "json_valid("), ")"), "`")
			if c, ok := t.Column(name); ok && c.Type == "longtext" {
				c.Type = "json"
			}
		}
	})
	return b.done(), nil
}

// mysqlEnum gives the values of enum('a','b').
func mysqlEnum(t string) []string {
	list, ok := strings.CutPrefix(t, "enum('")
	if !ok {
		return nil
	}
	values := strings.Split(strings.TrimSuffix(list, "')"), "','")
	for i, v := range values {
		values[i] = strings.ReplaceAll(v, "''", "'")
	}
	return values
}
