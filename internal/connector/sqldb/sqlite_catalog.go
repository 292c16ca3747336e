package sqldb

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/habeas-data/habeas/internal/datamap"
)

const (
	liteTables  = `SELECT name, type = 'view' FROM sqlite_schema WHERE type IN ('table','view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`
	liteColumns = `
SELECT m.name, c.name, c.type, c."notnull", c.pk, c.hidden, c.dflt_value IS NOT NULL
FROM sqlite_schema m, pragma_table_xinfo(m.name) c WHERE m.type IN ('table','view') AND c.hidden <> 1 ORDER BY m.name, c.cid`
	liteIndexes = `
SELECT m.name, l.name, l."unique", l.origin, l.partial, i.name
FROM sqlite_schema m, pragma_index_list(m.name) l, pragma_index_info(l.name) i
WHERE m.type = 'table' ORDER BY m.name, l.seq, i.seqno`
	liteTriggers = `
SELECT tbl_name, name, CASE WHEN sql LIKE '%delete on%' THEN 'delete' ELSE 'update' END, sql LIKE '%delete from%' OR sql LIKE '%replace%'
FROM sqlite_schema WHERE type = 'trigger'`
	liteForeignKeys = `
SELECT m.name, f.id, f."table", f."from", f."to", lower(f.on_delete)
FROM sqlite_schema m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq`
)

var lengthForm = regexp.MustCompile(`\((\d+)\)`)

func (s sqliteDialect) catalog(ctx context.Context, q querier, _ *datamap.System) (*datamap.Catalog, error) {
	b := newCatalogBuilder(datamap.KindSQLite)
	err := each(ctx, q, liteTables, nil, 2, func(v []string) {
		b.add(datamap.CatalogTable{Name: v[0], Schema: "main", Bare: v[0], View: v[1] == "1", Rows: -1})
	})
	if err != nil {
		return nil, err
	}
	keys := map[string][]keyPart{}
	err = each(ctx, q, liteColumns, nil, 7, func(v []string) {
		t, ok := b.byName[v[0]]
		if !ok {
			return
		}
		pk, _ := strconv.Atoi(v[4])
		length := 0
		if m := lengthForm.FindStringSubmatch(v[2]); m != nil && affinity(v[2]) == "text" {
			length, _ = strconv.Atoi(m[1])
		}
		t.Columns = append(t.Columns, datamap.CatalogColumn{
			Name: v[1], Type: v[2], Length: length, Generated: v[5] == "2" || v[5] == "3", Default: v[6] == "1",
			Nullable: v[3] == "0" && pk == 0,
		})
		if pk > 0 {
			keys[v[0]] = append(keys[v[0]], keyPart{pk, v[1]})
		}
	})
	if err != nil {
		return nil, err
	}
	for name, parts := range keys {
		slices.SortFunc(parts, func(a, b keyPart) int { return a.pos - b.pos })
		cols := make([]string, len(parts))
		for i, p := range parts {
			cols[i] = p.name
		}
		b.index(name, cols, true, true)
	}
	if err := s.indexes(ctx, q, b); err != nil {
		return nil, err
	}
	if err := s.foreignKeys(ctx, q, b); err != nil {
		return nil, err
	}
	err = each(ctx, q, liteTriggers, nil, 4, func(v []string) {
		if t := b.fold(v[0]); t != nil {
			b.trigger(t.Name, v[1], v[2], v[3] == "1")
		}
	})
	if err != nil {
		return nil, err
	}
	return b.done(), nil
}

type keyPart struct {
	pos  int
	name string
}

func (sqliteDialect) indexes(ctx context.Context, q querier, b *catalogBuilder) error {
	type index struct {
		table, name string
		unique      bool
		cols        []string
		partial     bool
	}
	var all []index
	err := each(ctx, q, liteIndexes, nil, 6, func(v []string) {
		if n := len(all); n == 0 || all[n-1].table != v[0] || all[n-1].name != v[1] {
			all = append(all, index{table: v[0], name: v[1], unique: v[2] == "1" && v[3] != "pk", partial: v[4] == "1"})
		}
		all[len(all)-1].cols = append(all[len(all)-1].cols, v[5]) // "" for an expression
	})
	for _, x := range all {
		if !x.partial && !slices.Contains(x.cols, "") {
			b.index(x.table, x.cols, false, x.unique)
		}
	}
	return err
}

func (sqliteDialect) foreignKeys(ctx context.Context, q querier, b *catalogBuilder) error {
	type key struct {
		table, id string
		fk        datamap.ForeignKey
	}
	var all []key
	err := each(ctx, q, liteForeignKeys, nil, 6, func(v []string) {
		if n := len(all); n == 0 || all[n-1].table != v[0] || all[n-1].id != v[1] {
			all = append(all, key{v[0], v[1], datamap.ForeignKey{RefTable: v[2], OnDelete: v[5]}})
		}
		fk := &all[len(all)-1].fk
		fk.Columns = append(fk.Columns, v[3])
		if v[4] != "" {
			fk.RefColumns = append(fk.RefColumns, v[4])
		}
	})
	for _, k := range all {
		fk := k.fk
		ref := b.fold(fk.RefTable)
		if ref != nil {
			fk.RefTable = ref.Name
			if len(fk.RefColumns) == 0 {
				fk.RefColumns = ref.PrimaryKey
			}
			foldColumns(fk.RefColumns, ref)
		}
		if t := b.byName[k.table]; t != nil {
			foldColumns(fk.Columns, t)
		}
		b.foreignKey(k.table, fk)
	}
	return err
}

// fold finds a table as SQLite does, whatever the case of its ASCII letters.
func (b *catalogBuilder) fold(name string) *datamap.CatalogTable {
	if t, ok := b.byName[name]; ok {
		return t
	}
	for n, t := range b.byName {
		if strings.EqualFold(n, name) {
			return t
		}
	}
	return nil
}

func foldColumns(names []string, t *datamap.CatalogTable) {
	for i, n := range names {
		if _, ok := t.Column(n); ok {
			continue
		}
		for _, c := range t.Columns {
			if strings.EqualFold(c.Name, n) {
				names[i] = c.Name
			}
		}
	}
}
