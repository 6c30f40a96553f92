package auth

import "testing"

// TestKeysInAnotherCase: libraries read keys without regard to case, so a key in another case could replace
// the key that was checked.
func TestKeysInAnotherCase(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		ok         bool
	}{
		{"as Google writes them", `{"type":"authorized_user","token_uri":"u"}`, true},
		{"a key of another tool's", `{"type":"authorized_user","comment":"x"}`, true},
		{"twice", `{"token_url":"a","token_url":"b"}`, false},
		{"twice, the second in capitals", `{"token_url":"a","Token_URL":"b"}`, false},
		{"once, in capitals", `{"Token_URI":"b"}`, false},
		{"with a Kelvin sign", "{\"to\u212aen_uri\":\"b\"}", false},
		{"with a long s", "{\"cla\u017fs\":\"a\",\"class\":\"b\"}", false},
		{"inside another", `{"credential_source":{"url":"a","URL":"b"}}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := parseObject([]byte(tt.text)); (err == nil) != tt.ok {
				t.Errorf("got %v; want success: %v", err, tt.ok)
			}
		})
	}
}
