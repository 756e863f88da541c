package answer

import (
	"context"

	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// Tell tells the invocation of ctx the status of an answer that was written just
// now, so that nobody reads it in the answer again.
func Tell(ctx context.Context, out []byte, status int) {
	if inv := invocation.Of(ctx); inv != nil {
		inv.Answered(out, status)
	}
}
