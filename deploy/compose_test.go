// Package deploy_test holds the files of deploy/ against the program: a setting that is misspelled or unsafe in a
// compose file, or an example that no longer parses, is found here and not on somebody's server.
package deploy_test

import (
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/habeas-data/habeas/internal/config"
)

// compose is what the tests look at of a compose file.
type compose struct {
	Services map[string]service
	Volumes  map[string]any
}

type service struct {
	Image       string
	Build       map[string]string
	Command     []string
	Environment map[string]string
	Ports       []string
	Volumes     []string
	Profiles    []string
	NetworkMode string                       `yaml:"network_mode"`
	DependsOn   map[string]map[string]string `yaml:"depends_on"`
	ReadOnly    bool                         `yaml:"read_only"`
	CapDrop     []string                     `yaml:"cap_drop"`
	Healthcheck struct {
		Test    []string
		Disable bool
	}
}

// composeFiles gives each file with the variables that its user has to set.
func composeFiles() map[string]map[string]string {
	return map[string]map[string]string{
		"../docker-compose.yml": {},
		"compose.production.yml": {
			"HABEAS_HOST":         "privacy.example.com",
			"HABEAS_DATABASE_URL": "postgres://habeas_app:x@db.example.com/habeas?sslmode=verify-full",
			"HABEAS_OWNER_URL":    "postgres://habeas:x@db.example.com/habeas?sslmode=verify-full",
			"HABEAS_REDIS_URL":    "rediss://:x@redis.example.com:6380/0",
			"HABEAS_SMTP_URL":     "smtp://u:x@mail.example.com:587",
			"HABEAS_JWT_KEYS":     "https://login.example.com/jwks.json",
		},
		"test/compose.yml": {},
	}
}

func readCompose(t *testing.T, file string) compose {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var c compose
	if err := yaml.Unmarshal([]byte(interpolate(t, string(text), composeFiles()[file])), &c); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return c
}

// interpolate fills in ${NAME}, ${NAME:-default} and ${NAME:?what is wanted} as compose does.
func interpolate(t *testing.T, text string, set map[string]string) string {
	t.Helper()
	return regexp.MustCompile(`\$\{(\w+)(?::([-?])([^}]*))?\}`).ReplaceAllStringFunc(text, func(found string) string {
		part := regexp.MustCompile(`\$\{(\w+)(?::([-?])([^}]*))?\}`).FindStringSubmatch(found)
		if v, ok := set[part[1]]; ok {
			return v
		}
		if part[2] != "-" {
			t.Errorf("%s is not set and has no default", part[1])
		}
		return part[3]
	})
}

func TestComposeServices(t *testing.T) {
	want := map[string][]string{
		"../docker-compose.yml":  {"front", "mail", "migrate", "postgres", "redis", "serve", "worker"},
		"compose.production.yml": {"front", "migrate", "serve", "worker"},
		"test/compose.yml":       {"mariadb", "postgres", "redis"},
	}
	for file := range composeFiles() {
		c := readCompose(t, file)
		if got := slices.Sorted(maps.Keys(c.Services)); !slices.Equal(got, want[file]) {
			t.Errorf("%s has the services %v, want %v", file, got, want[file])
		}
		for name, s := range c.Services {
			if s.Image == "" {
				t.Errorf("%s: %s has no image", file, name)
			}
			if tag := s.Image[strings.LastIndex(s.Image, ":")+1:]; len(s.Build) == 0 && (tag == "latest" || tag == s.Image) {
				t.Errorf("%s: %s takes whatever %s is today", file, name, s.Image)
			}
			if !s.Healthcheck.Disable && len(s.Healthcheck.Test) == 0 {
				t.Errorf("%s: nobody asks whether %s is well", file, name)
			}
			for _, other := range slices.Sorted(maps.Keys(s.DependsOn)) {
				if _, ok := c.Services[other]; !ok {
					t.Errorf("%s: %s waits for %s, which is not there", file, name, other)
				}
			}
			for _, v := range s.Volumes {
				if source, _, _ := strings.Cut(v, ":"); !strings.HasPrefix(source, ".") && !strings.HasPrefix(source, "/") {
					if _, ok := c.Volumes[source]; !ok {
						t.Errorf("%s: %s mounts %s, which is not declared", file, name, source)
					}
				}
			}
		}
	}
}

