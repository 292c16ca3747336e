package httpapi

import (
	"context"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/web/ui"
)

// maxBuckets bounds the memory of a Limiter to a few MiB a generation.
const maxBuckets = 50_000

// Limiter is a token bucket a key, in the memory of this process. It forgets keys that were not seen for two to four
// minutes, by when their buckets are full again; under very many keys it forgets sooner, so that it never grows.
type Limiter struct {
	now func() time.Time

	mu      sync.Mutex
	turned  time.Time
	current map[string]*rate.Limiter
	old     map[string]*rate.Limiter
}

// NewLimiter gives an empty Limiter.
func NewLimiter(now func() time.Time) *Limiter {
	return &Limiter{now: now, turned: now(), current: make(map[string]*rate.Limiter)}
}

// Allow takes one call under key from a bucket that holds perMinute and fills at that pace.
func (l *Limiter) Allow(_ context.Context, key string, perMinute int) (bool, time.Duration) {
	now := l.now()
	r := l.bucket(key, perMinute, now).ReserveN(now, 1)
	if wait := r.DelayFrom(now); !r.OK() || wait > 0 {
		r.CancelAt(now)
		return false, max(wait, time.Second)
	}
	return true, 0
}

func (l *Limiter) bucket(key string, perMinute int, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.turned) > 2*time.Minute || len(l.current) >= maxBuckets {
		l.old, l.current, l.turned = l.current, make(map[string]*rate.Limiter), now
	}
	b, ok := l.current[key]
	if !ok {
		if b, ok = l.old[key]; !ok {
			b = rate.NewLimiter(rate.Limit(float64(perMinute)/60), perMinute)
		}
		l.current[key] = b
	}
	return b
}

// limited slows strangers down, by call, tenant and network. It says nothing about who is known.
func (a *door) limited(call string, perMinute int) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			key := ui.LimitKey(call, c.Param("tenant"), c.RealIP())
			if ok, wait := a.Limits.Allow(c.Request().Context(), key, perMinute); !ok {
				err := fault.New(fault.TooMany, "too_many", "That was too often. Please try again a little later.")
				err.RetryAfter = wait
				return err
			}
			return next(c)
		}
	}
}
