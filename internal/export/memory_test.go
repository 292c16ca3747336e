package export_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/habeas-data/habeas/internal/export"
)

type remembered struct{ table, key, content string }

func remember(t testing.TB, rows []remembered) []byte {
	t.Helper()
	w := export.NewMemoryWriter(hash)
	defer w.Discard()
	for _, r := range rows {
		if err := w.Add(export.CollectionName{System: "shop", Table: r.table}, []string{r.key}, []byte(r.content)); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	n, err := w.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatal(n, err)
	}
	return b.Bytes()
}

// What a memory says of two states is what a map of all rows says of them.
func TestMemoriesTellWhatChanged(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		state := rapid.MapOfN(rapid.Custom(func(r *rapid.T) [2]string {
			return [2]string{rapid.SampledFrom([]string{"customer", "order", "line"}).Draw(r, "table"), strconv.Itoa(rapid.IntRange(0, 9).Draw(r, "key"))}
		}), rapid.SampledFrom([]string{"a", "b"}), 0, 20)
		before, after := state.Draw(r, "before"), state.Draw(r, "after")
		want := map[string]*export.Changes{}
		at := func(table string) *export.Changes {
			if want[table] == nil {
				want[table] = &export.Changes{CollectionName: export.CollectionName{System: "shop", Table: table}}
			}
			return want[table]
		}
		for k, v := range before {
			switch now, there := after[k]; {
			case !there:
				at(k[0]).Gone++
			case now != v:
				at(k[0]).Changed++
			default:
				at(k[0]).Same++
			}
		}
		for k := range after {
			if _, there := before[k]; !there {
				at(k[0]).New++
			}
		}
		list := func(m map[[2]string]string) (out []remembered) {
			for k, v := range m { // in any order
				out = append(out, remembered{k[0], k[1], v})
			}
			return out
		}
		a, b := remember(t, list(before)), remember(t, list(after))
		if !bytes.Equal(a, remember(t, list(before))) {
			r.Fatal("the same rows in another order gave other bytes")
		}
		got, err := export.CompareMemories(bytes.NewReader(a), bytes.NewReader(b))
		if err != nil {
			r.Fatal(err)
		}
		var wanted []export.Changes
		for _, table := range slices.Sorted(maps.Keys(want)) {
			wanted = append(wanted, *want[table])
		}
		if !slices.Equal(got, wanted) {
			r.Fatalf("%v and not %v", got, wanted)
		}
	})
}

func TestAMemoryHoldsNothingOfThePerson(t *testing.T) {
	m := remember(t, []remembered{{"customer", "ada@example.com", `{"name":"Ada"}`}})
	plain := sha256.Sum256([]byte(`{"name":"Ada"}`))
	if bytes.Contains(m, []byte("ada@")) || bytes.Contains(m, []byte("Ada")) || bytes.Contains(m, plain[:8]) {
		t.Error("the memory holds data, or a hash that anybody can make")
	}
}

// More rows than are sorted in memory, rows that are alike, and a memory that is cut off anywhere.
func TestBigMemories(t *testing.T) {
	const n = 150_000
	rows := make([]remembered, n)
	for i := range rows {
		rows[i] = remembered{"event", strconv.Itoa(i), "x"}
	}
	rows = append(rows, remembered{"visit", "same", "same"}, remembered{"visit", "same", "same"})
	before := remember(t, rows)
	if len(before) > 33*n+1000 {
		t.Errorf("%d rows are remembered in %d bytes", n, len(before))
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(n, func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	rows = rows[10:]
	rows[0].content = "y"
	rows = append(rows, remembered{"event", "new", "x"}, remembered{"visit", "same", "same"})
	after := remember(t, rows)
	got, err := export.CompareMemories(bytes.NewReader(before), bytes.NewReader(after))
	if want := "[{{shop event} 1 1 10 149989} {{shop visit} 1 0 0 2}]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v and not %s (%v)", got, want, err)
	}
	small := remember(t, rows[:3])
	for cut := range small {
		if _, err := export.CompareMemories(bytes.NewReader(small[:cut]), bytes.NewReader(after)); err == nil && !strings.HasSuffix(string(small[:cut]), "]") {
			t.Fatalf("cut at %d of %d bytes and taken", cut, len(small))
		}
	}
}
