package sample

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

// An HTTPEvent makes the event of an HTTP request; start with [HTTP]. Like an
// [Event] it does not change: each method returns another one.
type HTTPEvent struct {
	service    service
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
	authorizer func(service) any // what it adds; nil when there is none
	iam        *gateway.IAMAuthorizer
}

// service is the gateway in front of the function.
type service byte

const (
	httpAPI2 service = iota
	httpAPI1
	functionURL
	restAPI
	vpcLattice
)

const defaultRoute = "$default"

// HTTP starts the event of a request to an HTTP API in payload format 2.0, as
// [gateway.HTTPAPI] makes it. The target is the percent-encoded path and query.
//
//	sample.HTTP("PUT", "/orders/42?notify=true").
//		Route("PUT /orders/{id}").
//		Header("Idempotency-Key", "k-1").
//		JSON(`{"status":"paid"}`).
//		Bytes()
//
// An event has the headers that a gateway adds, and the same request id and time in
// each run. HTTP panics when target is not a path.
func HTTP(method, target string) HTTPEvent {
	u, err := url.ParseRequestURI(target)
	if err != nil || u.IsAbs() || u.Path == "" {
		panic(fmt.Sprintf("sample: HTTP: target %q is not a path", target))
	}
	return HTTPEvent{
		method:   method,
		url:      *u,
		route:    defaultRoute,
		sourceIP: "203.0.113.7", // RFC 5737
		header: http.Header{
			"User-Agent":      {"guardtest/1"},
			"X-Amzn-Trace-Id": {"Root=1-5e6a8a6e-1f5c2b3d4a59687786a5b4c3"},
		},
	}
}

// Format1 makes it payload format 1.0.
func (b HTTPEvent) Format1() HTTPEvent { b.service = httpAPI1; return b }

// FunctionURL makes it the event of a function URL, which has no routes, no stages,
// and no authorizer but [HTTPEvent.IAM].
func (b HTTPEvent) FunctionURL() HTTPEvent { b.service = functionURL; return b }

// REST makes it the event of a REST API, stage "prod" if no other is set. A
// REST API has no $default route: without [HTTPEvent.Route] the resource is
// "/{proxy+}".
func (b HTTPEvent) REST() HTTPEvent { b.service = restAPI; return b }

// VPCLattice makes it the event of VPC Lattice, event structure version V2. It
// has no routes, no stages, and no authorizer but [HTTPEvent.IAM].
func (b HTTPEvent) VPCLattice() HTTPEvent { b.service = vpcLattice; return b }

// Route sets the gateway's route that the request takes, "GET /orders/{id}"; the
// default is $default. It yields the path parameters. Bytes and Event panic when the
// request does not take it.
func (b HTTPEvent) Route(key string) HTTPEvent { b.route = key; return b }

// Query adds a value to the query string.
func (b HTTPEvent) Query(name, value string) HTTPEvent {
	if b.url.RawQuery != "" {
		b.url.RawQuery += "&"
	}
	b.url.RawQuery += url.QueryEscape(name) + "=" + url.QueryEscape(value)
	return b
}

