package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// settings are the flags.
type settings struct {
	size     string
	only     string
	repeat   int
	keep     bool
	markdown string
	profile  string
	at       server
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	var s settings
	var work string
	var most time.Duration
	flag.StringVar(&s.size, "size", "tenth", "rows of the shop: full (10.1 million), tenth (1.0 million) or small (0.1 million)")
	flag.StringVar(&s.only, "only", "", "some of export, plan, check, erase, traffic, mysql, sqlite, with commas between; without it all")
	flag.IntVar(&s.repeat, "repeat", 3, "how often each is measured; medians are printed")
	flag.BoolVar(&s.keep, "keep", false, "keep the generated databases for the next run")
	flag.StringVar(&s.markdown, "markdown", "", "a file for the lines as a table")
	flag.StringVar(&s.profile, "profile", "", "a folder for CPU and heap profiles of the measured processes")
	flag.StringVar(&s.at.postgres, "postgres", defaultTo(os.Getenv("TEST_POSTGRES"), "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"), "where databases may be made")
	flag.StringVar(&s.at.mysql, "mysql", defaultTo(os.Getenv("TEST_MYSQL"), "root@tcp(127.0.0.1:3306)/"), "where databases may be made, without a database")
	flag.DurationVar(&most, "timeout", 40*time.Minute, "the longest that the whole may take")
	flag.StringVar(&work, "child", "", "for the program itself: a job to be measured in a process of its own")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	if work != "" {
		return child(ctx, work)
	}
	return measureAll(ctx, s)
}

func defaultTo(v, otherwise string) string {
	if v == "" {
		return otherwise
	}
	return v
}

// bench is one run of everything.
type bench struct {
	settings
	size   size
	dir    string
	report *report
}

func measureAll(ctx context.Context, s settings) (err error) {
	size, ok := sizeOf(s.size)
	if !ok {
		return fmt.Errorf("-size: %q is none of full, tenth, small", s.size)
	}
	dir, err := os.MkdirTemp("", "habeas-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	b := &bench{settings: s, size: size, dir: dir, report: &report{out: os.Stdout}}
	fmt.Fprintf(os.Stdout, "%s: %d cores, %s, a shop of %d rows, medians of %d\n", time.Now().Format(time.DateOnly), runtime.NumCPU(), machineMemory(), size.rows(), s.repeat)
	b.report.head()
	for _, part := range []struct {
		name string
		fn   func(context.Context) error
	}{{"export", b.export}, {"plan", b.plan}, {"check", b.check}, {"erase", b.erase}, {"traffic", b.traffic}, {"mysql", b.mysql}, {"sqlite", b.sqlite}} {
		if s.only != "" && !slices.Contains(strings.Split(s.only, ","), part.name) {
			continue
		}
		if perr := part.fn(ctx); perr != nil {
			err = fmt.Errorf("%s: %w", part.name, perr)
			break
		}
	}
	if !s.keep {
		err = errors.Join(err, b.dropAll(context.WithoutCancel(ctx)))
	}
	if err == nil && s.markdown != "" {
		f, ferr := os.Create(s.markdown)
		if ferr != nil {
			return ferr
		}
		b.report.markdown(f)
		err = f.Close()
	}
	if n := b.report.missed(); err == nil && n > 0 {
		err = fmt.Errorf("%d limits were missed", n)
	}
	return err
}

// shop gives the generated shop of an engine and size, made if it is not there.
func (b *bench) shop(ctx context.Context, engine string, of size) (shop, error) {
	s := b.template(engine, of)
	if !s.exists(ctx) {
		fmt.Fprintf(os.Stderr, "generating %d rows on %s\n", of.rows(), engine)
	}
	return s, s.build(ctx)
}

func (b *bench) template(engine string, of size) shop {
	s := shop{engine: engine, size: of, name: "habeas_bench_" + of.name, at: b.at}
	if engine == "sqlite" {
		s.name = filepath.Join(b.dir, s.name+".sqlite")
	}
	return s
}

func (b *bench) dropAll(ctx context.Context) error {
	var errs []error
	for _, of := range []string{"full", "tenth", "small"} {
		size, _ := sizeOf(of)
		if b.only == "" || b.only != "mysql" && b.only != "sqlite" {
			errs = append(errs, b.template("postgres", size).drop(ctx))
		}
		if b.only == "" || strings.Contains(b.only, "mysql") {
			errs = append(errs, b.template("mysql", size).drop(ctx))
		}
	}
	return errors.Join(errs...)
}

func machineMemory() string {
	raw, err := os.ReadFile("/proc/meminfo")
	var kb int64
	if err == nil {
		_, _ = fmt.Sscanf(string(raw), "MemTotal: %d kB", &kb)
	}
	return fmt.Sprintf("%d GiB", (kb+1<<19)>>20)
}
