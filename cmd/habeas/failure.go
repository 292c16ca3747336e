package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/habeas-data/habeas/internal/fault"
)

const (
	exitNo    = 1 // what was asked did not hold
	exitUsage = 2 // wrong usage
)

// failure ends a command with an exit code. Lines are printed as they are, each as one that an editor can jump to.
type failure struct {
	code  int
	lines []string
}

func (f *failure) Error() string { return strings.Join(f.lines, "\n") }

// no says that what was asked did not hold.
func no(lines ...string) error { return &failure{exitNo, lines} }

// misused says that the command line is wrong.
func misused(format string, args ...any) error {
	return &failure{exitUsage, []string{"habeas: " + fmt.Sprintf(format, args...)}}
}

// fail prints what is wrong and gives the exit code.
func (p *program) fail(err error) int {
	if err == nil {
		return 0
	}
	code, lines := describe(err)
	for _, l := range lines {
		_, _ = fmt.Fprintln(p.stderr, l)
	}
	return code
}

func describe(err error) (code int, lines []string) {
	var f *failure
	if errors.As(err, &f) {
		return f.code, f.lines
	}
	var usage *kong.ParseError
	if errors.As(err, &usage) {
		help := "habeas --help"
		if usage.Context != nil {
			if c := usage.Context.Command(); c != "" {
				help = "habeas " + commandWords(c) + " --help"
			}
		}
		return exitUsage, []string{fmt.Sprintf("habeas: %s; see `%s`", err, help)}
	}
	e, ok := fault.As(err)
	switch {
	case !ok:
		return exitNo, []string{"habeas: " + oneLine(err.Error())}
	case e.Code == "bad_files": // one problem a line already: file:line:column: …
		return exitNo, strings.Split(e.Message, "\n")
	case len(e.Fields) > 0:
		for _, field := range e.Fields {
			lines = append(lines, "habeas: "+field.Name+": "+oneLine(field.Message))
		}
		return fault.ExitCode(err), lines
	}
	return fault.ExitCode(err), []string{"habeas: " + oneLine(err.Error())}
}

// commandWords cuts the arguments from kong's name of a command: `plan <request>`.
func commandWords(s string) string {
	words, _, _ := strings.Cut(s, " <")
	return words
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
