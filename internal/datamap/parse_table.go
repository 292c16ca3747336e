package datamap

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
)

func (p *mapReader) table(t pair, path string) Table {
	out := Table{Name: t.key, Personal: true, Line: t.at.line}
	if empty(t.node) {
		p.bad(t.at, path, "write {personal: false, why: …} or say whose rows these are", "nothing is said about this table")
		return out
	}
	f := p.fields(t.node, path, "personal", "why", "category", "owner", "also_about", "also_from", "mentions", "match",
		"export", "erase", "row_date", "redact_now", "columns", "file", "index")
	if v, ok := f["personal"]; ok {
		if b, ok := p.flag(v.node, join(path, "personal")); ok {
			out.Personal = b
		}
	}
	for key, into := range map[string]*string{"why": &out.Why, "category": &out.Category, "row_date": &out.RowDate} {
		if v, ok := f[key]; ok {
			*into = p.text(v.node, join(path, key))
		}
	}
	for key, into := range map[string]*[]Relation{
		"owner": &out.Owners, "also_about": &out.AlsoAbout, "also_from": &out.AlsoFrom, "mentions": &out.Mentions,
	} {
		if v, ok := f[key]; ok {
			*into = p.relations(v.node, join(path, key), key == "mentions")
		}
	}
	if v, ok := f["match"]; ok {
		out.Match = p.match(v.node, join(path, "match"))
	}
	if v, ok := f["export"]; ok {
		out.Export = p.export(v.node, join(path, "export"))
	}
	if v, ok := f["erase"]; ok {
		out.Erase = p.erase(v.node, join(path, "erase"))
	}
	if v, ok := f["redact_now"]; ok {
		out.RedactNow = p.names(v.node, join(path, "redact_now"))
	}
	if v, ok := f["columns"]; ok {
		out.Columns = p.columns(v.node, join(path, "columns"))
	}
	if v, ok := f["index"]; ok {
		out.Slow = p.word(v.node, join(path, "index"), "accepted") != ""
	}
	if v, ok := f["file"]; ok {
		out.File = p.fileOf(v.node, join(path, "file"))
	}
	return out
}

func (p *mapReader) relations(n ast.Node, path string, mention bool) []Relation {
	var out []Relation
	if s, ok := n.(*ast.SequenceNode); ok && len(s.Values) == 0 {
		p.bad(spot(n), path, "name a table", "this list must not be empty")
	}
	for i, item := range items(n) {
		here := at(path, n, i)
		p.places[here] = spot(item)
		if s, ok := scalar(item); ok {
			if s == "" || s == "null" {
				p.bad(spot(item), here, "name a table", "the table is missing")
				continue
			}
			out = append(out, Relation{Table: s})
			continue
		}
		out = append(out, p.relation(item, here, mention))
	}
	return out
}

func (p *mapReader) relation(n ast.Node, path string, mention bool) Relation {
	known := []string{"table", "by", "to", "from", "when"}
	if mention {
		known = append(known, "on_erase")
	}
	var rel Relation
	f := p.fields(n, path, known...)
	if v, ok := f["table"]; ok {
		rel.Table = p.text(v.node, join(path, "table"))
	} else {
		p.bad(spot(n), path, "write {table: customer, by: customer_id}", "the table is missing")
	}
	for key, into := range map[string]*[]string{"by": &rel.By, "to": &rel.To, "from": &rel.From} {
		if v, ok := f[key]; ok {
			*into = p.names(v.node, join(path, key))
		}
	}
	if v, ok := f["when"]; ok {
		rel.When = p.texts(v.node, join(path, "when"))
	}
	if v, ok := f["on_erase"]; ok {
		rel.OnErase = p.word(v.node, join(path, "on_erase"), "keep", "null")
	}
	switch {
	case len(rel.From) > 0 && len(rel.By) > 0:
		p.bad(spot(n), path, "by: our column holds their key; from: their column holds ours", "by and from exclude each other")
	case len(rel.To) > 0 && len(rel.By) == 0:
		p.bad(spot(n), path, "add by:", "to names the columns that by points at; there is no by")
	case len(rel.To) > 0 && len(rel.To) != len(rel.By):
		p.bad(spot(n), path, "", "by names %d columns, to %d", len(rel.By), len(rel.To))
	case len(rel.When) > 0 && len(rel.By) == 0 && len(rel.From) == 0:
		p.bad(spot(n), path, "add by:", "when needs by: no foreign key tells which column is meant")
	}
	return rel
}

