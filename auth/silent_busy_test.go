package auth

import (
	"testing"
	"time"
)

// TestTokenWhileTheServerIsBusy: an access token is used to its end where the token endpoint can't give a new one.
func TestTokenWhileTheServerIsBusy(t *testing.T) {
	t.Parallel()
	now := time.Now()
	a := &Authenticator{cfg: Config{now: func() time.Time { return now }}}
	for _, tt := range []struct {
		name string
		left time.Duration
		want bool
	}{
		{"minutes are left", 4 * time.Minute, true},
		{"seconds are left", 5 * time.Second, false},
		{"it has ended", -time.Second, false},
		{"the clock was changed", 48 * time.Hour, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := &Record{AccessToken: "token", Expiry: now.Add(tt.left)}
			if got := a.usableFor(rec, lastUse); got != tt.want {
				t.Errorf("got %v; want %v", got, tt.want)
			}
		})
	}
}
