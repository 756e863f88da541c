// Package request reads the HTTP request in the event of an invocation.
//
// One strict walk over the text finds the trigger and the request, for payload
// formats 2.0 and 1.0, load balancers, VPC Lattice, WebSockets, and the events
// of authorizers. Every layer of this module asks here and nowhere else: two
// readers of the same bytes differ one day, and the difference is a way around
// a check.
//
// A layer gets the request of its invocation from guard.Event.Request, which
// keeps it within the limits:
//
//	req, err := guard.EventOf(ctx, payload).Request()
package request
