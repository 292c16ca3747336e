package sqldb

import (
	"context"
	"strconv"
	"strings"

	"github.com/habeas-data/habeas/internal/datamap"
)

// Partitions are folded into their root by pg_partition_root: the root alone is listed, their keys count for it.
const (
	pgTables = `
SELECT n.nspname, c.relname, c.relkind IN ('v','m'), c.relkind = 'p', c.reltuples::bigint, c.relkind = 'm',
  coalesce((SELECT pn.nspname || E'\x1f' || p.relname FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
    JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE i.inhrelid = c.oid ORDER BY i.inhseqno LIMIT 1), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r','p','v','m','f') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog','information_schema') AND n.nspname NOT LIKE 'pg\_toast%' AND n.nspname NOT LIKE 'pg\_temp%'`

	// A domain is read as the type below it: its values are that type's.
	pgColumns = `
WITH RECURSIVE base AS (
  SELECT oid AS id, oid, typbasetype, typtypmod, typtype FROM pg_type WHERE typtype = 'd'
  UNION ALL
  SELECT b.id, t.oid, t.typbasetype, CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE b.typtypmod END, t.typtype
  FROM base b JOIN pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd')
SELECT n.nspname, c.relname, a.attname,
  CASE WHEN d.id IS NULL THEN format_type(a.atttypid, a.atttypmod) ELSE format_type(d.oid, d.typtypmod) END,
  CASE WHEN coalesce(d.oid, a.atttypid) IN ('varchar'::regtype, 'bpchar'::regtype)
    THEN greatest(coalesce(d.typtypmod, a.atttypmod) - 4, 0) ELSE 0 END,
  NOT a.attnotnull AND NOT coalesce(t.typnotnull, false), a.attgenerated <> '', a.attidentity <> '', a.atthasdef,
  CASE coalesce(d.typtype, t.typtype) WHEN 'e' THEN
    (SELECT string_agg(e.enumlabel, E'\x1f' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = coalesce(d.oid, a.atttypid)) ELSE '' END
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN base d ON d.id = a.atttypid AND d.typtype <> 'd'
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r','p','v','m','f') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog','information_schema')
ORDER BY a.attrelid, a.attnum`

	// Expression and partial indexes say nothing about whole columns.
	pgIndexes = `
SELECT n.nspname, c.relname, i.indisprimary, i.indisunique AND i.indimmediate,
  (SELECT string_agg(a.attname, E'\x1f' ORDER BY k.ord) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(att, ord)
   JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.att WHERE k.ord <= i.indnkeyatts)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisvalid AND i.indpred IS NULL AND 0 <> ALL (i.indkey::int2[]) AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog','information_schema') AND n.nspname NOT LIKE 'pg\_toast%'
ORDER BY i.indrelid, NOT i.indisprimary, i.indexrelid`

	// Indexes over lower(column), and over columns whose type ignores case. Where lower() follows a language in which I
	// and i are no pair, it would miss what differs in the case of ASCII letters alone.
	pgFolded = `
SELECT n.nspname, c.relname, CASE i.indkey[0] WHEN 0 THEN '' ELSE a.attname END,
  CASE i.indkey[0] WHEN 0 THEN pg_get_indexdef(i.indexrelid, 1, true) ELSE '' END
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
JOIN pg_database d ON d.datname = current_database()
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] LEFT JOIN pg_type t ON t.oid = a.atttypid
WHERE i.indisvalid AND i.indpred IS NULL AND m.amname IN ('btree', 'hash') AND NOT c.relispartition
  AND (i.indkey[0] = 0 OR t.typname = 'citext') AND i.indcollation[0] IN (100, 950, 951)
  AND concat_ws(' ', d.datctype, to_jsonb(d)->>'daticulocale', to_jsonb(d)->>'datlocale') !~* '(^| )(tr|az|lt)([-_. ]|$)'
  AND n.nspname NOT IN ('pg_catalog','information_schema') AND n.nspname NOT LIKE 'pg\_toast%'`

	// What a trigger's function does is code: any may delete. 8 and 16 are the bits of DELETE and UPDATE in tgtype.
	pgTriggers = `
SELECT DISTINCT n.nspname, c.relname, g.tgname, CASE WHEN g.tgtype & 8 <> 0 THEN 'delete' ELSE 'update' END
FROM pg_trigger g JOIN pg_class c ON c.oid = coalesce(pg_partition_root(g.tgrelid), g.tgrelid) JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT g.tgisinternal AND g.tgenabled <> 'D' AND g.tgtype & 24 <> 0 ORDER BY 1, 2, 3`

	// Checks of one column; those of a domain hold for every column of it.
	pgChecks = `
SELECT n.nspname, c.relname, k.conname, a.attname, pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (k.conkey)
WHERE k.contype = 'c' AND NOT c.relispartition
UNION ALL
SELECT n.nspname, c.relname, k.conname, a.attname, pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_attribute a ON a.atttypid = k.contypid JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'c' AND k.contypid <> 0 AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r','p') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog','information_schema')
ORDER BY 1, 2, 3, 4`

	pgForeignKeys = `
SELECT n.nspname, c.relname, k.conname, rn.nspname, r.relname,
  (SELECT string_agg(a.attname, E'\x1f' ORDER BY u.ord) FROM unnest(k.conkey) WITH ORDINALITY AS u(att, ord)
   JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.att),
  (SELECT string_agg(a.attname, E'\x1f' ORDER BY u.ord) FROM unnest(k.confkey) WITH ORDINALITY AS u(att, ord)
   JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.att),
  k.confdeltype, k.condeferrable
FROM pg_constraint k
JOIN pg_class c ON c.oid = coalesce(pg_partition_root(k.conrelid), k.conrelid) JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class r ON r.oid = coalesce(pg_partition_root(k.confrelid), k.confrelid) JOIN pg_namespace rn ON rn.oid = r.relnamespace
WHERE k.contype = 'f'
ORDER BY k.conrelid, k.conname`
)

