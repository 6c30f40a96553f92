package auth

import (
	"net"
	"net/http"
	"net/netip"
)

// peer is who has the other end of a connection to the loopback port.
type peer int

const (
	peerUnknown peer = iota // the platform does not say
	peerUser                // a process of this user, or of root
	peerForeign             // a process of another user, or one that has gone
)

// peerOf looks up who sent a request, while its connection is open.
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

// plainAddr writes an IPv4 address that came in IPv6 form as IPv4.
func plainAddr(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
