package sqldb

import (
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
)

var secretForm = regexp.MustCompile(`\$\{(file:[^}]*|[A-Za-z_][A-Za-z0-9_]*)\}`)

// expandDSN puts the values of ${NAME} and ${file:/path} into a DSN. A secret stands for its value as it is: within a
// URL that the map writes out, it is escaped as its place asks for. An error names system and variable, never a value.
func expandDSN(system, raw string, getenv func(string) string) (string, error) {
	if raw == "" {
		return "", fault.New(fault.Invalid, "dsn_missing", "The system %s has no dsn.", system)
	}
	found := secretForm.FindAllStringSubmatchIndex(raw, -1)
	places := urlPlaces(raw, found)
	var b strings.Builder
	last := 0
	for _, m := range found {
		value, err := secret(system, raw[m[2]:m[3]], getenv)
		if err != nil {
			return "", err
		}
		b.WriteString(raw[last:m[0]])
		b.WriteString(places.escape(m[0], value))
		last = m[1]
	}
	b.WriteString(raw[last:])
	return b.String(), nil
}

// urlParts says where the parts of a URL end; all zero for what is no URL of a database server.
type urlParts struct {
	scheme, userinfo, host, query int
	text                          string
}

func urlPlaces(raw string, found [][]int) urlParts {
	masked := []byte(raw) // a secret's name may hold what ends a part
	for _, m := range found {
		for i := m[0]; i < m[1]; i++ {
			masked[i] = 'x'
		}
	}
	p := urlParts{text: string(masked)}
	scheme, rest, ok := strings.Cut(p.text, "://")
	if !ok || scheme == "sqlite" || scheme == "file" {
		return p
	}
	p.scheme = len(scheme) + 3
	p.query = len(raw)
	if i := strings.IndexByte(rest, '?'); i >= 0 {
		p.query = p.scheme + i
	}
	p.userinfo = strings.LastIndexByte(p.text[:p.query], '@') + 1
	p.host = p.query
	if i := strings.IndexByte(p.text[max(p.scheme, p.userinfo):p.query], '/'); i >= 0 {
		p.host = max(p.scheme, p.userinfo) + i
	}
	return p
}

func (p urlParts) escape(at int, value string) string {
	switch {
	case p.scheme == 0, at < p.scheme:
		return value
	case at < p.userinfo:
		return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
	case at < p.host:
		return value
	case at < p.query:
		return strings.ReplaceAll(url.PathEscape(value), "%2F", "/")
	case p.text[at-1] == '=': // one value; else it may be several pairs
		return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
	}
	return value
}

func secret(system, name string, getenv func(string) string) (string, error) {
	if path, ok := strings.CutPrefix(name, "file:"); ok {
		data, err := os.ReadFile(path)
		if err != nil {
			return "", fault.New(fault.Invalid, "secret_missing", "The system %s takes its dsn from the file %s, which can't be read.", system, path)
		}
		value := strings.TrimRight(string(data), "\r\n")
		if value == "" {
			return "", fault.New(fault.Invalid, "secret_missing", "The system %s takes its dsn from the file %s, which is empty.", system, path)
		}
		return value, nil
	}
	value := getenv(name)
	if value == "" {
		return "", fault.New(fault.Invalid, "secret_missing", "The system %s takes its dsn from the variable %s, which is not set.", system, name)
	}
	return value, nil
}

func badDSN(sys *datamap.System, right string) error {
	return fault.New(fault.Invalid, "dsn_invalid", "The dsn of the system %s can't be read: %s.", sys.Name, right)
}

func plainBeyondLoopback(sys *datamap.System, right string) error {
	return fault.New(fault.Invalid, "dsn_plain", "The dsn of the system %s allows an unencrypted connection beyond this machine: %s.", sys.Name, right)
}

// loopback tells whether a host stays on this machine: a loopback address, localhost or a socket's path.
func loopback(host string) bool {
	if host == "" || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}
