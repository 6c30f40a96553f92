package dsn

import (
	"fmt"
	"math"
	"math/big"
	"testing"
)

func TestBytes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text string
		want int64
	}{
		{"1", 1},
		{"10000000000", 1e10},
		{"10GB", 1e10},
		{"10gb", 1e10},
		{"10 GB", 1e10},
		{"1.5TB", 15e11},
		{"10GiB", 10 << 30},
		{"0.5GiB", 1 << 29},
		{"1.50MB", 15e5},
		{"7B", 7},
		{"7.0B", 7},
		{"1kB", 1000},
		{"1KB", 1000},
		{"1KiB", 1024},
		{"0.001kB", 1},
		{"3PiB", 3 << 50},
		{"2PB", 2e15},
		{"9223372036854775807", math.MaxInt64},
		{"9223372036854775807B", math.MaxInt64},
		{"9223.372036854775807PB", math.MaxInt64},
	} {
		c, err := Parse(q + "maximum_bytes_billed=" + tc.text)
		if err != nil {
			t.Errorf("%s: %v", tc.text, err)
			continue
		}
		if c.MaximumBytesBilled != tc.want {
			t.Errorf("%s: got %d; want %d", tc.text, c.MaximumBytesBilled, tc.want)
		}
		if got, want := c.Format(), fmt.Sprintf("%smaximum_bytes_billed=%d", q, tc.want); got != want {
			t.Errorf("%s: Format: got %s; want %s", tc.text, got, want)
		}
	}
}

// FuzzBytes: what is read is exactly the number times its unit.
func FuzzBytes(f *testing.F) {
	for _, s := range []string{
		"1", "10GB", "1.5TB", "10GiB", "0.5B", "8192PiB", "1e3", "1/2GB", "0x10B", " 1GB", "1_0B",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := parseBytes(s)
		if !ok {
			return
		}
		number, unit := splitUnit(s)
		exact, valid := new(big.Rat).SetString(number)
		if !valid {
			t.Fatalf("parseBytes(%q): got %d; want a refusal", s, n)
		}
		for _, u := range byteUnits {
			if lower(u.name) == unit {
				exact.Mul(exact, new(big.Rat).SetInt64(u.size))
			}
		}
		if exact.Cmp(new(big.Rat).SetInt64(n)) != 0 {
			t.Fatalf("parseBytes(%q): got %d; want %s", s, n, exact.RatString())
		}
	})
}

// splitUnit cuts s into digits with a point and the lowercase letters after them.
func splitUnit(s string) (number, unit string) {
	i := 0
	for i < len(s) && (s[i] == '.' || s[i] >= '0' && s[i] <= '9') {
		i++
	}
	if number = s[:i]; i < len(s) && s[i] == ' ' {
		i++
	}
	return number, lower(s[i:])
}
