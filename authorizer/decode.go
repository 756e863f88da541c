package authorizer

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
)

// requestOf reads the event of an authorizer.
func requestOf(ctx context.Context, payload []byte) (*Request, error) {
	w := new(wire)
	if err := guard.EventOf(ctx, payload).Decode(w); err != nil {
		return nil, err
	}
	in, err := w.input()
	if err != nil {
		return nil, &guard.Error{Kind: guard.Internal, Code: "not_an_authorizer_event", Err: err}
	}
	return newRequest(in), nil
}

func newRequest(in *input) *Request {
	return &Request{in: in, reads: new(reads)}
}

// input tells the formats apart and checks that the event is all of one.
func (w *wire) input() (*input, error) {
	switch {
	case w.Type == "TOKEN" && w.MethodARN != "" && w.AuthorizationToken != nil:
		return w.token()
	case w.Type == "REQUEST" && w.Version == "2.0" && w.RequestContext != nil && w.RequestContext.HTTP != nil:
		return w.http2()
	case w.Type == "REQUEST" && w.RequestContext != nil && w.RequestContext.Identity != nil:
		return w.format1()
	case w.Type == "" && w.AuthorizationToken != nil && w.RequestContext != nil && w.RequestContext.APIID != "":
		return w.appSync(), nil
	default:
		return nil, errors.New("authorizer: the event does not ask for a decision")
	}
}

// common reads what stands in the same place in every event that has it.
func (w *wire) common(arn string) (*input, error) {
	in := &input{arnText: arn, stageValues: w.StageVariables, pathValues: w.PathParameters}
	var err error
	if in.arn, err = ParseARN(arn); err != nil {
		return nil, err
	}
	in.stage, in.apiID, in.accountID = in.arn.Stage, in.arn.API, in.arn.Account
	if c := w.RequestContext; c != nil {
		in.requestID, in.domain = c.RequestID, c.DomainName
		in.others = append(in.others, c.Stage, c.APIID, c.AccountID, c.Protocol, c.DomainPrefix)
	}
	return in, nil
}

func (w *wire) token() (*input, error) {
	in, err := w.common(w.MethodARN)
	if err != nil {
		return nil, err
	}
	in.format, in.method, in.path = RESTToken, in.arn.Method, in.arn.Path
	in.headers = fields{{name: "authorization", value: *w.AuthorizationToken}}
	in.sources = []string{*w.AuthorizationToken}
	return in, nil
}

func (w *wire) http2() (*input, error) {
	in, err := w.common(w.RouteARN)
	if err != nil {
		return nil, err
	}
	in.format = HTTP2
	w.fill2(in)
	in.sources, in.joined = w.IdentitySource.apart, w.IdentitySource.joined
	if in.method == "" || in.routeKey == "" {
		return nil, errIncomplete
	}
	return in, nil
}

var errIncomplete = errors.New("authorizer: an event without a method or a route")

// fill2 reads a request of payload format 2.0.
func (w *wire) fill2(in *input) {
	http := w.RequestContext.HTTP
	in.routeKey, in.method, in.path = w.RouteKey, http.Method, w.RawPath
	in.headers, in.query = w.Headers.headers().withCookies(w.Cookies), w.QueryStringParameters.values()
	in.sourceIP = http.SourceIP
	in.others = append(in.others, http.Protocol)
	if http.Path != w.RawPath {
		in.others = append(in.others, http.Path)
	}
	if a := w.RequestContext.Authentication; a != nil {
		in.present(a.ClientCert)
	}
}

// format1 reads an event of an HTTP API in format 1.0, of a REST API, or of a
// WebSocket API.
func (w *wire) format1() (*input, error) {
	in, err := w.common(w.MethodARN)
	if err != nil {
		return nil, err
	}
	w.fill1(in)
	c := w.RequestContext
	switch {
	case w.Version == "1.0":
		in.format, in.routeKey = HTTP1, c.ResourceID
		in.sources, in.joined = w.IdentitySource.apart, w.IdentitySource.joined
	case w.Version != "":
		return nil, errors.New("authorizer: an event of another version")
	case c.EventType == "CONNECT" && c.ConnectionID != "":
		in.format, in.routeKey = WebSocket, c.RouteKey
		if in.routeKey == "" {
			return nil, errIncomplete
		}
		return in, nil
	default:
		in.format = RESTRequest
	}
	if in.routeKey == "" || in.method == "" || w.Resource == "" {
		return nil, errIncomplete
	}
	return in, nil
}

// fill1 reads a request of payload format 1.0.
func (w *wire) fill1(in *input) {
	c := w.RequestContext
	in.method, in.path, in.routeKey = w.HTTPMethod, w.Path, w.HTTPMethod+" "+w.Resource
	if w.Resource == "$default" {
		in.routeKey = w.Resource
	}
	headers := fields(w.MultiValueHeaders)
	if len(headers) == 0 {
		headers = w.Headers
	}
	query := fields(w.MultiValueQuery)
	if len(query) == 0 {
		query = w.QueryStringParameters
	}
	in.headers, in.query = headers.headers(), query.values()
	if c.Identity != nil {
		in.sourceIP = c.Identity.SourceIP
		in.present(c.Identity.ClientCert)
	}
	if c.Path != w.Path {
		in.others = append(in.others, c.Path)
	}
}

// handler reads the request that a handler is given.
func (w *wire) handler() (*input, bool) {
	c := w.RequestContext
	if c == nil {
		return nil, false
	}
	in := &input{
		format: InHandler, pathValues: w.PathParameters, stageValues: w.StageVariables,
		stage: c.Stage, apiID: c.APIID, accountID: c.AccountID, requestID: c.RequestID, domain: c.DomainName,
	}
	switch {
	case w.Version == "2.0" && c.HTTP != nil:
		w.fill2(in)
	case w.Version != "2.0" && w.HTTPMethod != "":
		w.fill1(in)
	}
	if strings.Contains(in.domain, ".lambda-url.") {
		in.routeKey = "" // a function URL has no routes
	}
	return in, in.method != ""
}

func (w *wire) appSync() *input {
	c := w.RequestContext
	in := &input{
		format:    GraphQL,
		headers:   w.RequestHeaders.headers(),
		sources:   []string{*w.AuthorizationToken},
		apiID:     c.APIID,
		accountID: c.AccountID,
		requestID: c.RequestID,
		operation: Operation{Name: c.OperationName, Query: c.QueryString, Variables: slices.Clone(c.Variables)},
	}
	// AppSync takes the token out of the header; what a client sends beside it
	// is not what decisions are kept for.
	in.headers = slices.DeleteFunc(in.headers, func(f field) bool { return f.name == "authorization" })
	in.headers = append(in.headers, field{name: "authorization", value: *w.AuthorizationToken})
	return in
}

// present takes the certificate that a client has presented, if any.
func (in *input) present(c *wireCertificate) {
	if c == nil || c.SubjectDN == "" && c.PEM == "" {
		return
	}
	out := &Certificate{PEM: c.PEM, SubjectDN: c.SubjectDN, IssuerDN: c.IssuerDN, SerialNumber: c.SerialNumber}
	if c.Validity != nil {
		out.NotBefore, out.NotAfter = c.Validity.NotBefore, c.Validity.NotAfter
	}
	in.certificate = out
	in.others = append(in.others, out.SubjectDN, out.IssuerDN, out.SerialNumber, out.NotBefore, out.NotAfter)
}
