package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/config"
	"github.com/habeas-data/habeas/internal/fault"
)

func TestLoadDefaults(t *testing.T) {
	c, err := config.Load(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:8080" || c.PublicURL != "http://localhost:8080" || c.Sweep != 2*time.Second || !c.Embedded() || !c.Loopback() {
		t.Errorf("defaults are %+v", c)
	}
	if c.BlobURL != "file://habeas-data/packages" {
		t.Errorf("packages lie at %s", c.BlobURL)
	}
}

func TestFlagsWin(t *testing.T) {
	c, err := config.Load([]string{"HABEAS_LISTEN=127.0.0.1:1", "OTHER=x"}, map[string]string{"HABEAS_LISTEN": "127.0.0.1:2"})
	if err != nil || c.Listen != "127.0.0.1:2" {
		t.Errorf("listen is %q, %v", c.Listen, err)
	}
}

func TestEveryFaultIsNamedAtOnce(t *testing.T) {
	_, err := config.Load([]string{"HABEAS_LISTN=x", "HABEAS_SWEEP=2s", "HABEAS_SMTP_URL=mail.example", "HABEAS_LOG=loud"}, nil)
	if !fault.Is(err, fault.Invalid) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"HABEAS_LISTN: there is no such setting; did you mean HABEAS_LISTEN?", "HABEAS_SWEEP", "HABEAS_SMTP_URL", "HABEAS_LOG"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %q", want, err)
		}
	}
}

func TestUnsafeBeyondLoopback(t *testing.T) {
	const keys = "HABEAS_JWT_KEYS=https://login.example.com/jwks.json"
	cases := []struct {
		name, want string
		env        []string
	}{
		{"plain http", "HABEAS_PUBLIC_URL", []string{"HABEAS_PUBLIC_URL=http://privacy.example.com", keys}},
		{"local key", "HABEAS_JWT_KEYS", []string{"HABEAS_LISTEN=0.0.0.0:8080", "HABEAS_PUBLIC_URL=https://privacy.example.com"}},
		{"listening to all with a local key", "HABEAS_JWT_KEYS", []string{"HABEAS_LISTEN=:8080"}},
		{"unencrypted database", "HABEAS_DATABASE_URL", []string{"HABEAS_DATABASE_URL=postgres://a@db.example.com/h?sslmode=disable"}},
		{"database without sslmode", "HABEAS_DATABASE_URL", []string{"HABEAS_DATABASE_URL=postgres://a@db.example.com/h"}},
		{"open Redis", "HABEAS_REDIS_URL", []string{"HABEAS_REDIS_URL=redis://redis.example.com:6379"}},
		{"half of OIDC", "HABEAS_OIDC_ISSUER", []string{"HABEAS_OIDC_ISSUER=https://login.example.com"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Load(c.env, nil)
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want+":") {
				t.Errorf("got %v", err)
			}
		})
	}
	for _, ok := range [][]string{
		{"HABEAS_DATABASE_URL=postgres://a@127.0.0.1/h?sslmode=disable"},
		{"HABEAS_DATABASE_URL=postgres://a@/h?host=/var/run/postgresql"},
		{"HABEAS_DATABASE_URL=postgres://a@db.example.com/h?sslmode=verify-full"},
		{"HABEAS_REDIS_URL=redis://localhost:6379/3"},
	} {
		if _, err := config.Load(ok, nil); err != nil {
			t.Errorf("%v: %v", ok, err)
		}
	}
}

func TestNoSecretIsDescribed(t *testing.T) {
	c, err := config.Load([]string{"HABEAS_DATABASE_URL=postgres://a:hunter2@localhost/h", "HABEAS_SMTP_URL=smtp://u:hunter2@localhost:25"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range c.Describe() {
		if strings.Contains(v, "hunter2") {
			t.Errorf("%s tells a secret", k)
		}
	}
}
