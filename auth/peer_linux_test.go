package auth

import (
	"net/netip"
	"strings"
	"testing"
)

// socketTables are rows as Linux writes them on a little-endian machine.
const socketTables = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 100 0 0 10 0
   1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 2 1 0 20 4 30 10 -1
   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 3 1 0 20 4 30 10 -1
   3: 0100007F:C351 0100007F:1F90 05 00000000:00000000 00:00000000 00000000     0        0 0 1 0 20 4 30 10 -1
   4: 00000000000000000000000001000000:C352 00000000000000000000000001000000:1F90 01 0:0 00:0 0  1003        0 4
   5: 0000000000000000FFFF00000100007F:C353 0000000000000000FFFF00000100007F:1F90 01 0:0 00:0 0  1004        0 5
   6: nonsense:C354 0100007F:1F90 01 0:0 00:0 0 1005 0 6
   7: short row
`

// S46: only the client's end of an established connection tells whose it is.
func TestFindSocket(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, local, remote string
		uid                 int
		ok                  bool
	}{
		{"IPv4", "127.0.0.1:50000", "127.0.0.1:8080", 1001, true},
		{"the server's end", "127.0.0.1:8080", "127.0.0.1:50000", 1000, true},
		{"closed by its process", "127.0.0.1:50001", "127.0.0.1:8080", 0, false},
		{"IPv6", "[::1]:50002", "[::1]:8080", 1003, true},
		{"IPv4 in IPv6 form", "127.0.0.1:50003", "127.0.0.1:8080", 1004, true},
		{"other port", "127.0.0.1:50009", "127.0.0.1:8080", 0, false},
		{"other server", "127.0.0.1:50000", "127.0.0.1:8081", 0, false},
	}
	for _, tt := range tests {
		uid, ok := findSocket(strings.NewReader(socketTables),
			netip.MustParseAddrPort(tt.local), netip.MustParseAddrPort(tt.remote))
		if uid != tt.uid && tt.ok || ok != tt.ok {
			t.Errorf("%s: got %d, %v; want %d, %v", tt.name, uid, ok, tt.uid, tt.ok)
		}
	}
}
