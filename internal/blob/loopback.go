package blob

import "net/netip"

// isLoopback tells whether a host is this machine by its literal form. A name other than localhost is
// not: it may mean another machine tomorrow.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback() && addr.Zone() == ""
}
