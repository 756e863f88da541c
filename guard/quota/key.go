package quota

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Key is what a [Policy] counts by: requests with equal keys share a quota. A
// request without the key is refused.
type Key struct {
	ofPrincipal bool // it depends on who calls
	find        func(context.Context, *guard.Event) (kind, value string, err error)
}

// Principal counts the requests of each principal, which an outer layer has
// authenticated: authorizer.Require or authorizer.FromGateway. A
// request without one is Unauthenticated, with the code quota_principal_missing.
// From then on no inner layer may set another principal, see [layer.SealPrincipal].
func Principal() Key {
	return Key{ofPrincipal: true, find: func(ctx context.Context, _ *guard.Event) (kind, value string, err error) {
		who, _ := layer.SealPrincipal(ctx)
		if who == "" {
			return "", "", guard.Errorf(guard.Unauthenticated, "quota_principal_missing",
				"The request has not been authenticated.", reason.New("quota: no outer layer has set a principal"))
		}
		return "principal", who, nil
	}}
}

// PrincipalOrSourceIP counts by [Principal], and by [SourceIP] the requests that have
// none. It is for a route that needs no authentication. Callers behind one address
// then share a quota, and a caller with many addresses has many.
func PrincipalOrSourceIP() Key {
	return Key{ofPrincipal: true, find: func(ctx context.Context, ev *guard.Event) (kind, value string, err error) {
		if who, _ := layer.SealPrincipal(ctx); who != "" {
			return "principal", who, nil
		}
		return sourceOf(ev)
	}}
}

// SourceIP counts the requests from each address that the gateway took a request
// from. The addresses of an IPv6 network of 64 bits count as one, as one client has
// all of them. It needs no principal, so it may stand outside of a layer that
// authenticates, to protect it. Behind CloudFront or another proxy the address is the
// proxy's. Load balancers and VPC Lattice report no address, and that of AppSync is not
// read: such requests are refused as Internal, with the code quota_source_missing.
func SourceIP() Key {
	return Key{find: func(_ context.Context, ev *guard.Event) (kind, value string, err error) { return sourceOf(ev) }}
}

func sourceOf(ev *guard.Event) (kind, value string, err error) {
	req, err := ev.Request()
	if err != nil {
		return "", "", err
	}
	addr, err := netip.ParseAddr(req.SourceIP())
	if err != nil { // its text may hold the address
		return "", "", &guard.Error{
			Kind: guard.Internal, Code: "quota_source_missing",
			Err: reason.New("quota: the event has no source address"),
		}
	}
	if addr = addr.Unmap(); addr.Is6() {
		network, err := addr.WithZone("").Prefix(64)
		if err != nil {
			return "", "", fmt.Errorf("quota: source address: %w", err)
		}
		addr = network.Addr()
	}
	return "source", addr.String(), nil
}

// Route counts the requests of each route. That is the pattern of httpapi.Routes if
// Limit is around one of its handlers, and the route of the gateway otherwise. Where
// neither is known, as behind $default or a load balancer, all requests share a quota,
// because a caller can choose any path. A REST API does not report the method ANY, so
// a caller has the quota of such a resource once for each of its seven methods. An event that is not an HTTP request is
// Invalid, with the code not_an_http_event.
func Route() Key {
	return Key{find: func(ctx context.Context, ev *guard.Event) (kind, value string, err error) {
		if inv := invocation.Of(ctx); inv != nil {
			if pattern := inv.Facts().Route; pattern != "" {
				return "route", pattern, nil
			}
		}
		req, err := ev.Request()
		if err != nil {
			return "", "", err
		}
		return "gateway route", req.RouteKey(), nil
	}}
}

// By counts by the text that find returns, such as a claim of the grant. An error of
// find refuses the request. So does an empty text, as Internal, with the code
// quota_key_missing. It panics if find is nil.
func By(find func(context.Context, *guard.Event) (string, error)) Key {
	if find == nil {
		panic("quota: By with a nil function")
	}
	return Key{find: func(ctx context.Context, ev *guard.Event) (kind, value string, err error) {
		value, err = find(ctx, ev)
		if err == nil && value == "" {
			err = &guard.Error{
				Kind: guard.Internal, Code: "quota_key_missing",
				Err: reason.New("quota: the function of By returned an empty text"),
			}
		}
		return "own", value, err
	}}
}
