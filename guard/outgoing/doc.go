// Package outgoing makes HTTP requests that carry the ids of the invocation to your own
// services, and that end in time for the handler to answer.
//
//	client := &http.Client{Transport: outgoing.Transport(nil, outgoing.Hosts("*.internal.example"))}
//
//	req, err := http.NewRequestWithContext(ctx, "GET", "https://stock.internal.example/sku/1", nil)
//	…
//	res, err := client.Do(req)
//
// The request must have the context of the handler: all ids and the deadline are in it.
//
// Packages of their own prove to the other service who calls, each as a transport:
//
//	sigv4                signs requests for IAM: API Gateway, function URLs, VPC Lattice
//	clientcredentials    sends a token of an OAuth 2.0 authorization server
//	awscalls             sends the trace with the calls of AWS SDK clients
//
// They are transports, so one takes the other as its base:
//
//	transport := outgoing.Transport(sigv4.Transport(nil, cfg.Credentials, cfg.Region, "execute-api", host), outgoing.Hosts(host))
//
// # Which ids are sent, and to whom
//
// See [Transport] for the headers. By default no host gets any: list your own in
// [Hosts]. What another service is sent it can log, keep, and link with what it got
// before; so W3C Trace Context and Baggage ask for care at the border of an
// organization.
//
// # On the other side
//
// [Received] finds the correlation id that Transport has sent, and [Records] finds that of
// each message of a queue. Packages sqshops and snshops of guard/recursion send it with
// messages, as the attribute correlationId beside the hop counter. Events of EventBridge
// have no attributes: put it into the detail.
//
//	log := guard.Log(logger, guard.Correlate(outgoing.Received))
//
// # Junk
//
// Ids come in from callers, so each one is read and written anew, and what is not
// well-formed is not sent. No header of an event can add a header, a field or a line to
// a request.
//
// https://www.w3.org/TR/trace-context/#privacy-considerations
// https://www.w3.org/TR/baggage/#privacy-considerations
package outgoing
