package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// spawned is a child process at work.
type spawned struct {
	cmd *exec.Cmd
	in  interface{ Write([]byte) (int, error) }
	out *bufio.Reader
}

// spawn starts the job in a process of its own.
func (b *bench) spawn(ctx context.Context, s shop, j job) (*spawned, error) {
	j.DSN, j.Kind = s.dsn(), s.engine
	if b.profile != "" {
		j.Profile = filepath.Join(b.profile, strings.Join([]string{s.engine, s.size.name, map[bool]string{true: "plan", false: j.Right}[j.Plan], strings.SplitN(j.Email, "@", 2)[0]}, "-"))
	}
	raw, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &spawned{cmd: exec.CommandContext(ctx, self, "-child", string(raw))} //nolint:gosec // ourselves
	p.cmd.Stderr = os.Stderr
	p.cmd.WaitDelay = 5 * time.Second
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	return p, p.cmd.Start()
}

// approved waits until the child says that its request is approved.
func (p *spawned) approved() error {
	said, err := p.out.ReadString('\n')
	if err != nil || said != "approved\n" {
		return errors.Join(fmt.Errorf("the measured process ended early"), p.cmd.Wait())
	}
	return nil
}

// goOn lets it go on.
func (p *spawned) goOn() error {
	_, err := p.in.Write([]byte("go on\n"))
	return err
}

// outcome waits for its end.
func (p *spawned) outcome() (o outcome, err error) {
	err = json.NewDecoder(p.out).Decode(&o)
	return o, errors.Join(p.cmd.Wait(), err)
}

// do runs a job to its end.
func (b *bench) do(ctx context.Context, s shop, j job) (outcome, error) {
	p, err := b.spawn(ctx, s, j)
	if err != nil {
		return outcome{}, err
	}
	return p.outcome()
}
