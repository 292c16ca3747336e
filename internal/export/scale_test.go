package export_test

import (
	"crypto/sha256"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/habeas-data/habeas/internal/blob"
	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/connector/sqldb"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/export"
	"github.com/habeas-data/habeas/internal/seal"
)

const scaleMap = `
tenant: demo
systems:
  shop:
    kind: postgres
    dsn: DSN
    subjects:
      customer: {table: customer, key: [customer_id], identifiers: {email: {column: email}}}
    tables:
      customer: {category: account, erase: delete}
      invoice: {category: orders, owner: customer, erase: delete}
      invoice_line: {category: orders, owner: invoice, erase: with_owner}
      "*": {personal: false, why: catalog}
`

// highWater gives the most memory that this process has had, in MiB.
func highWater(t *testing.T) int {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	kb, err := strconv.Atoi(regexp.MustCompile(`VmHWM:\s+(\d+)`).FindStringSubmatch(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return kb >> 10
}

func TestScale(t *testing.T) {
	dsn := os.Getenv("TEST_SCALE_DSN")
	if dsn == "" {
		return
	}
	email := os.Getenv("TEST_SCALE_EMAIL")
	m, problems := datamap.Parse("datamap.yaml", []byte(strings.Replace(scaleMap, "DSN", dsn, 1)))
	if m == nil {
		t.Fatal(problems)
	}
	sys, err := sqldb.Open(t.Context(), &m.Systems[0], os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sys.Close() }()
	scope := connector.Scope{Identifiers: map[string][]string{"email": {email}}}
	began := time.Now()
	step := func(what string) {
		t.Logf("%-20s %6.2f s, high water %d MiB", what, time.Since(began).Seconds(), highWater(t))
		began = time.Now()
	}
	// The base line: what the database itself gives, through the same compression.
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "SET jit = off"); err != nil {
		t.Fatal(err)
	}
	base := func() {
		z, err := export.NewCompressor(io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{"SELECT c.* FROM customer c WHERE email = 'EMAIL'", "SELECT i.* FROM invoice i JOIN customer c USING (customer_id) WHERE c.email = 'EMAIL'",
			"SELECT l.* FROM invoice_line l JOIN invoice i USING (invoice_id) JOIN customer c USING (customer_id) WHERE c.email = 'EMAIL'"} {
			tag, err := conn.PgConn().CopyTo(t.Context(), z, "COPY (SELECT row_to_json(t) FROM ("+strings.ReplaceAll(q, "EMAIL", email)+") t) TO STDOUT")
			if err != nil {
				t.Fatal(err)
			}
			_ = tag
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	base()
	step("COPY row_to_json")
	base()
	step("COPY row_to_json")
	found, err := sys.Locate(t.Context(), scope, nil, hash)
	if err != nil {
		t.Fatal(err)
	}
	step("locate")
	meta := testMeta("en")
	meta.Map, meta.Withheld = m, nil
	e := expect(nil)
	for _, f := range found.Tables {
		for _, g := range f.Groups {
			e.Collections = append(e.Collections, export.ExpectCollection{System: "shop", Table: f.Table, Rows: g.Rows, Keys: g.Digest})
		}
	}
	for range 2 {
		began = time.Now()
		total := time.Now()
		store, err := blob.Open("file://" + t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		key := seal.NewKey()
		pr, pw := io.Pipe()
		stored := make(chan error, 1)
		go func() {
			_, err := store.Put(t.Context(), "p", pr)
			stored <- err
		}()
		sealed, err := key.Writer(pw, []byte("p"))
		if err != nil {
			t.Fatal(err)
		}
		w := export.NewWriter(io.MultiWriter(sealed, sha256.New()), meta)
		if err := sys.Collect(t.Context(), scope, w.System("shop")); err != nil {
			t.Fatal(err)
		}
		step("  collect")
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := sealed.Close(); err != nil {
			t.Fatal(err)
		}
		_ = pw.Close()
		if err := <-stored; err != nil {
			t.Fatal(err)
		}
		step("  close")
		in, _, err := store.Get(t.Context(), "p")
		if err != nil {
			t.Fatal(err)
		}
		plain, err := key.Reader(in, []byte("p"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := export.Verify(plain, e)
		if err != nil {
			t.Fatal(err)
		}
		step("  verify")
		t.Logf("%d rows, %d bytes, in all %.2f s", r.Rows, r.Bytes, time.Since(total).Seconds())
	}
}
