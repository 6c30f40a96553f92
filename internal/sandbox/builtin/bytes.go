package builtin

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"math"
	"strings"
)

func init() {
	hashes := map[string]func(b []byte) []byte{
		"md5":    func(b []byte) []byte { h := md5.Sum(b); return h[:] },
		"sha1":   func(b []byte) []byte { h := sha1.Sum(b); return h[:] },
		"sha256": func(b []byte) []byte { h := sha256.Sum256(b); return h[:] },
		"sha512": func(b []byte) []byte { h := sha512.Sum512(b); return h[:] },
	}
	for _, kind := range []string{"STRING", "BYTES"} {
		suffix := "_" + strings.ToLower(kind)
		for name, hash := range hashes {
			def("bq_"+name+suffix, kind+" -> BYTES", func(a []Value) (Value, error) {
				return text(string(hash([]byte(a[0].Text)))), nil
			})
		}
		def("bq_farm_fingerprint"+suffix, kind+" -> INT64", func(a []Value) (Value, error) {
			return integer(int64(farmFingerprint([]byte(a[0].Text)))), nil
		})
		def("bq_edit_distance"+suffix, kind+", "+kind+", INT64 -> INT64", func(a []Value) (Value, error) {
			if a[2].Int < 0 {
				return null, failf("max_distance must be non-negative")
			}
			bytes := kind == "BYTES"
			return integer(min(editDistance(chars(a[0].Text, bytes), chars(a[1].Text, bytes)), a[2].Int)), nil
		})
	}
	def("bq_from_hex", "STRING -> BYTES", func(a []Value) (Value, error) {
		s := a[0].Text
		if len(s)%2 == 1 {
			s = "0" + s
		}
		b, err := hex.DecodeString(s)
		if err != nil {
			return null, failf("Failed to decode invalid hexadecimal string: %s", a[0].Text)
		}
		return text(string(b)), nil
	})
	def("bq_from_base64", "STRING -> BYTES", func(a []Value) (Value, error) {
		s := strings.TrimRight(strings.Join(strings.Fields(a[0].Text), ""), "=")
		b, err := base64.RawStdEncoding.DecodeString(s)
		if err != nil {
			return null, failf("Failed to decode invalid base64 string")
		}
		return text(string(b)), nil
	})
	def("bq_to_base32", "BYTES -> STRING", func(a []Value) (Value, error) {
		return text(base32.StdEncoding.EncodeToString([]byte(a[0].Text))), nil
	})
	def("bq_from_base32", "STRING -> BYTES", func(a []Value) (Value, error) {
		b, err := base32.StdEncoding.DecodeString(a[0].Text)
		if err != nil {
			return null, failf("Failed to decode invalid base32 string")
		}
		return text(string(b)), nil
	})
	def("bq_soundex", "STRING -> STRING", func(a []Value) (Value, error) { return text(soundex(a[0].Text)), nil })
	def("bq_contains_substr?", "STRING, []STRING -> BOOL", func(a []Value) (Value, error) {
		if a[0].Null {
			return null, failf("The second argument of CONTAINS_SUBSTR must not be NULL")
		}
		if a[1].Null {
			return null, nil
		}
		want, unknown := folded(a[0].Text), false
		for _, v := range a[1].List {
			switch {
			case v.Null:
				unknown = true
			case strings.Contains(folded(v.Text), want):
				return boolean(true), nil
			}
		}
		if unknown {
			return null, nil
		}
		return boolean(false), nil
	})
	def("bq_contains_substr_json?", "STRING, JSON, STRING -> BOOL", func(a []Value) (Value, error) {
		switch {
		case a[0].Null:
			return null, failf("The second argument of CONTAINS_SUBSTR must not be NULL")
		case a[1].Null || a[2].Null:
			return null, nil
		}
		return containsInJSON(a[0].Text, a[1].Text, a[2].Text)
	})
	def("bq_ieee_divide", "FLOAT64, FLOAT64 -> FLOAT64", func(a []Value) (Value, error) {
		x, y := a[0].Float, a[1].Float
		if y == 0 && x == 0 {
			return float(math.NaN()), nil
		}
		return float(x / y), nil
	})
}

// folded returns a text as CONTAINS_SUBSTR compares it.
func folded(s string) string {
	n, err := normalize(s, "NFKC", true)
	if err != nil {
		return s
	}
	return n
}

// editDistance counts the insertions, deletions and replacements between two texts.
func editDistance(a, b []string) int64 {
	row := make([]int64, len(b)+1)
	for j := range row {
		row[j] = int64(j)
	}
	for i := range a {
		diagonal := row[0]
		row[0] = int64(i) + 1
		for j := range b {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// soundexCodes are the digits of the letters from A to Z.
const soundexCodes = "01230120022455012623010202"

// soundex returns the first letter and the digits of the next three other
// sounds.
func soundex(s string) string {
	var out []byte
	last := byte('0')
	for i := 0; i < len(s) && len(out) < 4; i++ {
		c := s[i]
		up := c &^ 0x20
		if up < 'A' || up > 'Z' {
			continue
		}
		code := soundexCodes[up-'A']
		switch {
		case len(out) == 0:
			out, last = append(out, c), code
		case code != '0' && code != last:
			out, last = append(out, code), code
		}
	}
	if len(out) == 0 {
		return ""
	}
	return (string(out) + "000")[:4]
}
