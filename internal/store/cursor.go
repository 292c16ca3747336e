package store

import (
	"encoding/base64"
	"encoding/json"

	"github.com/habeas-data/habeas/internal/fault"
)

// A cursor is the key of the last row of a page. It is opaque to callers and not secret: it selects nothing that
// the caller's own filter would not.
func writeCursor(key ...string) string {
	b, err := json.Marshal(key)
	if err != nil {
		panic("store: " + err.Error()) // strings always marshal
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func readCursor(s string, parts int) ([]string, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, errCursor()
	}
	var key []string
	if json.Unmarshal(b, &key) != nil || len(key) != parts {
		return nil, errCursor()
	}
	return key, nil
}

func errCursor() error {
	return fault.BadInput([]fault.Field{{Name: "cursor", Message: "is not one that a list gave; leave it out to begin at the first page"}})
}

// within gives n, or def for 0, between 1 and most.
func within(n, def, most int) int {
	if n <= 0 {
		n = def
	}
	return min(n, most)
}
