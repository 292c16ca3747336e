package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Setting describes one setting, for --help and the start-up check.
type Setting struct {
	Name    string // HABEAS_LISTEN
	Flag    string // listen
	Default string
	Help    string
	Secret  bool // never printed
	set     func(*Config, string) error
}

// Settings lists all settings in the order of the documentation.
func Settings() []Setting { return settings() }

func settings() []Setting {
	return []Setting{
		{Name: "HABEAS_LISTEN", Flag: "listen", Default: "127.0.0.1:8080", Help: "address and port to listen on", set: setListen},
		{Name: "HABEAS_PUBLIC_URL", Flag: "public-url", Help: "base of the links in mails (default: from listen)", set: setPublicURL},
		{Name: "HABEAS_DATA_DIR", Flag: "data-dir", Default: "./habeas-data", Help: "embedded mode: SQLite file, packages, keys", set: func(c *Config, s string) error { c.DataDir = s; return nil }},
		{Name: "HABEAS_DATABASE_URL", Flag: "database-url", Help: "postgres://… for production (default: embedded SQLite)", Secret: true, set: setDatabase},
		{Name: "HABEAS_REDIS_URL", Flag: "redis-url", Help: "redis://…, rediss://…, redis-sentinel://…, redis-cluster://… (default: in-process)", Secret: true, set: setRedis},
		{Name: "HABEAS_TENANTS_DIR", Flag: "tenants-dir", Help: "one folder a tenant, applied at start", set: func(c *Config, s string) error { c.TenantsDir = s; return nil }},
		{Name: "HABEAS_SMTP_URL", Flag: "smtp-url", Help: "smtp://[user:pass@]host:port or smtps://… (default: mails are kept in the demo mailbox)", Secret: true, set: setURL(func(c *Config) *string { return &c.SMTPURL }, "smtp", "smtps")},
		{Name: "HABEAS_MAIL_FROM", Flag: "mail-from", Help: "sender of mails (default: the controller's contact)", set: setMailFrom},
		{Name: "HABEAS_SWEEP", Flag: "sweep", Default: "PT2S", Help: "how often due work is looked for", set: setSweep},
		{Name: "HABEAS_WEBHOOK_ALLOW_PRIVATE", Flag: "webhook-allow-private", Default: "false", Help: "let webhooks go to private addresses; for development only", set: setBool(func(c *Config) *bool { return &c.WebhookAllowPrivate })},
		{Name: "HABEAS_BLOB_URL", Flag: "blob-url", Help: "s3://bucket?endpoint=…&region=… or file://… (default: packages in the data dir)", Secret: true, set: setURL(func(c *Config) *string { return &c.BlobURL }, "file", "s3")},
		{Name: "HABEAS_KMS_URL", Flag: "kms-url", Help: "file://… of the master key (default: a key file in the data dir, mode 0600)", set: setURL(func(c *Config) *string { return &c.KMSURL }, "file")},
		{Name: "HABEAS_JWT_KEYS", Flag: "jwt-keys", Help: "file of public keys or JWKS address (default: a key made in the data dir; loopback only)", set: func(c *Config, s string) error { c.JWTKeys = s; return nil }},
		{Name: "HABEAS_JWT_ISSUER", Flag: "jwt-issuer", Default: "habeas", Help: "the `iss` that tokens must carry", set: func(c *Config, s string) error { c.JWTIssuer = s; return nil }},
		{Name: "HABEAS_OIDC_ISSUER", Flag: "oidc-issuer", Help: "OpenID Connect provider for officers", set: setURL(func(c *Config) *string { return &c.OIDC.Issuer }, "https", "http")},
		{Name: "HABEAS_OIDC_CLIENT_ID", Flag: "oidc-client-id", Help: "client id at the provider", set: func(c *Config, s string) error { c.OIDC.ClientID = s; return nil }},
		{Name: "HABEAS_OIDC_CLIENT_SECRET", Flag: "oidc-client-secret", Help: "client secret at the provider", Secret: true, set: func(c *Config, s string) error { c.OIDC.ClientSecret = s; return nil }},
		{Name: "HABEAS_LOG", Flag: "log", Default: "info", Help: "debug, info, warn or error, and json, separated by commas", set: setLog},
		{Name: "HABEAS_METRICS_LISTEN", Flag: "metrics-listen", Help: "address and port of /metrics (default: off)", set: setAddress(func(c *Config) *string { return &c.MetricsListen })},
		{Name: "HABEAS_TRUSTED_PROXIES", Flag: "trusted-proxies", Help: "networks whose X-Forwarded-For counts, separated by commas (default: none)", set: setProxies},
	}
}