// foldedBy notes that an index serves look-ups that ignore case: it holds the column itself, or the expression as
// pg_get_indexdef writes it. Other expressions say nothing.
func foldedBy(t *datamap.CatalogTable, column, expression string) {
	form := datamap.FoldedPlain
	if inner, ok := strings.CutPrefix(expression, "lower("); ok {
		form = datamap.FoldedLower
		inner = strings.TrimSuffix(inner, ")")
		if c, bytes := strings.CutSuffix(inner, ` COLLATE "C"`); bytes {
			form, inner = datamap.FoldedBytes, c
		}
		column = strings.TrimSuffix(inner, "::text")
		if q, ok := strings.CutPrefix(column, `"`); ok {
			column = strings.ReplaceAll(strings.TrimSuffix(q, `"`), `""`, `"`)
		}
	} else if expression != "" {
		return
	}
	if c, ok := t.Column(column); ok && c.Folded != datamap.FoldedBytes {
		c.Folded = form
	}
}

func (p postgres) catalog(ctx context.Context, q querier, sys *datamap.System) (*datamap.Catalog, error) {
	home := "public"
	if len(sys.Schemas.Include) > 0 {
		home = sys.Schemas.Include[0]
	}
	name := func(schema, bare string) string {
		if schema == home {
			return bare
		}
		return schema + "." + bare
	}
	if err := p.findExtensions(ctx, q); err != nil {
		return nil, err
	}
	b := newCatalogBuilder(datamap.KindPostgres)
	err := each(ctx, q, pgTables, nil, 7, func(v []string) {
		rows, _ := strconv.ParseInt(v[4], 10, 64)
		t := datamap.CatalogTable{
			Name: name(v[0], v[1]), Schema: v[0], Bare: v[1], View: v[2] == "true", Partitioned: v[3] == "true", Rows: rows,
			Materialized: v[5] == "true",
		}
		if parent := split(v[6]); len(parent) == 2 {
			t.Parent = name(parent[0], parent[1])
		}
		b.add(t)
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, q, pgColumns, nil, 10, func(v []string) {
		t, ok := b.byName[name(v[0], v[1])]
		if !ok {
			return
		}
		length, _ := strconv.Atoi(v[4])
		t.Columns = append(t.Columns, datamap.CatalogColumn{
			Name: v[2], Type: v[3], Length: length, Nullable: v[5] == "true", Generated: v[6] == "true",
			Identity: v[7] == "true", Default: v[8] == "true", Enum: split(v[9]),
		})
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, q, pgIndexes, nil, 5, func(v []string) {
		b.index(name(v[0], v[1]), split(v[4]), v[2] == "true", v[3] == "true")
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, q, pgFolded, nil, 4, func(v []string) {
		if t, ok := b.byName[name(v[0], v[1])]; ok {
			foldedBy(t, v[2], v[3])
		}
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, q, pgChecks, nil, 5, func(v []string) {
		if t, ok := b.byName[name(v[0], v[1])]; ok {
			t.Checks = append(t.Checks, datamap.Check{Name: v[2], Column: v[3], Expr: v[4]})
		}
	})
	if err != nil {
		return nil, err
	}
	onDelete := map[string]string{"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
	err = each(ctx, q, pgForeignKeys, nil, 9, func(v []string) {
		b.foreignKey(name(v[0], v[1]), datamap.ForeignKey{
			Name: v[2], RefTable: name(v[3], v[4]), Columns: split(v[5]), RefColumns: split(v[6]),
			OnDelete: onDelete[v[7]], Deferrable: v[8] == "true",
		})
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, q, pgTriggers, nil, 4, func(v []string) { b.trigger(name(v[0], v[1]), v[2], v[3], true) })
	if err != nil {
		return nil, err
	}
	return b.done(), nil
}

// pgExtensions gives the schemas of extensions' types that columns have: their operators are needed to compare (citext).
const pgExtensions = `
SELECT DISTINCT quote_ident(n.nspname)
FROM pg_depend d JOIN pg_type t ON t.oid = d.objid JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE d.classid = 'pg_type'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND n.nspname <> 'pg_catalog'
  AND EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r','p')
    WHERE a.atttypid IN (t.oid, t.typarray) AND a.attnum > 0 AND NOT a.attisdropped AND c.oid >= 16384)
ORDER BY 1`

// findExtensions widens the path of this transaction and of those that follow.
func (p postgres) findExtensions(ctx context.Context, q querier) error {
	var more strings.Builder
	err := each(ctx, q, pgExtensions, nil, 1, func(v []string) { more.WriteString(", " + v[0]) })
	if err != nil {
		return err
	}
	path := more.String()
	p.session.extend.Store(&path)
	return each(ctx, q, "SELECT set_config('search_path', "+literal("pg_catalog"+path)+", true)", nil, 1, func([]string) {})
}