// match reads `none`, `{column: identifier, …}` (all must hold) or `{any: [{…}, {…}]}`.
func (p *mapReader) match(n ast.Node, path string) *Match {
	if s, ok := scalar(n); ok {
		if s != "none" {
			p.bad(spot(n), path, "write {email: email}, {any: [{…}, {…}]} or none", "%q is not a way to find rows", s)
		}
		return &Match{None: true}
	}
	pairs, ok := p.mapping(n, path)
	if !ok {
		return &Match{}
	}
	m := &Match{}
	if len(pairs) == 1 && pairs[0].key == "any" {
		if list, ok := pairs[0].node.(*ast.SequenceNode); ok {
			for i, item := range list.Values {
				here := at(join(path, "any"), list, i)
				if inner, ok := p.mapping(item, here); ok {
					m.Any = append(m.Any, p.matchAll(inner, item, here))
				}
			}
			if len(list.Values) == 0 {
				p.bad(spot(list), path, "", "any needs at least one way to find rows")
			}
			return m
		}
	}
	m.Any = []MatchAll{p.matchAll(pairs, n, path)}
	return m
}

func (p *mapReader) matchAll(pairs []pair, n ast.Node, path string) MatchAll {
	var all MatchAll
	for _, v := range pairs {
		here := join(path, v.key)
		c := MatchColumn{Column: v.key}
		if s, ok := scalar(v.node); ok {
			c.Identifier = s
		} else {
			f := p.fields(v.node, here, "json", "is", "match")
			if x, ok := f["json"]; ok {
				c.JSON = p.text(x.node, join(here, "json"))
				if c.JSON != "" && !jsonForm.MatchString(c.JSON) {
					p.bad(spot(x.node), join(here, "json"), `write "$.email" or "$.contact.emails[0]"`, "this is not a path within a JSON value")
				}
			}
			if x, ok := f["is"]; ok {
				c.Identifier = p.text(x.node, join(here, "is"))
			}
			if x, ok := f["match"]; ok {
				c.Rule = p.rule(x.node, join(here, "match"))
			}
		}
		if c.Identifier == "" {
			p.bad(v.at, here, "write "+v.key+": email", "nothing says with which identifier the column is compared")
		}
		all.Columns = append(all.Columns, c)
	}
	if len(all.Columns) == 0 {
		p.bad(spot(n), path, "write {email: email}", "no column is named")
	}
	return all
}

func (p *mapReader) export(n ast.Node, path string) Export {
	var e Export
	f := p.fields(n, path, "hide_others", "skip", "why")
	if v, ok := f["hide_others"]; ok {
		e.HideOthers = p.names(v.node, join(path, "hide_others"))
	}
	if v, ok := f["skip"]; ok {
		e.Skip, _ = p.flag(v.node, join(path, "skip"))
	}
	if v, ok := f["why"]; ok {
		e.Why = p.text(v.node, join(path, "why"))
	}
	if e.Skip && e.Why == "" {
		p.bad(spot(n), path, "add why:, which the person is told", "data that are held but not handed over need a reason")
	}
	return e
}

