//go:build !windows

package auth

import "net"

// listenLoopback is net.Listen: here no other program can share the port.
func listenLoopback(network, address string) (net.Listener, error) {
	return net.Listen(network, address)
}
