package auth

import (
	"context"
	"net"
	"syscall"

	"golang.org/x/sys/windows"
)

// exclusiveAddrUse is SO_EXCLUSIVEADDRUSE, which package windows does not
// define.
const exclusiveAddrUse = ^windows.SO_REUSEADDR

// listenLoopback keeps other programs from binding the same port with
// SO_REUSEADDR and taking the answer (RFC 8252, appendix B.3).
func listenLoopback(network, address string) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, conn syscall.RawConn) error {
		var failed error
		err := conn.Control(func(fd uintptr) {
			failed = windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, exclusiveAddrUse, 1)
		})
		if err != nil {
			return err
		}
		return failed
	}}
	return config.Listen(context.Background(), network, address)
}
