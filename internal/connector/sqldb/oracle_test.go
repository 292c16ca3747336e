package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/habeas-data/habeas/internal/connector/connectortest"
	"github.com/habeas-data/habeas/internal/connector/connectortest/oracle"
	"github.com/habeas-data/habeas/internal/datamap"
)

// oracleCases is how many random databases each engine is tried on; with HABEAS_SOAK=1 the larger numbers.
func oracleCases(kind datamap.Kind) int {
	if n, err := strconv.Atoi(os.Getenv("ORACLE_CASES")); err == nil {
		return n
	}
	soak := os.Getenv("HABEAS_SOAK") == "1"
	switch {
	case soak && kind == datamap.KindSQLite:
		return 6000
	case soak:
		return 1500
	case kind == datamap.KindSQLite:
		return 60
	}
	return 8
}

func firstSeed() uint64 {
	n, _ := strconv.ParseUint(os.Getenv("ORACLE_SEED"), 10, 64)
	return n
}

// TestOracle: on random databases, what is found, planned and done is what the rules of the data map say, by a second
// implementation of them; down to every row of every bystander.
//
//	ORACLE_SEED=812 ORACLE_CASES=1 go test -run TestOracle/sqlite ./internal/connector/sqldb
func TestOracle(t *testing.T) {
	for _, e := range []struct {
		name    string
		kind    datamap.Kind
		fixture func(*testing.T) connectortest.Fixture
	}{{"sqlite", datamap.KindSQLite, sqliteFixture}, {"postgres", datamap.KindPostgres, postgresFixture}, {"mysql", datamap.KindMySQL, mysqlFixture}} {
		t.Run(e.name, func(t *testing.T) { tryOracle(t, e.kind, e.fixture(t)) })
	}
}

func tryOracle(t *testing.T, kind datamap.Kind, f connectortest.Fixture) {
	ctx := context.Background()
	if kind == datamap.KindSQLite {
		quickly(t, f.DB)
	}
	wrong := 0
	for seed := firstSeed(); seed < firstSeed()+uint64(oracleCases(kind)); seed++ {
		c := oracle.Generate(seed, kind, fmt.Sprintf("case %d", seed))
		got, err := oracle.Judge(ctx, f, c)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, c)
		}
		if len(got) == 0 {
			continue
		}
		if os.Getenv("ORACLE_FIRST") != "" { // whether is all that is asked, not why
			t.Fatalf("seed %d: the walk and the rules disagree: %s", seed, got)
		}
		small := oracle.Shrink(c, func(c *oracle.Case) bool {
			d, err := oracle.Judge(ctx, f, c)
			return err == nil && len(d) > 0
		})
		got, _ = oracle.Judge(ctx, f, small)
		t.Errorf("seed %d: the walk and the rules disagree:\n%s\n%s", seed, got, small)
		if wrong++; wrong == 8 {
			t.Fatal("enough is known")
		}
	}
}

// quickly spares the disk: these databases need not outlive a power cut.
func quickly(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, s := range []string{"PRAGMA journal_mode = MEMORY", "PRAGMA synchronous = OFF"} {
		_, err := db.Exec(s)
		must(t, err)
	}
}
