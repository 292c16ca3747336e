package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/habeas-data/habeas/internal/app"
)

type demoCmd struct {
	Exit    bool   `help:"End after the walk-through: exit 0 only if every step held."`
	Listen  string `help:"Address and port (default: 127.0.0.1:8080, or a free port if that is taken)." placeholder:"HOST:PORT"`
	DataDir string `help:"Where shop and program keep their files, to look at afterwards (default: a directory that goes at the end)." placeholder:"DIR"`
}

// Help shows an example.
func (demoCmd) Help() string {
	return "Needs nothing but this program: the sample shop, its database, the queue and the mailbox are inside.\n" +
		"Settings from the environment are left aside.\n\n" + example("habeas demo", "habeas demo --exit")
}

// Run shows the program.
func (c *demoCmd) Run(ctx context.Context, p *program) error {
	log := slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return app.Demo(ctx, app.DemoOptions{Log: log, Listen: c.Listen, DataDir: c.DataDir, Exit: c.Exit, Out: p.stdout, Color: onTerminal(os.Stdout)})
}

// onTerminal tells whether a person is looking, who has not asked for plain text (https://no-color.org).
func onTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
