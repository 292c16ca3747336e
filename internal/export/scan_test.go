package export

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// Our reader takes what the standard library takes, however the stream is cut, and nothing else.
func TestScanAgreesWithTheStandardLibrary(t *testing.T) {
	piece := rapid.SampledFrom([]string{`{`, `}`, `[`, `]`, `,`, `:`, `"a"`, `"\u00e9\n\""`, `"\x"`, `"\ud800"`, "\"\xff\"", "\"\x01\"", `"é☂"`, `0`, `01`, `-1`, `-`, `1.5`, `1.`, `1e9`, `1E+`, `9e-9`, `true`, `tru`,
		`false`, `null`, ` `, "\n", "\t", `""`, `{"a":1}`, `[[],{}]`, "x"})
	taken := 0
	rapid.Check(t, func(r *rapid.T) {
		element := strings.Join(rapid.SliceOfN(piece, 1, 6).Draw(r, "element"), "")
		text := "[" + strings.Repeat(element+",", rapid.IntRange(0, 2).Draw(r, "times")) + element + "]" + rapid.SampledFrom([]string{"", " \n", "x", "]", ","}).Draw(r, "tail")
		want := json.Valid([]byte(text)) && utf8.ValidString(text)
		for name, in := range map[string]io.Reader{"whole": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text)), "with its end": iotest.DataErrReader(strings.NewReader(text))} {
			err := newRows(in).each(func(b []byte, i int) (int, error) { return skipValue(b, i, 0) })
			if (err == nil) != want {
				r.Fatalf("%q %s: %v, and it is JSON: %v", text, name, err, want)
			}
		}
		if want {
			taken++
		}
	})
	if taken == 0 {
		t.Error("no text was JSON: nothing is shown")
	}
}

func TestScanIsBounded(t *testing.T) {
	deep := "[" + strings.Repeat("[", 2*maxDepth) + strings.Repeat("]", 2*maxDepth) + "]"
	err := newRows(strings.NewReader(deep)).each(func(b []byte, i int) (int, error) { return skipValue(b, i, 0) })
	if !errors.Is(err, errJSON) {
		t.Errorf("a value nested %d deep gives %v", 2*maxDepth, err)
	}
}
