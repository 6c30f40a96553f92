package builtin

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
	"unicode/utf8"
)

// pattern is a compiled regular expression.
type pattern struct {
	// first matches from the beginning of a text; later from its second character on, with the
	// first as the context of ^ and \b. Its groups are one higher than first's.
	first, later *regexp.Regexp
	groups       int
	context      bool // has ^, \A, \b or \B, which depend on the text before
}

type patternKey struct {
	text  string
	bytes bool
}

var (
	patternsMu sync.Mutex
	patterns   = map[patternKey]*pattern{}
)

// maxPatterns limits the cache, because patterns may come from users' tables.
const maxPatterns = 1000

// re2Words maps the errors of Go's parser to RE2's.
var re2Words = map[syntax.ErrorCode]string{
	syntax.ErrMissingParen: "missing )", syntax.ErrMissingBracket: "missing ]",
	syntax.ErrTrailingBackslash:     `trailing \`,
	syntax.ErrMissingRepeatArgument: "no argument for repetition operator",
	syntax.ErrInvalidRepeatOp:       "bad repetition operator",
	syntax.ErrInvalidRepeatSize:     "bad repetition operator",
}

// PatternError returns RE2's error for a regular expression, or "" if it is
// valid.
func PatternError(text string) string {
	_, err := syntax.Parse(text, syntax.Perl)
	e, ok := errors.AsType[*syntax.Error](err)
	if !ok {
		return ""
	}
	if e.Code == syntax.ErrInvalidEscape && e.Expr == `\C` {
		return `\C is not supported by the sandbox`
	}
	words := re2Words[e.Code]
	if words == "" {
		words = string(e.Code)
	}
	if e.Code == syntax.ErrTrailingBackslash {
		return words
	}
	return words + ": " + e.Expr
}

// compile parses a regular expression; that of BYTES has a character for each byte.
func compile(text string, bytes bool) (*pattern, error) {
	key := patternKey{text, bytes}
	patternsMu.Lock()
	p := patterns[key]
	patternsMu.Unlock()
	if p != nil {
		return p, nil
	}
	if bytes {
		text = widen(text)
	}
	if msg := PatternError(text); msg != "" {
		return nil, failf("Cannot parse regular expression: %s", msg)
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, failf("Cannot parse regular expression: %s", err)
	}
	first, err := regexp.Compile(text)
	if err != nil {
		return nil, failf("Cannot parse regular expression: %s", err)
	}
	later, err := regexp.Compile(`\A(?s:.)(?s:.*?)(` + text + `)`)
	if err != nil { // flags such as (?x) that Go does not know
		return nil, failf("Cannot parse regular expression: %s", err)
	}
	p = &pattern{first: first, later: later, groups: first.NumSubexp(), context: looksBack(tree)}
	patternsMu.Lock()
	defer patternsMu.Unlock()
	if len(patterns) >= maxPatterns {
		clear(patterns)
	}
	patterns[key] = p
	return p, nil
}

func looksBack(r *syntax.Regexp) bool {
	switch r.Op {
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	for _, sub := range r.Sub {
		if looksBack(sub) {
			return true
		}
	}
	return false
}

// widen converts bytes to the characters with their numbers, and narrow converts
// them back.
func widen(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

func narrow(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

// find returns the leftmost match from a place on: pairs of places for the match and its
// groups.
func (p *pattern) find(s string, from int) []int {
	if from == 0 {
		return p.first.FindStringSubmatchIndex(s)
	}
	if !p.context { // the text before does not matter
		m := p.first.FindStringSubmatchIndex(s[from:])
		for i := range m {
			if m[i] >= 0 {
				m[i] += from
			}
		}
		return m
	}
	_, size := utf8.DecodeLastRuneInString(s[:from])
	from -= size
	m := p.later.FindStringSubmatchIndex(s[from:])
	if m == nil {
		return nil
	}
	m = m[2:]
	for i := range m {
		if m[i] >= 0 {
			m[i] += from
		}
	}
	return m
}

// match is the result of an extraction: the group's text, or the whole match.
type match struct {
	from, to int // -1 for a group that took no part
}

// all calls use for each match from a place on, until it returns false.
func (p *pattern) all(s string, from int, use func(match) bool) error {
	if p.groups > 1 {
		return failf("Regular expressions passed into extraction functions must not have more than 1 capturing group")
	}
	for {
		m := p.find(s, from)
		if m == nil {
			return nil
		}
		from = m[1]
		got := match{m[0], m[1]}
		if p.groups == 1 {
			got = match{m[2], m[3]}
		}
		if m[0] == m[1] && from < len(s) {
			_, size := utf8.DecodeRuneInString(s[from:])
			from += size
		}
		if !use(got) || from >= len(s) {
			return nil
		}
	}
}

// replace replaces the matches.
func (p *pattern) replace(s, rewrite string) (string, error) {
	if err := p.checkRewrite(rewrite); err != nil {
		return "", err
	}
	var b strings.Builder
	last := -1
	for at := 0; at <= len(s); {
		m := p.find(s, at)
		if m == nil {
			b.WriteString(s[at:])
			break
		}
		b.WriteString(s[at:m[0]])
		at = m[0]
		if m[1] > m[0] {
			rewriteMatch(&b, s, rewrite, m)
			at = m[1]
		} else {
			if m[0] != last {
				rewriteMatch(&b, s, rewrite, m)
			}
			if at >= len(s) {
				break
			}
			_, size := utf8.DecodeRuneInString(s[at:])
			b.WriteString(s[at : at+size])
			at += size
		}
		last = m[1]
	}
	return b.String(), nil
}

func (p *pattern) checkRewrite(rewrite string) error {
	most := 0
	for i := 0; i < len(rewrite); i++ {
		if rewrite[i] != '\\' {
			continue
		}
		i++
		switch {
		case i == len(rewrite):
			return failf(`Invalid REGEXP_REPLACE pattern: Rewrite schema error: '\' not allowed at end.`)
		case rewrite[i] >= '0' && rewrite[i] <= '9':
			most = max(most, int(rewrite[i]-'0'))
		case rewrite[i] != '\\':
			return failf(`Invalid REGEXP_REPLACE pattern: Rewrite schema error: '\' must be followed by a digit or ` +
				`'\'.`)
		}
	}
	if most > p.groups {
		return failf("Invalid REGEXP_REPLACE pattern: Rewrite schema requests %d matches, but the regexp only has %d "+
			"parenthesized subexpressions.", most, p.groups)
	}
	return nil
}

func rewriteMatch(b *strings.Builder, s, rewrite string, m []int) {
	for i := 0; i < len(rewrite); i++ {
		if rewrite[i] != '\\' {
			b.WriteByte(rewrite[i])
			continue
		}
		i++
		if rewrite[i] == '\\' {
			b.WriteByte('\\')
			continue
		}
		if n := 2 * int(rewrite[i]-'0'); m[n] >= 0 {
			b.WriteString(s[m[n]:m[n+1]])
		}
	}
}
