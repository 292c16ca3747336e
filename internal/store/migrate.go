package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/migrations"
)

// MigrateOptions names the database to migrate. On PostgreSQL the URL is that of the owner.
type MigrateOptions struct {
	URL     string // postgres://…; "" is the embedded SQLite file in DataDir
	DataDir string
}

// MigrateResult tells what a migration did.
type MigrateResult struct {
	From, To int64
	Applied  []string // file names, in order
	AppURL   string   // PostgreSQL: the URL for serve and worker; SQLite: ""
}

// MigrateStatus tells how far a schema is.
type MigrateStatus struct {
	Version int64 // of the database
	Wanted  int64 // of this program
	Steps   []MigrateStep
}

// MigrateStep is one migration and when it was applied; zero: not yet.
type MigrateStep struct {
	Version   int64
	Name      string
	AppliedAt time.Time
}

// Migrate brings the schema up to date. Several may run at once: they wait for one another. On PostgreSQL it also
// makes the restricted role `<database>_app`, or mends it, and gives its URL, the same one at each call; on SQLite
// it takes the data directory's lock where there is something to do.
func Migrate(ctx context.Context, o MigrateOptions) (res MigrateResult, err error) {
	if o.URL == "" {
		return migrateSQLite(ctx, o.DataDir)
	}
	pool, err := openPostgres(o.URL, 4)
	if err != nil {
		return MigrateResult{}, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	return migratePostgres(ctx, pool, o.URL)
}

// Status tells how far the schema is, and changes nothing.
func Status(ctx context.Context, o MigrateOptions) (_ MigrateStatus, err error) {
	var pool *sql.DB
	if o.URL == "" {
		pool = openSQLite(o.DataDir, "rw", 1)
	} else if pool, err = openPostgres(o.URL, 2); err != nil {
		return MigrateStatus{}, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()

	status := MigrateStatus{}
	applied, err := appliedVersions(ctx, pool)
	if err != nil {
		return MigrateStatus{}, err
	}
	files, err := migrationFiles(o.URL == "")
	if err != nil {
		return MigrateStatus{}, err
	}
	for _, f := range files {
		status.Steps = append(status.Steps, MigrateStep{Version: f.version, Name: f.name, AppliedAt: applied[f.version]})
		status.Wanted = max(status.Wanted, f.version)
	}
	for v := range applied {
		status.Version = max(status.Version, v)
	}
	return status, nil
}

func migrateSQLite(ctx context.Context, dir string) (_ MigrateResult, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return MigrateResult{}, fault.Wrap(err, fault.Unavailable, "data_dir", "The data directory can't be made.")
	}
	// SQLite would make the file readable to all.
	f, err := os.OpenFile(filepath.Join(dir, sqliteFile), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // a setting of the operator
	if err != nil {
		return MigrateResult{}, fault.Wrap(err, fault.Unavailable, "data_dir", "The data directory can't be written.")
	}
	if err := f.Close(); err != nil {
		return MigrateResult{}, err
	}
	pool := openSQLite(dir, "rw", 2)
	defer func() { err = errors.Join(err, pool.Close()) }()
	if version, err := schemaVersion(ctx, pool); err == nil && version >= wantedVersion(true) {
		return MigrateResult{From: version, To: version}, nil
	}
	held, err := lockDir(dir)
	if err != nil {
		return MigrateResult{}, err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	return runGoose(ctx, pool, true)
}

// runGoose applies what is missing, each file in a transaction of its own.
func runGoose(ctx context.Context, pool *sql.DB, lite bool) (MigrateResult, error) {
	dialect, dir := goose.DialectPostgres, EnginePostgres
	opts := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler))}
	if lite {
		dialect, dir = goose.DialectSQLite3, EngineSQLite
	} else {
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
		if err != nil {
			return MigrateResult{}, err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	files, err := fs.Sub(migrations.FS, dir)
	if err != nil {
		return MigrateResult{}, err
	}
	provider, err := goose.NewProvider(dialect, pool, files, opts...)
	if err != nil {
		return MigrateResult{}, fmt.Errorf("reading the migrations: %w", err)
	}
	var res MigrateResult
	if res.From, err = provider.GetDBVersion(ctx); err != nil {
		return MigrateResult{}, fmt.Errorf("reading the schema's version: %w", err)
	}
	done, err := provider.Up(ctx)
	if err != nil {
		return MigrateResult{}, fmt.Errorf("migrating: %w", err)
	}
	for _, d := range done {
		res.Applied = append(res.Applied, path.Base(d.Source.Path))
	}
	res.To, err = provider.GetDBVersion(ctx)
	return res, err
}

type migrationFile struct {
	version int64
	name    string
}

func migrationFiles(lite bool) ([]migrationFile, error) {
	dir := EnginePostgres
	if lite {
		dir = EngineSQLite
	}
	entries, err := fs.ReadDir(migrations.FS, dir)
	if err != nil {
		return nil, err
	}
	var out []migrationFile
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		v, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("migration %s has no number", e.Name())
		}
		out = append(out, migrationFile{v, e.Name()})
	}
	return out, nil
}

// wantedVersion is the newest migration of this program.
func wantedVersion(lite bool) int64 {
	files, err := migrationFiles(lite)
	if err != nil || len(files) == 0 {
		panic("store: no migrations are embedded")
	}
	return files[len(files)-1].version
}

// appliedVersions gives when each migration was applied; empty for a database without a schema.
func appliedVersions(ctx context.Context, pool *sql.DB) (map[int64]time.Time, error) {
	out := map[int64]time.Time{}
	rows, err := pool.QueryContext(ctx, "SELECT version_id, tstamp FROM goose_db_version WHERE is_applied AND version_id > 0")
	err = eachRow(rows, err, func(r *sql.Rows) error {
		var v int64
		var at time.Time
		if err := r.Scan(&v, &at); err != nil {
			return err
		}
		out[v] = at.UTC()
		return nil
	})
	if err != nil && missingSchema(err) {
		return out, nil
	}
	return out, err
}

// missingSchema tells an empty database from one that does not answer.
func missingSchema(err error) bool {
	return pgCode(err) == "42P01" || strings.Contains(err.Error(), "no such table") || strings.Contains(err.Error(), "unable to open database file")
}

func schemaVersion(ctx context.Context, pool *sql.DB) (version int64, err error) {
	applied, err := appliedVersions(ctx, pool)
	for v := range applied {
		version = max(version, v)
	}
	return version, err
}

// checkSchema refuses a schema that is older than the program.
func checkSchema(ctx context.Context, pool *sql.DB, lite bool) error {
	version, err := schemaVersion(ctx, pool)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "database_away", "The database can't be reached.")
	}
	if want := wantedVersion(lite); version < want {
		return fault.New(fault.Unavailable, "old_schema",
			"The database schema has version %d and the program needs %d; run `habeas migrate up`.", version, want)
	}
	return nil
}
