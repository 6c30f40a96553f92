package auth

import (
	"net"
	"net/http"
	"net/netip"
)

// peer says whose process has the other end of a connection to the loopback
// port.
type peer int

const (
	peerUnknown peer = iota // the platform does not show it
	peerUser                // a process of this user, or of root
	peerForeign             // a process of another user, or one that has ended
)

// peerOf looks up whose process sent a request, while its connection is open.
func (rc *receiver) peerOf(r *http.Request) peer {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return peerUnknown
	}
	server, err := netip.ParseAddrPort(local.String())
	if err != nil {
		return peerUnknown
	}
	client, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return peerUnknown
	}
	return rc.lookup(plainAddr(client), plainAddr(server))
}

// plainAddr converts an IPv4 address in IPv6 form to IPv4.
func plainAddr(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
