package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
)

// mapCheck runs the program's own `habeas map check` and gives what it said. That it finds fault is no error here.
func (b *bench) mapCheck(ctx context.Context, s shop) (string, error) {
	bin := filepath.Join(b.dir, "habeas")
	if _, err := os.Stat(bin); err != nil {
		out, err := exec.CommandContext(ctx, "go", "build", "-o", bin, "github.com/habeas-data/habeas/cmd/habeas").CombinedOutput()
		if err != nil {
			return string(out), err
		}
	}
	dataMap, err := mapFor(s.engine)
	if err != nil {
		return "", err
	}
	file := filepath.Join(b.dir, "datamap.yaml")
	if err := os.WriteFile(file, dataMap, 0o600); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, bin, "map", "check", file)
	cmd.Env = append(os.Environ(), "BENCH_DSN="+s.dsn(), "HABEAS_DATA_DIR="+filepath.Join(b.dir, "data"))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil
	}
	return string(out), err
}
