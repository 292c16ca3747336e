package policy_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/habeas-data/habeas/internal/policy"
)

// For all small slips of the pen: Parse answers, each problem has a place, and nothing half read passes for a policy.
func TestParseSurvivesSlips(t *testing.T) {
	b := book(t)
	seeds := []string{read(t, "acme.yaml"), read(t, "full.yaml")}
	rapid.Check(t, func(t *rapid.T) {
		src := []byte(rapid.SampledFrom(seeds).Draw(t, "seed"))
		for range rapid.IntRange(1, 4).Draw(t, "slips") {
			i := rapid.IntRange(0, len(src)-1).Draw(t, "at")
			c := rapid.SampledFrom([]byte("{}[]:,&*!|>'\"#%-? \n\tab1<@`\x00")).Draw(t, "char")
			switch rapid.IntRange(0, 2).Draw(t, "slip") {
			case 0:
				src[i] = c
			case 1:
				src = append(src[:i], src[i+1:]...)
			default:
				src = append(src[:i:i], append([]byte{c}, src[i:]...)...)
			}
		}
		p, problems := policy.Parse("f", src)
		for _, x := range problems {
			if x.Line < 1 || x.Column < 1 || x.Message == "" {
				t.Fatalf("a problem without a place: %+v", x)
			}
		}
		if !policy.Wrong(problems) && (p.Version.IsZero() || p.Tenant == "" || p.Controller.Contact == "" || len(p.Jurisdictions) == 0) {
			t.Fatalf("half a policy was accepted:\n%s", src)
		}
		for _, x := range p.Check(b) {
			if x.Line < 1 || x.Column < 1 {
				t.Fatalf("a problem without a place: %+v", x)
			}
		}
		p.Digest()
		p.Explain(new(bytes.Buffer))
	})
}
