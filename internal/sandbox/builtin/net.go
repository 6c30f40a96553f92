package builtin

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// addressText writes an address of 4 or 16 bytes.
func addressText(b string) (string, error) {
	a, ok := netip.AddrFromSlice([]byte(b))
	if !ok {
		return "", failf("Invalid IP address: its length is %d bytes, want 4 or 16", len(b))
	}
	if len(b) == 16 && strings.Trim(b[:12], "\x00") == "" && b[12]|b[13] != 0 { // as inet_ntop does
		return fmt.Sprintf("::%d.%d.%d.%d", b[12], b[13], b[14], b[15]), nil
	}
	return a.String(), nil
}

func parseAddress(s string) (string, bool) {
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return "", false
	}
	return string(a.AsSlice()), true
}

// mask returns a network mask of a length in bytes.
func mask(bytes, bits int64) (string, error) {
	if bytes != 4 && bytes != 16 {
		return "", failf("The length of an IP address must be 4 or 16 bytes; got %d", bytes)
	}
	if bits < 0 || bits > bytes*8 {
		return "", failf("The length of the prefix must be between 0 and %d; got %d", bytes*8, bits)
	}
	out := make([]byte, bytes)
	for i := range bits {
		out[i/8] |= 0x80 >> (i % 8)
	}
	return string(out), nil
}

func init() {
	def("bq_net_ip_from_string", "STRING -> BYTES", func(a []Value) (Value, error) {
		b, ok := parseAddress(a[0].Text)
		if !ok {
			return null, failf("Invalid IP address: %s", a[0].Text)
		}
		return text(b), nil
	})
	def("bq_net_safe_ip_from_string", "STRING -> BYTES", func(a []Value) (Value, error) {
		b, ok := parseAddress(a[0].Text)
		return Value{Text: b, Null: !ok}, nil
	})
	def("bq_net_ip_to_string", "BYTES -> STRING", func(a []Value) (Value, error) {
		s, err := addressText(a[0].Text)
		return either(text(s), err)
	})
	def("bq_net_ip_net_mask", "INT64, INT64 -> BYTES", func(a []Value) (Value, error) {
		m, err := mask(a[0].Int, a[1].Int)
		return either(text(m), err)
	})
	def("bq_net_ip_trunc", "BYTES, INT64 -> BYTES", func(a []Value) (Value, error) {
		m, err := mask(int64(len(a[0].Text)), a[1].Int)
		if err != nil {
			return null, err
		}
		out := []byte(a[0].Text)
		for i := range out {
			out[i] &= m[i]
		}
		return text(string(out)), nil
	})
	def("bq_net_ipv4_from_int64", "INT64 -> BYTES", func(a []Value) (Value, error) {
		n := a[0].Int
		if n < -1<<31 || n >= 1<<32 {
			return null, failf("NET.IPV4_FROM_INT64 needs an integer between -2147483648 and 4294967295; got %d", n)
		}
		return text(string(binary.BigEndian.AppendUint32(nil, uint32(n)))), nil
	})
	def("bq_net_ipv4_to_int64", "BYTES -> INT64", func(a []Value) (Value, error) {
		if len(a[0].Text) != 4 {
			return null, failf("NET.IPV4_TO_INT64 needs 4 bytes; got %d", len(a[0].Text))
		}
		return integer(int64(binary.BigEndian.Uint32([]byte(a[0].Text)))), nil
	})
}
