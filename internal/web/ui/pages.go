package ui

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

//go:embed layout.html
var layout string

//go:embed pages/*.html
var errorFiles embed.FS

// ErrorFiles gives the pages for errors: "error".
func ErrorFiles() fs.FS { return errorFiles }

// Pages are templates with the layout around them, and the texts.
type Pages struct {
	Catalog
	byName map[string]*template.Template
}

// NewPages reads every .html file of files, in any folder, as a page by its base name.
func NewPages(files fs.FS) (*Pages, error) {
	catalog, err := LoadCatalog()
	if err != nil {
		return nil, err
	}
	p := &Pages{Catalog: catalog, byName: make(map[string]*template.Template)}
	base, err := template.New("layout").Option("missingkey=error").Funcs(functions()).Parse(layout)
	if err != nil {
		return nil, fmt.Errorf("reading the layout: %w", err)
	}
	var shared, pages []string
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir() || path.Ext(name) != ".html":
		case strings.HasPrefix(path.Base(name), "_"): // parts that several pages use
			shared = append(shared, name)
		default:
			pages = append(pages, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading pages: %w", err)
	}
	for _, name := range pages {
		t, err := base.Clone()
		for _, file := range append(shared, name) {
			var raw []byte
			if err == nil {
				raw, err = fs.ReadFile(files, file)
			}
			if err == nil {
				_, err = t.Parse(string(raw))
			}
		}
		if err != nil {
			return nil, fmt.Errorf("reading page %s: %w", name, err)
		}
		p.byName[strings.TrimSuffix(path.Base(name), ".html")] = t
	}
	return p, nil
}

// MustPages is NewPages for embedded files, whose faults a test finds.
func MustPages(files fs.FS) *Pages {
	p, err := NewPages(files)
	if err != nil {
		panic(err)
	}
	return p
}

// Link is a link in the head of a page.
type Link struct {
	Text, Href, Lang string
	Here             bool
}

// View is what a page is rendered with.
type View struct {
	Lang   string
	Title  string
	Brand  string // whose page it is; "": Habeas
	Home   string // where the brand leads; "": nowhere
	Wide   bool   // for tables
	Nav    []Link
	Langs  []Link // the same page in other languages
	Notice string // what was just done
	Foot   string
	Leave  string // where a form that ends the session posts to; "": no session
	Token  string // of forms, see FormToken
	Now    time.Time
	Body   any

	texts Catalog
}

// T gives a text in the page's language.
func (v View) T(key string, pairs ...any) string { return v.texts.T(v.Lang, key, pairs...) }

// Bind gives the view its texts, for whoever writes dates into a body before it is rendered.
func (p *Pages) Bind(v View) View {
	if v.Lang == "" {
		v.Lang = Languages()[0]
	}
	v.texts = p.Catalog
	return v
}

// Render writes a page. It is rendered in full before the first byte goes out, so that a fault in it is a clean error.
func (p *Pages) Render(c echo.Context, status int, page string, v View) error {
	t, ok := p.byName[page]
	if !ok {
		return fmt.Errorf("there is no page %q", page)
	}
	v = p.Bind(v)
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "layout", v); err != nil {
		return fmt.Errorf("rendering page %s: %w", page, err)
	}
	c.Response().Header().Set("Content-Language", v.Lang)
	return c.HTMLBlob(status, b.Bytes())
}
