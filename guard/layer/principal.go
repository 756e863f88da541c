package layer

import (
	"context"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// SetPrincipal sets the authenticated caller, for the record of the invocation and
// for layers that separate callers. The last one set counts. It returns an error,
// and changes nothing, if an outer layer has sealed another principal. The layer
// must return that error and not call the next handler.
func SetPrincipal(ctx context.Context, principal string) error {
	inv := invocation.Of(ctx)
	if inv == nil {
		return nil
	}
	refused := false
	inv.Update(func(f *invocation.Facts) {
		if f.Sealed && f.Principal != principal {
			f.Resealed, refused = true, true
		} else {
			f.Principal = principal
		}
	})
	if refused {
		return errSealed()
	}
	return nil
}

// SealPrincipal returns the principal, for a layer whose answer depends on it. From
// then on [SetPrincipal] refuses another principal. A layer that stores an answer
// calls intact first. Its error means that an inner layer has set another
// principal, so the answer may be for another caller.
func SealPrincipal(ctx context.Context) (principal string, intact func() error) {
	inv := invocation.Of(ctx)
	if inv == nil {
		return "", func() error { return nil }
	}
	inv.Update(func(f *invocation.Facts) {
		f.Sealed, principal = true, f.Principal
	})
	return principal, func() error {
		if inv.Facts().Resealed {
			return errSealed()
		}
		return nil
	}
}

func errSealed() error {
	return &guard.Error{Kind: guard.Internal, Code: "order_unsafe", Err: guard.Reason(
		"layer: a layer names who calls inside one that has already gone by that; list the layer that authorizes first")}
}
