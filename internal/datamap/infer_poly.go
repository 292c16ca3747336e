package datamap

import (
	"context"
	"slices"
	"strings"
)

// polymorphic finds pairs of columns that name a table and a row of it (owner_type + owner_id, content_type_id + object_id)
// and gives a link for every table that stands in the first. taken holds the columns that are spoken for.
func (in *inference) polymorphic(ctx context.Context) (links []Link, taken map[string]bool, err error) {
	taken = map[string]bool{}
	for _, t := range in.live() {
		for i := range t.Columns {
			kind := &t.Columns[i]
			key := in.partner(t, kind)
			if key == nil {
				continue
			}
			taken[t.Name+"\x00"+key.Name], taken[t.Name+"\x00"+kind.Name] = true, true
			var targets map[string]*CatalogTable
			if isContentType(kind.Name) {
				targets, err = in.contentTypes(ctx, t, kind)
			} else {
				targets, err = in.classes(ctx, t, kind)
			}
			if err != nil {
				return nil, nil, err
			}
			for _, value := range sortedKeys(mapTo(targets)) {
				to := targets[value]
				if len(to.PrimaryKey) != 1 || !comparable(key, columnOf(to, to.PrimaryKey[0])) {
					in.remark(t.Name, "", "%s points at %s too, but its type is not that of the key there", key.Name, to.Name)
					continue
				}
				links = append(links, Link{From: t.Name, FromColumns: []string{key.Name}, To: to.Name, ToColumns: to.PrimaryKey, When: map[string]string{kind.Name: value}})
			}
		}
	}
	return links, taken, nil
}

func isContentType(name string) bool {
	ws := words(name)
	return len(ws) >= 2 && slices.Equal(ws[len(ws)-2:], []string{"type", "id"}) && ws[0] == "content"
}

// partner gives the column that holds the key beside one that names the table.
func (in *inference) partner(t *CatalogTable, kind *CatalogColumn) *CatalogColumn {
	name := snake(kind.Name)
	var want []string
	if isContentType(kind.Name) {
		want = []string{"object_id", "object_pk"}
	} else {
		m := typeSuffixes.FindStringSubmatch(name)
		if m == nil || m[1] == "" || classOf(kind) != typeText && len(kind.Enum) == 0 {
			return nil
		}
		want = []string{m[1] + "_id", m[1] + "_uuid", m[1] + "_key", m[1] + "_pk", m[1] + "_no", "id_" + m[1]}
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		declared := slices.ContainsFunc(t.ForeignKeys, func(fk ForeignKey) bool { return slices.Contains(fk.Columns, c.Name) })
		if slices.Contains(want, snake(c.Name)) && !declared {
			return c
		}
	}
	return nil
}

// classes gives the tables that the values of a column name: User, App\Models\User, users.
func (in *inference) classes(ctx context.Context, t *CatalogTable, kind *CatalogColumn) (map[string]*CatalogTable, error) {
	values := slices.Clone(kind.Enum)
	if in.ev != nil {
		rows, err := in.ev.Words(ctx, t, kind.Name)
		if err != nil && ctx.Err() != nil {
			return nil, err
		}
		for _, r := range rows {
			values = append(values, r[0])
		}
	}
	out := map[string]*CatalogTable{}
	for _, v := range values {
		if to := in.named(v); to != nil {
			out[v] = to
		}
	}
	if len(values) == 0 {
		in.note(t.Name, "", "%s names the table of each row's owner; there are no rows to see which, so say owner: {table: …, by: …, when: {%s: …}}", kind.Name, kind.Name)
	}
	return out, nil
}

// named finds the table that a class is kept in.
func (in *inference) named(class string) *CatalogTable {
	if i := strings.LastIndexAny(class, `\/.:`); i >= 0 {
		class = class[i+1:]
	}
	ws := words(class)
	var best *CatalogTable
	top := 0
	for _, t := range in.live() {
		if score := alike(ws, in.namer.words(t)); score >= likePart && score > top && score != likeSuffix {
			best, top = t, score
		}
	}
	return best
}

// contentTypes reads Django's table of content types: id, app_label, model.
func (in *inference) contentTypes(ctx context.Context, t *CatalogTable, kind *CatalogColumn) (map[string]*CatalogTable, error) {
	out := map[string]*CatalogTable{}
	if in.ev == nil {
		return out, nil
	}
	for _, types := range in.live() {
		_, label := types.Column("app_label")
		_, model := types.Column("model")
		if !label || !model || len(types.PrimaryKey) != 1 {
			continue
		}
		rows, err := in.ev.Words(ctx, types, types.PrimaryKey[0], "app_label", "model")
		if err != nil {
			return out, ctx.Err()
		}
		used, err := in.ev.Words(ctx, t, kind.Name)
		if err != nil {
			return out, ctx.Err()
		}
		for _, r := range rows {
			if !slices.ContainsFunc(used, func(u []string) bool { return u[0] == r[0] }) {
				continue
			}
			// Django names the table <app>_<model>, in lower case and without breaks.
			for _, to := range in.live() {
				if strings.EqualFold(to.Bare, r[1]+"_"+r[2]) {
					out[r[0]] = to
				}
			}
		}
	}
	return out, nil
}
