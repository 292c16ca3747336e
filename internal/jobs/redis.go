package jobs

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"

	"github.com/habeas-data/habeas/internal/seal"
)

// Redis is where wake-ups travel: a server, or one inside this process.
type Redis struct {
	opt  asynq.RedisConnOpt
	stop func()
}

// OpenRedis connects to the Redis of a URL, or starts one inside the process when the URL is empty.
func OpenRedis(rawURL string) (*Redis, error) {
	if rawURL == "" {
		return inProcess()
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("reading the Redis address: it is not a URL")
	}
	if strings.HasSuffix(u.Scheme, "-cluster") {
		pass, _ := u.User.Password()
		return &Redis{opt: asynq.RedisClusterClientOpt{Addrs: strings.Split(u.Host, ","), Username: u.User.Username(), Password: pass}, stop: func() {}}, nil
	}
	opt, err := asynq.ParseRedisURI(rawURL)
	if err != nil {
		return nil, fmt.Errorf("reading the Redis address: it is not of a form that is known")
	}
	return &Redis{opt: opt, stop: func() {}}, nil
}

// inProcess starts a Redis inside this process. It forgets everything at the end, which costs nothing: the first
// sweep finds what is due. Its keys expire only when told that time passes.
func inProcess() (*Redis, error) {
	m := miniredis.NewMiniRedis()
	if err := m.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("starting the in-process Redis: %w", err)
	}
	password := seal.Token() // anybody on this machine could reach the port
	m.RequireAuth(password)
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				m.FastForward(time.Second)
			}
		}
	}()
	return &Redis{opt: asynq.RedisClientOpt{Addr: m.Addr(), Password: password}, stop: func() { close(done); m.Close() }}, nil
}

// Close ends the in-process Redis; for a server it does nothing.
func (r *Redis) Close() { r.stop() }
