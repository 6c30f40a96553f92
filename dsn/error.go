package dsn

// Error is the error of [Parse] and [Config.Validate]. It holds no value of
// the input: it is safe to log.
type Error struct {
	// Key is the key that is wrong, as the table in the package documentation
	// spells it ("project" and "dataset" also stand for the parts before the
	// question mark). A key that is not in the table is repeated only when it
	// is made of letters and underscores alone. "" means the DSN as a whole.
	Key string
	// Problem says what is wrong with it and what is allowed.
	Problem string
}

// Error gives "dsn: KEY: PROBLEM".
func (e *Error) Error() string {
	if e.Key == "" {
		return "dsn: " + e.Problem
	}
	return "dsn: " + e.Key + ": " + e.Problem
}