// Header adds a value to a header; "Host" is the domain of the API.
func (b HTTPEvent) Header(name, value string) HTTPEvent {
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
func (b HTTPEvent) Cookie(name, value string) HTTPEvent {
	b.cookies = append(slices.Clip(b.cookies), name+"="+value)
	return b
}

// JSON sets the body, and the content type application/json.
func (b HTTPEvent) JSON(body string) HTTPEvent {
	return b.Body("application/json", []byte(body))
}

// Body sets the content type, none when it is empty, and the body: base64 in
// the event unless the type is textual, as a gateway does it. A REST API treats all
// UTF-8 as text, VPC Lattice fewer types.
func (b HTTPEvent) Body(contentType string, body []byte) HTTPEvent {
	b.header = b.header.Clone()
	b.header.Del("Content-Type")
	if contentType != "" {
		b.header.Set("Content-Type", contentType)
	}
	b.body = slices.Clone(body)
	return b
}

// Base64 encodes the body of any type, as a gateway does for types that are
// configured as binary.
func (b HTTPEvent) Base64() HTTPEvent { b.base64 = true; return b }

// SourceIP is the client's address. VPC Lattice has it in X-Forwarded-For alone.
func (b HTTPEvent) SourceIP(ip string) HTTPEvent { b.sourceIP = ip; return b }

// Stage is the stage's name. A stage other than $default stands before the path: in
// all paths of an HTTP API, and in the request context's path of a REST API. With a
// header Host the address is a custom domain, where the stage is in no path.
func (b HTTPEvent) Stage(name string) HTTPEvent { b.stage = name; return b }

// BasePath is mapped at a custom domain, "v1". The domain is api.example.com
// without a header Host. Events of format 2.0 do not have it.
func (b HTTPEvent) BasePath(path string) HTTPEvent { b.basePath = path; return b }

// JWT adds what a JWT authorizer, or a REST API's user pool, knows of a token: the
// claims, and the scopes of the route.
func (b HTTPEvent) JWT(claims map[string]string, scopes ...string) HTTPEvent {
	claims, scopes = maps.Clone(claims), slices.Clone(scopes)
	b.iam, b.authorizer = nil, func(s service) any {
		facts := map[string]any{"claims": claims, "scopes": scopes}
		switch s {
		case restAPI:
			delete(facts, "scopes")
			return facts
		case httpAPI1:
			return facts
		default:
			return map[string]any{"jwt": facts}
		}
	}
	return b
}

// Lambda adds the context that a Lambda authorizer returned.
func (b HTTPEvent) Lambda(context map[string]any) HTTPEvent {
	context = maps.Clone(context)
	b.iam, b.authorizer = nil, func(s service) any {
		if s == httpAPI2 {
			return map[string]any{"lambda": context}
		}
		return context
	}
	return b
}

// IAM adds the identity of a signed request, by its ARN.
func (b HTTPEvent) IAM(userARN string) HTTPEvent {
	return b.Caller(gateway.IAMCaller{ARN: userARN})
}

// Caller adds the identity of a signed request: a user, a role's session or an
// identity of a pool. It needs no credentials.
func (b HTTPEvent) Caller(caller gateway.IAMCaller) HTTPEvent {
	caller.AccessKeyID = cmp.Or(caller.AccessKeyID, "AKIAIOSFODNN7EXAMPLE") // of AWS's documentation
	b.authorizer, b.iam = nil, &gateway.IAMAuthorizer{Unsigned: true, Callers: []gateway.IAMCaller{caller}}
	return b
}

// Bytes returns the event for an invocation.
func (b HTTPEvent) Bytes() []byte { return b.Event().Bytes() }

// String returns the event as JSON.
func (b HTTPEvent) String() string { return b.Event().String() }

// Event returns the event, to set what HTTPEvent has no method for.
func (b HTTPEvent) Event() Event {
	if b.authorizer != nil && (b.service == functionURL || b.service == vpcLattice) {
		panic("sample: HTTP: a function URL and VPC Lattice have no authorizer but IAM")
	}
	if b.service == vpcLattice {
		return b.lattice()
	}
	e := b.sent()
	if b.base64 && len(b.body) > 0 {
		e = e.Set("/body", base64.StdEncoding.EncodeToString(b.body)).Set("/isBase64Encoded", true)
	}
	if b.authorizer != nil {
		e = e.Set("/requestContext/authorizer", b.authorizer(b.service))
	}
	return e
}

// sent is the event that the gateway itself makes of the request, with ids and
// times that are the same in each run.
func (b HTTPEvent) sent() Event {
	fn := new(function)
	api, prefix, err := b.gateway(fn)
	if err != nil {
		panic("sample: HTTP: " + err.Error())
	}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, b.request(prefix))
	if fn.event == nil {
		panic(fmt.Sprintf("sample: HTTP: %s %s does not take the route %q: %d %s", b.method, b.url.Path, b.route, w.Code, w.Body))
	}
	e := Event{name: b.method + " " + b.url.Path, text: string(fn.event)}
	const context, time, epoch, id = "/requestContext/", "12/Mar/2020:19:16:30 +0000", 1584040590390, "JKJaXmPLvHcESHA="
	switch b.service {
	case httpAPI2, functionURL:
		return e.Set(context+"requestId", id).Set(context+"time", time).Set(context+"timeEpoch", epoch)
	case restAPI:
		e = e.Set(context+"requestId", "c6af9ac6-7b61-11e6-9a41-93e8deadbeef")
	default:
		e = e.Set(context+"requestId", id)
	}
	return e.Set(context+"extendedRequestId", id).Set(context+"requestTime", time).Set(context+"requestTimeEpoch", epoch)
}

