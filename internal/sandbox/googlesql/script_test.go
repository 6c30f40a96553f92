package googlesql_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// outline writes a script's structure, with the texts of its parts.
func outline(s *googlesql.Script, steps []googlesql.Step) string {
	text := func(p *googlesql.Part) string {
		if p == nil {
			return ""
		}
		out := "<" + s.Text(*p) + ">"
		for _, n := range p.Params {
			out += fmt.Sprint("$", n)
		}
		if p.Query {
			out += "q"
		}
		return out
	}
	names := func(ns []googlesql.Name) string {
		var out []string
		for _, n := range ns {
			out = append(out, n.Text)
		}
		return strings.Join(out, ",")
	}
	var out []string
	for _, step := range steps {
		switch step := step.(type) {
		case *googlesql.Run:
			out = append(out, "run"+text(&step.Part))
		case *googlesql.Declare:
			typ := "?"
			if step.Type != nil {
				typ = step.Type.String()
			}
			out = append(out, "declare "+names(step.Names)+" "+typ+text(step.Default))
		case *googlesql.Assign:
			out = append(out, fmt.Sprint("set ", step.Tuple, " ", names(step.Names), text(&step.Value)))
		case *googlesql.If:
			line := "if"
			for _, b := range step.Branches {
				line += text(&b.If) + "{" + outline(s, b.Body) + "}"
			}
			out = append(out, line+"else{"+outline(s, step.Else)+"}")
		case *googlesql.Loop:
			out = append(out, "loop "+step.Label+text(step.While)+"{"+outline(s, step.Body)+"}"+text(step.Until))
		case *googlesql.ForEach:
			out = append(out, "for "+step.Label+" "+step.Var.Text+text(&step.Rows)+"{"+outline(s, step.Body)+"}")
		case *googlesql.Block:
			line := "block " + step.Label + "{" + outline(s, step.Body) + "}"
			if step.Handles {
				line += "catch{" + outline(s, step.Handler) + "}"
			}
			out = append(out, line)
		case *googlesql.Jump:
			out = append(out, fmt.Sprint("jump ", step.Continue, " ", step.Label))
		case *googlesql.Raise:
			out = append(out, "raise"+text(step.Message))
		case *googlesql.Return:
			out = append(out, "return")
		case *googlesql.Execute:
			line := "execute" + text(&step.SQL) + " into " + names(step.Into)
			for _, u := range step.Using {
				line += " " + u.Name + text(&u.Value)
			}
			out = append(out, line)
		}
	}
	return strings.Join(out, "; ")
}

