package guardtest

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// HTTPBuilder makes the event of an HTTP request; start with [HTTPEvent]. Like
// an [Event] it does not change: each method returns another one.
type HTTPBuilder struct {
	gateway    gateway
	method     string
	url        url.URL
	route      string
	header     http.Header
	cookies    []string
	body       []byte
	base64     bool
	sourceIP   string
	stage      string
	basePath   string
	authorizer authorizerResult
}

// gateway is what stands before the function.
type gateway byte

const (
	httpAPI2 gateway = iota
	httpAPI1
	functionURL
	restAPI
	vpcLattice
)

// HTTPEvent starts the event of a request to an HTTP API, in payload format
// 2.0: the event that [HTTPAPI] makes of the same request. The target is the
// path and the query as they stand in a request, percent-encoded.
//
//	guardtest.HTTPEvent("PUT", "/orders/42?notify=true").
//		Route("PUT /orders/{id}").
//		Header("Idempotency-Key", "k-1").
//		JSON(`{"status":"paid"}`).
//		Bytes()
//
// A request has the headers that a gateway adds, the same request id and time
// in every event, and no more: an event is the same in each run. It panics
// when target is not a path.
func HTTPEvent(method, target string) HTTPBuilder {
	u, err := url.ParseRequestURI(target)
	if err != nil || u.IsAbs() || u.Path == "" {
		panic(fmt.Sprintf("guardtest: HTTPEvent: target %q is not a path", target))
	}
	return HTTPBuilder{
		method:   method,
		url:      *u,
		route:    defaultRouteKey,
		sourceIP: "203.0.113.7", // RFC 5737
		header: http.Header{
			"User-Agent":      {"guardtest/1"},
			"X-Amzn-Trace-Id": {"Root=1-5e6a8a6e-1f5c2b3d4a59687786a5b4c3"},
		},
	}
}

// Format1 makes it payload format 1.0.
func (b HTTPBuilder) Format1() HTTPBuilder { b.gateway = httpAPI1; return b }

// FunctionURL makes it the event of a function URL, which knows no routes, no
// stages, and no authorizer but [HTTPBuilder.IAM].
func (b HTTPBuilder) FunctionURL() HTTPBuilder { b.gateway = functionURL; return b }

// REST makes it the event of a REST API, stage "prod" if no other is set. A
// REST API has no $default route: without [HTTPBuilder.Route] the resource is
// "/{proxy+}".
func (b HTTPBuilder) REST() HTTPBuilder { b.gateway = restAPI; return b }

// VPCLattice makes it the event of VPC Lattice, event structure version V2. It
// has no routes, no stages, and no authorizer but [HTTPBuilder.IAM].
func (b HTTPBuilder) VPCLattice() HTTPBuilder { b.gateway = vpcLattice; return b }

// Route is the gateway's route that the request took, "GET /orders/{id}";
// $default when it is not called. The path parameters are what its variables
// match. Bytes and Event panic when the request does not match it.
func (b HTTPBuilder) Route(key string) HTTPBuilder { b.route = key; return b }

// Query adds a value to the query string.
func (b HTTPBuilder) Query(name, value string) HTTPBuilder {
	if b.url.RawQuery != "" {
		b.url.RawQuery += "&"
	}
	b.url.RawQuery += url.QueryEscape(name) + "=" + url.QueryEscape(value)
	return b
}

// Header adds a value to a header; "Host" is the domain of the API.
func (b HTTPBuilder) Header(name, value string) HTTPBuilder {
	b.header = b.header.Clone()
	switch name = http.CanonicalHeaderKey(name); name {
	case "User-Agent", "Host", "X-Amzn-Trace-Id", "Content-Type":
		b.header.Set(name, value)
	default:
		b.header.Add(name, value)
	}
	return b
}

// Cookie adds a cookie, as it is.
func (b HTTPBuilder) Cookie(name, value string) HTTPBuilder {
	b.cookies = append(slices.Clip(b.cookies), name+"="+value)
	return b
}

// JSON sets the body, and the content type application/json.
func (b HTTPBuilder) JSON(body string) HTTPBuilder {
	return b.Body("application/json", []byte(body))
}

// Body sets the content type, none when it is empty, and the body: base64 in
// the event unless the type is textual, as a gateway does it. A REST API takes
// all for text that can be, VPC Lattice fewer types.
func (b HTTPBuilder) Body(contentType string, body []byte) HTTPBuilder {
	b.header = b.header.Clone()
	b.header.Del("Content-Type")
	if contentType != "" {
		b.header.Set("Content-Type", contentType)
	}
	b.body = slices.Clone(body)
	return b
}

// Base64 encodes the body whatever its type, as a gateway does where it is told
// that the type is binary.
func (b HTTPBuilder) Base64() HTTPBuilder { b.base64 = true; return b }