// Describe lists the settings in force, secrets left out, for the log of the start.
func (c *Config) Describe() map[string]string {
	database, redis, mail := "embedded SQLite", "in-process", "kept in the demo mailbox"
	if c.DatabaseURL != "" {
		database = "PostgreSQL"
	}
	if c.RedisURL != "" {
		redis = "Redis"
	}
	if c.SMTPURL != "" {
		mail = "SMTP"
	}
	return map[string]string{"listen": c.Listen, "public_url": c.PublicURL, "data_dir": c.DataDir, "database": database,
		"queue": redis, "mail": mail, "sweep": c.Sweep.String()}
}

func setListen(c *Config, s string) error {
	return setAddress(func(c *Config) *string { return &c.Listen })(c, s)
}

func setAddress(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, s string) error {
		_, port, err := net.SplitHostPort(s)
		if err != nil {
			return fmt.Errorf("%q is not an address with a port, such as 127.0.0.1:8080", s)
		}
		if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
			return fmt.Errorf("%q is not a port", port)
		}
		*field(c) = s
		return nil
	}
}

func setPublicURL(c *Config, s string) error {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return errors.New("it must be an address such as https://privacy.example.com, without query and user")
	}
	c.PublicURL = strings.TrimRight(s, "/")
	return nil
}

func setDatabase(c *Config, s string) error {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") || strings.Trim(u.Path, "/") == "" {
		return errors.New("it must be postgres://user@host:port/database")
	}
	c.DatabaseURL = s
	return nil
}

func setRedis(c *Config, s string) error {
	u, err := url.Parse(s)
	schemes := []string{"redis", "rediss", "redis-sentinel", "rediss-sentinel", "redis-cluster", "rediss-cluster", "unix", "redis-socket"}
	if err != nil || !slices.Contains(schemes, u.Scheme) {
		return errors.New("it must be redis://host:port, rediss://…, redis-sentinel://host:port,host:port?master=name or redis-cluster://host:port,host:port")
	}
	c.RedisURL = s
	return nil
}

func setURL(field func(*Config) *string, schemes ...string) func(*Config, string) error {
	return func(c *Config, s string) error {
		u, err := url.Parse(s)
		if err != nil || !slices.Contains(schemes, u.Scheme) || (u.Host == "" && u.Path == "") {
			return fmt.Errorf("it must begin with %s://", strings.Join(schemes, ":// or "))
		}
		*field(c) = s
		return nil
	}
}

func setMailFrom(c *Config, s string) error {
	if !strings.Contains(s, "@") || strings.ContainsAny(s, "\r\n") {
		return errors.New("it must be a mail address, such as privacy@example.com")
	}
	c.MailFrom = s
	return nil
}

func setSweep(c *Config, s string) error {
	d, err := periodOf(s)
	if err != nil {
		return err
	}
	if d < 100*time.Millisecond || d > 5*time.Minute {
		return errors.New("it must lie between PT1S and PT5M")
	}
	c.Sweep = d
	return nil
}

func setBool(field func(*Config) *bool) func(*Config, string) error {
	return func(c *Config, s string) error {
		v, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", s)
		}
		*field(c) = v
		return nil
	}
}

func setLog(c *Config, s string) error {
	c.Log = Log{Level: "info"}
	for _, word := range strings.Split(s, ",") {
		switch word = strings.TrimSpace(word); word {
		case "debug", "info", "warn", "error":
			c.Log.Level = word
		case "json":
			c.Log.JSON = true
		case "text":
			c.Log.JSON = false
		default:
			return fmt.Errorf("%q is none of debug, info, warn, error, json, text", word)
		}
	}
	return nil
}

func setProxies(c *Config, s string) error {
	for _, part := range strings.Split(s, ",") {
		p, err := netip.ParsePrefix(strings.TrimSpace(part))
		if err != nil {
			return fmt.Errorf("%q is not a network such as 10.0.0.0/8", part)
		}
		c.TrustedProxies = append(c.TrustedProxies, p)
	}
	return nil
}

// suggestion names the setting that an unknown one was probably meant to be.
func suggestion(name string) string {
	best, distance := "", 5
	for _, s := range settings() {
		if d := editDistance(name, s.Name); d < distance {
			best, distance = s.Name, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
