package app

import (
	"fmt"
	"os"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/config"
	"github.com/habeas-data/habeas/internal/statute"
)

// Token says what a token is to be good for.
type Token struct {
	Tenant  string
	Subject string
	Roles   []access.Role
	Org     string         // for org_admin
	For     statute.Period // from now on
}

// Mint makes a token with the local signing key, which it makes first where there is none. It needs no database and
// runs beside everything else.
func Mint(c *config.Config, t Token) (string, error) {
	if c.JWTKeys == "" {
		if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
			return "", fmt.Errorf("making the data dir %s: %w", c.DataDir, err)
		}
	}
	keys, err := access.OpenKeys(c.JWTKeys, c.JWTIssuer, c.DataDir, c.Loopback())
	if err != nil {
		return "", err
	}
	now := time.Now().UTC()
	return keys.Mint(t.Tenant, t.Subject, t.Roles, t.Org, t.For.AddTo(now).Sub(now), now)
}
