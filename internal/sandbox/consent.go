package sandbox

import (
	"context"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// Consent acts as the user in the browser: it opens the sign-in page at address, chooses the
// first account, presses Allow and follows the redirect to the program. It is for machines
// without a browser.
func Consent(ctx context.Context, address string) error {
	return fakegoogle.Consent(ctx, nil, address, "")
}
