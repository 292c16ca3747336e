package sqldb

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/habeas-data/habeas/internal/datamap"
)

const mysqlForm = "write mysql://user:password@host:3306/database, with ?tls=true&ssl-ca=/path/ca.pem for a certificate of your own authority"

// openMySQL makes a pool from mysql://user:password@host:3306/database. It knows tls=true|skip-verify|false (or
// ssl-mode as the mysql client has it), ssl-ca, ssl-cert, ssl-key and socket; TLS with the host checked is the default
// beyond this machine.
func openMySQL(sys *datamap.System, dsn string, what purpose) (*sql.DB, error) {
	u, err := url.Parse(dsn)
	if err != nil || (u.Scheme != "mysql" && u.Scheme != "mariadb") || len(u.Path) < 2 {
		return nil, badDSN(sys, mysqlForm) // err quotes the DSN
	}
	cfg := mysql.NewConfig()
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.Net, cfg.DBName = "tcp", strings.TrimPrefix(u.Path, "/")
	cfg.Addr = net.JoinHostPort(defaultTo(u.Hostname(), "127.0.0.1"), defaultTo(u.Port(), "3306"))
	if socket := u.Query().Get("socket"); socket != "" {
		cfg.Net, cfg.Addr = "unix", socket
	} else if cfg.TLS, err = mysqlTLS(sys, u); err != nil {
		return nil, err
	}
	cfg.ParseTime = false        // texts as stored: zero dates and microseconds survive
	cfg.InterpolateParams = true // the text protocol gives decimals and dates as they are
	cfg.ClientFoundRows = true   // an update that changes nothing still counts its rows
	cfg.Timeout = connecting
	cfg.ConnectionAttributes = "program_name:habeas"
	if err := cfg.Apply(mysql.Charset("utf8mb4", "utf8mb4_general_ci")); err != nil {
		return nil, badDSN(sys, mysqlForm)
	}
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, badDSN(sys, mysqlForm)
	}
	setup := []string{mysqlSettings}
	if what == forReading {
		setup = append(setup, "SET SESSION TRANSACTION READ ONLY")
	}
	return sql.OpenDB(setUp{c, setup}), nil
}

// mysqlSettings fixes what values, literals and names mean, whatever the server's own settings are: no ANSI_QUOTES, no
// NO_BACKSLASH_ESCAPES, no cap on the rows of a SELECT, foreign keys checked. The limit of a statement has one name
// in MariaDB (seconds) and another in MySQL (milliseconds, SELECT only): each reads its own comment.
const mysqlSettings = "SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES', autocommit = 1, sql_safe_updates = 0, " +
	"foreign_key_checks = 1, unique_checks = 1, sql_select_limit = 18446744073709551615, sql_big_selects = 1, innodb_lock_wait_timeout = 15, " +
	"lock_wait_timeout = 60, net_write_timeout = 1800, wait_timeout = 1800, group_concat_max_len = 1048576" +
	" /*M!100100 , max_statement_time = 1800, idle_transaction_timeout = 1800 */ /*!80000 , max_execution_time = 1800000 */"

// setUp runs statements on each new connection.
type setUp struct {
	driver.Connector
	statements []string
}

// Connect implements driver.Connector.
func (s setUp) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	execer, ok := conn.(driver.ExecerContext)
	if !ok {
		_ = conn.Close()
		return nil, errors.New("the driver can't set up a connection")
	}
	for _, x := range s.statements {
		if _, err := execer.ExecContext(ctx, x, nil); err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

func (mysqlDialect) standing(ctx context.Context, q querier, what purpose) (out []datamap.Finding, err error) {
	err = each(ctx, q, "SELECT @@global.read_only", nil, 1, func(v []string) {
		if v[0] != "0" {
			out = append(out, replicaNote(what))
		}
	})
	if err == nil && what == forWriting && len(out) > 0 {
		out[0].Warning = true // some roles may write all the same
	}
	return out, err
}

// mysqlTLS gives how the connection is encrypted; nil: not at all, which is for this machine alone.
func mysqlTLS(sys *datamap.System, u *url.URL) (*tls.Config, error) {
	q := u.Query()
	mode := q.Get("tls")
	if mode == "" {
		mode = map[string]string{"REQUIRED": "skip-verify", "VERIFY_CA": "true", "VERIFY_IDENTITY": "true", "DISABLED": "false"}[strings.ToUpper(q.Get("ssl-mode"))]
	}
	local := loopback(u.Hostname())
	switch {
	case mode == "true", mode == "skip-verify":
	case mode == "" && (!local || q.Has("ssl-ca")):
		mode = "true"
	case (mode == "" || mode == "false" || mode == "preferred") && local:
		return nil, nil //nolint:nilnil // no TLS is an answer
	case mode == "false", mode == "preferred":
		return nil, plainBeyondLoopback(sys, "say tls=true")
	default:
		return nil, badDSN(sys, "tls is true, skip-verify or false")
	}
	cfg := &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12, InsecureSkipVerify: mode == "skip-verify"}
	if path := q.Get("ssl-ca"); path != "" {
		pem, err := os.ReadFile(path)
		cfg.RootCAs = x509.NewCertPool()
		if err != nil || !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, badDSN(sys, "ssl-ca names no readable file of PEM certificates")
		}
	}
	if cert := q.Get("ssl-cert"); cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, q.Get("ssl-key"))
		if err != nil {
			return nil, badDSN(sys, "ssl-cert and ssl-key name no PEM certificate with its key")
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

func (mysqlDialect) snapshot(ctx context.Context, conn *sql.Conn) (func(), error) {
	for _, s := range []string{
		"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
		"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
	} {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return nil, err
		}
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
			// A connection that may still be inside the transaction must not go back to the pool.
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}, nil
}
