package export

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"html/template"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"

	"github.com/habeas-data/habeas/internal/statute"
)

//go:embed templates
var templateFiles embed.FS

// pages parses the embedded pages once.
//
//nolint:gochecknoglobals // embedded data, parsed once and never written again
var pages = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(templateFiles, "templates/*.html"))
})

func asset(name string) string {
	src, err := templateFiles.ReadFile("templates/" + name)
	if err != nil {
		panic("export: " + err.Error()) // embedded
	}
	return string(src)
}

// page is what both pages share.
type page struct {
	Lang, Title string
	Style       template.CSS
	Script      template.JS
	Policy      string // Content-Security-Policy: even if a value got out of its cell, nothing of it would run
	Lead        []string
	Facts       [][2]string
	Tables      []tableLine
	Since       *sinceView
	Sections    []section
	Labels      map[string]string
}

// tableLine is one line of the overview.
type tableLine struct{ ID, Name, Rows, Kind string }

func (w *Writer) page(title string) page {
	script := asset("sort.js")
	sum := sha256.Sum256([]byte(script))
	say := w.meta.Words.Say
	return page{
		Lang: w.meta.Words.Lang(), Title: title,
		Style:  template.CSS(asset("style.css")), //nolint:gosec // our own file
		Script: template.JS(script),              //nolint:gosec // our own file
		Policy: "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
		Labels: map[string]string{"overview": say("package.overview"), "table": say("package.table"), "rows": say("package.rows"), "category": say("package.category"),
			"letter": say("package.letter"), "data": say("package.data"), "index": say("package.back")},
	}
}

// writeIndex writes index.html: the overview, then the rows from the spool.
func (w *Writer) writeIndex() error {
	m, say := &w.meta, w.meta.Words.Say
	p := w.page(say("package.title", "controller", oneLine(m.Controller)))
	rows := int64(0)
	for i, t := range w.tables {
		rows += t.rows
		p.Tables = append(p.Tables, tableLine{ID: fmt.Sprintf("c%d", i+1), Name: visible(m.Words.Thing(t.table)), Rows: m.Words.Number(t.rows), Kind: m.Words.Thing(m.category(t.system, t.table))})
	}
	p.Lead = []string{say("package.lead", "controller", oneLine(m.Controller))}
	p.Since = w.sinceView()
	if len(w.tables) == 0 {
		p.Lead = append(p.Lead, say("package.empty"))
	}
	p.Facts = [][2]string{
		{say("package.fact.request"), m.Words.Right(m.Right)},
		{say("package.fact.reference"), m.Reference},
		{say("package.fact.made"), m.Words.At(m.MadeAt, nil)},
		{say("package.fact.rows"), m.Words.Count("package.in_all", rows)},
	}
	if m.Contact != "" {
		p.Facts = append(p.Facts, [2]string{say("package.fact.contact"), oneLine(m.Contact)})
	}
	if left := w.leftOut(); len(left) > 0 {
		p.Sections = []section{{Title: say("package.left_out"), Paras: []string{say("package.left_out.lead")}, Items: left}}
	}
	var head, foot bytes.Buffer
	if err := pages().ExecuteTemplate(&head, "index-head.html", p); err != nil {
		return fmt.Errorf("filling the page: %w", err)
	}
	if err := pages().ExecuteTemplate(&foot, "index-foot.html", p); err != nil {
		return fmt.Errorf("filling the page: %w", err)
	}
	return w.joinPage(head.Bytes(), foot.Bytes())
}

// joinPage writes index.html: the head, the rows as they were compressed while they came, the foot. Parts of a
// deflated stream that end on a byte (RFC 1951, 3.2.4: an empty stored block) can follow each other as they are; only
// their hash needs them unpacked.
func (w *Writer) joinPage(head, foot []byte) error {
	rows, err := w.spool.reader()
	if err != nil {
		return err
	}
	var before, after bytes.Buffer
	if err := errors.Join(deflate(&before, head, false), deflate(&after, foot, true)); err != nil {
		return fmt.Errorf("compressing the page: %w", err)
	}
	file := rawFile("index.html", w.meta.MadeAt)
	out, err := w.zip.CreateRaw(file)
	if err != nil {
		return fmt.Errorf("beginning index.html: %w", err)
	}
	packed := &countTo{w: out}
	all := bufio.NewReaderSize(io.TeeReader(io.MultiReader(&before, rows, &after), packed), 64<<10)
	sum, crc := sha256.New(), crc32.NewIEEE()
	n, err := io.Copy(io.MultiWriter(sum, crc), flate.NewReader(all))
	if err != nil {
		return fmt.Errorf("joining the page: %w", err)
	}
	setSizes(file, packed.n, n, crc.Sum32())
	w.files = append(w.files, File{Path: file.Name, SHA256: hex.EncodeToString(sum.Sum(nil)), Bytes: n})
	return nil
}

func deflate(out io.Writer, content []byte, last bool) error {
	z, err := flate.NewWriter(out, level)
	if err != nil {
		return err
	}
	if _, err := z.Write(content); err != nil {
		return err
	}
	if last {
		return z.Close()
	}
	return z.Flush()
}

// leftOut says what the package does not hold and why, one line each.
func (w *Writer) leftOut() []string {
	words := w.meta.Words
	var out []string
	seen := map[string]bool{}
	add := func(key string, system, table, column string, rows int64, ground string, until statute.Date) {
		what := words.Thing(table)
		if table == "" {
			what = words.Thing(system)
		}
		if column != "" {
			what = words.Say("package.withheld.column", "table", what, "column", words.Thing(column))
		} else if rows > 0 {
			what = words.Say("package.withheld.rows", "table", what, "rows", words.Count("entries", rows))
		}
		line := words.Say("package.withheld."+key, "what", what, "why", trimDot(oneLine(words.Reason(ground))))
		if !until.IsZero() {
			line += " " + words.Say("package.withheld.until_date", "date", words.Date(until))
		}
		if line = visible(line); !seen[line] {
			seen[line] = true
			out = append(out, line)
		}
	}
	named := map[[2]string]bool{}
	for _, x := range w.meta.Withheld {
		key := x.What
		if !words.Has("package.withheld." + key) {
			key = "hidden"
		}
		if x.Column == "" {
			named[[2]string{x.System, x.Table}] = true
		}
		add(key, x.System, x.Table, x.Column, x.Rows, x.Ground, x.Until)
	}
	for _, h := range w.hidden {
		if h.Column == "" && !named[[2]string{h.System, h.Table}] { // the plan says the same of it already
			add("hidden", h.System, h.Table, "", h.Rows, h.Why, statute.Date{})
		}
	}
	return out
}
