package sqldb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/connector/connectortest"
	"github.com/habeas-data/habeas/internal/datamap"
)

// TestFoldedLookups: whatever the type, collation and indexes of a column, a look-up that ignores the case of ASCII
// letters finds the same rows: every spelling, and nobody whose accents or blanks differ.
func TestFoldedLookups(t *testing.T) {
	type column struct {
		name, typ string
		before    string // a statement
		index     string // statements on the table and column email
		more      string // values
		folded    datamap.Folded
	}
	for kind, columns := range map[datamap.Kind][]column{
		datamap.KindPostgres: {
			{"bare", "text", "", "", ", (8, 'ian@ıx.test')", datamap.FoldedNot},
			{"plain", "text", "", "CREATE INDEX ON %s (email)", ", (8, 'ian@ıx.test')", datamap.FoldedNot},
			{"lower", "text", "", "CREATE INDEX ON %s (lower(email))", ", (8, 'ian@ıx.test')", datamap.FoldedLower},
			{"varlower", "varchar(90)", "", "CREATE INDEX ON %s (lower(email))", ", (8, 'ian@ıx.test')", datamap.FoldedLower},
			{"bytes", "varchar(90)", "", `CREATE INDEX ON %s (lower(email COLLATE "C"), id)`, ", (8, 'ian@ıx.test')", datamap.FoldedBytes},
			{"partial", "text", "", "CREATE INDEX ON %s (lower(email)) WHERE id > 1", ", (8, 'ian@ıx.test')", datamap.FoldedNot},
			{"second", "text", "", "CREATE INDEX ON %s (id, lower(email))", ", (8, 'ian@ıx.test')", datamap.FoldedNot},
			{"trimmed", "text", "", "CREATE INDEX ON %s (lower(trim(email)))", ", (8, 'ian@ıx.test')", datamap.FoldedNot},
			{"citext", "citext", "CREATE EXTENSION IF NOT EXISTS citext", "CREATE INDEX ON %s (email)", ", (8, 'ian@ıx.test')", datamap.FoldedPlain},
			{"loose", "text COLLATE loose", "CREATE COLLATION IF NOT EXISTS loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false)", "CREATE INDEX ON %s (lower(email))", ", (8, 'ian@ıx.test')", datamap.FoldedNot},
		},
		datamap.KindMySQL: {
			{"bare", "varchar(90)", "", "", ", (8, 'ian@ıx.test')", datamap.FoldedNot},
			{"plain", "varchar(90)", "", "CREATE INDEX e ON %s (email)", ", (8, 'ian@ıx.test')", datamap.FoldedPlain},
			{"latin", "varchar(90) CHARACTER SET latin1", "", "CREATE INDEX e ON %s (email)", "", datamap.FoldedPlain},
			{"prefix", "text", "", "CREATE INDEX e ON %s (email(5))", ", (8, 'ian@ıx.test')", datamap.FoldedPlain},
			{"binary", "varchar(90) COLLATE utf8mb4_bin", "", "CREATE INDEX e ON %s (email)", ", (8, 'ian@ıx.test')", datamap.FoldedNot},
			{"turkish", "varchar(90) COLLATE utf8mb4_turkish_ci", "", "CREATE INDEX e ON %s (email)", ", (8, 'ian@ıx.test')", datamap.FoldedNot},
			{"fulltext", "varchar(90)", "", "CREATE FULLTEXT INDEX e ON %s (email)", ", (8, 'ian@ıx.test')", datamap.FoldedNot},
		},
		datamap.KindSQLite: {
			{"bare", "TEXT", "", "", ", (8, 'ian@ıx.test')", datamap.FoldedNot},
			{"nocase", "TEXT COLLATE NOCASE", "", "CREATE INDEX nocase_email ON %s (email)", ", (8, 'ian@ıx.test')", datamap.FoldedNot},
		},
	} {
		t.Run(string(kind), func(t *testing.T) {
			f := map[datamap.Kind]func(*testing.T) connectortest.Fixture{datamap.KindPostgres: postgresFixture, datamap.KindMySQL: mysqlFixture, datamap.KindSQLite: sqliteFixture}[kind](t)
			for _, c := range columns {
				t.Run(c.name, func(t *testing.T) {
					who, log := "who_"+c.name, "log_"+c.name
					if c.before != "" {
						execAll(t, f, c.before)
					}
					for _, table := range []string{who, log} {
						execAll(t, f, "CREATE TABLE "+table+" (id INTEGER PRIMARY KEY, email "+c.typ+")",
							"INSERT INTO "+table+" VALUES (1, 'ian@ix.test'), (2, 'ian@IX.test'), (3, 'Ian@ix.test'), (4, 'ián@ix.test'), (5, 'ian@ix.test '), (6, 'ian@ix.test'), (7, NULL)"+c.more+"")
						if c.index != "" {
							execAll(t, f, fmt.Sprintf(strings.ReplaceAll(c.index, "nocase_", table), table))
						}
					}
					for rule, want := range map[datamap.MatchRule][]string{datamap.MatchDomainCI: {"1", "2", "6"}, datamap.MatchASCIICI: {"1", "2", "3", "6"}} {
						subject := datamap.Subject{Name: "who", Table: who, Key: []string{"id"}, Identifiers: []datamap.Identifier{{Name: "email", Column: "email", Match: rule}}}
						matched := personal(log)
						matched.Match = &datamap.Match{Any: []datamap.MatchAll{{Columns: []datamap.MatchColumn{{Column: "email", Identifier: "email"}}}}}
						s, err := f.Open(&datamap.System{Name: "shop", Kind: f.Kind, Subjects: []datamap.Subject{subject}, Tables: []datamap.Table{personal(who), matched}})
						must(t, err)
						defer func() { _ = s.Close() }()
						p := connectortest.NewPackage()
						must(t, s.(connector.Collector).Collect(context.Background(), connector.Scope{Identifiers: map[string][]string{"email": {"ian@ix.test"}}}, p))
						for _, table := range []string{who, log} {
							if !slices.Equal(p.Keys[table], want) {
								t.Errorf("%s by %s: found %v, want %v", table, rule, p.Keys[table], want)
							}
						}
						cat, err := s.(connector.Cataloger).Catalog(context.Background())
						must(t, err)
						ct, _ := cat.Table(who)
						if col, _ := ct.Column("email"); col.Folded != c.folded {
							t.Errorf("the catalog says %q of the column, want %q", col.Folded, c.folded)
						}
					}
				})
			}
		})
	}
}
