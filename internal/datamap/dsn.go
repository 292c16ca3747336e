package datamap

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

type secretPlace uint8

const (
	secretNone   secretPlace = iota
	secretLocal              // in the clear, for an address of this machine
	secretAbroad             // in the clear, for another machine
)

var (
	variable  = regexp.MustCompile(`\$\{[^}]*\}`)
	goDSN     = regexp.MustCompile(`^([^:@/]*):(.*)@(tcp|unix)\(([^)]*)\)`) // go-sql-driver's own form: u:p@tcp(host:port)/db
	pairForm  = regexp.MustCompile(`(?i)(?:^|[\s;?&])(password|passwd|pwd|passfile_password|sslpassword|secret|token|access_token|api_key)\s*=\s*('[^']*'|[^\s;&]*)`)
	hostPair  = regexp.MustCompile(`(?i)(?:^|\s)(?:host|hostaddr)\s*=\s*('[^']*'|\S+)`)
	urlPrefix = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://`)
)

// mark stands for a variable while an address is taken apart; no password that somebody typed looks like it.
const mark = "\x01"

// secretIn tells whether an address holds a secret in the clear. Parts written ${NAME} or ${file:/path} are none.
func secretIn(address string) secretPlace {
	if address == "" {
		return secretNone
	}
	masked := variable.ReplaceAllString(address, mark)
	plain := func(s string) bool { s = strings.Trim(s, "'"); return s != "" && !strings.Contains(s, mark) }
	found, host := false, ""
	switch {
	case urlPrefix.MatchString(masked):
		_, rest, _ := strings.Cut(masked, "://")
		authority, query := rest, ""
		if i := strings.IndexAny(rest, "?#"); i >= 0 {
			authority, query = rest[:i], rest[i:]
		}
		// The user part ends at the last @ before the query: a password may hold a slash although it should not.
		if i := strings.LastIndex(authority, "@"); i >= 0 {
			_, password, _ := strings.Cut(authority[:i], ":")
			found = plain(password)
			authority = authority[i+1:]
		}
		host, _, _ = strings.Cut(authority, "/")
		found = found || secretPair(query, plain)
		if q, err := url.ParseQuery(strings.TrimPrefix(query, "?")); err == nil && q.Get("host") != "" {
			host = q.Get("host")
		}
	case goDSN.MatchString(masked):
		m := goDSN.FindStringSubmatch(masked)
		found, host = plain(m[2]), m[4]
		if m[3] == "unix" {
			host = "localhost"
		}
	default:
		found = secretPair(masked, plain)
		if m := hostPair.FindStringSubmatch(masked); m != nil {
			host = strings.Trim(m[1], "'")
		}
	}
	switch {
	case !found:
		return secretNone
	case loopback(host):
		return secretLocal
	default:
		return secretAbroad
	}
}

func secretPair(s string, plain func(string) bool) bool {
	for _, m := range pairForm.FindAllStringSubmatch(s, -1) {
		if plain(m[2]) {
			return true
		}
	}
	return false
}

// loopback tells whether every host of an address is this machine.
func loopback(hosts string) bool {
	if hosts == "" {
		return false // nobody knows where it leads
	}
	for h := range strings.SplitSeq(hosts, ",") {
		if strings.HasPrefix(h, "/") {
			continue // a socket of this machine
		}
		if ap, err := netip.ParseAddrPort(h); err == nil {
			if !ap.Addr().IsLoopback() {
				return false
			}
			continue
		}
		name := h
		if i := strings.LastIndex(h, ":"); i >= 0 && strings.Count(h, ":") == 1 {
			name = h[:i]
		}
		name = strings.Trim(name, "[]")
		if ip, err := netip.ParseAddr(name); err == nil {
			if !ip.IsLoopback() {
				return false
			}
			continue
		}
		if !strings.EqualFold(name, "localhost") {
			return false
		}
	}
	return true
}
