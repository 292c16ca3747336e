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

var (
	secretForm  = regexp.MustCompile(`\$\{(file:[^}]*|[A-Za-z_][A-Za-z0-9_]*)\}`)
	escapedForm = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
)

// expandDSN puts the values of ${NAME} and ${file:/path} into a DSN. An error names system and variable, never a value.
func expandDSN(sys *datamap.System, getenv func(string) string) (string, error) {
	raw := sys.DSN
	if raw == "" {
		return "", fault.New(fault.Invalid, "dsn_missing", "The system %s has no dsn.", sys.Name)
	}
	userinfoEnd := strings.LastIndexByte(raw, '@')
	var b strings.Builder
	last := 0
	for _, m := range secretForm.FindAllStringSubmatchIndex(raw, -1) {
		name := raw[m[2]:m[3]]
		value, err := secret(sys.Name, name, getenv)
		if err != nil {
			return "", err
		}
		if m[1] <= userinfoEnd && strings.Contains(raw[:m[0]], "://") {
			value = userinfoSafe(value)
		}
		b.WriteString(raw[last:m[0]])
		b.WriteString(value)
		last = m[1]
	}
	b.WriteString(raw[last:])
	return b.String(), nil
}

func secret(system, name string, getenv func(string) string) (string, error) {
	if path, ok := strings.CutPrefix(name, "file:"); ok {
		data, err := os.ReadFile(path)
		if err != nil {
			return "", fault.New(fault.Invalid, "secret_missing", "The system %s takes its dsn from the file %s, which can't be read.", system, path)
		}
		return strings.TrimRight(string(data), "\r\n"), nil
	}
	value := getenv(name)
	if value == "" {
		return "", fault.New(fault.Invalid, "secret_missing", "The system %s takes its dsn from the variable %s, which is not set.", system, name)
	}
	return value, nil
}

// userinfoSafe escapes a user name or password that was kept as it is; one that is escaped already stays.
func userinfoSafe(v string) string {
	if strings.ContainsAny(v, "@/:?#[] ") || strings.Contains(escapedForm.ReplaceAllString(v, ""), "%") {
		return strings.ReplaceAll(url.QueryEscape(v), "+", "%20")
	}
	return v
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
