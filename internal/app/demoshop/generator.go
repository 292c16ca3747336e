package demoshop

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/habeas-data/habeas/internal/statute"
)

// seed fixes every choice of the generator. Another seed is another shop.
const seed = 0x4861626561735f31

// generator writes rows and remembers the first error, as bufio.Writer does: a run of inserts reads as the list
// of rows that it is, and run looks at the error once.
type generator struct {
	ctx    context.Context // of the one call of fill that this lives for
	tx     *sql.Tx
	rng    *rand.Rand
	today  statute.Date
	words  words
	insert map[string]*sql.Stmt
	lastID map[string]int
	err    error

	products  []product
	staff     []int
	people    []person
	addresses map[int]address
}

type product struct {
	id, cents int
	name      string
	recurring bool // sold as a subscription
}

type address struct {
	id                          int
	street, city, post, country string
}

type person struct {
	id                 int
	name, email, phone string
	home               int // address_id
	joined             int // days before today
}

func newGenerator(ctx context.Context, tx *sql.Tx, today statute.Date) *generator {
	return &generator{
		ctx: ctx, tx: tx, today: today,
		rng:    rand.New(rand.NewPCG(seed, seed>>7)), // not secret: to repeat
		words:  readWords(),
		insert: make(map[string]*sql.Stmt), lastID: make(map[string]int),
		addresses: make(map[int]address),
	}
}

func (g *generator) run() error {
	g.catalog()
	g.community()
	g.trade()
	g.talk()
	g.traces()
	g.scenes()
	return g.err
}

// row inserts one row, values in the order of the table's columns.
func (g *generator) row(table string, values ...any) {
	if g.err == nil {
		g.err = g.ctx.Err()
	}
	if g.err != nil {
		return
	}
	stmt, ok := g.insert[table]
	if !ok {
		places := strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")
		stmt, g.err = g.tx.PrepareContext(g.ctx, "INSERT INTO "+table+" VALUES ("+places+")") // closed with the transaction
		if g.err != nil {
			g.err = fmt.Errorf("%s: %w", table, g.err)
			return
		}
		g.insert[table] = stmt
	}
	// The driver starts a watcher for every statement that can be canceled; looking once a row costs less.
	if _, err := stmt.ExecContext(context.WithoutCancel(g.ctx), values...); err != nil {
		g.err = fmt.Errorf("%s %v: %w", table, values[0], err)
	}
}

// add inserts a row whose first column is a running number, and gives that number.
func (g *generator) add(table string, values ...any) int {
	g.lastID[table]++
	id := g.lastID[table]
	g.row(table, append([]any{id}, values...)...)
	return id
}

// day gives the date n days before today; n is 1 or more, since nothing in the shop lies ahead.
func (g *generator) day(n int) string {
	if n < 1 && g.err == nil {
		g.err = fmt.Errorf("a date %d days ago", n)
	}
	return g.today.AddDays(-n).String()
}

// at gives an instant n days before today, at any second of that day.
func (g *generator) at(n int) string {
	s := g.rng.IntN(24 * 60 * 60)
	return fmt.Sprintf("%sT%02d:%02d:%02dZ", g.day(n), s/3600, s/60%60, s%60)
}

// between gives a whole number in [lo, hi].
func (g *generator) between(lo, hi int) int { return lo + g.rng.IntN(max(hi-lo, 0)+1) }

// chance is true in percent of all calls.
func (g *generator) chance(percent int) bool { return g.rng.IntN(100) < percent }

// digits gives n digits, bytes n bytes in hexadecimal, as a service's own random keys would look.
func (g *generator) digits(n int) string { return g.letters("0123456789", n) }
func (g *generator) hex(n int) string    { return g.letters("0123456789abcdef", 2*n) }

func (g *generator) letters(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[g.rng.IntN(len(alphabet))]
	}
	return string(b)
}

// pick gives one of a list.
func pick[T any](g *generator, list []T) T { return list[g.rng.IntN(len(list))] }

// maybe gives v in percent of all calls, else NULL.
func maybe(g *generator, percent int, v any) any {
	if g.chance(percent) {
		return v
	}
	return nil
}
