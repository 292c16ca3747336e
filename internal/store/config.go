package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/habeas-data/habeas/internal/auditlog"
)

// Config is one version of a tenant's policy and data map, as applied.
type Config struct {
	Version       int64 // given by PutConfig: 1, 2, …
	PolicyVersion string
	Policy        []byte
	DataMap       []byte
	Digest        string // over both files; the same digest is the same version
	AppliedAt     time.Time
}

type configRow struct {
	Tenant        string
	Version       int64
	PolicyVersion string
	Policy        []byte
	DataMap       []byte
	Digest        string
	Applied       stamp `gorm:"column:applied_at"`
}

func (r configRow) config() Config {
	return Config{r.Version, r.PolicyVersion, r.Policy, r.DataMap, r.Digest, r.Applied.Time}
}

// PutConfig stores a new version, unless the current one has the same digest: then changed is false. Version and
// AppliedAt of c are not looked at.
func (tx *Tx) PutConfig(c Config, act Act) (version int64, changed bool, err error) {
	if c.Digest == "" {
		return 0, false, errors.New("storing a configuration: it has no digest")
	}
	if err := tx.lock("config"); err != nil {
		return 0, false, err
	}
	rows, err := all[configRow](tx.in("config").Order("version DESC").Limit(1))
	if err != nil {
		return 0, false, err
	}
	row := configRow{
		Tenant: string(tx.Tenant), Version: 1, PolicyVersion: c.PolicyVersion,
		Policy: notNil(c.Policy), DataMap: notNil(c.DataMap), Digest: c.Digest, Applied: at(tx.Now),
	}
	if len(rows) > 0 {
		if rows[0].Digest == c.Digest {
			return rows[0].Version, false, nil
		}
		row.Version = rows[0].Version + 1
	}
	if err := tx.insert("config", &row); err != nil {
		return 0, false, fmt.Errorf("storing a configuration: %w", err)
	}
	return row.Version, true, tx.Audit(act, auditlog.Object{Kind: "config"})
}

// CurrentConfig gives the newest version; a fault.NotFound before the first one.
func (tx *Tx) CurrentConfig() (Config, error) {
	row, err := take[configRow](tx.in("config").Order("version DESC"), errNoConfig())
	return row.config(), err
}

// Config gives one version.
func (tx *Tx) Config(version int64) (Config, error) {
	row, err := take[configRow](tx.in("config").Where("version = ?", version), errNoConfig())
	return row.config(), err
}

func errNoConfig() error {
	return notFound("no_config", "No policy has been applied for this tenant yet.")
}

// notNil keeps an empty value from becoming NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
