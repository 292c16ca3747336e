package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
)

// export reads the server's own text of a value, which it reads back as the same value: session settings fix the forms
// of dates, intervals, bytes and floating-point numbers.
func (p postgres) export(expr string, c *datamap.CatalogColumn) exportForm {
	t := c.Type
	switch {
	case strings.HasSuffix(t, "[]"):
		return exportForm{pgArray(expr, strings.TrimSuffix(t, "[]")), connector.JSONAny, encodeEmbedded, true}
	case t == "smallint" || t == "integer" || t == "bigint" || t == "oid":
		return exportForm{expr, connector.JSONInteger, encodeNumber, false}
	case strings.HasPrefix(t, "numeric") || t == "real" || t == "double precision":
		return exportForm{expr, connector.JSONNumber, encodeNumber, false}
	case t == "boolean":
		return exportForm{expr, connector.JSONBoolean, encodePgBool, false}
	case t == "bytea":
		return exportForm{expr, connector.JSONBytes, encodePgBytes, false}
	case t == "json" || t == "jsonb":
		return exportForm{expr, connector.JSONAny, encodeJSON, true}
	case t == "date":
		return exportForm{expr, connector.JSONDate, encodeString, false}
	case strings.HasPrefix(t, "timestamp"):
		return exportForm{expr, connector.JSONDateTime, encodeTimestamp, false}
	case strings.HasPrefix(t, "character("):
		return exportForm{expr + "::text", connector.JSONString, encodeString, true} // the padding is the type's, not the value's
	}
	return exportForm{expr, connector.JSONString, encodeString, true}
}

// pgArray makes a JSON array. Elements of the types that to_json writes without loss are JSON values; those of others
// (ranges, composite types, JSON within arrays) are their text.
func pgArray(expr, element string) string {
	base, _, _ := strings.Cut(element, "(")
	plain := slices.Contains([]string{"smallint", "integer", "bigint", "oid", "numeric", "real", "double precision", "boolean", "text",
		"character varying", "character", "citext", "name", "uuid", "date", "bytea"}, base) || strings.HasPrefix(base, "timestamp")
	elements := expr
	if !plain {
		elements += "::text[]"
	}
	// The text of an array begins with its bounds when one of them is not 1.
	return "CASE WHEN " + expr + "::text LIKE '[%' THEN json_build_object('" + connector.TagArray + "', " + expr + "::text) ELSE to_json(" + elements + ") END"
}

// encodeEmbedded embeds JSON that the database has made.
func encodeEmbedded(dst []byte, v *value) []byte { return append(dst, v.raw...) }

func (postgres) keyIsValue(c *datamap.CatalogColumn) bool {
	base, _, _ := strings.Cut(c.Type, "(")
	return slices.Contains([]string{"smallint", "integer", "bigint", "numeric", "text", "character varying", "uuid", "date"}, base) &&
		!strings.HasSuffix(c.Type, "[]")
}

// read takes the server's texts straight from the wire: through database/sql each value costs as much as its reading.
func (postgres) read(ctx context.Context, q querier, query string, args []any, columns int, fn func([]value) error) error {
	conn, ok := q.(*sql.Conn)
	if !ok {
		return readRows(ctx, q, query, args, columns, fn)
	}
	var failed error // of the query or of fn; an error of Raw itself would be taken for one of the connection
	err := conn.Raw(func(driverConn any) error {
		c, ok := driverConn.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("the driver's connection is a %T", driverConn)
		}
		failed = readWire(ctx, c.Conn(), query, args, columns, fn)
		return nil
	})
	if err == nil {
		err = failed
	}
	return err
}

func readWire(ctx context.Context, conn *pgx.Conn, query string, args []any, columns int, fn func([]value) error) error {
	rows, err := conn.Query(ctx, query, append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	values := make([]value, columns)
	for rows.Next() {
		raw := rows.RawValues()
		if len(raw) != columns {
			return fmt.Errorf("a row has %d values and not %d", len(raw), columns)
		}
		for i, r := range raw {
			values[i].raw, values[i].class = r, classText
			if r == nil {
				values[i].class = classNull
			}
		}
		if err := fn(values); err != nil {
			return err
		}
	}
	return rows.Err()
}
