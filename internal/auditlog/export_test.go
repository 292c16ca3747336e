package auditlog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func export(t testing.TB, m *memory, signed []byte, vkey string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteExport(context.Background(), &b, m, signed, vkey); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func verified(t testing.TB, raw []byte, vkey string, anchors ...Checkpoint) Report {
	t.Helper()
	rep, err := VerifyExport(bytes.NewReader(raw), vkey, anchors)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// join puts lines, header first, back together.
func join(lines ...[]byte) []byte { return bytes.Join(lines, nil) }

func TestExport(t *testing.T) {
	const n = 1000
	m := grown(t, n)
	skey, vkey := keys(t)
	raw := export(t, m, sign(t, m.head(t, n), skey), vkey)
	lines := bytes.SplitAfter(raw, []byte("\n"))
	head, body := lines[0], lines[1:n+1]
	anchors := []Checkpoint{m.head(t, 600), m.head(t, 1), m.head(t, n), m.head(t, 0)}
	for name, rep := range map[string]Report{
		"pinned": verified(t, raw, vkey), "not pinned": verified(t, raw, ""), "with anchors": verified(t, raw, vkey, anchors...),
	} {
		if !rep.OK() || rep.FirstBad != -1 || rep.Size != n || rep.Root != m.head(t, n).Root || rep.Tenant != tenant {
			t.Errorf("%s: %+v", name, rep)
		}
	}
	for i := range int64(n) {
		if !soak() && i > 2 && i < n-2 && i%173 != 0 {
			continue
		}
		next := min(i+1, n-1)
		swapped := slices.Clone(body)
		swapped[i], swapped[next] = swapped[next], swapped[i]
		for name, c := range map[string]struct {
			raw  []byte
			bad  int64
			says string
		}{
			"deleted":    {join(head, join(body[:i]...), join(body[i+1:]...)), i, "missing"},
			"duplicated": {join(head, join(body[:i+1]...), join(body[i:]...)), i + 1, ""},
			"swapped":    {join(head, join(swapped...)), i, "swapped"},
			"truncated":  {join(head, join(body[:i]...)), i, "missing"},
			"cut inside": {join(head, join(body[:i]...), body[i][:len(body[i])/2]), i, "cut"},
			"replaced":   {join(head, join(body[:i]...), body[(i+7)%n], join(body[i+1:]...)), i, ""},
		} {
			if name == "swapped" && next == i {
				continue
			}
			if rep := verified(t, c.raw, vkey); rep.OK() || rep.FirstBad != c.bad || !strings.Contains(rep.Problem, c.says) {
				t.Fatalf("entry %d %s: first bad %d, %s", i, name, rep.FirstBad, rep.Problem)
			}
		}
	}
}

// TestEveryByte flips bits of the lines of an export: a tenth of the bytes, or with HABEAS_SOAK=1 all of
// them. It takes the verifier to each line once, and shows it the flipped line and what follows from there;
// header bytes go through the whole verification.
func TestEveryByte(t *testing.T) {
	const n = 1000
	m := grown(t, n)
	skey, vkey := keys(t)
	head := m.head(t, n)
	raw := export(t, m, sign(t, head, skey), vkey)
	rng, flips := rand.New(rand.NewPCG(1, 2)), 0
	flipped := func(line []byte, i int) []byte {
		if !soak() && rng.IntN(10) != 0 {
			return nil
		}
		flips++
		bad := bytes.Clone(line)
		bad[i] ^= 1 << rng.IntN(8)
		return bad
	}
	lines := bytes.SplitAfter(raw, []byte("\n"))
	for i := range lines[0] {
		bad := flipped(lines[0], i)
		if bad == nil {
			continue
		}
		if rep := verified(t, join(bad, lines[1]), vkey); rep.OK() || rep.FirstBad != -1 {
			t.Fatalf("byte %d of the header flipped to %q: %+v", i, bad[i], rep)
		}
	}
	v := newVerifier(head, nil)
	for k, line := range lines[1 : n+1] {
		for i := range line {
			bad := flipped(line, i)
			if bad == nil {
				continue
			}
			try := *v
			try.tree.peaks = slices.Clone(v.tree.peaks)
			rep, err := try.lines(bufio.NewReader(bytes.NewReader(join(bad, lines[min(k+2, n+1)]))), n)
			if err != nil || rep.OK() || rep.FirstBad != int64(k) {
				t.Fatalf("byte %d of entry %d flipped to %q: first bad %d, %q, %v", i, k, bad[i], rep.FirstBad, rep.Problem, err)
			}
		}
		if rep, _ := v.lines(bufio.NewReader(bytes.NewReader(line)), int64(k+1)); !rep.OK() && k < n-1 && !strings.Contains(rep.Problem, "rolled back") {
			t.Fatalf("entry %d as it is: %+v", k, rep)
		}
	}
	t.Logf("%d of %d bytes flipped", flips, len(raw))
}

// soak tells whether tests that take minutes are asked for.
func soak() bool { return os.Getenv("HABEAS_SOAK") == "1" }

func TestExportForgeries(t *testing.T) {
	m := grown(t, 50)
	skey, vkey := keys(t)
	signed := sign(t, m.head(t, 50), skey)
	raw := export(t, m, signed, vkey)
	lines := bytes.SplitAfter(raw, []byte("\n"))
	mySkey, myVkey := keys(t)

	forged := m.clone()
	rewrite(t, forged, 20, func(e *Entry) { e.Outcome = OutcomeFailed })
	self := export(t, forged, sign(t, forged.head(t, 50), mySkey), myVkey)
	stolen := export(t, forged, sign(t, forged.head(t, 50), skey), vkey)
	short := grown(t, 30)
	rolledBack := export(t, short, sign(t, short.head(t, 30), skey), vkey)
	hashesToo := export(t, forged, signed, vkey)

	for name, c := range map[string]struct {
		raw     []byte
		vkey    string
		anchors []Checkpoint
		bad     int64
		says    string
	}{
		"signed by a key of their own":   {self, vkey, nil, -1, "another verification key"},
		"another checkpoint's signature": {bytes.Replace(raw, signedTail(signed), signedTail(sign(t, m.head(t, 49), skey)), 1), vkey, nil, -1, "signature"},
		"hashes rewritten as well":       {hashesToo, vkey, nil, 0, "rewritten"},
		"the same, with an anchor":       {hashesToo, vkey, []Checkpoint{m.head(t, 18)}, 18, "entries 18 to 49"},
		"with the stolen key":            {stolen, vkey, []Checkpoint{m.head(t, 10), m.head(t, 40)}, 10, "entries 10 to 39"},
		"rolled back":                    {rolledBack, vkey, []Checkpoint{m.head(t, 40)}, 30, "rolled back"},
		"goes on":                        {join(raw, lines[50]), vkey, nil, 50, "goes on"},
		"goes on with an empty line":     {join(raw, []byte("\n")), vkey, nil, 50, "goes on"},
		"CR LF":                          {bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n")), vkey, nil, -1, "header"},
		"CR in a line":                   {bytes.Replace(raw, []byte("}\n{\"n\":5,"), []byte("}\r\n{\"n\":5,"), 1), vkey, nil, 4, "changed"},
		"a space":                        {bytes.Replace(raw, []byte(`{"n":5,`), []byte(`{"n": 5,`), 1), vkey, nil, 5, "changed"},
		"another key's case":             {bytes.Replace(raw, []byte(`{"n":5,"hash"`), []byte(`{"n":5,"Hash"`), 1), vkey, nil, 5, "changed"},
		"a doubled key":                  {bytes.Replace(raw, []byte(`{"n":5,`), []byte(`{"n":5,"n":5,`), 1), vkey, nil, 5, "changed"},
		"a long line":                    {bytes.Replace(raw, []byte(`{"n":5,`), append(bytes.Repeat([]byte(" "), 70_000), `{"n":5,`...), 1), vkey, nil, 5, "changed"},
		"no final line end":              {raw[:len(raw)-1], vkey, nil, 49, "cut"},
		"empty":                          {nil, vkey, nil, -1, "header"},
		"no header":                      {join(lines[1:]...), vkey, nil, -1, "header"},
		"only a header":                  {lines[0], vkey, nil, 0, "missing"},
		"tenant in the header":           {bytes.Replace(raw, []byte(`"tenant":"acme"`), []byte(`"tenant":"acne"`), 1), vkey, nil, -1, "different logs"},
		"size in the header":             {bytes.Replace(raw, []byte(`"size":50`), []byte(`"size":49`), 1), vkey, nil, -1, "sizes"},
		"an anchor of another log":       {raw, vkey, []Checkpoint{{Origin: "habeas/other", Size: 3}}, -1, "anchor"},
		"a wrong head of nothing":        {raw, vkey, []Checkpoint{{Origin: "habeas/acme"}}, -1, "rewritten"},
	} {
		if rep := verified(t, c.raw, c.vkey, c.anchors...); rep.OK() || rep.FirstBad != c.bad || !strings.Contains(rep.Problem, c.says) {
			t.Errorf("%s: first bad %d, %q", name, rep.FirstBad, rep.Problem)
		}
	}
	// Why anchors are kept: these two look whole without one.
	for name, rep := range map[string]Report{"stolen key": verified(t, stolen, vkey), "rolled back": verified(t, rolledBack, vkey)} {
		if !rep.OK() {
			t.Errorf("%s without an anchor: %q", name, rep.Problem)
		}
	}
	empty := &memory{}
	if rep := verified(t, export(t, empty, sign(t, empty.head(t, 0), skey), vkey), vkey); !rep.OK() || rep.Size != 0 {
		t.Errorf("an empty log: %+v", rep)
	}
	broken := errors.New("input/output error")
	if _, err := VerifyExport(io.MultiReader(bytes.NewReader(raw[:5000]), iotest.ErrReader(broken)), vkey, nil); !errors.Is(err, broken) {
		t.Errorf("a broken disk: %v", err)
	}
	if err := WriteExport(context.Background(), io.Discard, m, signed, myVkey); err == nil {
		t.Error("exports under a key that did not sign")
	}
}

// signedTail gives the signature of a note as it stands in JSON.
func signedTail(signed []byte) []byte {
	text := string(signed)
	return []byte(strings.TrimSpace(text[strings.LastIndex(text, " ")+1:]))
}

func BenchmarkVerifyExport(b *testing.B) {
	m := grown(b, 5000)
	skey, vkey := keys(b)
	raw := export(b, m, sign(b, m.head(b, 5000), skey), vkey)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if rep := verified(b, raw, vkey); !rep.OK() {
			b.Fatal(rep.Problem)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/5000, "ns/entry")
}
