package builtin

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strings"
	"unicode/utf8"
)

// bitBases are the bases whose digits are bits, and the bits of a digit.
var bitBases = map[string]int{"BASE2": 1, "BASE8": 3}

// bytesText writes BYTES by the format of a CAST.
func bytesText(b, format string) (string, error) {
	switch f := strings.ToUpper(format); f {
	case "HEX", "BASE16":
		return hex.EncodeToString([]byte(b)), nil
	case "BASE2", "BASE8":
		bits := bitBases[f]
		digits := (len(b)*8 + bits - 1) / bits
		if digits == 0 {
			return "", nil
		}
		s := new(big.Int).SetBytes([]byte(b)).Text(1 << bits)
		return strings.Repeat("0", digits-len(s)) + s, nil
	case "BASE32":
		return base32.StdEncoding.EncodeToString([]byte(b)), nil
	case "BASE64":
		return base64.StdEncoding.EncodeToString([]byte(b)), nil
	case "BASE64M":
		s := base64.StdEncoding.EncodeToString([]byte(b))
		var lines []string
		for len(s) > 76 {
			lines, s = append(lines, s[:76]), s[76:]
		}
		return strings.Join(append(lines, s), "\n"), nil
	case "ASCII":
		if !ascii(b) {
			return "", failf("Invalid ASCII value in BYTES")
		}
		return b, nil
	case "UTF8", "UTF-8":
		if !utf8.ValidString(b) {
			return "", failf("Invalid UTF-8 in BYTES")
		}
		return b, nil
	}
	return "", failf("Invalid format string '%s'", format)
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0 && utf8.ValidString(s)
}

// textBytes reads BYTES by the format of a CAST.
func textBytes(s, format string) (string, error) {
	bad := failf("Failed to decode invalid %s string", strings.ToLower(format))
	switch f := strings.ToUpper(format); f {
	case "HEX", "BASE16":
		if len(s)%2 == 1 {
			s = "0" + s
		}
		b, err := hex.DecodeString(s)
		if err != nil {
			return "", bad
		}
		return string(b), nil
	case "BASE2", "BASE8":
		bits := bitBases[f]
		if s == "" {
			return "", nil
		}
		if strings.Trim(s, "01234567"[:1<<bits]) != "" {
			return "", bad
		}
		n, _ := new(big.Int).SetString(s, 1<<bits)
		size := len(s) * bits / 8
		if len(s)*bits%8 >= bits || len(n.Bytes()) > size {
			return "", failf("A %s string of %d digits is not supported by the sandbox", f, len(s))
		}
		return string(n.FillBytes(make([]byte, size))), nil
	case "BASE32":
		b, err := base32.StdEncoding.DecodeString(s)
		if err != nil {
			return "", bad
		}
		return string(b), nil
	case "BASE64", "BASE64M":
		b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.Join(strings.Fields(s), ""), "="))
		if err != nil {
			return "", bad
		}
		return string(b), nil
	case "ASCII":
		if !ascii(s) {
			return "", failf("Invalid ASCII string")
		}
		return s, nil
	case "UTF8", "UTF-8":
		return s, nil
	}
	return "", failf("Invalid format string '%s'", format)
}

func init() {
	def("bq_cast_bytes_text", "BYTES, STRING -> STRING", func(a []Value) (Value, error) {
		s, err := bytesText(a[0].Text, a[1].Text)
		return either(text(s), err)
	})
	def("bq_cast_text_bytes", "STRING, STRING -> BYTES", func(a []Value) (Value, error) {
		s, err := textBytes(a[0].Text, a[1].Text)
		return either(text(s), err)
	})
}
