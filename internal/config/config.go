package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/statute"
)

// Config is all settings, parsed and checked.
type Config struct {
	Listen              string
	PublicURL           string // without a slash at the end
	DataDir             string
	DatabaseURL         string // "" is the embedded SQLite
	RedisURL            string // "" is in-process
	TenantsDir          string
	SMTPURL             string // "" keeps mails in the demo mailbox
	MailFrom            string // "" is the controller's contact
	Sweep               time.Duration
	WebhookAllowPrivate bool
	BlobURL             string
	KMSURL              string
	JWTKeys             string
	JWTIssuer           string
	OIDC                OIDC
	Log                 Log
	MetricsListen       string
	TrustedProxies      []netip.Prefix
}

// OIDC is the sign-in of officers by OpenID Connect; empty means one-time links.
type OIDC struct {
	Issuer, ClientID, ClientSecret string
}

// Log is how the program logs.
type Log struct {
	Level string // debug, info, warn, error
	JSON  bool
}

// Embedded tells whether the program runs on its own SQLite and, without a Redis, is the only process.
func (c *Config) Embedded() bool { return c.DatabaseURL == "" }

// Loopback tells whether both the listener and the public address are on this machine alone.
func (c *Config) Loopback() bool {
	host, _, _ := net.SplitHostPort(c.Listen)
	u, err := url.Parse(c.PublicURL)
	return err == nil && loopbackHost(host) && loopbackHost(u.Hostname())
}

// Load reads the settings. environ is os.Environ(); flags holds the values given on the command line by the name of
// their setting (`HABEAS_LISTEN`). The error is a fault that names every wrong setting at once.
func Load(environ []string, flags map[string]string) (*Config, error) {
	values, faults := collect(environ, flags)
	c := &Config{}
	for _, s := range settings() {
		v := values[s.Name]
		if v == "" {
			v = s.Default
		}
		if v == "" {
			continue
		}
		if err := s.set(c, v); err != nil {
			faults = append(faults, fault.Field{Name: s.Name, Message: err.Error()})
			if s.Default != "" {
				_ = s.set(c, s.Default) // so that what contradicts the others is found as well
			}
		}
	}
	c.complete()
	faults = append(faults, c.contradictions()...)
	return c, problem(faults)
}

func problem(faults []fault.Field) error {
	if len(faults) == 0 {
		return nil
	}
	return &fault.Error{Kind: fault.Invalid, Code: "bad_settings", Message: "The settings can't be used", Fields: faults}
}

func collect(environ []string, flags map[string]string) (map[string]string, []fault.Field) {
	values := map[string]string{}
	var faults []fault.Field
	for _, kv := range environ {
		name, v, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "HABEAS_") {
			continue
		}
		if !slices.ContainsFunc(settings(), func(s Setting) bool { return s.Name == name }) {
			faults = append(faults, fault.Field{Name: name, Message: "there is no such setting" + suggestion(name)})
			continue
		}
		values[name] = v
	}
	for name, v := range flags {
		values[name] = v
	}
	slices.SortFunc(faults, func(a, b fault.Field) int { return strings.Compare(a.Name, b.Name) })
	return values, faults
}

// complete fills in what follows from other settings.
func (c *Config) complete() {
	if c.PublicURL == "" {
		host, port, _ := net.SplitHostPort(c.Listen)
		if ip, err := netip.ParseAddr(host); host == "" || (err == nil && (ip.IsUnspecified() || ip.IsLoopback())) {
			host = "localhost"
		}
		c.PublicURL = "http://" + net.JoinHostPort(host, port)
	}
	if c.BlobURL == "" {
		c.BlobURL = "file://" + filepath.Join(c.DataDir, "packages")
	}
}

// contradictions finds settings that are right alone and wrong together.
func (c *Config) contradictions() []fault.Field {
	var out []fault.Field
	add := func(name, format string, args ...any) {
		out = append(out, fault.Field{Name: name, Message: fmt.Sprintf(format, args...)})
	}
	if u, _ := url.Parse(c.PublicURL); u != nil && u.Scheme == "http" && !loopbackHost(u.Hostname()) {
		add("HABEAS_PUBLIC_URL", "plain http is for loopback alone; links in mails need https://%s", u.Host)
	}
	if c.JWTKeys == "" && !c.Loopback() {
		add("HABEAS_JWT_KEYS", "the local signing key serves only where HABEAS_LISTEN and HABEAS_PUBLIC_URL are on loopback; name a JWKS address or a file of public keys")
	}
	if c.DatabaseURL != "" && unencrypted(c.DatabaseURL) {
		add("HABEAS_DATABASE_URL", "sslmode=disable is for a database on loopback alone; use sslmode=verify-full")
	}
	if u, err := url.Parse(c.RedisURL); c.RedisURL != "" && err == nil && u.Scheme == "redis" && !loopbackHosts(u.Host) && u.User == nil {
		add("HABEAS_REDIS_URL", "a Redis beyond loopback needs rediss:// or at least a password")
	}
	if c.RedisURL == "" && c.DatabaseURL != "" && !c.Loopback() {
		add("HABEAS_REDIS_URL", "with PostgreSQL and more than one process the workers need a Redis to be woken; name one (redis://…)")
	}
	if o := c.OIDC; (o.Issuer != "" || o.ClientID != "" || o.ClientSecret != "") && (o.Issuer == "" || o.ClientID == "") {
		add("HABEAS_OIDC_ISSUER", "HABEAS_OIDC_ISSUER and HABEAS_OIDC_CLIENT_ID go together")
	}
	return out
}

func unencrypted(databaseURL string) bool {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return false
	}
	mode := u.Query().Get("sslmode")
	return (mode == "disable" || mode == "allow" || mode == "prefer" || mode == "") && !loopbackHosts(u.Host) && !strings.HasPrefix(u.Query().Get("host"), "/")
}

func loopbackHosts(hostports string) bool {
	for _, hp := range strings.Split(hostports, ",") {
		host, _, err := net.SplitHostPort(hp)
		if err != nil {
			host = hp
		}
		if host != "" && !loopbackHost(host) { // no host: a local socket
			return false
		}
	}
	return true
}

func loopbackHost(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}

func periodOf(s string) (time.Duration, error) {
	p, err := statute.ParsePeriod(s)
	if err != nil {
		return 0, err
	}
	if p.Years+p.Months > 0 {
		return 0, fmt.Errorf("%s is longer than makes sense here", s)
	}
	epoch := time.Unix(0, 0).UTC()
	return p.AddTo(epoch).Sub(epoch), nil
}
