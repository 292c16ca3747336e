package sqldb

import (
	"context"
	"strings"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
)

func (sqliteDialect) export(expr string, c *datamap.CatalogColumn) exportForm {
	e := exportForm{expr: "+" + expr, encode: encodeLite, tagged: true} // the driver parses columns declared as dates; an expression it leaves alone
	t := strings.ToUpper(c.Type)
	switch {
	case t == "":
		e.kind = connector.JSONAny
	case strings.HasPrefix(t, "BOOL"):
		e.kind, e.encode = connector.JSONBoolean, encodeLiteBool
	case t == "JSON" || t == "JSONB":
		e.kind, e.encode = connector.JSONAny, encodeLiteJSON
	case t == "DATE":
		e.kind = connector.JSONDate
	case strings.HasPrefix(t, "DATETIME"), strings.HasPrefix(t, "TIMESTAMP"):
		e.kind, e.encode = connector.JSONDateTime, encodeLiteTime
	default:
		switch affinity(t) {
		case "integer":
			e.kind = connector.JSONInteger
		case "numeric", "real":
			e.kind = connector.JSONNumber
		case "blob":
			e.kind, e.encode = connector.JSONBytes, encodeLiteBlob
		default:
			e.kind = connector.JSONString
		}
	}
	return e
}

func (sqliteDialect) keyIsValue(*datamap.CatalogColumn) bool { return false }

func (sqliteDialect) read(ctx context.Context, q querier, query string, args []any, columns int, fn func([]value) error) error {
	return readRows(ctx, q, query, args, columns, fn)
}
