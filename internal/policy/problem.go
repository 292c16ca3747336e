package policy

import (
	"cmp"
	"fmt"
	"slices"
)

// Problem is one thing that is wrong with a policy file, at its place, with what would be right.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`   // from 1
	Column  int    `json:"column"` // from 1
	Path    string `json:"path"`   // `rights.erasure.grace`
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
	Warning bool   `json:"warning,omitempty"` // worth a look; does not make the file wrong
}

// String gives `file:line:column: message; fix`, as compilers do, so that editors can jump to it.
func (p Problem) String() string {
	kind := ""
	if p.Warning {
		kind = "warning: "
	}
	s := fmt.Sprintf("%s:%d:%d: %s%s", p.File, p.Line, p.Column, kind, p.Message)
	if p.Fix != "" {
		s += "; " + p.Fix
	}
	return s
}

// Wrong tells whether any of the problems is more than a warning.
func Wrong(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
}

func sortProblems(ps []Problem) []Problem {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	return ps
}
