package sqldb

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"math/big"
	"strconv"
	"strings"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
)

// rowValue is the new value of a column in one row.
type rowValue struct {
	key   connector.Key
	value string
}

// compute reads the old values of a batch and works out the new ones that SQL alone can't give on every engine.
func (w *columnWriter) compute(ctx context.Context, tx *sql.Tx, keys []connector.Key) (map[string][]rowValue, error) {
	d := w.e.d
	var cols []treatment
	for _, x := range w.todo {
		if x.with == datamap.AnonHash || x.with == datamap.AnonGeneralize || x.with == datamap.AnonFake {
			cols = append(cols, x)
		}
	}
	b := &builder{dialect: d.dialect}
	a := b.alias()
	b.write("SELECT ")
	for i, c := range w.t.key {
		if i > 0 {
			b.write(", ")
		}
		b.write(d.dialect.keyText(b.col(a, c.Name), c))
	}
	for _, x := range cols {
		b.write(", ", d.dialect.storedText(b.col(a, x.col.Name)))
	}
	b.write(" FROM ", d.dialect.table(w.t.cat), " ", a, " WHERE ")
	if err := d.writeRows(b, a, w.t, keys); err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, b.sql.String(), b.args...)
	if err != nil {
		return nil, d.fail(err, "reading %s", w.t.name)
	}
	defer func() { _ = rows.Close() }()
	n := len(w.t.key)
	cells, dest := make([]textCell, n+len(cols)), make([]any, n+len(cols))
	for i := range cells {
		dest[i] = &cells[i]
	}
	out := map[string][]rowValue{}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return nil, d.fail(err, "reading %s", w.t.name)
		}
		for i, x := range cols {
			if cells[n+i].null {
				continue
			}
			key := make(connector.Key, n)
			fillKey(key, cells)
			out[x.col.Name] = append(out[x.col.Name], rowValue{key, w.newValue(x, cells[n+i].text)})
		}
	}
	return out, d.fail(rows.Err(), "reading %s", w.t.name)
}

// writeCase writes the new value of each row; rows without one keep null.
func (w *columnWriter) writeCase(b *builder, x treatment, name string, values []rowValue) {
	col := w.e.d.dialect.quote(x.col.Name)
	if len(values) == 0 {
		b.write(name, ".", col)
		return
	}
	b.write("CASE")
	for _, v := range values {
		b.write(" WHEN ")
		_ = w.e.d.dialect.keysIn(b, name, w.t.key, []connector.Key{v.key}) // a key just read has its column's form
		b.write(" THEN ")
		b.write(w.e.d.dialect.assign(b.param(v.value), x.col))
	}
	b.write(" ELSE ", name, ".", col, " END")
}

func (w *columnWriter) newValue(x treatment, old string) string {
	// What is not named is the default.
	//exhaustive:ignore
	switch x.with {
	case datamap.AnonHash:
		return cut(hex.EncodeToString(w.mac(x, old)), x.col.Length)
	case datamap.AnonGeneralize:
		return generalize(old, x.value)
	default:
		return fake(old, w.mac(x, old))
	}
}

func (w *columnWriter) mac(x treatment, old string) []byte {
	m := hmac.New(sha256.New, w.e.secret)
	m.Write([]byte(w.t.name + "\x00" + x.col.Name + "\x00" + old))
	return m.Sum(nil)
}

// generalize makes a value coarse: a date its year, a number the floor of its range (how wide: `10` unless said), any
// other text its first two characters. Generalizing twice gives the same.
func generalize(old, how string) string {
	if timestampForm.MatchString(old) {
		return old[:4] + "-01-01" + old[10:11] + "00:00:00" + zoneOf(old)
	}
	if len(old) == 10 && old[4] == '-' && old[7] == '-' {
		return old[:4] + "-01-01"
	}
	if decimalForm.MatchString(old) && !strings.HasPrefix(old, "0") || old == "0" {
		width, err := strconv.ParseInt(how, 10, 64)
		if err != nil || width <= 0 {
			width = 10
		}
		n, ok := new(big.Int).SetString(strings.SplitN(old, ".", 2)[0], 10)
		if ok && how != "" {
			w := big.NewInt(width)
			return n.Sub(n, new(big.Int).Mod(n, w)).String()
		}
	}
	return cut(old, 2)
}

func zoneOf(t string) string {
	if i := strings.IndexAny(t[19:], "+-Z"); i >= 0 {
		return t[19+i:]
	}
	return ""
}

// fake gives a text of the same shape: letters stay letters, digits digits, everything else where it was.
func fake(old string, mac []byte) string {
	var b strings.Builder
	i := 0
	for _, r := range old {
		n := int(mac[i%len(mac)]) + i
		i++
		switch {
		case r >= '0' && r <= '9':
			b.WriteByte(byte('0' + n%10))
		case r >= 'a' && r <= 'z':
			b.WriteByte(byte('a' + n%26))
		case r >= 'A' && r <= 'Z':
			b.WriteByte(byte('A' + n%26))
		case r > 127:
			b.WriteByte(byte('a' + n%26))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
