package sqldb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/connector/connectortest"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
)

// cutter is a proxy that breaks the connection at the n-th message of the client: before the server gets it, or, at
// a commit, after the server did it and before the client hears of it.
type cutter struct {
	server  string
	at      int64 // which message, from 1; 0: none
	commits bool  // count commits only, and let them through
	seen    atomic.Int64
	cut     atomic.Bool
	armed   atomic.Bool
}

func (c *cutter) listen(t *testing.T) string {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go c.carry(client)
		}
	}()
	return l.Addr().String()
}

func (c *cutter) carry(client net.Conn) {
	server, err := net.Dial("tcp", c.server)
	if err != nil {
		_ = client.Close()
		return
	}
	var mute atomic.Bool
	var once sync.Once
	end := func() { once.Do(func() { _ = client.Close(); _ = server.Close() }) }
	go func() {
		defer end()
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if err != nil || mute.Load() {
				return // the server has answered: what it was told is done, and the client does not hear of it
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	defer func() {
		if !mute.Load() {
			end()
		}
	}()
	buf := make([]byte, 1<<20)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		said := bytes.ToLower(buf[:n])
		commit := bytes.Contains(said, []byte("commit")) && !bytes.Contains(said, []byte("committed"))
		if c.armed.Load() && !c.cut.Load() && (commit || !c.commits) && c.seen.Add(1) == c.at {
			c.cut.Store(true)
			if !c.commits {
				end()
				return
			}
			mute.Store(true)
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}

// through opens the twin's system anew by way of a proxy.
func through(t *testing.T, sys *datamap.System, c *cutter) connector.System {
	u, err := url.Parse(sys.DSN)
	must(t, err)
	c.server = u.Host
	u.Host = c.listen(t)
	other := *sys
	other.DSN = u.String()
	s, err := Open(context.Background(), &other, noEnv)
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	must(t, s.Ping(context.Background()))
	c.armed.Store(true)
	return s
}

// TestConnectionLost: the connection breaks at any message, and at any commit that the server did and of which nobody
// hears. What is there then is within the plan, and the work taken up again comes to the same end.
func TestConnectionLost(t *testing.T) {
	for name, fixture := range map[string]func(*testing.T) connectortest.Fixture{"postgres": postgresFixture, "mysql": mysqlFixture} {
		for _, commits := range []bool{false, true} {
			t.Run(name+map[bool]string{true: " after a commit", false: " before a message"}[commits], func(t *testing.T) {
				w := connectortest.NewTwin(t, fixture(t))
				step, cuts := int64(31), 0
				if commits {
					step = 7
				}
				if os.Getenv("HABEAS_SOAK") != "" {
					step = 1
				}
				for at := int64(1); ; at += step {
					c := &cutter{at: at, commits: commits}
					s := through(t, w.System.(*DB).sys, c)
					ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
					err := s.(connector.Eraser).Erase(ctx, w.Steps, w.Keys.Source, connectortest.Free, connectortest.Mute)
					cancel()
					w.Within(t)
					if !c.cut.Load() {
						must(t, err)
						break
					}
					if cuts++; err == nil && commits {
						t.Errorf("commit %d: its answer was lost and nothing said so", at)
					}
					if err != nil && !fault.Is(err, fault.Unavailable) {
						t.Errorf("message %d: got %v, want an outage", at, err)
					}
				}
				if cuts < 3 {
					t.Errorf("the connection was cut %d times only", cuts)
				}
				w.Finish(t)
			})
		}
	}
}

// childTask is what a process of its own needs to erase.
type childTask struct {
	Kind  datamap.Kind
	DSN   string
	Steps []plan.Step
	Keys  connectortest.Keys
	At    int // kill the process when the guard is asked for the n-th time
}

// TestMain lets the test's own program be the process that is killed.
func TestMain(m *testing.M) {
	if file := os.Getenv("HABEAS_TEST_ERASE_CHILD"); file != "" {
		os.Exit(eraseAndDie(file))
	}
	os.Exit(m.Run())
}

func eraseAndDie(file string) int {
	data, err := os.ReadFile(file)
	var task childTask
	if err = errors.Join(err, json.Unmarshal(data, &task)); err != nil {
		return 3
	}
	sys := connectortest.System(task.Kind)
	sys.DSN = task.DSN
	s, err := Open(context.Background(), sys, noEnv)
	if err != nil {
		return 4
	}
	n := 0
	err = s.Erase(context.Background(), task.Steps, task.Keys.Source, connectortest.Free, func(context.Context, int, int64, int64) error {
		// after a commit and before it is recorded
		if n++; n == task.At {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return nil
	})
	if err != nil {
		return 5
	}
	return 0
}

// TestKilled: the process is killed (SIGKILL) after some batch; another takes the work up.
func TestKilled(t *testing.T) {
	onAllEngines(t, func(t *testing.T, f connectortest.Fixture) {
		w := connectortest.NewTwin(t, f)
		step := 6
		if os.Getenv("HABEAS_SOAK") != "" {
			step = 1
		}
		file := filepath.Join(t.TempDir(), "task.json")
		killed := 0
		for at := 1; ; at += step {
			data, err := json.Marshal(childTask{f.Kind, w.System.(*DB).sys.DSN, w.Steps, w.Keys, at})
			must(t, err)
			must(t, os.WriteFile(file, data, 0o600))
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "HABEAS_TEST_ERASE_CHILD="+file)
			err = cmd.Run()
			w.Within(t)
			if err == nil {
				break
			}
			if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signal() != syscall.SIGKILL {
				t.Fatalf("the process ended with %v", err)
			}
			killed++
		}
		if killed < 2 {
			t.Errorf("killed %d times only", killed)
		}
		w.Finish(t)
	})
}
