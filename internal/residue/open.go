package residue

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/habeas-data/habeas/internal/datamap"
)

var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

// open connects read only, by the role that reads; where its server is a replica, which may not have heard of the
// erasure yet, by the other one. Errors never quote the DSN, which may hold a password.
func open(ctx context.Context, sys *datamap.System, getenv func(string) string) (*database, error) {
	d, err := dial(ctx, sys, sys.DSN, getenv)
	if err != nil || sys.WriteDSN == "" {
		return d, err
	}
	if behind, err := d.words.replica(ctx, d.q); err != nil || !behind {
		return d, nil //nolint:nilerr // a server that can't say is taken as it is
	}
	d.close()
	return dial(ctx, sys, sys.WriteDSN, getenv)
}

func dial(ctx context.Context, sys *datamap.System, raw string, getenv func(string) string) (*database, error) {
	dsn, err := resolve(sys.Name, raw, getenv)
	if err != nil {
		return nil, err
	}
	d := &database{kind: sys.Kind}
	switch sys.Kind {
	case datamap.KindPostgres:
		d.words = postgres{sys.Session}
		d.pool, err = openPostgres(dsn)
	case datamap.KindMySQL:
		d.words = mysqlWords{slices.Concat(sys.Schemas.Include, slices.Sorted(maps.Keys(sys.Schemas.Ignore)))}
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
		return nil, fmt.Errorf("the address of %s can't be used: it is not one, or it allows a plain connection beyond this machine", sys.Name)
	}
	d.pool.SetMaxOpenConns(1)
	// One view of the data for everything; it locks nothing that the product writes.
	d.q, err = d.pool.BeginTx(ctx, &sql.TxOptions{Isolation: d.words.isolation(), ReadOnly: true})
	if err == nil {
		err = d.words.prepare(ctx, d.q)
	}
	if err != nil {
		_ = d.pool.Close()
		return nil, fmt.Errorf("%s does not answer", sys.Name)
	}
	return d, nil
}

func (d *database) close() {
	_ = d.q.Rollback()
	_ = d.pool.Close()
}

// resolve puts secrets into an address; within a URL they are escaped, since each stands for its value as it is.
func resolve(system, raw string, getenv func(string) string) (string, error) {
	inURL := strings.Contains(raw, "://") && !strings.HasPrefix(raw, "sqlite:") && !strings.HasPrefix(raw, "file:")
	plain := variable.ReplaceAllStringFunc(raw, func(s string) string { return strings.Repeat("x", len(s)) })
	end := len(plain)
	if i := strings.IndexByte(plain, '?'); i >= 0 {
		end = i
	}
	user := strings.LastIndexByte(plain[:end], '@')
	start := strings.Index(plain, "://")
	var out strings.Builder
	rest := 0
	for _, m := range variable.FindAllStringSubmatchIndex(raw, -1) {
		value, err := secretOf(system, raw[m[2]:m[3]], getenv)
		if err != nil {
			return "", err
		}
		if inURL && m[0] > start && (m[0] < user || m[0] > end && plain[m[0]-1] == '=') {
			value = strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
		} else if inURL && m[0] > start && m[0] < end && strings.Contains(plain[max(user, start+3):m[0]], "/") {
			value = strings.ReplaceAll(url.PathEscape(value), "%2F", "/")
		}
		out.WriteString(raw[rest:m[0]] + value)
		rest = m[1]
	}
	out.WriteString(raw[rest:])
	return out.String(), nil
}

func secretOf(system, name string, getenv func(string) string) (value string, err error) {
	if path, ok := strings.CutPrefix(name, "file:"); ok {
		body, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("a secret of %s can't be read from its file", system)
		}
		value = strings.TrimRight(string(body), "\r\n")
	} else if getenv != nil {
		value = getenv(name)
	}
	if value == "" {
		return "", fmt.Errorf("the variable %s of %s is empty", name, system)
	}
	return value, nil
}

var errPlain = errors.New("a plain connection beyond this machine")

func openPostgres(dsn string) (*sql.DB, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	if cfg.TLSConfig == nil && !here(cfg.Host) {
		return nil, errPlain
	}
	for _, f := range cfg.Fallbacks {
		if f.TLSConfig == nil && !here(f.Host) {
			return nil, errPlain
		}
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec // a pooler may stand between
	cfg.RuntimeParams["application_name"] = "habeas residue"
	cfg.RuntimeParams["client_encoding"] = "UTF8"
	return stdlib.OpenDB(*cfg), nil
}

func here(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || host == "localhost" || strings.HasPrefix(host, "/") || ip != nil && ip.IsLoopback()
}

func openMySQL(dsn string) (*sql.DB, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme != "mysql" && u.Scheme != "mariadb" {
		return nil, fmt.Errorf("not a mysql:// address")
	}
	cfg := mysql.NewConfig()
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.Net, cfg.DBName = "tcp", strings.TrimPrefix(u.Path, "/")
	host, port := u.Hostname(), u.Port()
	if host == "" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = "3306"
	}
	cfg.Addr = net.JoinHostPort(host, port)
	q := u.Query()
	mode := q.Get("tls")
	switch {
	case q.Get("socket") != "":
		cfg.Net, cfg.Addr = "unix", q.Get("socket")
	case (mode == "false" || mode == "preferred" || mode == "" && !q.Has("ssl-ca")) && here(host):
	case mode == "false" || mode == "preferred":
		return nil, errPlain
	default:
		cfg.TLS = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, InsecureSkipVerify: mode == "skip-verify" || strings.EqualFold(q.Get("ssl-mode"), "REQUIRED")}
		if path := q.Get("ssl-ca"); path != "" {
			pem, err := os.ReadFile(path)
			cfg.TLS.RootCAs = x509.NewCertPool()
			if err != nil || !cfg.TLS.RootCAs.AppendCertsFromPEM(pem) {
				return nil, errors.New("no certificates")
			}
		}
		if path := q.Get("ssl-cert"); path != "" {
			pair, err := tls.LoadX509KeyPair(path, q.Get("ssl-key"))
			if err != nil {
				return nil, err
			}
			cfg.TLS.Certificates = []tls.Certificate{pair}
		}
	}
	cfg.Timeout = 15 * time.Second
	cfg.InterpolateParams = true
	cfg.ConnectionAttributes = "program_name:habeas residue"
	cfg.Params = map[string]string{"time_zone": "'+00:00'", "sql_mode": "'STRICT_ALL_TABLES'", "sql_select_limit": "18446744073709551615"}
	if err := cfg.Apply(mysql.Charset("utf8mb4", "utf8mb4_general_ci")); err != nil {
		return nil, err
	}
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(readOnly{c}), nil
}

// readOnly makes every connection one that can't write and whose statements end, by the names that MariaDB and MySQL
// each have for that.
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
	for _, s := range []string{
		"SET SESSION lock_wait_timeout = 15 /*M!100100 , max_statement_time = 1800 */ /*!80000 , max_execution_time = 1800000 */",
		"SET SESSION TRANSACTION READ ONLY",
	} {
		if _, err := execer.ExecContext(ctx, s, nil); err != nil {
			_ = conn.Close()
			return nil, err
		}
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
