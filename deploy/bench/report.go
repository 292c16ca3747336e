package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// line is one measurement.
type line struct {
	what     string
	ours     string
	baseline string
	ratio    string
	limit    string // empty: reported, nothing is promised
	missed   bool
}

// report gathers the lines and prints each as it comes.
type report struct {
	out   io.Writer
	lines []line
}

const rowForm = "%-58s %14s %14s %8s %12s  %s\n"

func (r *report) head() {
	fmt.Fprintf(r.out, rowForm, "what", "ours", "baseline", "ratio", "limit", "")
}

func (r *report) add(l line) {
	r.lines = append(r.lines, l)
	fmt.Fprintf(r.out, rowForm, l.what, l.ours, dash(l.baseline), dash(l.ratio), dash(l.limit), l.verdict())
}

func (l line) verdict() string {
	switch {
	case l.limit == "":
		return ""
	case l.missed:
		return "FAIL"
	}
	return "pass"
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// speed adds a line that compares two times for the same work: ratio is how fast ours is against the baseline.
func (r *report) speed(what string, rows int64, ours, baseline time.Duration, least float64) {
	ratio := baseline.Seconds() / ours.Seconds()
	l := line{what: what, ours: rate(rows, ours), baseline: rate(rows, baseline), ratio: fmt.Sprintf("%.2f", ratio)}
	if least > 0 {
		l.limit, l.missed = fmt.Sprintf(">= %.2f", least), ratio < least
	}
	r.add(l)
}

// below adds a line for a duration; most 0 is a report only.
func (r *report) below(what string, ours, most time.Duration) {
	l := line{what: what, ours: seconds(ours)}
	if most > 0 {
		l.limit, l.missed = "< "+seconds(most), ours >= most
	}
	r.add(l)
}

// factor adds a line whose limit is on the quotient of two durations.
func (r *report) factor(what string, ours, baseline time.Duration, most float64) {
	ratio := ours.Seconds() / max(baseline.Seconds(), 1e-9)
	r.add(line{what: what, ours: seconds(ours), baseline: seconds(baseline), ratio: fmt.Sprintf("%.2f", ratio),
		limit: fmt.Sprintf("< %.1f", most), missed: ratio >= most})
}

// memory adds a line for a peak of resident memory; most 0 is a report only.
func (r *report) memory(what string, ours, most int64) {
	l := line{what: what, ours: fmt.Sprintf("%d MiB", ours>>20)}
	if most > 0 {
		l.limit, l.missed = fmt.Sprintf("< %d MiB", most>>20), ours >= most
	}
	r.add(l)
}

// holds adds a line for something that is so or not.
func (r *report) holds(what, ours string, ok bool) {
	r.add(line{what: what, ours: ours, limit: "yes", missed: !ok})
}

// missed counts the limits that were missed.
func (r *report) missed() int {
	n := 0
	for _, l := range r.lines {
		if l.missed {
			n++
		}
	}
	return n
}

// markdown writes the lines as the README has them.
func (r *report) markdown(w io.Writer) {
	fmt.Fprintln(w, "| what | ours | baseline | ratio | limit |")
	fmt.Fprintln(w, "|---|---|---|---|---|")
	for _, l := range r.lines {
		mark := ""
		if l.missed {
			mark = " **missed**"
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s%s |\n", l.what, l.ours, l.baseline, l.ratio, strings.ReplaceAll(l.limit, "|", `\|`), mark)
	}
}

func rate(rows int64, d time.Duration) string {
	return fmt.Sprintf("%.0f k rows/s", float64(rows)/d.Seconds()/1000)
}

func seconds(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1000)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// median gives the middle of some durations; of an even number the lower.
func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[(len(sorted)-1)/2]
}
