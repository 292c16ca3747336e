package httpapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/fault"
)

const (
	maxBody   = 1 << 20 // bytes of a body
	maxLetter = 6 << 20 // bytes of a message with its attachments: 4 MiB of files in base64, and its words
	maxDepth  = 16      // of nested arrays and objects
	maxWrong  = 50      // fields named in one answer
)

// readBody reads the body once, up to limit bytes; a second call gives the same bytes.
func readBody(c echo.Context, limit int64) ([]byte, error) {
	r := c.Request()
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	raw, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, limit))
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		return nil, tooLarge(limit)
	case err != nil:
		return nil, fault.Wrap(err, fault.Invalid, "unreadable_body", "The body did not arrive whole.")
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	return raw, nil
}

// decode reads a body of JSON into a T and refuses everything that T does not say: unknown, doubled and wrongly spelled
// fields, wrong types, text after the end. It names every wrong field at once. Path and query set nothing.
func decode[T any](c echo.Context, limit int64) (T, error) {
	var v T
	raw, err := readBody(c, limit)
	if err != nil {
		return v, err
	}
	if err := checkMedia(c); err != nil {
		return v, err
	}
	return v, decodeStrict(raw, &v)
}

// decodeMaybe is decode for calls whose body may be left out.
func decodeMaybe[T any](c echo.Context) (T, error) {
	raw, err := readBody(c, maxBody)
	if err == nil && len(raw) == 0 {
		var v T
		return v, nil
	}
	if err != nil {
		var v T
		return v, err
	}
	return decode[T](c, maxBody)
}

func checkMedia(c echo.Context) error {
	kind, params, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
	charset, named := params["charset"]
	if err != nil || kind != echo.MIMEApplicationJSON || (named && !strings.EqualFold(charset, "utf-8")) {
		return &refusal{http.StatusUnsupportedMediaType, "unsupported_media_type", "The body must be application/json in UTF-8."}
	}
	return nil
}

// decodeStrict reads raw into the struct that v points to.
func decodeStrict(raw []byte, v any) error {
	if !utf8.Valid(raw) || !json.Valid(raw) {
		return fault.New(fault.Invalid, "invalid_json", "The body is not JSON in UTF-8.")
	}
	d := strict{dec: json.NewDecoder(bytes.NewReader(raw))}
	d.dec.UseNumber()
	root := d.read("", 0)
	if len(d.wrong) == 0 {
		d.assign("", root, reflect.ValueOf(v).Elem())
	}
	return fault.BadInput(d.wrong)
}

// strict collects what is wrong with a document.
type strict struct {
	dec   *json.Decoder
	wrong []fault.Field
}

// object keeps the order of its fields, so that errors come in the order of the document.
type object struct {
	names  []string
	fields map[string]any
}

func (d *strict) bad(path, format string, args ...any) {
	if len(d.wrong) < maxWrong {
		d.wrong = append(d.wrong, fault.Field{Name: clip(path), Message: fmt.Sprintf(format, args...)})
	}
}

// clip bounds what we repeat of a stranger's text.
func clip(s string) string {
	if len(s) <= 100 {
		return s
	}
	return strings.ToValidUTF8(s[:100], "") + "…"
}

// read gives the next value: nil, bool, string, json.Number, []any or *object.
func (d *strict) read(path string, depth int) any {
	t, err := d.dec.Token()
	if err != nil {
		d.bad(path, "is not JSON")
		return nil
	}
	switch x := t.(type) {
	case json.Delim:
		if depth >= maxDepth {
			// What is below is left unread, which ends the reading of everything around it as well.
			d.bad(path, "is nested more than %d deep", maxDepth)
			d.dec = json.NewDecoder(strings.NewReader(""))
			return nil
		}
		if x == '[' {
			return d.readArray(path, depth)
		}
		return d.readObject(path, depth)
	case string:
		if strings.ContainsRune(x, 0) {
			d.bad(path, "must not hold the character U+0000")
		}
	}
	return t
}

func (d *strict) readArray(path string, depth int) any {
	list := []any{}
	for d.dec.More() {
		list = append(list, d.read(fmt.Sprintf("%s[%d]", path, len(list)), depth+1))
	}
	_, _ = d.dec.Token()
	return list
}

