package store

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/seal"
)

// migratePostgres makes the roles, runs the migrations and then sets what depends on the roles: policies, grants and
// the owner of the functions that look across tenants.
//
//	<database>_app      logs in as serve and worker: the rows of one tenant at a time
//	<database>_sweeper  never logs in: owns app_due and app_tenants, reads ids and times of all tenants
func migratePostgres(ctx context.Context, pool *sql.DB, ownerURL string) (_ MigrateResult, err error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return MigrateResult{}, fault.Wrap(err, fault.Unavailable, "database_away", "The database can't be reached.")
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	m := roleMaker{ctx: ctx, conn: conn}
	var database string
	if err := conn.QueryRowContext(ctx, "SELECT current_database()").Scan(&database); err != nil {
		return MigrateResult{}, err
	}
	m.app, m.sweeper = database+"_app", database+"_sweeper"
	if len(m.sweeper) > 63 {
		return MigrateResult{}, fault.New(fault.Invalid, "long_database_name", "The database's name is too long: with _sweeper behind it, it must have at most 63 bytes.")
	}
	appURL, password, err := appURL(ownerURL, m.app, database)
	if err != nil {
		return MigrateResult{}, err
	}
	// Held by the session, so that it spans the migrations, which run on connections of their own.
	if err := m.exec("SELECT pg_advisory_lock($1)", lockNumber("migrate")); err != nil {
		return MigrateResult{}, err
	}
	defer func() { err = errors.Join(err, m.exec("SELECT pg_advisory_unlock($1)", lockNumber("migrate"))) }()

	if err := m.makeRoles(password); err != nil {
		return MigrateResult{}, fault.Wrap(err, fault.Unavailable, "roles", "The roles %s and %s can't be made; the URL must be that of a role that owns the database and has CREATEROLE.", m.app, m.sweeper)
	}
	res, err := runGoose(ctx, pool, false)
	if err != nil {
		return MigrateResult{}, err
	}
	if err := m.setRights(); err != nil {
		return MigrateResult{}, fmt.Errorf("setting the rights of the database roles: %w", err)
	}
	res.AppURL = appURL
	return res, nil
}

// appURL is the owner's URL with the user replaced and everything else kept. The password, where the owner has one,
// is derived from it: the call can be repeated anywhere and gives the same, and one can't be had from the other.
func appURL(ownerURL, role, database string) (appURL, password string, err error) {
	u, err := url.Parse(ownerURL)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return "", "", fault.New(fault.Invalid, "bad_database_url", "The database URL can't be read; it should look like postgres://user@host:5432/database.")
	}
	q := u.Query()
	owner := q.Get("password")
	if p, ok := u.User.Password(); ok {
		owner = p
	}
	q.Del("user")
	q.Del("password")
	if len(q) > 0 || u.RawQuery != "" {
		u.RawQuery = q.Encode()
	}
	if owner == "" {
		u.User = url.User(role)
		return u.String(), "", nil
	}
	mac := hmac.New(sha256.New, []byte(owner))
	_, _ = mac.Write([]byte("habeas app role " + database))
	password = base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	u.User = url.UserPassword(role, password)
	return u.String(), password, nil
}

// scramVerifier is what the server stores of a password (RFC 5803). Sent instead of the password, it keeps that out
// of the server's log.
func scramVerifier(password string) (string, error) {
	const rounds = 4096
	salt := seal.Random(16)
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		return "", err
	}
	sign := func(text string) []byte {
		mac := hmac.New(sha256.New, salted)
		_, _ = mac.Write([]byte(text))
		return mac.Sum(nil)
	}
	stored := sha256.Sum256(sign("Client Key"))
	enc := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", rounds, enc(salt), enc(stored[:]), enc(sign("Server Key"))), nil
}

// roleMaker runs statements about roles, which take no parameters: names are quoted by us.
type roleMaker struct {
	ctx          context.Context //nolint:containedctx // lives for one call
	conn         *sql.Conn
	app, sweeper string
}

func ident(name string) string { return pgx.Identifier{name}.Sanitize() }

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func (m roleMaker) exec(query string, args ...any) error {
	_, err := m.conn.ExecContext(m.ctx, query, args...)
	return err
}

func (m roleMaker) holds(query string, args ...any) (yes bool, err error) {
	err = m.conn.QueryRowContext(m.ctx, query, args...).Scan(&yes)
	return yes, err
}

// makeRoles makes both roles, or takes away from them what they must not have.
func (m roleMaker) makeRoles(password string) error {
	const weak = "NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION"
	for role, login := range map[string]string{m.app: "LOGIN", m.sweeper: "NOLOGIN"} {
		there, err := m.holds("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role)
		if err != nil {
			return err
		}
		if !there {
			if err := m.exec("CREATE ROLE " + ident(role) + " " + login + " " + weak); err != nil {
				return err
			}
			continue
		}
		// Only where needed: naming these attributes takes a superuser.
		right, err := m.holds(`SELECT NOT (rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication) AND rolcanlogin = $2
			FROM pg_roles WHERE rolname = $1`, role, login == "LOGIN")
		if err != nil {
			return err
		}
		if !right {
			if err := m.exec("ALTER ROLE " + ident(role) + " " + login + " " + weak); err != nil {
				return err
			}
		}
	}
	if password == "" {
		return nil
	}
	verifier, err := scramVerifier(password)
	if err != nil {
		return err
	}
	return m.exec("ALTER ROLE " + ident(m.app) + " PASSWORD " + literal(verifier))
}
