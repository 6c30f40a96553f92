package auth

import (
	"slices"
	"strings"
	"unicode"
)

// maxDescription limits text that comes from outside.
const maxDescription = 200

// minSecretPart is the length of the shortest part of a secret that is removed.
// Shorter parts also occur in other words.
const minSecretPart = 8

// maxEncodings is how often a text is decoded to search it for a secret. It is
// also searched once as it is.
const maxEncodings = 4

// removed stands for a secret that a server has echoed.
const removed = "[removed]"

// printable returns text from outside in a form that is safe in a log line: at
// most 200 bytes, without control characters, invisible characters and line
// breaks, and without the given secrets, which the other side may have echoed.
func printable(text string, secrets ...string) string {
	// A long text is cut before it is searched, but leaves enough for a secret
	// at the end to be recognized.
	text = text[:min(len(text), 64*maxDescription)]
	text = removeSecrets(text, secrets)
	var b strings.Builder
	for _, r := range text {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			r = ' '
		}
		if b.Len()+len(string(r)) > maxDescription {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// quoted returns text from outside in quotes.
func quoted(text string) string { return `"` + printable(text) + `"` }

// removeSecrets removes the secrets and all parts of them of minSecretPart
// bytes or more, however often they are URL-encoded.
func removeSecrets(text string, secrets []string) string {
	secrets = slices.DeleteFunc(slices.Clone(secrets), func(s string) bool { return s == "" })
	if len(secrets) == 0 {
		return text
	}
	hide := make([]bool, len(text))
	for _, secret := range secrets {
		size := min(len(secret), minSecretPart)
		pieces := map[string]bool{}
		for i := 0; i+size <= len(secret); i++ {
			pieces[secret[i:i+size]] = true
		}
		plain := undecoded(text)
		for range maxEncodings {
			for i := 0; i+size <= len(plain.bytes); i++ {
				if !pieces[string(plain.bytes[i:i+size])] {
					continue
				}
				for j := plain.from[i]; j < plain.to[i+size-1]; j++ {
					hide[j] = true
				}
			}
			plain = plain.decode()
		}
	}
	var b strings.Builder
	for i := range len(text) {
		switch {
		case !hide[i]:
			b.WriteByte(text[i])
		case i == 0 || !hide[i-1]:
			b.WriteString(removed)
		}
	}
	return b.String()
}

// decoded is a text without its percent-encoding, and where in the text each
// byte came from.
type decoded struct {
	bytes    []byte
	from, to []int
}

// undecoded returns the text as it is.
func undecoded(text string) decoded {
	d := decoded{bytes: []byte(text), from: make([]int, len(text)), to: make([]int, len(text))}
	for i := range d.from {
		d.from[i], d.to[i] = i, i+1
	}
	return d
}

// decode decodes each %XX once.
func (d decoded) decode() decoded {
	next := decoded{}
	for i := 0; i < len(d.bytes); i++ {
		ch, end := d.bytes[i], i
		if ch == '%' && i+2 < len(d.bytes) {
			hi, lo := hexDigit(d.bytes[i+1]), hexDigit(d.bytes[i+2])
			if hi >= 0 && lo >= 0 {
				ch, end = byte(hi<<4|lo), i+2
			}
		}
		next.bytes = append(next.bytes, ch)
		next.from, next.to = append(next.from, d.from[i]), append(next.to, d.to[end])
		i = end
	}
	return next
}

// hexDigit returns the value of a hexadecimal digit, or -1.
func hexDigit(ch byte) int {
	switch {
	case ch >= '0' && ch <= '9':
		return int(ch - '0')
	case ch|0x20 >= 'a' && ch|0x20 <= 'f':
		return int(ch|0x20-'a') + 10
	}
	return -1
}
