package httpapi

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Gauges gives counts to show beside those of the requests, such as habeas_requests_overdue; labels stand in the name.
type Gauges func(ctx context.Context) (map[string]float64, error)

// Metrics counts answers by status, for one process.
type Metrics struct {
	mu      sync.Mutex
	answers map[int]int64
	seconds map[int]float64
	gauges  Gauges
}

// NewMetrics gives empty counters; gauges may be nil.
func NewMetrics(gauges Gauges) *Metrics {
	return &Metrics{answers: make(map[int]int64), seconds: make(map[int]float64), gauges: gauges}
}

func (m *Metrics) observe(status int, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answers[status]++
	m.seconds[status] += took.Seconds()
}

// Handler gives the counts in Prometheus' text form. It belongs on a listener of its own: it has no lock on the door.
func (m *Metrics) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var gauges map[string]float64
		if m.gauges != nil {
			var err error
			if gauges, err = m.gauges(r.Context()); err != nil {
				http.Error(w, "the counts can't be had at the moment", http.StatusServiceUnavailable)
				return
			}
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		m.mu.Lock()
		defer m.mu.Unlock()
		fmt.Fprintln(w, "# HELP habeas_http_answers_total Answers by status.\n# TYPE habeas_http_answers_total counter")
		for _, status := range slices.Sorted(maps.Keys(m.answers)) {
			fmt.Fprintf(w, "habeas_http_answers_total{status=%q} %d\n", strconv.Itoa(status), m.answers[status])
		}
		fmt.Fprintln(w, "# HELP habeas_http_seconds_total Time spent on them.\n# TYPE habeas_http_seconds_total counter")
		for _, status := range slices.Sorted(maps.Keys(m.seconds)) {
			fmt.Fprintf(w, "habeas_http_seconds_total{status=%q} %g\n", strconv.Itoa(status), m.seconds[status])
		}
		for _, name := range slices.Sorted(maps.Keys(gauges)) {
			fmt.Fprintf(w, "%s %g\n", name, gauges[name])
		}
	})
}
