package sandbox

import (
	"context"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// Consent plays the user at the browser: it opens the sign-in page at address, takes the first
// account, presses Allow and follows the way back to the program. It serves where there is no
// browser.
func Consent(ctx context.Context, address string) error {
	return fakegoogle.Consent(ctx, nil, address, "")
}
