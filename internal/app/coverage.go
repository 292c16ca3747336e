package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/habeas-data/habeas/internal/connector/sqldb"
	"github.com/habeas-data/habeas/internal/datamap"
)

// Coverage holds a data map against the live databases that it names, and needs nothing else: it is made to run in a
// product's own CI. A system that does not answer is an error beside the findings about the others. getenv resolves the secrets of the map. Systems that are no SQL databases are not looked at.
func Coverage(ctx context.Context, m *datamap.Map, getenv func(string) string) ([]datamap.Finding, error) {
	findings := []datamap.Finding{}
	var away []error
	for i := range m.Systems {
		sys := &m.Systems[i]
		if !sys.Kind.SQL() {
			continue
		}
		found, err := coverageOf(ctx, sys, getenv)
		if err != nil {
			// One system that is away must not hide what is wrong with the others.
			away = append(away, err)
			continue
		}
		findings = append(findings, found...)
	}
	return findings, errors.Join(away...)
}

// coverageOf holds one system's entry against its schema, and what the map asks of its roles against their rights.
func coverageOf(ctx context.Context, sys *datamap.System, getenv func(string) string) (_ []datamap.Finding, err error) {
	db, err := sqldb.Open(ctx, sys, getenv)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	cat, err := db.Catalog(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the schema of %s: %w", sys.Name, err)
	}
	obstacles, err := db.Access(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking what the roles of %s may do: %w", sys.Name, err)
	}
	return append(datamap.Coverage(sys, cat), obstacles...), nil
}

// Catalog reads the live schema of an SQL system.
func Catalog(ctx context.Context, sys *datamap.System, getenv func(string) string) (_ *datamap.Catalog, err error) {
	db, err := sqldb.Open(ctx, sys, getenv)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	cat, err := db.Catalog(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the schema of %s: %w", sys.Name, err)
	}
	return cat, nil
}

// Infer proposes a first map of one SQL system from its live schema and samples of its rows. It only reads.
func Infer(ctx context.Context, sys *datamap.System, getenv func(string) string, table, column string, opts datamap.InferOptions) (_ *datamap.Draft, err error) {
	db, err := sqldb.Open(ctx, sys, getenv)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	cat, err := db.Catalog(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the schema of %s: %w", sys.Name, err)
	}
	opts.Evidence = db.Evidence()
	return datamap.Infer(ctx, cat, table, column, opts)
}
