package layer

import (
	"context"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// SetPrincipal sets who calls, for the record of the invocation and for layers
// that keep callers apart. The last one set counts. It returns an error, and
// changes nothing, if a layer further out has sealed another principal; the layer
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

// SealPrincipal returns who calls, for a layer that answers by that. From then on
// [SetPrincipal] refuses another principal. A layer that stores an answer calls
// intact first: an error means that a layer inside has named another principal,
// and that the answer may be for somebody else.
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
