package main

import (
	"fmt"
	"os"

	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
)

type policyCmd struct {
	Check   policyCheckCmd   `cmd:"" help:"Is the file right? Every fault with file, line and column."`
	Explain policyExplainCmd `cmd:"" help:"What will happen to which data, when and why, in plain sentences."`
}

// Help shows an example.
func (policyCmd) Help() string {
	return example("habeas policy check policy.yaml", "habeas policy explain policy.yaml")
}

type policyCheckCmd struct {
	File string `arg:"" type:"existingfile" help:"The policy.yaml."`
	JSON bool   `help:"Print one JSON object."`
}

// Help shows an example.
func (policyCheckCmd) Help() string {
	return "Holds the file against itself and against the laws that it names. Warnings alone make nothing wrong.\n\n" +
		example("habeas policy check policy.yaml")
}

// Run checks the file. It touches no disk but the file.
func (c *policyCheckCmd) Run(p *program) error {
	pol, problems, err := readPolicy(c.File)
	if err != nil {
		return err
	}
	wrong := policy.Wrong(problems)
	if c.JSON {
		out := map[string]any{"ok": !wrong, "file": c.File, "problems": append([]policy.Problem{}, problems...)}
		if !wrong {
			out["tenant"], out["version"], out["digest"] = pol.Tenant, pol.VersionText, pol.Digest()
		}
		if err := p.json(out); err != nil {
			return err
		}
		if wrong {
			return no()
		}
		return nil
	}
	if err := p.policyProblems(problems); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s: right (tenant %s, version %s)\n", c.File, pol.Tenant, pol.VersionText)
	return err
}

func readPolicy(file string) (*policy.Policy, []policy.Problem, error) {
	src, err := os.ReadFile(file) //nolint:gosec // named by who runs the command
	if err != nil {
		return nil, nil, fault.Wrap(err, fault.Invalid, "unreadable_file", "%s can't be read.", file)
	}
	book, err := statute.Load()
	if err != nil {
		return nil, nil, fmt.Errorf("reading the statutes: %w", err)
	}
	pol, problems := policy.Parse(file, src)
	if !policy.Wrong(problems) {
		problems = append(problems, pol.Check(book)...)
	}
	return pol, problems, nil
}

func (p *program) policyProblems(problems []policy.Problem) error {
	var lines []string
	for _, x := range problems {
		lines = append(lines, x.String())
	}
	if policy.Wrong(problems) {
		return no(lines...)
	}
	for _, l := range lines {
		_, _ = fmt.Fprintln(p.stderr, l)
	}
	return nil
}

type policyExplainCmd struct {
	File string `arg:"" type:"existingfile" help:"The policy.yaml."`
}

// Help shows an example.
func (policyExplainCmd) Help() string { return example("habeas policy explain policy.yaml") }

// Run explains a policy that is right.
func (c *policyExplainCmd) Run(p *program) error {
	pol, problems, err := readPolicy(c.File)
	if err != nil {
		return err
	}
	if err := p.policyProblems(problems); err != nil {
		return err
	}
	pol.Explain(p.stdout)
	return nil
}
