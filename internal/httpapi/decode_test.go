package httpapi

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/habeas-data/habeas/api"
	"github.com/habeas-data/habeas/internal/fault"
)

func TestDecodeStrict(t *testing.T) {
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	tests := []struct {
		name, body string
		wrong      string // names of wrong fields, separated by spaces; "!" for what is no JSON
	}{
		{"right", `{"types":["access"],"email":"a@b.example","identifiers":{"id":"1"},"changes":[{"field":"a","to":"b"}],"on_behalf_of":{"relation":"child","name":"x"},"assertion":{"method":"m","authenticated_at":"t"}}`, ""},
		{"null is left out", `{"name":null,"types":null,"on_behalf_of":null}`, ""},
		{"empty object", `{}`, ""},
		{"not JSON", `{"types":`, "!"},
		{"empty", ``, "!"},
		{"two values", `{} {}`, "!"},
		{"trailing comma", `{"types":["access",]}`, "!"},
		{"broken UTF-8", "{\"name\":\"\xff\"}", "!"},
		{"an array", `[]`, "body"},
		{"null", `null`, "body"},
		{"a text", `"x"`, "body"},
		{"unknown", `{"colour":"red"}`, "colour"},
		{"other case", `{"Email":"a@b.example"}`, "Email"},
		{"unknown inside", `{"on_behalf_of":{"relation":"child","age":3}}`, "on_behalf_of.age"},
		{"unknown in a list", `{"changes":[{"field":"a"},{"fields":"b"}]}`, "changes[1].fields"},
		{"twice", `{"email":"a@b.example","email":"c@d.example"}`, "email"},
		{"twice inside", `{"identifiers":{"id":"1","id":"2"}}`, "identifiers.id"},
		{"wrong types, all of them", `{"types":"access","email":1,"name":true,"identifiers":[],"changes":{},"on_behalf_of":"x"}`, "types email name identifiers changes on_behalf_of"},
		{"wrong in a list", `{"types":["access",2,null]}`, "types[1] types[2]"},
		{"wrong in a map", `{"identifiers":{"id":1,"x":null}}`, "identifiers.id identifiers.x"},
		{"NUL", `{"name":"a\u0000b"}`, "name"},
		{"NUL in a name", `{"identifiers":{"a\u0000":"b"}}`, "identifiers"},
		{"tenant and status are no fields", `{"tenant":"other","status":"fulfilled","id":"1"}`, "tenant status id"},
		{"prototype", `{"__proto__":{"admin":true}}`, "__proto__"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var v api.NewRequest
			err := decodeStrict([]byte(test.body), &v)
			f, _ := fault.As(err)
			switch {
			case test.wrong == "" && err == nil:
				return
			case test.wrong == "!" && f != nil && f.Code == "invalid_json":
				return
			case f == nil || test.wrong == "!":
				t.Fatalf("got %v, want %q", err, test.wrong)
			}
			var names []string
			for _, w := range f.Fields {
				names = append(names, w.Name)
			}
			if got := strings.Join(names, " "); got != test.wrong {
				t.Errorf("wrong fields %q, want %q", got, test.wrong)
			}
		})
	}
	var v api.NewRequest
	err := decodeStrict([]byte(`{"types":`+deep+`}`), &v)
	if f, ok := fault.As(err); !ok || len(f.Fields) == 0 || !strings.Contains(f.Fields[0].Message, "deep") {
		t.Errorf("deep nesting: %v", err)
	}
	if err := decodeStrict([]byte(`{"types":["access"],"email":"x"}`), &v); err != nil || v.Email != "x" || v.Types[0] != "access" {
		t.Errorf("%v %+v", err, v)
	}
}

// TestDecodeNeverPanics feeds made-up documents; whatever comes, it is an answer and no panic.
func TestDecodeNeverPanics(t *testing.T) {
	word := rapid.SampledFrom([]string{`{`, `}`, `[`, `]`, `,`, `:`, `"types"`, `"email"`, `"changes"`, `"field"`, `"x"`, `null`, `true`, `1`, `1e999`, `"\ud800"`, ` `})
	rapid.Check(t, func(t *rapid.T) {
		body := strings.Join(rapid.SliceOfN(word, 0, 14).Draw(t, "body"), "")
		var v api.NewRequest
		if err := decodeStrict([]byte(body), &v); err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("%s: %v", body, err)
		}
	})
}
