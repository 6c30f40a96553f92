package builtin

import (
	"strconv"
	"strings"
)

// formatArg is an argument of a FORMAT whose pattern is known only at run time.
type formatArg struct {
	kind           string // its type, "" for a NULL of any
	raw            Value  // as a text; NULL where it has no form but those of %t and %T
	shown, literal string // by %t and by %T
}

// format writes a pattern with its arguments; NULL where one of them is.
func format(pattern string, args []formatArg) (Value, error) {
	parts, err := SplitFormat(pattern)
	if err != nil {
		return null, err
	}
	var b strings.Builder
	next, isNull := 0, false
	take := func() (formatArg, error) {
		if next++; next > len(args) {
			return formatArg{}, failf("Too few arguments to FORMAT for pattern \"%s\"; Expected %d; Got %d", pattern,
				next+1, len(args)+1)
		}
		return args[next-1], nil
	}
	for _, p := range parts {
		if p.Verb == 0 {
			b.WriteString(p.Text)
			continue
		}
		text := "%" + p.Flags + p.Width
		if p.HasPrec {
			text += "." + p.Precision
		}
		text += string(p.Verb)
		for strings.Contains(text, "*") {
			arg, err := take()
			if err != nil {
				return null, err
			}
			n, err := strconv.ParseInt(arg.raw.Text, 10, 64)
			switch {
			case arg.kind == "":
				isNull = true
			case arg.kind != "INT64":
				return null, badFormatArg(next, "integer", arg)
			case arg.raw.Null:
				isNull = true
			case err != nil:
				return null, err
			}
			text = fillStar(text, n)
		}
		arg, err := take()
		if err != nil {
			return null, err
		}
		s, known, err := formatOne(text, p.Verb, next, arg)
		if err != nil {
			return null, err
		}
		isNull = isNull || !known
		b.WriteString(s)
	}
	if next < len(args) {
		return null, failf("Too many arguments to FORMAT for pattern \"%s\"; Expected %d; Got %d", pattern, next+1,
			len(args)+1)
	}
	if isNull {
		return null, nil
	}
	return text(b.String()), nil
}

func badFormatArg(n int, want string, arg formatArg) error {
	return failf("Invalid type for argument %d to FORMAT; Expected %s; Got %s", n+1, want, arg.kind)
}

// formatOne writes one argument. known is false if it is NULL.
func formatOne(specifier string, verb byte, n int, arg formatArg) (s string, known bool, err error) {
	sp, err := readSpec(specifier)
	if err != nil {
		return "", false, err
	}
	known = !arg.raw.Null
	if arg.kind == "" && verb != 't' && verb != 'T' {
		return "", false, nil
	}
	switch verb {
	case 't':
		return sp.text(arg.shown), true, nil
	case 'T':
		return sp.text(arg.literal), true, nil
	case 's':
		if arg.kind != "STRING" {
			return "", false, badFormatArg(n, "STRING", arg)
		}
		return sp.text(arg.raw.Text), known, nil
	case 'p', 'P':
		if arg.kind != "JSON" {
			return "", false, badFormatArg(n, "JSON", arg)
		}
		s := arg.raw.Text
		if verb == 'P' && known {
			if s, err = prettyJSON(s); err != nil {
				return "", false, err
			}
		}
		return sp.text(s), known, nil
	case 'd', 'i', 'o', 'x', 'X', 'u':
		if arg.kind != "INT64" || verb == 'u' {
			return "", false, badFormatArg(n, map[bool]string{true: "UINT64", false: "integer"}[verb == 'u'], arg)
		}
		if !known {
			return "", false, nil
		}
		i, err := strconv.ParseInt(arg.raw.Text, 10, 64)
		return sp.integer(i), err == nil, err
	}
	switch {
	case arg.kind == "BIGNUMERIC":
		return "", false, failf("FORMAT of a BIGNUMERIC with %%%c is not supported by the sandbox", verb)
	case arg.kind != "INT64" && arg.kind != "FLOAT64" && arg.kind != "NUMERIC":
		return "", false, badFormatArg(n, "FLOAT64", arg)
	case !known:
		return "", false, nil
	case arg.kind == "NUMERIC":
		d, _ := ParseNumeric(arg.raw.Text)
		s, err := sp.numeric(d)
		return s, true, err
	}
	f, err := ParseFloat(arg.raw.Text)
	return sp.float(f), true, err
}

func init() {
	def("bq_format?", "STRING, STRING... -> STRING", func(a []Value) (Value, error) {
		if a[0].Null {
			return null, nil
		}
		var args []formatArg
		for i := 1; i+3 < len(a); i += 4 {
			args = append(args, formatArg{a[i].Text, a[i+1], a[i+2].Text, a[i+3].Text})
		}
		return format(a[0].Text, args)
	})
}
