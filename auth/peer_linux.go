package auth

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// established is TCP_ESTABLISHED. A socket that its process has closed goes
// through other states, and the kernel then reports root as its owner.
const established = "01"

// lookupPeer finds the owner of the client's end of a loopback connection in
// the kernel's tables. The tables have a row for each end; the client's is the
// one whose local address is the client's.
func lookupPeer(client, server netip.AddrPort) peer {
	read := false
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(name)
		if err != nil {
			continue // a kernel without IPv6 has no tcp6
		}
		owner, ok := findSocket(f, client, server)
		f.Close()
		switch {
		case ok && (owner == 0 || owner == os.Geteuid() || owner == os.Getuid()):
			return peerUser
		case ok:
			return peerForeign
		}
		read = true
	}
	if !read {
		return peerUnknown
	}
	return peerForeign
}

// findSocket returns the user id of the established socket from local to remote.
func findSocket(table io.Reader, local, remote netip.AddrPort) (uid int, ok bool) {
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		// sl local_address rem_address st tx:rx tr:when retrnsmt uid ...
		f := strings.Fields(lines.Text())
		if len(f) < 8 || f[3] != established {
			continue
		}
		if from, ok := tableAddr(f[1]); !ok || from != local {
			continue
		}
		if to, ok := tableAddr(f[2]); !ok || to != remote {
			continue
		}
		uid, err := strconv.Atoi(f[7])
		return uid, err == nil
	}
	return 0, false
}

// tableAddr parses an address of the tables: the 32-bit words of the address in
// the byte order of the machine, in hexadecimal, then a colon and the port.
func tableAddr(text string) (netip.AddrPort, bool) {
	words, port, ok := strings.Cut(text, ":")
	raw, err := hex.DecodeString(words)
	if !ok || err != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	var inOrder []byte
	for ; len(raw) > 0; raw = raw[4:] {
		// The digits are those of the word as a number of this machine.
		inOrder = binary.NativeEndian.AppendUint32(inOrder, binary.BigEndian.Uint32(raw))
	}
	addr, ok := netip.AddrFromSlice(inOrder)
	n, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(n)), true
}
