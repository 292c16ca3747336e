package tenant

import (
	"fmt"
	"slices"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/policy"
)

// Problem is one fault of a tenant's files.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
	Warning bool   `json:"warning,omitempty"`
}

// String gives the one-line form that editors and terminals understand.
func (p Problem) String() string { return datamap.Problem(p).String() }

// Wrong tells whether any of the problems is more than a warning.
func Wrong(problems []Problem) bool {
	for _, p := range problems {
		if !p.Warning {
			return true
		}
	}
	return false
}

// Check parses both files and holds them against the law and against each other. Settings is nil when a file can't
// be used.
func (r *Registry) Check(f Files) (*Settings, []Problem) {
	var out []Problem
	p, found := policy.Parse(f.PolicyName, f.Policy)
	for _, x := range found {
		out = append(out, Problem(x))
	}
	if p != nil && !policy.Wrong(found) {
		for _, x := range p.Check(r.book) {
			out = append(out, Problem(x))
		}
	}
	m := &datamap.Map{}
	if len(f.Map) > 0 {
		var problems []datamap.Problem
		m, problems = datamap.Parse(f.MapName, f.Map)
		for _, x := range problems {
			out = append(out, Problem(x))
		}
	}
	if p == nil || m == nil || Wrong(out) {
		return nil, out
	}
	out = append(out, together(f, p, m)...)
	if Wrong(out) {
		return nil, out
	}
	return &Settings{Tenant: dsr.TenantID(p.Tenant), Policy: p, Map: m}, out
}

// together finds what is right in each file alone and wrong beside the other.
func together(f Files, p *policy.Policy, m *datamap.Map) []Problem {
	var out []Problem
	if _, err := dsr.ParseTenant(p.Tenant); err != nil {
		out = append(out, Problem{File: f.PolicyName, Path: "tenant", Message: fmt.Sprintf("%q is not a tenant's name", p.Tenant),
			Fix: "use lower case letters, digits and hyphens, beginning with a letter"})
	}
	if slices.Contains([]string{"v1", "console", "docs", "assets", "healthz", "readyz", "metrics"}, p.Tenant) {
		out = append(out, Problem{File: f.PolicyName, Path: "tenant", Message: fmt.Sprintf("%q is the address of something else here", p.Tenant),
			Fix: "take another name: it stands in the address of the form"})
	}
	for _, name := range p.RightNames() {
		if mode := p.Rights[name].GraceMode; mode == policy.GraceBlocked || mode == policy.GraceSealed {
			out = append(out, Problem{File: f.PolicyName, Path: "rights." + name + ".grace.mode",
				Message: fmt.Sprintf("the mode %s can't be kept yet: the data would stay in use until the grace period ends", mode), Fix: "write mode: live, and promise that"})
		}
	}
	if p.Package.Review {
		out = append(out, Problem{File: f.PolicyName, Path: "package.review", Message: "a package can't be held for review yet",
			Fix: "leave it out; with access: {review: officer} an officer sees the plan with its counts before anything is collected"})
	}
	if len(f.Map) == 0 {
		return out
	}
	for _, x := range plan.CheckMap(p, m, f.MapName) {
		out = append(out, Problem(x))
	}
	return out
}