func (p *mapReader) erase(n ast.Node, path string) Erase {
	do := []string{"delete", "anonymize", "retain", "with_owner", "keep"}
	if _, ok := scalar(n); ok {
		return Erase{Do: Erasure(p.word(n, path, do...))}
	}
	var e Erase
	f := p.fields(n, path, "do", "if_others_refer", "why")
	if v, ok := f["do"]; ok {
		e.Do = Erasure(p.word(v.node, join(path, "do"), do...))
	} else {
		p.bad(spot(n), path, "add do: one of "+strings.Join(do, ", "), "nothing says what an erasure does")
	}
	if v, ok := f["if_others_refer"]; ok {
		e.IfOthersRefer = OthersRefer(p.word(v.node, join(path, "if_others_refer"), "refuse", "keep", "set_null", "anonymize"))
	}
	if v, ok := f["why"]; ok {
		e.Why = p.text(v.node, join(path, "why"))
	}
	return e
}

func (p *mapReader) columns(n ast.Node, path string) map[string]Column {
	pairs, _ := p.mapping(n, path)
	out := make(map[string]Column, len(pairs))
	for _, v := range pairs {
		out[v.key] = p.column(v, join(path, v.key))
	}
	return out
}

func (p *mapReader) column(c pair, path string) Column {
	out := Column{Line: c.at.line}
	f := p.fields(c.node, path, "personal", "export", "anonymize", "copy_of", "why")
	if v, ok := f["personal"]; ok {
		if b, ok := p.flag(v.node, join(path, "personal")); ok {
			out.Personal = &b
		}
	}
	if v, ok := f["export"]; ok {
		out.Export = Show(p.word(v.node, join(path, "export"), "show", "presence", "hide", "never"))
	}
	for key, into := range map[string]*string{"why": &out.Why, "copy_of": &out.CopyOf} {
		if v, ok := f[key]; ok {
			*into = p.text(v.node, join(path, key))
		}
	}
	if v, ok := f["anonymize"]; ok {
		out.Anonymize = p.anonymize(v.node, join(path, "anonymize"))
		if out.Anonymize.With == AnonKeep && out.Anonymize.Why == "" && out.Why == "" {
			p.bad(spot(v.node), join(path, "anonymize"), "add why:", "a value that stays needs a reason")
		}
		if out.Personal != nil && !*out.Personal {
			p.bad(c.at, path, "remove one of the two", "a column that is not personal is left alone; it can't be anonymized too")
		}
	}
	return out
}

func (p *mapReader) anonymize(n ast.Node, path string) *Anonymize {
	ways := []string{"null", "fixed", "hash", "generalize", "fake", "keep"}
	if _, ok := scalar(n); ok {
		a := &Anonymize{With: Anonymizer(p.word(n, path, ways...))}
		if a.With == AnonFixed {
			p.bad(spot(n), path, `write {with: fixed, value: "[removed]"}`, "fixed needs a value")
		}
		return a
	}
	a := &Anonymize{}
	f := p.fields(n, path, "with", "value", "why")
	if v, ok := f["with"]; ok {
		a.With = Anonymizer(p.word(v.node, join(path, "with"), ways...))
	} else {
		p.bad(spot(n), path, "add with: one of "+strings.Join(ways, ", "), "nothing says how")
	}
	value, hasValue := f["value"]
	if hasValue {
		a.Value, _ = scalar(value.node) // an empty text is a fair value
	}
	if v, ok := f["why"]; ok {
		a.Why = p.text(v.node, join(path, "why"))
	}
	switch {
	case a.With == AnonFixed && !hasValue:
		p.bad(spot(n), path, `add value: "[removed]"`, "fixed needs a value")
	case a.With != AnonFixed && a.With != "" && hasValue:
		p.bad(value.at, path, "remove value:", "only fixed takes a value")
	}
	return a
}

func (p *mapReader) fileOf(n ast.Node, path string) *File {
	out := &File{}
	f := p.fields(n, path, "system", "key")
	if v, ok := f["system"]; ok {
		out.System = p.text(v.node, join(path, "system"))
	}
	if v, ok := f["key"]; ok {
		out.Key = p.text(v.node, join(path, "key"))
	}
	if out.System == "" || out.Key == "" {
		p.bad(spot(n), path, "write {system: uploads, key: storage_key}", "a file needs system and key")
	}
	return out
}
