package dsn

import (
	"math/big"
	"strconv"
	"strings"
)

// byteUnits are the units of a number of bytes, as the manual spells them. They are read in any case.
var byteUnits = []struct {
	name string
	size int64
}{
	{"B", 1},
	{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"PB", 1e15},
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"PiB", 1 << 50},
}

// bytesWanted describes the values of a key of kind size.
var bytesWanted = "a whole number of bytes, at least 1, such as 1000000000, or a number with one of the units " +
	unitNames() + ", such as 10GB, 1.5TB or 10GiB"

func unitNames() string {
	names := make([]string, len(byteUnits))
	for i, u := range byteUnits {
		names[i] = u.name
	}
	return strings.Join(names, ", ")
}

// parseBytes reads a number of bytes: digits alone, or a decimal number with a
// unit that comes to a whole number of bytes.
func parseBytes(s string) (int64, bool) {
	number := strings.TrimRightFunc(s, isLetter)
	unit := s[len(number):]
	if unit == "" {
		n, err := strconv.ParseInt(s, 10, 64)
		return n, err == nil && isDigits(s)
	}
	number = strings.TrimSuffix(number, " ")
	whole, fraction, point := strings.Cut(number, ".")
	if !isDigits(whole) || point && !isDigits(fraction) || len(number) > 40 {
		return 0, false
	}
	for _, u := range byteUnits {
		if !strings.EqualFold(u.name, unit) {
			continue
		}
		exact, ok := new(big.Rat).SetString(number)
		if !ok {
			return 0, false
		}
		exact.Mul(exact, new(big.Rat).SetInt64(u.size))
		return exact.Num().Int64(), exact.IsInt() && exact.Num().IsInt64()
	}
	return 0, false
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
