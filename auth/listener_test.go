package auth

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// freed waits until the port can be listened on again.
func freed(t *testing.T, addr string) {
	t.Helper()
	start := time.Now()
	waitFor(t, func() bool {
		ln, err := net.Listen("tcp", addr)
		if err == nil {
			ln.Close()
		}
		return err == nil
	})
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("the port was freed after %v", d)
	}
}

// T15: the port is not on the network.
func TestListenerIsLoopback(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	w := r.startWaiting(nil)
	host, port, err := net.SplitHostPort(w.addr)
	if err != nil || host != "127.0.0.1" {
		t.Fatalf("listening on %s; want 127.0.0.1", w.addr)
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		ip, ok := a.(*net.IPNet)
		if !ok || ip.IP.IsLoopback() || ip.IP.To4() == nil {
			continue
		}
		if conn, err := net.DialTimeout("tcp", net.JoinHostPort(ip.IP.String(), port), time.Second); err == nil {
			conn.Close()
			t.Errorf("the port answers at %s", ip.IP)
		}
	}
	if runtime.GOOS == "linux" {
		table, err := os.ReadFile("/proc/net/tcp")
		if err != nil {
			t.Fatal(err)
		}
		n, _ := net.LookupPort("tcp", port)
		want := strings.ToUpper("0100007F:" + hex4(n))
		for line := range strings.Lines(string(table)) {
			f := strings.Fields(line)
			if len(f) > 3 && f[3] == "0A" && strings.HasSuffix(f[1], ":"+strings.ToUpper(hex4(n))) && f[1] != want {
				t.Errorf("the kernel lists %s; want %s only", f[1], want)
			}
		}
	}
	w.cancel()
}

func hex4(n int) string {
	const digits = "0123456789ABCDEF"
	return string([]byte{digits[n>>12&15], digits[n>>8&15], digits[n>>4&15], digits[n&15]})
}

// T16: a fixed port is used or it is an error; without IPv4 it is [::1].
func TestRedirectPort(t *testing.T) {
	t.Parallel()
	t.Run("busy", func(t *testing.T) {
		t.Parallel()
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		_, port, _ := net.SplitHostPort(ln.Addr().String())
		r := newRig(t, fakegoogle.Options{})
		a := r.open(func(c *Config) { c.RedirectPort = ln.Addr().(*net.TCPAddr).Port })
		err = a.Ensure(t.Context())
		if !errors.Is(err, ErrClientConfig) || !strings.Contains(err.Error(), port) {
			t.Errorf("got %v; want ErrClientConfig that names port %s", err, port)
		}
		if n := r.opens.Load(); n != 0 {
			t.Errorf("the browser was opened %d times; want 0", n)
		}
	})
	t.Run("free", func(t *testing.T) {
		t.Parallel()
		port := freePort(t, "127.0.0.1")
		r := newRig(t, fakegoogle.Options{})
		w := r.startWaiting(func(c *Config) { c.RedirectPort = port })
		if want := "127.0.0.1:" + itoa(port); w.addr != want {
			t.Errorf("listening on %s; want %s", w.addr, want)
		}
		w.consent(t)
	})
	for _, fixed := range []bool{false, true} {
		t.Run(fmt.Sprint("no IPv4 loopback, fixed port ", fixed), func(t *testing.T) {
			t.Parallel()
			if ln, err := net.Listen("tcp6", "[::1]:0"); err != nil {
				t.Skip("this machine has no IPv6 loopback")
			} else {
				ln.Close()
			}
			port := 0
			if fixed {
				port = freePort(t, "::1")
			}
			r := newRig(t, fakegoogle.Options{})
			w := r.startWaiting(func(c *Config) {
				c.RedirectPort = port
				c.listen = func(network, address string) (net.Listener, error) {
					if network == "tcp4" {
						return nil, &net.OpError{Op: "listen", Net: network,
							Err: os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)}
					}
					return net.Listen(network, address)
				}
			})
			if !strings.HasPrefix(w.redirect, "http://[::1]:") {
				t.Errorf("redirect_uri is %s", w.redirect)
			}
			w.consent(t) // the fake compares the redirect_uri of both requests
		})
	}
}

// freePort finds a port that the system does not hand out by itself, so that
// no test that runs beside this one gets it.
func freePort(t *testing.T, host string) int {
	t.Helper()
	first := portsFrom(18600)
	for port := first; port < first+50; port++ {
		if ln, err := net.Listen("tcp", net.JoinHostPort(host, itoa(port))); err == nil {
			ln.Close()
			return port
		}
	}
	t.Skipf("no port between %d and %d is free", first, first+49)
	return 0
}