func (d *strict) readObject(path string, depth int) any {
	o := &object{fields: make(map[string]any)}
	for d.dec.More() {
		t, err := d.dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return o
		}
		if strings.ContainsRune(name, 0) {
			d.bad(path, "has a name with the character U+0000")
		}
		value := d.read(join(path, name), depth+1)
		if _, twice := o.fields[name]; twice {
			d.bad(join(path, name), "stands here twice")
			continue
		}
		o.names = append(o.names, name)
		o.fields[name] = value
	}
	_, _ = d.dec.Token()
	return o
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// assign puts a value into to. Null is the same as leaving a field out.
func (d *strict) assign(path string, from any, to reflect.Value) {
	if from == nil {
		if path == "" {
			d.bad("body", "must be an object")
		}
		return
	}
	switch to.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		d.assign(path, from, to.Elem())
	case reflect.Struct:
		if o, ok := from.(*object); ok {
			d.assignStruct(path, o, to)
		} else {
			d.bad(orBody(path), "must be an object")
		}
	case reflect.String:
		if s, ok := from.(string); ok {
			to.SetString(s)
		} else {
			d.bad(path, "must be a text")
		}
	case reflect.Bool:
		if b, ok := from.(bool); ok {
			to.SetBool(b)
		} else {
			d.bad(path, "must be true or false")
		}
	case reflect.Slice:
		d.assignSlice(path, from, to)
	case reflect.Map:
		d.assignMap(path, from, to)
	default:
		panic("httpapi: a wire type has a field of a kind that decode does not know: " + to.Type().String())
	}
}

func orBody(path string) string {
	if path == "" {
		return "body"
	}
	return path
}

func (d *strict) assignSlice(path string, from any, to reflect.Value) {
	if to.Type().Elem().Kind() == reflect.Uint8 {
		s, ok := from.(string)
		b, err := base64.StdEncoding.DecodeString(s)
		if !ok || err != nil {
			d.bad(path, "must be base64")
			return
		}
		to.SetBytes(b)
		return
	}
	list, ok := from.([]any)
	if !ok {
		d.bad(path, "must be a list")
		return
	}
	out := reflect.MakeSlice(to.Type(), len(list), len(list))
	for i, x := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if x == nil {
			d.bad(at, "must not be null")
			continue
		}
		d.assign(at, x, out.Index(i))
	}
	to.Set(out)
}

func (d *strict) assignMap(path string, from any, to reflect.Value) {
	o, ok := from.(*object)
	if !ok {
		d.bad(path, "must be an object")
		return
	}
	to.Set(reflect.MakeMap(to.Type()))
	for _, name := range o.names {
		if o.fields[name] == nil {
			d.bad(join(path, name), "must not be null")
			continue
		}
		v := reflect.New(to.Type().Elem()).Elem()
		d.assign(join(path, name), o.fields[name], v)
		to.SetMapIndex(reflect.ValueOf(name), v)
	}
}

func (d *strict) assignStruct(path string, o *object, to reflect.Value) {
	known := make(map[string]reflect.Value)
	collect(to, known)
	for _, name := range o.names {
		field, ok := known[name]
		if !ok {
			d.bad(join(path, name), "is not known here%s", meant(name, known))
			continue
		}
		d.assign(join(path, name), o.fields[name], field)
	}
}

// collect gives the fields of a struct by their exact JSON names; those of embedded structs count as its own.
func collect(v reflect.Value, into map[string]reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			collect(v.Field(i), into)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		into[name] = v.Field(i)
	}
}

// meant names the fields that would be right, or the one that differs by case alone.
func meant(name string, known map[string]reflect.Value) string {
	names := make([]string, 0, len(known))
	for k := range known {
		if strings.EqualFold(k, name) {
			return "; did you mean " + k + "?"
		}
		names = append(names, k)
	}
	if len(names) == 0 {
		return ": this call takes no fields"
	}
	slices.Sort(names)
	return "; known are " + strings.Join(names, ", ")
}
