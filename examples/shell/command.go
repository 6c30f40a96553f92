package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

var errNoCommand = errors.New("no command")

// command is a command of the shell that is not SQL.
type command struct {
	name, args, help string
	run              func(s *shell, ctx context.Context, args []string) error
}

// commands returns the commands. Those without a backslash are words that start no
// statement.
func commands() []command {
	return []command{
		{`\l`, "", "datasets", (*shell).listDatasets},
		{`\dt`, "[dataset]", "tables of a dataset", (*shell).listTables},
		{`\d`, "[dataset.]table", "columns of a table", (*shell).describe},
		{`\x`, "", "one line for each value, on and off", func(s *shell, _ context.Context, _ []string) error {
			s.expanded = !s.expanded
			return s.say("Expanded display is %s.", onOff(s.expanded))
		}},
		{
			`\timing`,
			"",
			"what statements take and cost, on and off",
			func(s *shell, _ context.Context, _ []string) error {
				s.timing = !s.timing
				return s.say("Timing is %s.", onOff(s.timing))
			},
		},
		{`\format`, "name", "how rows are printed: " + strings.Join(formats(), ", "), (*shell).setFormat},
		{
			`\chart`,
			"",
			"the last result as a chart: two columns, the second one numbers",
			func(s *shell, _ context.Context, _ []string) error { return s.chart() },
		},
		{`\i`, "file", "runs the statements of a file", (*shell).include},
		{
			"login",
			"",
			"signs in",
			func(s *shell, ctx context.Context, _ []string) error { return s.connector.Authenticator().Login(ctx) },
		},
		{"logout", "", "forgets the sign-in on this computer", func(s *shell, ctx context.Context, _ []string) error {
			return s.told(s.connector.Authenticator().Logout(ctx), "logged out")
		}},
		{
			"revoke",
			"",
			"takes the program's right away at Google, and forgets the sign-in",
			func(s *shell, ctx context.Context, _ []string) error {
				return s.told(s.connector.Authenticator().Revoke(ctx), "revoked")
			},
		},
		{"whoami", "", "who statements run as, and which project pays", (*shell).whoami},
		{`\?`, "", "this list", func(s *shell, _ context.Context, _ []string) error { return s.help() }},
		{`\q`, "", "ends", func(*shell, context.Context, []string) error { return io.EOF }},
	}
}

func (s *shell) help() error {
	for _, c := range commands() {
		fmt.Fprintf(s.errOut, "  %-26s %s\n", c.name+" "+c.args, c.help)
	}
	return nil
}

// isCommand reports whether a line is a command, even an unknown one.
func isCommand(line string) bool {
	if strings.HasPrefix(line, `\`) {
		return true
	}
	word := strings.TrimSuffix(line, ";")
	return slices.Contains([]string{"login", "logout", "revoke", "whoami"}, word)
}

// command runs a command, or returns errNoCommand.
func (s *shell) command(ctx context.Context, line string) error {
	if !isCommand(line) {
		return errNoCommand
	}
	words := strings.Fields(strings.TrimSuffix(line, ";"))
	for _, c := range commands() {
		if c.name == words[0] {
			return c.run(s, ctx, words[1:])
		}
	}
	return fmt.Errorf(`there is no command %s; \? lists them`, words[0])
}

func (s *shell) say(format string, args ...any) error {
	_, err := fmt.Fprintf(s.errOut, format+"\n", args...)
	return err
}

func (s *shell) told(err error, done string) error {
	if err != nil {
		return err
	}
	return s.say("%s", done)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func (s *shell) setFormat(_ context.Context, args []string) error {
	if len(args) != 1 || !slices.Contains(formats(), args[0]) {
		return fmt.Errorf("the formats are %s", strings.Join(formats(), ", "))
	}
	s.format = args[0]
	return nil
}

func (s *shell) include(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New(`\i takes the path of a file`)
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	for _, statement := range all(string(text)) {
		if err := s.run(ctx, statement); err != nil {
			return errRefused // it was printed already
		}
	}
	return nil
}

func (s *shell) whoami(ctx context.Context, _ []string) error {
	id, err := driver.Identity(ctx, s.db)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s, billed to %s\n", id.Account, s.project)
	return err
}

// quote returns the path of a table or dataset in backticks.
func quote(parts ...string) string {
	for i, part := range parts {
		parts[i] = "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(part) + "`"
	}
	return strings.Join(parts, ".")
}

func (s *shell) listDatasets(ctx context.Context, _ []string) error {
	return s.statement(
		ctx,
		"SELECT schema_name AS dataset, location, creation_time AS created FROM "+quote(
			s.project,
		)+".INFORMATION_SCHEMA.SCHEMATA ORDER BY schema_name",
	)
}

func (s *shell) listTables(ctx context.Context, args []string) error {
	if len(args) == 0 && s.dataset != "" {
		args = []string{s.dataset}
	}
	if len(args) != 1 {
		return errors.New(`\dt takes the name of a dataset; \l lists them`)
	}
	return s.statement(ctx, "SELECT table_name AS name, table_type AS type, creation_time AS created FROM "+
		quote(strings.Split(args[0], ".")...)+".INFORMATION_SCHEMA.TABLES ORDER BY table_name")
}

func (s *shell) describe(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return s.listTables(ctx, args)
	}
	path := strings.Split(strings.ReplaceAll(args[0], "`", ""), ".")
	if len(path) == 1 && s.dataset != "" {
		path = []string{s.dataset, path[0]}
	}
	if len(path) < 2 {
		return errors.New(`\d takes a table as dataset.table`)
	}
	table := strings.NewReplacer("\\", "\\\\", "'", "\\'").Replace(path[len(path)-1])
	return s.statement(
		ctx,
		"SELECT column_name AS name, data_type AS type, is_nullable AS nullable, "+
			"NULLIF(column_default, 'NULL') AS `default` FROM "+
			quote(
				path[:len(path)-1]...)+".INFORMATION_SCHEMA.COLUMNS "+
			"WHERE table_name = '"+table+"' ORDER BY ordinal_position",
	)
}
