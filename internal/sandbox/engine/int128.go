package engine

import (
	"math/big"
	"math/bits"
)

// Int128 is a signed integer of 128 bits in two's complement: the unscaled value
// of a NUMERIC.
type Int128 struct {
	Hi int64
	Lo uint64
}

// Big returns the value as a big integer.
func (x Int128) Big() *big.Int {
	b := big.NewInt(x.Hi)
	b.Lsh(b, 64)
	return b.Add(b, new(big.Int).SetUint64(x.Lo))
}

// Int128FromBig returns the value of b, and whether it fits.
func Int128FromBig(b *big.Int) (Int128, bool) {
	if b.BitLen() > 127 {
		return Int128{}, false
	}
	var hi, lo big.Int
	// Two's complement is a Euclidean division by 2^64.
	hi.DivMod(b, new(big.Int).Lsh(big.NewInt(1), 64), &lo)
	return Int128{Hi: hi.Int64(), Lo: lo.Uint64()}, true
}

func int128(v int64) Int128 { return Int128{Hi: v >> 63, Lo: uint64(v)} }

// neg returns -x.
func (x Int128) neg() Int128 {
	lo, carry := bits.Add64(^x.Lo, 1, 0)
	return Int128{Hi: int64(uint64(^x.Hi) + carry), Lo: lo}
}

// mul returns x*m, and whether it fits.
func (x Int128) mul(m uint64) (Int128, bool) {
	neg := x.Hi < 0
	if neg {
		x = x.neg()
	}
	top, mid := bits.Mul64(uint64(x.Hi), m)
	carry, lo := bits.Mul64(x.Lo, m)
	hi, over := bits.Add64(mid, carry, 0)
	if top != 0 || over != 0 || hi>>63 != 0 {
		return Int128{}, false
	}
	x = Int128{Hi: int64(hi), Lo: lo}
	if neg {
		x = x.neg()
	}
	return x, true
}

// AppendDecimal appends x divided by 10^scale as a plain decimal without
// trailing zeros.
func (x Int128) AppendDecimal(dst []byte, scale int) []byte {
	var digits []byte
	if x.Hi == int64(x.Lo)>>63 { // fits 64 bits
		digits = big.NewInt(int64(x.Lo)).Append(nil, 10)
	} else {
		digits = x.Big().Append(nil, 10)
	}
	if digits[0] == '-' {
		dst = append(dst, '-')
		digits = digits[1:]
	}
	for len(digits) <= scale {
		digits = append([]byte{'0'}, digits...)
	}
	whole, frac := digits[:len(digits)-scale], digits[len(digits)-scale:]
	for len(frac) > 0 && frac[len(frac)-1] == '0' {
		frac = frac[:len(frac)-1]
	}
	dst = append(dst, whole...)
	if len(frac) > 0 {
		dst = append(append(dst, '.'), frac...)
	}
	return dst
}
