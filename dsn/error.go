package dsn

// Error is the error of [Parse] and [Config.Validate]. It holds no value of the
// input, so it is safe to log.
type Error struct {
	// Key is the key that is wrong. "project" and "dataset" also mean the parts
	// before the question mark. An unknown key is repeated only if it consists of
	// letters and underscores. "" means the DSN as a whole.
	Key string
	// Problem says what is wrong with the key and what is allowed.
	Problem string
}

// Error returns "dsn: KEY: PROBLEM".
func (e *Error) Error() string {
	if e.Key == "" {
		return "dsn: " + e.Problem
	}
	return "dsn: " + e.Key + ": " + e.Problem
}