func TestParseScript(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ sql, want string }{
		{"", ""},
		{" ; ; -- nothing\n;", ""},
		{"SELECT 1", "run<SELECT 1>q"},
		{"SELECT ';' ; /* ; */ SELECT \"\"\";\"\"\";\n", "run<SELECT ';' ;>q; run<SELECT \"\"\";\"\"\";>q"},
		{"begin transaction; COMMIT; BEGIN; ROLLBACK TRANSACTION; BEGIN",
			"run<begin transaction;>; run<COMMIT;>; run<BEGIN;>; run<ROLLBACK TRANSACTION;>; run<BEGIN>"},
		{"DECLARE a, b STRUCT<x INT64, y ARRAY<STRING>> DEFAULT (1, ['a']); declare `c d` DEFAULT (SELECT 1)",
			"declare a,b STRUCT<x INT64, y ARRAY<STRING>><(1, ['a'])>; declare c d ?<(SELECT 1)>q"},
		{"SET x = 1; SET (a, b) = (1, 2); SET x = IF(TRUE, 1, 2)", "set false x<1>; set true a,b<(1, 2)>; set false " +
			"x<IF(TRUE, 1, 2)>"},
		{"SELECT ?; IF ? = (SELECT ?) THEN SELECT ?, 1; END IF", "run<SELECT ?;>$0q; if<? = (SELECT " +
			"?)>$1$2q{run<SELECT ?, 1;>$3q}else{}"},
		{"CASE ? WHEN ? THEN SELECT 1; WHEN ? THEN SELECT 2; ELSE SELECT 3; END CASE",
			"if<?>$0$1{run<SELECT 1;>q}<?>$0$2{run<SELECT 2;>q}else{run<SELECT 3;>q}"},
		{"IF a THEN IF b THEN SELECT 1; ELSEIF c THEN RETURN; END IF; ELSE RETURN; END IF;",
			"if<a>{if<b>{run<SELECT 1;>q}<c>{return}else{}}else{return}"},
		{"a: WHILE CASE x WHEN 1 THEN TRUE END DO BREAK; CONTINUE a; END WHILE a; LOOP LEAVE; END LOOP; `b`: REPEAT " +
			"ITERATE b; UNTIL TRUE END REPEAT", "loop a<CASE x WHEN 1 THEN TRUE END>{jump false ; jump true a}; " +
			"loop {jump false }; loop b{jump true b}<TRUE>"},
		{"FOR r IN (SELECT 1 UNION ALL (SELECT 2)) DO SELECT r; END FOR",
			"for  r<(SELECT 1 UNION ALL (SELECT 2))>q{run<SELECT r;>q}"},
		{"BEGIN END; BEGIN DECLARE a INT64; SELECT a; EXCEPTION WHEN ERROR THEN RAISE; RAISE USING MESSAGE = 'x' || " +
			"'y'; END", "block {}; block {declare a INT64; run<SELECT a;>q}catch{raise; raise<'x' || 'y'>}"},
		{"EXECUTE IMMEDIATE CONCAT('SELECT', ' 1') INTO a, b USING 1 + 1 AS x, (SELECT 2) AS y; EXECUTE IMMEDIATE s " +
			"USING c", "execute<CONCAT('SELECT', ' 1')> into a,b x<1 + 1> y<(SELECT 2)>q; execute<s> into  <c>"},
		// Words of the language are names elsewhere.
		{"DECLARE loop, declare, while INT64; SET loop = while; SELECT break, `end` FROM exception AS raise",
			"declare loop,declare,while INT64; set false loop<while>; run<SELECT break, `end` FROM exception AS " +
				"raise>q"},
	} {
		s, err := googlesql.ParseScript(tt.sql, strings.Contains(tt.sql, "?"))
		if err != nil {
			t.Errorf("%s: %v", tt.sql, err)
			continue
		}
		if got := outline(s, s.Body); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.sql, got, tt.want)
		}
	}
}

func TestSingle(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]bool{
		"": true, ";;": true, "SELECT 1": true, "SELECT 1;;": true, "BEGIN": true, "CALL BQ.ABORT_SESSION()": true,
		"CREATE SCHEMA d":    true,
		"SELECT 1; SELECT 2": false, "DECLARE a INT64": false, "BEGIN END": false, "RETURN": false,
		"EXECUTE IMMEDIATE 'SELECT 1'": false, "LOOP LEAVE; END LOOP": false,
	} {
		s, err := googlesql.ParseScript(sql, false)
		if err != nil || s.Single() != want {
			t.Errorf("%s: got %v, %v; want %v", sql, s, err, want)
		}
	}
}

func TestParseScriptErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ sql, want string }{
		{"SELECT 1; SELEC 2", `Syntax error: Unexpected identifier "SELEC" at [1:11]`},
		{"SELECT 1 SELECT 2", `Syntax error: Expected end of input but got keyword SELECT at [1:10]`},
		{"SELECT 1 +; SELECT 2", `Syntax error: Unexpected ";" at [1:11]`},
		{"SELECT 1;\nSELECT 2;\n  SELECT (3;", `Syntax error: Expected ")" but got ";" at [3:12]`},
		{"IF TRUE THEN SELECT 1 END IF", `Syntax error: Expected ";" but got keyword END at [1:23]`},
		{"IF TRUE THEN SELECT 1;", "Syntax error: Unexpected end of statement at [1:23]"},
		{"IF TRUE SELECT 1; END IF", "Syntax error: Expected keyword THEN but got keyword SELECT at [1:9]"},
		{"WHILE TRUE SELECT 1; END WHILE", "Syntax error: Expected keyword DO but got keyword SELECT at [1:12]"},
		{"LOOP SELECT 1; END WHILE", `Syntax error: Expected keyword LOOP but got identifier "WHILE" at [1:20]`},
		{"CASE x END CASE", "Syntax error: Expected keyword WHEN but got keyword END at [1:8]"},
		{"FOR x IN SELECT 1 DO END FOR", `Syntax error: Expected "(" but got keyword SELECT at [1:10]`},
		{"BEGIN SELECT 1;", "Syntax error: Unexpected end of statement at [1:16]"},
		{"BEGIN SELECT 1; EXCEPTION THEN END", "Syntax error: Expected keyword WHEN but got keyword THEN at [1:27]"},
		{"END", "Syntax error: Unexpected keyword END at [1:1]"},
		{"DECLARE x", "Syntax error: Unexpected end of statement at [1:10]"},
		{"DECLARE x GEOGRAPHY", "Type GEOGRAPHY is not supported by the sandbox at [1:11]"},
		{"SELECT 1; DECLARE x INT64", "Variable declarations are allowed only at the start of a block or script at " +
			"[1:11]"},
		{"IF TRUE THEN DECLARE x INT64; END IF", "Variable declarations are allowed only at the start of a block or " +
			"script at [1:14]"},
		{"LOOP DECLARE x INT64; END LOOP", "Variable declarations are allowed only at the start of a block or " +
			"script at [1:6]"},
		{"DECLARE x INT64;\nDECLARE y, X STRING", "Variable 'X' redeclaration at [2:12]"},
		{"DECLARE x INT64; BEGIN DECLARE x INT64; END", "Variable 'x' redeclaration at [1:32]"},
		{"FOR x IN (SELECT 1) DO FOR x IN (SELECT 2) DO SELECT 1; END FOR; END FOR",
			"Variable 'x' redeclaration at [1:28]"},
		{"SET (a, b, A) = (1, 2, 3)", "Assigning multiple values to variable: A at [1:12]"},
		{"CALL BQ.REFRESH_MATERIALIZED_VIEW('d.v')",
			"CALL BQ.REFRESH_MATERIALIZED_VIEW is not supported by the sandbox at [1:1]"},
		{"BREAK", "BREAK is only allowed inside of a loop body at [1:1]"},
		{"BEGIN CONTINUE; END", "CONTINUE is only allowed inside of a loop body at [1:7]"},
		{"a: BEGIN LOOP CONTINUE a; END LOOP; END", "CONTINUE needs the label of a loop, and a is that of a block " +
			"at [1:24]"},
		{"LOOP LEAVE a; END LOOP", "Label a is not that of a statement around this one at [1:12]"},
		{"a: LOOP a: LOOP LEAVE; END LOOP; END LOOP", "Label a is in use by a statement around this one at [1:9]"},
		{"a: LOOP LEAVE; END LOOP b", "Mismatched end label; expected a, got b at [1:25]"},
		{"a: SELECT 1", "Syntax error: Unexpected keyword SELECT at [1:4]"},
		{"RAISE", "Cannot re-raise an existing exception outside of an exception handler at [1:1]"},
		{"BEGIN RAISE; EXCEPTION WHEN ERROR THEN RAISE; END", "Cannot re-raise an existing exception outside of an " +
			"exception handler at [1:7]"},
		{"EXECUTE IMMEDIATE s USING 1 AS x, 2", "Cannot mix named and positional parameters in EXECUTE IMMEDIATE at " +
			"[1:35]"},
		{"SET @@row_count = 5", "System variable @@row_count is not supported by the sandbox at [1:5]"},
		{"SELECT 1; SELECT ?", "Positional parameters are not supported at [1:18]"},
		{strings.Repeat("BEGIN ", 300), "Syntax error: statement is nested too deeply at [1:1501]"},
	} {
		_, err := googlesql.ParseScript(tt.sql, false)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.sql, err, tt.want)
		}
	}
}

