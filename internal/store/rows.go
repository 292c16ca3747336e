package store

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/habeas-data/habeas/internal/statute"
)

// stamp is an instant in a column: UTC, microseconds (what PostgreSQL keeps), NULL for the zero time.
type stamp struct{ time.Time }

// civil is a date in a column: NULL for none.
type civil struct{ statute.Date }

func at(t time.Time) stamp { return stamp{micro(t)} }

// micro cuts to what both engines keep. Zero stays zero.
func micro(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// Value gives NULL or the instant.
func (s stamp) Value() (driver.Value, error) {
	if s.IsZero() {
		return nil, nil //nolint:nilnil // NULL is what is meant
	}
	return micro(s.Time), nil
}

// Scan reads what either driver gives.
func (s *stamp) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		s.Time = time.Time{}
	case time.Time:
		s.Time = micro(v)
	default:
		return fmt.Errorf("a column of instants holds a %T", v)
	}
	return nil
}

func on(d statute.Date) civil { return civil{d} }

// Value gives NULL or YYYY-MM-DD.
func (c civil) Value() (driver.Value, error) {
	if c.IsZero() {
		return nil, nil //nolint:nilnil // NULL is what is meant
	}
	return c.String(), nil
}

// Scan reads what either driver gives.
func (c *civil) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		c.Date = statute.Date{}
		return nil
	case time.Time:
		c.Date = statute.DateOf(v.UTC())
		return nil
	case string:
		d, err := statute.ParseDate(v)
		c.Date = d
		return err
	default:
		return fmt.Errorf("a column of dates holds a %T", v)
	}
}

// toText and fromText keep small lists and maps as JSON text: the same bytes on both engines.
func toText(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func fromText(s string, v any) error {
	if s == "" {
		return nil
	}
	return json.Unmarshal([]byte(s), v)
}