// SourceIP is the client's address. VPC Lattice tells it in X-Forwarded-For alone.
func (b HTTPBuilder) SourceIP(ip string) HTTPBuilder { b.sourceIP = ip; return b }

// Stage is the stage's name. One that is not $default stands before the path, as
// it does at the API's own address: an HTTP API has it in all its paths, a REST
// API in that of the request context. With the header Host the address is a
// custom domain, where it is nowhere.
func (b HTTPBuilder) Stage(name string) HTTPBuilder { b.stage = name; return b }

// BasePath is that of a custom domain, "v1"; the domain is api.example.com
// without a header Host. Format 2.0 does not have it in the event.
func (b HTTPBuilder) BasePath(path string) HTTPBuilder { b.basePath = path; return b }

// JWT is what a JWT authorizer told, or for a REST API a user pool's: the
// claims, and the scopes of the route.
func (b HTTPBuilder) JWT(claims map[string]string, scopes ...string) HTTPBuilder {
	b.authorizer = authorizerResult{kind: byJWT, claims: maps.Clone(claims), scopes: slices.Clone(scopes)}
	return b
}

// Lambda is the context that a Lambda authorizer told.
func (b HTTPBuilder) Lambda(context map[string]any) HTTPBuilder {
	b.authorizer = authorizerResult{kind: byLambda, context: maps.Clone(context)}
	return b
}

// IAM is the identity of a signed request, by its ARN.
func (b HTTPBuilder) IAM(userARN string) HTTPBuilder {
	return b.Caller(IAMCaller{ARN: userARN})
}

// Caller is the identity of a signed request: a user, a role's session, somebody
// in an identity pool. It needs no credentials.
func (b HTTPBuilder) Caller(caller IAMCaller) HTTPBuilder {
	setDefault(&caller.AccessKeyID, exampleAccessKey)
	b.authorizer = authorizerResult{kind: byIAM, caller: caller}
	return b
}

// Bytes is the event for an invocation.
func (b HTTPBuilder) Bytes() []byte { return b.Event().Bytes() }

// String is the event as JSON.
func (b HTTPBuilder) String() string { return b.Event().String() }

// Event is the event, for setting what HTTPBuilder has no method for.
func (b HTTPBuilder) Event() Event {
	req := b.request()
	if b.gateway == vpcLattice {
		return b.authorizer.on(b.lattice(req), b.gateway)
	}
	cfg := HTTPAPIConfig{Format: b.format(), FunctionURL: b.gateway == functionURL}
	e := Event{name: b.method + " " + b.url.Path, text: string(req.event(cfg))}
	if b.gateway == restAPI {
		e.text = string(marshal(req.restEvent()))
	}
	return b.authorizer.on(b.withBody(e), b.gateway)
}

// request is the request as [HTTPAPI] would have it.
func (b HTTPBuilder) request() *request {
	r := &http.Request{
		Method:     b.method,
		URL:        &b.url,
		Proto:      "HTTP/1.1",
		Header:     b.header.Clone(),
		Host:       b.host(),
		RemoteAddr: b.sourceIP,
		TLS:        &tls.ConnectionState{},
	}
	r.Header.Del("Host")
	for i, cookie := range b.cookies {
		if i > 0 {
			cookie = r.Header.Get("Cookie") + "; " + cookie
		}
		r.Header.Set("Cookie", cookie)
	}
	found := b.target()
	header, id := forwardedHeader(r, len(b.body)), exampleID
	if b.gateway == restAPI { // as [RESTAPI] has them
		header.Del("Content-Length")
		id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
	}
	req := &request{
		http:      r,
		route:     found.route,
		variables: found.variables,
		paths:     found.paths,
		header:    header,
		body:      b.body,
		stage:     b.stageName(),
		id:        id,
		extended:  exampleID,
		at:        time.Date(2020, time.March, 12, 19, 16, 30, 390e6, time.UTC),
	}
	b.authorizer.tell(req)
	return req
}

// exampleID is the request id of every built event.
const exampleID = "JKJaXmPLvHcESHA="

func (b HTTPBuilder) host() string {
	switch {
	case b.header.Get("Host") != "":
		return b.header.Get("Host")
	case b.basePath != "":
		return "api.example.com"
	case b.gateway == functionURL:
		return apiID + ".lambda-url.us-east-1.on.aws"
	case b.gateway == vpcLattice:
		return "orders-0a40eebed65f8d69c.7d67968.vpc-lattice-svcs.us-east-1.on.aws"
	default:
		return apiID + ".execute-api.us-east-1.amazonaws.com"
	}
}

func (b HTTPBuilder) withBody(e Event) Event {
	switch {
	case len(b.body) == 0:
		return e
	case b.base64:
		return e.Set("/body", base64.StdEncoding.EncodeToString(b.body)).Set("/isBase64Encoded", true)
	default:
		return e
	}
}
