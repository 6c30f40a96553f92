package dsn

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// FuzzParse: Parse never panics, what it accepts is valid and comes back from
// Format, and Format is canonical.
func FuzzParse(f *testing.F) {
	for _, tc := range good {
		f.Add(tc.text)
	}
	for _, tc := range bad {
		f.Add(tc.text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Parse(s)
		if err != nil {
			if c != nil {
				t.Fatalf("Parse(%q): got a Config beside the error %v", s, err)
			}
			return
		}
		_ = c.String()
		wantRoundTrip(t, c)
	})
}

// FuzzFormat: every Config that Validate accepts comes back from Format.
func FuzzFormat(f *testing.F) {
	for _, tc := range good {
		c := tc.want
		f.Add(c.Project, c.Dataset, c.ClientSecrets, strings.Join(c.Scopes, " "), c.Login, c.RedirectPort,
			int64(c.LoginTimeout),
			c.TokenDir, c.QuotaProject, c.Location, c.MaxResults, c.Endpoint, c.Application)
	}
	f.Fuzz(func(t *testing.T, project, dataset, secrets, scopes, login string, port int, timeout int64,
		dir, quota, location string, max int64, endpoint, application string) {
		c := &Config{
			Project: project, Dataset: dataset, ClientSecrets: secrets, Login: login, RedirectPort: port,
			LoginTimeout: time.Duration(timeout),
			TokenDir:     dir, QuotaProject: quota, Location: location, MaxResults: max, Endpoint: endpoint,
			Application: application,
		}
		if scopes != "" {
			c.Scopes = strings.Split(scopes, " ")
		}
		_ = c.String()
		if c.Validate() == nil {
			wantRoundTrip(t, c)
		}
	})
}

func wantRoundTrip(t *testing.T, c *Config) {
	t.Helper()
	text := c.Format()
	back, err := Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q), which Format wrote: %v", text, err)
	}
	if !reflect.DeepEqual(back, c) {
		t.Fatalf("Parse(Format(c)): got %q; want %q", back.Format(), text)
	}
	if again := back.Format(); again != text {
		t.Fatalf("Format: got %q and then %q", text, again)
	}
}

// FuzzErrorsRepeatNoValue: wherever a value stands, the error does not repeat it.
func FuzzErrorsRepeatNoValue(f *testing.F) {
	f.Add("", "location", "")
	for _, tc := range bad {
		f.Add("", tc.key, tc.text)
		f.Add(tc.text, "x", "")
	}
	f.Fuzz(func(t *testing.T, before, key, after string) {
		for _, s := range []string{
			"bigqueryuser://" + before + canary + after,
			"bigqueryuser://p/" + before + canary + after,
			"bigqueryuser://p?" + key + "=" + canary + after,
			"bigqueryuser://p?" + key + "=" + before + canary,
			"bigqueryuser://p?" + before + "&" + key + "=" + canary + after,
			before + canary + after,
		} {
			if _, err := Parse(s); err != nil && strings.Contains(strings.ToLower(err.Error()), canary) {
				t.Errorf("Parse(%q): error %q repeats a value", s, err)
			}
		}
	})
}