// TestComposeSettings starts nothing, but asks the program itself whether it would start with these settings.
func TestComposeSettings(t *testing.T) {
	commands := map[string]string{"serve": "serve --worker=false", "worker": "worker", "migrate": "migrate up"}
	for _, file := range []string{"../docker-compose.yml", "compose.production.yml"} {
		c := readCompose(t, file)
		for name, command := range commands {
			s := c.Services[name]
			if got := strings.Join(s.Command, " "); got != command {
				t.Errorf("%s: %s runs %q, want %q", file, name, got, command)
			}
			if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) {
				t.Errorf("%s: %s may write to its image or has capabilities", file, name)
			}
			environ := []string{"HABEAS_DATA_DIR=/data"} // set in the image
			for k, v := range s.Environment {
				environ = append(environ, k+"="+v)
				if !strings.HasPrefix(k, "HABEAS_") {
					t.Errorf("%s: %s is given %s, which is no setting", file, name, k)
				}
			}
			got, err := config.Load(environ, nil)
			if err != nil {
				t.Errorf("%s: %s would not start: %v", file, name, err)
				continue
			}
			if got.Embedded() {
				t.Errorf("%s: %s has no database", file, name)
			}
			if name != "migrate" && (got.RedisURL == "" || got.SMTPURL == "" || !slices.Contains(s.Volumes, "data:/data")) {
				t.Errorf("%s: %s has no Redis, no mail or no data of its own", file, name)
			}
		}
		if c.Services["serve"].Environment["HABEAS_DATABASE_URL"] == c.Services["migrate"].Environment["HABEAS_DATABASE_URL"] {
			t.Errorf("%s: serve works as the owner of the database, whom row-level security does not bind", file)
		}
	}
	// The check above can fail: a typing error is found.
	if _, err := config.Load([]string{"HABEAS_REDIS=redis://127.0.0.1:6379"}, nil); err == nil {
		t.Error("an unknown setting passed")
	}
}

// TestComposeKeepsToLoopback holds the promise of the file's first comment: plain connections, so nothing but front
// is published, and that on this machine alone.
func TestComposeKeepsToLoopback(t *testing.T) {
	c := readCompose(t, "../docker-compose.yml")
	for name, s := range c.Services {
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s publishes %s to the world", name, port)
			}
		}
		if (name == "front") == (s.NetworkMode == "service:front") {
			t.Errorf("%s: network %q", name, s.NetworkMode)
		}
		if name != "front" && len(s.Ports) > 0 {
			t.Errorf("%s publishes ports, which belong to front", name)
		}
	}
	if got := c.Services["front"].Ports; !slices.Contains(got, "127.0.0.1:8080:80") {
		t.Errorf("front publishes %v", got)
	}
	redis := strings.Join(c.Services["redis"].Command, " ")
	for _, option := range []string{"--maxmemory-policy noeviction", "--appendonly yes", "--bind 127.0.0.1"} {
		if !strings.Contains(redis, option) {
			t.Errorf("Redis runs without %s", option)
		}
	}
	if !strings.Contains(c.Services["postgres"].Image, "postgres:16") || !strings.Contains(strings.Join(c.Services["postgres"].Command, " "), "listen_addresses=127.0.0.1") {
		t.Error("PostgreSQL is another version or listens to all")
	}
	for service, condition := range map[string]string{"postgres": "service_healthy"} {
		if got := c.Services["migrate"].DependsOn[service]["condition"]; got != condition {
			t.Errorf("migrate waits for %s: %q", service, got)
		}
	}
	if got := c.Services["serve"].DependsOn["migrate"]["condition"]; got != "service_completed_successfully" {
		t.Errorf("serve waits for migrate: %q", got)
	}
}

// TestProductionHoldsNoSecret: every URL that can hold a password comes from outside.
func TestProductionHoldsNoSecret(t *testing.T) {
	text, err := os.ReadFile("compose.production.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range config.Settings() {
		if !s.Secret {
			continue
		}
		for _, m := range regexp.MustCompile(`(?m)^\s+`+s.Name+`: (.*)$`).FindAllStringSubmatch(string(text), -1) {
			if !strings.HasPrefix(m[1], "${") {
				t.Errorf("%s is written down: %s", s.Name, m[1])
			}
		}
	}
}

// TestComposeItself asks docker compose where there is one; the tests above do without.
func TestComposeItself(t *testing.T) {
	if err := exec.CommandContext(t.Context(), "docker", "compose", "version").Run(); err != nil {
		t.Log("there is no docker compose here: the files were held against their expected shape alone")
		return
	}
	for file, set := range composeFiles() {
		cmd := exec.CommandContext(t.Context(), "docker", "compose", "-f", file, "config", "--quiet")
		cmd.Env = os.Environ()
		for k, v := range set {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
}

func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, final, ok := strings.Cut(string(text), "\nFROM scratch\n")
	if !ok {
		t.Fatal("the last stage is not built from nothing")
	}
	for _, line := range []string{"USER 65532:65532", `ENTRYPOINT ["/habeas"]`, "ca-certificates.crt", "/usr/share/zoneinfo"} {
		if !strings.Contains(final, line) {
			t.Errorf("the image is without %s", line)
		}
	}
	for _, setting := range regexp.MustCompile(`(?m)^ENV (\w+)=`).FindAllStringSubmatch(final, -1) {
		if !slices.ContainsFunc(config.Settings(), func(s config.Setting) bool { return s.Name == setting[1] }) {
			t.Errorf("the image sets %s, which is no setting", setting[1])
		}
	}
	if !strings.Contains(string(text), "CGO_ENABLED=0") {
		t.Error("the binary is not static, and there is nothing to link with")
	}
	module, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	needs := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(module))
	if needs == nil || !strings.Contains(string(text), "FROM golang:"+needs[1]+"-") {
		t.Errorf("the image is built with another Go than go.mod asks for: %v", needs)
	}
}
