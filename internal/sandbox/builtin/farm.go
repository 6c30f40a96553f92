package builtin

import (
	"encoding/binary"
	"math/bits"
)

// Constants of FarmHash.
const (
	farm0 = 0xc3a5c85c97cb3127
	farm1 = 0xb492b66fbe98f273
	farm2 = 0x9ae16a3b2f90404f
)

func fetch64(s []byte) uint64       { return binary.LittleEndian.Uint64(s) }
func fetch32(s []byte) uint64       { return uint64(binary.LittleEndian.Uint32(s)) }
func shiftMix(v uint64) uint64      { return v ^ v>>47 }
func rotate(v uint64, n int) uint64 { return bits.RotateLeft64(v, -n) }

// hash16 mixes two words.
func hash16(u, v, mul uint64) uint64 {
	a := (u ^ v) * mul
	a ^= a >> 47
	b := (v ^ a) * mul
	b ^= b >> 47
	return b * mul
}

// farmFingerprint is Fingerprint64 of the open-source FarmHash library.
func farmFingerprint(s []byte) uint64 {
	n := uint64(len(s))
	switch {
	case n <= 16:
		return farm16(s, n)
	case n <= 32:
		mul := farm2 + n*2
		a, b := fetch64(s)*farm1, fetch64(s[8:])
		c, d := fetch64(s[n-8:])*mul, fetch64(s[n-16:])*farm2
		return hash16(rotate(a+b, 43)+rotate(c, 30)+d, a+rotate(b+farm2, 18)+c, mul)
	case n <= 64:
		return farm64(s, n)
	}
	return farmLong(s, n)
}

func farm16(s []byte, n uint64) uint64 {
	switch {
	case n >= 8:
		mul := farm2 + n*2
		a, b := fetch64(s)+farm2, fetch64(s[n-8:])
		return hash16(rotate(b, 37)*mul+a, (rotate(a, 25)+b)*mul, mul)
	case n >= 4:
		mul := farm2 + n*2
		return hash16(n+fetch32(s)<<3, fetch32(s[n-4:]), mul)
	case n > 0:
		y := uint64(s[0]) + uint64(s[n>>1])<<8
		z := n + uint64(s[n-1])<<2
		return shiftMix(y*farm2^z*farm0) * farm2
	}
	return farm2
}

func farm64(s []byte, n uint64) uint64 {
	mul := farm2 + n*2
	a, b := fetch64(s)*farm2, fetch64(s[8:])
	c, d := fetch64(s[n-8:])*mul, fetch64(s[n-16:])*farm2
	y := rotate(a+b, 43) + rotate(c, 30) + d
	z := hash16(y, a+rotate(b+farm2, 18)+c, mul)
	e, f := fetch64(s[16:])*mul, fetch64(s[24:])
	g, h := (y+fetch64(s[n-32:]))*mul, (z+fetch64(s[n-24:]))*mul
	return hash16(rotate(e+f, 43)+rotate(g, 30)+h, e+rotate(f+a, 18)+g, mul)
}

// weak32 mixes 32 bytes with two seeds.
func weak32(s []byte, a, b uint64) (uint64, uint64) {
	w, x, y, z := fetch64(s), fetch64(s[8:]), fetch64(s[16:]), fetch64(s[24:])
	a += w
	b = rotate(b+a+z, 21)
	c := a
	a += x + y
	b += rotate(a, 44)
	return a + z, b + c
}

func farmLong(s []byte, n uint64) uint64 {
	const seed = 81
	x := uint64(seed)
	var y uint64 = seed
	y = y*farm1 + 113
	z := shiftMix(y*farm2+113) * farm2
	var v0, v1, w0, w1 uint64
	x = x*farm2 + fetch64(s)
	end := (n - 1) / 64 * 64
	last := end + (n-1)&63 - 63
	p := s
	for i := uint64(0); i < end; i += 64 {
		x = rotate(x+y+v0+fetch64(p[8:]), 37) * farm1
		y = rotate(y+v1+fetch64(p[48:]), 42) * farm1
		x ^= w1
		y += v0 + fetch64(p[40:])
		z = rotate(z+w0, 33) * farm1
		v0, v1 = weak32(p, v1*farm1, x+w0)
		w0, w1 = weak32(p[32:], z+w1, y+fetch64(p[16:]))
		z, x = x, z
		p = p[64:]
	}
	mul := farm1 + (z&0xff)<<1
	p = s[last:]
	w0 += (n - 1) & 63
	v0 += w0
	w0 += v0
	x = rotate(x+y+v0+fetch64(p[8:]), 37) * mul
	y = rotate(y+v1+fetch64(p[48:]), 42) * mul
	x ^= w1 * 9
	y += v0*9 + fetch64(p[40:])
	z = rotate(z+w0, 33) * mul
	v0, v1 = weak32(p, v1*mul, x+w0)
	w0, w1 = weak32(p[32:], z+w1, y+fetch64(p[16:]))
	z, x = x, z
	return hash16(hash16(v0, w0, mul)+shiftMix(y)*farm0+z, hash16(v1, w1, mul)+x, mul)
}
