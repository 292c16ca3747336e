package store_test

import (
	"testing"

	"github.com/habeas-data/habeas/internal/store/storetest"
)

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *storetest.Database { return storetest.SQLite(t) })
}

func TestPostgres(t *testing.T) {
	server := storetest.NewServer(t)
	storetest.Run(t, func(t *testing.T) *storetest.Database { return server.Postgres(t) })
}
