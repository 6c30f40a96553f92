package compat

import (
	"testing"

	"github.com/xo/dburl"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// These lines make dburl, and what is built on it, know bigqueryuser: a URL of dburl is a DSN as it is.
func init() {
	dburl.Register(dburl.Scheme{
		Name: driver.Name, Aliases: []string{"bqu"}, Transport: dburl.TransportAny,
		Generator: func(u *dburl.URL) (string, string, error) {
			plain := u.URL
			plain.Scheme = driver.Name
			return plain.String(), driver.Name, nil
		},
	})
}

func TestDburl(t *testing.T) {
	t.Parallel()
	db, err := dburl.Open(dsnOf(t))
	check(t, err)
	defer db.Close()
	var name string
	if err := db.QueryRowContext(t.Context(), "SELECT name FROM users WHERE id = ?", 1).Scan(&name); err != nil ||
		name != "Ada" {
		t.Errorf("got %q, %v", name, err)
	}
	for _, c := range []struct{ text, project, dataset string }{
		{"bigqueryuser://my-project/shop?location=EU", "my-project", "shop"},
		{"bqu://my-project", "my-project", ""},
		{"bigqueryuser:///shop?project=example.com:p", "example.com:p", "shop"},
	} {
		u, err := dburl.Parse(c.text)
		check(t, err)
		cfg, err := dsn.Parse(u.DSN)
		if err != nil || u.Driver != driver.Name || cfg.Project != c.project || cfg.Dataset != c.dataset {
			t.Errorf("%s: got %s and %s, %v", c.text, u.Driver, u.DSN, err)
		}
	}
}
