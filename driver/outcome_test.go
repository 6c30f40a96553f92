package driver

import (
	"context"
	"errors"
	"testing"
)

// TestErrorsInside: an error inside another has no prefix of its own.
func TestErrorsInside(t *testing.T) {
	t.Parallel()
	cause := &Error{Message: "gone", Reason: ErrNotFound}
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"has run", hasRun(cause), "bigqueryuser: the statement has run, but its result can't be read: gone (notFound)"},
		{"has run, without prefix", hasRun(context.Canceled),
			"bigqueryuser: the statement has run, but its result can't be read: context canceled"},
		{"unknown", &unknownError{ErrOutcomeUnknown, cause},
			"bigqueryuser: it is not known whether the statement has taken effect: gone (notFound)"},
	} {
		if tt.err.Error() != tt.want {
			t.Errorf("%s: got %s; want %s", tt.name, tt.err, tt.want)
		}
	}
	if !errors.Is(hasRun(cause), ErrNotFound) {
		t.Error("the cause is lost")
	}
}
