// Package request reads the HTTP request in a Lambda event, the same way for every
// gateway. It reads API Gateway's payload formats 2.0 and 1.0, function URLs, load
// balancers, VPC Lattice, WebSockets, and the events of authorizers.
//
// It is for authors of layers, who get a request from guard.Event.Request, within
// the limits of the chain:
//
//	req, err := guard.EventOf(ctx, payload).Request()
//
// All layers of this module read requests here. Two parsers of the same bytes can
// differ, and an attacker can use the difference to get around a check.
//
// Three types are called Request. This one is the request from the gateway.
// httpapi.Request is for handlers of package httpapi, and adds the values of the
// route. authorizer.Request is for checks, and records which parts are read: they
// decide what the gateway may cache.
package request
