package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the release build: -ldflags "-X main.version=v1.2.3". The linker can set nothing but a variable.
var version string

type versionCmd struct {
	JSON bool `help:"Print one JSON object."`
}

// Help shows an example.
func (versionCmd) Help() string { return example("habeas version") }

type versionInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Time    string `json:"time,omitempty"`
	Dirty   bool   `json:"dirty,omitempty"`
	Go      string `json:"go"`
}

func buildVersion() versionInfo {
	out := versionInfo{Version: version, Go: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		out.Version = cmp.Or(version, info.Main.Version)
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				out.Commit = s.Value
			case "vcs.time":
				out.Time = s.Value
			case "vcs.modified":
				out.Dirty = s.Value == "true"
			}
		}
	}
	out.Version = cmp.Or(out.Version, "(devel)")
	return out
}

// Run prints the version. It touches no disk.
func (c *versionCmd) Run(p *program) error {
	v := buildVersion()
	if c.JSON {
		return p.json(v)
	}
	line := "habeas " + v.Version
	if v.Commit != "" {
		line += " " + v.Commit[:min(12, len(v.Commit))]
		if v.Dirty {
			line += "+changes"
		}
	}
	_, err := fmt.Fprintln(p.stdout, line, v.Go)
	return err
}

// example is the end of a command's help.
func example(lines ...string) string {
	out := "Example:"
	for _, l := range lines {
		out += "\n  " + l
	}
	return out
}