// A function keeps the event that it is called with.
type function struct{ event []byte }

func (f *function) Do(_ context.Context, call guardtest.Call) (guardtest.Result, error) {
	f.event = call.Payload
	return guardtest.Result{Payload: []byte(`{"statusCode":200}`)}, nil
}

// gateway returns the API in front of fn, and the prefix of its paths.
func (b HTTPEvent) gateway(fn *function) (api http.Handler, prefix string, err error) {
	var routes []string
	if b.route != defaultRoute {
		routes = []string{b.route}
	}
	inPath := b.header.Get("Host") == "" && b.basePath == "" && b.service != functionURL
	stage := b.stage
	if b.service == restAPI {
		stage = cmp.Or(stage, "prod")
		api, err = gateway.NewRESTAPI(fn, gateway.RESTAPIConfig{Routes: routes, Stage: stage, StageInPath: inPath, BasePath: b.basePath, IAM: b.iam})
	} else {
		cfg := gateway.HTTPAPIConfig{Routes: routes, Stage: stage, StageInPath: inPath, BasePath: b.basePath, IAM: b.iam, FunctionURL: b.service == functionURL}
		if b.service == httpAPI1 {
			cfg.Format = "1.0"
		}
		api, err = gateway.NewHTTPAPI(fn, cfg)
	}
	if inPath && stage != "" && stage != defaultRoute {
		prefix = "/" + stage
	}
	if base := strings.Trim(b.basePath, "/"); base != "" {
		prefix = "/" + base
	}
	return api, prefix, err
}

// request is the request as the gateway gets it.
func (b HTTPEvent) request(prefix string) *http.Request {
	target := prefix + b.url.EscapedPath()
	if b.url.RawQuery != "" || b.url.ForceQuery {
		target += "?" + b.url.RawQuery
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		panic("sample: HTTP: " + err.Error())
	}
	r := &http.Request{
		Method:     b.method,
		URL:        u,
		Proto:      "HTTP/1.1",
		Header:     b.header.Clone(),
		Host:       b.host(),
		RemoteAddr: b.sourceIP,
		TLS:        &tls.ConnectionState{},
		Body:       io.NopCloser(bytes.NewReader(b.body)),
	}
	r.Header.Del("Host")
	if len(b.cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(append(r.Header.Values("Cookie"), b.cookies...), "; "))
	}
	return r
}

func (b HTTPEvent) host() string {
	switch {
	case b.header.Get("Host") != "":
		return b.header.Get("Host")
	case b.basePath != "":
		return "api.example.com"
	case b.service == functionURL:
		return "lambdarmor.lambda-url.us-east-1.on.aws"
	case b.service == vpcLattice:
		return "orders-0a40eebed65f8d69c.7d67968.vpc-lattice-svcs.us-east-1.on.aws"
	default:
		return "lambdarmor.execute-api.us-east-1.amazonaws.com"
	}
}
