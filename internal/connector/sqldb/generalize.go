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
	"github.com/habeas-data/habeas/internal/fault"
)

// rowValue is the new value of a column in one row.
type rowValue struct {
	key   connector.Key
	value string
	old   string
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
			out[x.col.Name] = append(out[x.col.Name], rowValue{key, w.newValue(x, cells[n+i].text), cells[n+i].text})
		}
	}
	if err := rows.Err(); err != nil {
		return nil, d.fail(err, "reading %s", w.t.name)
	}
	_ = rows.Close() // the connection is asked again below
	for _, x := range cols {
		if x.with == datamap.AnonFake {
			if err := w.unlikeOthers(ctx, tx, x, out[x.col.Name]); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// mostFakes is how often a value that is somebody's is made anew before the column counts as too narrow.
const mostFakes = 200

// unlikeOthers makes fake values anew until none is any row's value already, nor another's of the batch: a fake must not
// be somebody's.
func (w *columnWriter) unlikeOthers(ctx context.Context, tx *sql.Tx, x treatment, values []rowValue) error {
	for round := 0; ; round++ {
		taken, err := w.taken(ctx, tx, x, values)
		if err != nil {
			return err
		}
		again := false
		for i := range values {
			v := &values[i]
			if !taken[v.value] || !strings.ContainsFunc(v.value, changeable) {
				taken[v.value] = true
				continue
			}
			again = true
			v.value = fake(v.old, w.mac(x, v.old+"\x00"+strconv.Itoa(i)+"\x00"+strconv.Itoa(round)), x.col.Length)
		}
		switch {
		case !again:
			return nil
		case round == mostFakes:
			return fault.New(fault.Invalid, "no_fake_left", "Column %s of %s has no room for a fake value that is nobody's: say null or fixed.", x.col.Name, w.t.name)
		}
	}
}

// changeable tells whether fake puts something else in the place of a character.
func changeable(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 127
}

// taken gives those of the values that a row has already.
func (w *columnWriter) taken(ctx context.Context, tx *sql.Tx, x treatment, values []rowValue) (map[string]bool, error) {
	d := w.e.d
	out := map[string]bool{}
	if len(values) == 0 {
		return out, nil
	}
	keys := make([]connector.Key, 0, len(values))
	for _, v := range values {
		if _, ok := d.dialect.keyValue(v.value, x.col); ok {
			keys = append(keys, connector.Key{v.value})
		}
	}
	b := &builder{dialect: d.dialect}
	a := b.alias()
	b.write("SELECT DISTINCT ", d.dialect.storedText(b.col(a, x.col.Name)), " FROM ", d.dialect.table(w.t.cat), " ", a, " WHERE ")
	if err := d.dialect.keysIn(b, a, []*datamap.CatalogColumn{x.col}, keys); err != nil {
		return nil, err
	}
	err := each(ctx, tx, b.sql.String(), b.args, 1, func(v []string) { out[v[0]] = true })
	return out, d.fail(err, "looking for values of %s", w.t.name)
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
		how := x.value
		if how == "" && numberLike(x.col) {
			how = defaultRange
		}
		return generalize(old, how)
	default:
		return fake(old, w.mac(x, old), x.col.Length)
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

// defaultRange is the width of the range of a number for which the map gives none.
const defaultRange = "10"

// nobodysDomain can't be anybody's (RFC 2606).
const nobodysDomain = "example.invalid"

// fake gives a text of the same shape, of at most length characters (0: any): letters stay letters, digits digits,
// everything else where it was. A mail address becomes one at a domain that is nobody's.
func fake(old string, mac []byte, length int) string {
	if local, domain, ok := strings.Cut(old, "@"); ok && local != "" && strings.Contains(domain, ".") && !strings.ContainsAny(old, " \n") {
		// What a mail could be sent to is told apart by more than its own shape gives.
		tail := hex.EncodeToString(mac[:4]) + "@" + nobodysDomain
		room := length - len(tail) - 1
		switch {
		case length == 0:
			return reshape(local, mac) + "." + tail
		case room >= 1:
			return cut(reshape(local, mac), room) + "." + tail
		case room >= -1:
			return tail
		}
		old = strings.ReplaceAll(old, "@", ".") // no room for a whole address: then it is none
	}
	return cut(reshape(old, mac), length)
}

func reshape(old string, mac []byte) string {
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
