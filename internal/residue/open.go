package residue

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/habeas-data/habeas/internal/datamap"
)

var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

// open connects read only. Errors never quote the DSN, which may hold a password.
func open(ctx context.Context, sys *datamap.System, getenv func(string) string) (*database, error) {
	dsn, err := resolve(sys, getenv)
	if err != nil {
		return nil, err
	}
	d := &database{kind: sys.Kind}
	switch sys.Kind {
	case datamap.KindPostgres:
		d.words = postgres{}
		d.pool, err = openPostgres(dsn)
	case datamap.KindMySQL:
		d.words = mysqlWords{}
		d.pool, err = openMySQL(dsn)
	case datamap.KindSQLite:
		d.words = sqlite{}
		d.pool, err = openSQLite(dsn)
	case datamap.KindBlob, datamap.KindWebhook, datamap.KindREST, datamap.KindManual:
		err = errors.New("no SQL database")
	default:
		err = errors.New("an unknown kind")
	}
	if err != nil {
		return nil, fmt.Errorf("the address of %s can't be read", sys.Name)
	}
	d.pool.SetMaxOpenConns(1)
	if err := d.pool.PingContext(ctx); err != nil {
		_ = d.pool.Close()
		return nil, fmt.Errorf("%s does not answer", sys.Name)
	}
	return d, nil
}

func resolve(sys *datamap.System, getenv func(string) string) (string, error) {
	var failed error
	user := strings.LastIndex(sys.DSN, "@")
	var out strings.Builder
	rest := 0
	for _, m := range variable.FindAllStringSubmatchIndex(sys.DSN, -1) {
		name, value := sys.DSN[m[2]:m[3]], ""
		if path, ok := strings.CutPrefix(name, "file:"); ok {
			body, err := os.ReadFile(path)
			if err != nil {
				failed = fmt.Errorf("a secret of %s can't be read from its file", sys.Name)
			}
			value = strings.TrimSpace(string(body))
		} else if getenv != nil {
			value = getenv(name)
		}
		if value == "" && failed == nil {
			failed = fmt.Errorf("the variable %s of %s is empty", name, sys.Name)
		}
		if m[1] <= user && strings.ContainsAny(value, "@/:?#% ") && strings.Contains(sys.DSN[:m[0]], "://") {
			if plain, err := url.PathUnescape(value); err != nil || plain == value {
				value = url.PathEscape(value)
				value = strings.NewReplacer(":", "%3A", "@", "%40").Replace(value)
			}
		}
		out.WriteString(sys.DSN[rest:m[0]] + value)
		rest = m[1]
	}
	out.WriteString(sys.DSN[rest:])
	return out.String(), failed
}

func openPostgres(dsn string) (*sql.DB, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	for k, v := range map[string]string{
		"default_transaction_read_only": "on", "TimeZone": "UTC", "DateStyle": "ISO, YMD", "IntervalStyle": "iso_8601",
		"bytea_output": "hex", "application_name": "habeas residue", "lock_timeout": "15s",
	} {
		cfg.RuntimeParams[k] = v
	}
	return stdlib.OpenDB(*cfg), nil
}

func openMySQL(dsn string) (*sql.DB, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme != "mysql" && u.Scheme != "mariadb" {
		return nil, fmt.Errorf("not a mysql:// address")
	}
	cfg := mysql.NewConfig()
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.Net, cfg.Addr, cfg.DBName = "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
	if u.Port() == "" {
		cfg.Addr = u.Hostname() + ":3306"
	}
	cfg.TLSConfig = u.Query().Get("tls")
	if host := u.Hostname(); cfg.TLSConfig == "" && host != "localhost" && host != "::1" && !strings.HasPrefix(host, "127.") {
		cfg.TLSConfig = "true"
	}
	cfg.Timeout = 15 * time.Second
	cfg.InterpolateParams = true
	cfg.Params = map[string]string{"time_zone": "'+00:00'"}
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(readOnly{c}), nil
}

// readOnly makes every connection one that can't write: a setting of the DSN would have another name on MariaDB
// than on MySQL.
type readOnly struct{ driver.Connector }

// Connect implements driver.Connector.
func (r readOnly) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := r.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	execer, ok := conn.(driver.ExecerContext)
	if !ok {
		_ = conn.Close()
		return nil, errors.New("the driver can't make a connection read only")
	}
	if _, err := execer.ExecContext(ctx, "SET SESSION TRANSACTION READ ONLY", nil); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

func openSQLite(dsn string) (*sql.DB, error) {
	path := strings.TrimPrefix(strings.TrimPrefix(dsn, "sqlite:"), "file:")
	if strings.HasPrefix(dsn, "sqlite:") && strings.HasPrefix(path, "//") {
		path = path[2:]
	}
	path, _, _ = strings.Cut(path, "?")
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	q := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(15000)", "query_only(1)"}}
	return sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
}
