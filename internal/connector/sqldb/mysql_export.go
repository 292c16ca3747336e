package sqldb

import (
	"context"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
)

// export reads by the text protocol, which gives decimals, dates and times as they are stored.
func (mysqlDialect) export(expr string, c *datamap.CatalogColumn) exportForm {
	t, _, _ := strings.Cut(c.Type, "(")
	t, _, _ = strings.Cut(t, " ")
	switch {
	case t == "float": // its own text is cut to six digits
		return exportForm{"(" + expr + " + 0e0)", connector.JSONNumber, encodeFloat32, false}
	case mysqlInteger(t):
		return exportForm{expr, connector.JSONInteger, encodeNumber, false}
	case t == "bit":
		return exportForm{expr + " + 0", connector.JSONInteger, encodeNumber, false}
	case t == "decimal", t == "double":
		return exportForm{expr, connector.JSONNumber, encodeNumber, false}
	case t == "json":
		return exportForm{expr, connector.JSONAny, encodeJSON, true}
	case mysqlBinary(t), mysqlGeometry(t):
		return exportForm{expr, connector.JSONBytes, encodeBytes, false}
	case t == "date":
		return exportForm{expr, connector.JSONDate, encodeString, false}
	case t == "timestamp", t == "datetime": // a timestamp is an instant: the session's zone is UTC
		return exportForm{expr, connector.JSONDateTime, encodeTimestamp, false}
	}
	return exportForm{expr, connector.JSONString, encodeString, true}
}

// mysqlGeometry tells the types whose values are the reference system's number and well-known binary.
func mysqlGeometry(t string) bool {
	return slices.Contains([]string{"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection"}, t)
}

func (mysqlDialect) keyIsValue(*datamap.CatalogColumn) bool { return false }

func (mysqlDialect) read(ctx context.Context, q querier, query string, args []any, columns int, fn func([]value) error) error {
	return readRows(ctx, q, query, args, columns, fn)
}