// parts calls f for every part of a script that is translated by itself.
func parts(steps []googlesql.Step, f func(*googlesql.Part)) {
	for _, step := range steps {
		switch step := step.(type) {
		case *googlesql.Run:
			f(&step.Part)
		case *googlesql.Declare:
			f(step.Default)
		case *googlesql.Assign:
			f(&step.Value)
		case *googlesql.Call:
			for _, arg := range step.Args {
				f(&arg)
			}
		case *googlesql.If:
			for _, b := range step.Branches {
				f(&b.If)
				parts(b.Body, f)
			}
			parts(step.Else, f)
		case *googlesql.Loop:
			f(step.While)
			f(step.Until)
			parts(step.Body, f)
		case *googlesql.ForEach:
			f(&step.Rows)
			parts(step.Body, f)
		case *googlesql.Block:
			parts(step.Body, f)
			parts(step.Handler, f)
		case *googlesql.Raise:
			f(step.Message)
		case *googlesql.Execute:
			f(&step.SQL)
			for _, u := range step.Using {
				f(&u.Value)
			}
		}
	}
}

// FuzzParseScript: ParseScript never panics, the positions of its errors and the parts are in
// the text, and each part can be parsed by itself: a translation fails because of names and types at most.
func FuzzParseScript(f *testing.F) {
	_, cat := open(f)
	for _, s := range []string{
		"DECLARE a, b INT64 DEFAULT (SELECT 1); SET (a, b) = (1, ?); SET a = b",
		"IF a THEN SELECT 1; ELSEIF ? THEN RETURN; ELSE RAISE USING MESSAGE = 'x'; END IF",
		"a: WHILE TRUE DO BREAK a; CONTINUE; END WHILE a; LOOP LEAVE; END LOOP; REPEAT SELECT 1; UNTIL x END REPEAT",
		"FOR r IN (SELECT 1) DO SELECT r.f0_; END FOR",
		"CREATE PROCEDURE d.p(IN x INT64, OUT y ANY TYPE) BEGIN SET y = x; END; CALL d.p(1 + 2, a)",
		"CASE x WHEN 1 THEN SELECT 1; WHEN 2 THEN BEGIN END; ELSE COMMIT; END CASE",
		"BEGIN\n\tDECLARE x DEFAULT 1; EXCEPTION WHEN ERROR THEN RAISE; END",
		"EXECUTE IMMEDIATE CONCAT('a', @b) INTO a, b USING 1 AS c, 2 AS d; ", "BEGIN TRANSACTION; INSERT INTO " +
			"orders (id) VALUES (x); COMMIT; SELECT * FROM my-project-1.d.t; SELECT a.b.c-1.e;",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, sql string, positional bool) {
		s, err := googlesql.ParseScript(sql, positional)
		if err != nil {
			checkPosition(t, sql, err)
			return
		}
		opts := options(cat)
		opts.Positional, opts.AllowUndeclared = positional, true
		parts(s.Body, func(p *googlesql.Part) {
			if p == nil {
				return
			}
			if p.From < 0 || p.To < p.From || p.To > len(sql) {
				t.Fatalf("%q: the part from %d to %d is outside of the text", sql, p.From, p.To)
			}
			opts := opts
			opts.Part = p
			if _, err := googlesql.Translate(sql, opts); err != nil {
				checkPosition(t, sql, err)
				if e, ok := errors.AsType[*googlesql.Error](err); ok && strings.HasPrefix(e.Message, "Syntax error: Expected") {
					t.Fatalf("%q: the part %q can't be parsed by itself: %v", sql, s.Text(*p), err)
				}
			}
		})
	})
}
