package store

import (
	"database/sql"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/migrator"
	"gorm.io/gorm/schema"
)

// sqliteDialector tells gorm how SQLite writes things. Schemas come from package migrations, so everything that
// gorm would need for making tables is left out: using it is a mistake and fails.
type sqliteDialector struct{ pool *sql.DB }

var errNoMigrator = errors.New("schemas are made by migrations alone")

// Name names the engine.
func (sqliteDialector) Name() string { return EngineSQLite }

// Initialize registers gorm's default callbacks.
func (d sqliteDialector) Initialize(db *gorm.DB) error {
	db.ConnPool = d.pool
	callbacks.RegisterDefaultCallbacks(db, &callbacks.Config{
		CreateClauses: []string{"INSERT", "VALUES", "ON CONFLICT"},
		UpdateClauses: []string{"UPDATE", "SET", "FROM", "WHERE"},
		DeleteClauses: []string{"DELETE", "FROM", "WHERE"},
	})
	return nil
}

// Migrator gives one that can do nothing.
func (sqliteDialector) Migrator(*gorm.DB) gorm.Migrator { return noMigrator{} }

// DataTypeOf is only asked when a table is made.
func (sqliteDialector) DataTypeOf(*schema.Field) string { return "" }

// DefaultValueOf is what a missing value becomes in a list of rows.
func (sqliteDialector) DefaultValueOf(*schema.Field) clause.Expression {
	return clause.Expr{SQL: "NULL"}
}

// BindVarTo writes a placeholder.
func (sqliteDialector) BindVarTo(w clause.Writer, _ *gorm.Statement, _ any) { _ = w.WriteByte('?') }

// QuoteTo writes an identifier: `a.b` as "a"."b". A double quote within can't be part of our names and is dropped.
func (sqliteDialector) QuoteTo(w clause.Writer, name string) {
	_ = w.WriteByte('"')
	for _, c := range []byte(name) {
		switch c {
		case '.':
			_, _ = w.WriteString(`"."`)
		case '"':
		default:
			_ = w.WriteByte(c)
		}
	}
	_ = w.WriteByte('"')
}

// Explain is for gorm's logger, which is off.
func (sqliteDialector) Explain(query string, vars ...any) string {
	return logger.ExplainSQL(query, nil, `'`, vars...)
}

type noMigrator struct{ migrator.Migrator }

// AutoMigrate fails.
func (noMigrator) AutoMigrate(...any) error { return errNoMigrator }
