package httpapi_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

const requestID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"

// call is an HTTP request that a gateway makes an event of. The zero value is
// GET / of an HTTP API in payload format 2.0.
type call struct {
	format1    bool // payload format 1.0 of an HTTP API
	rest       bool // a REST API
	lattice    bool // VPC Lattice
	method     string
	path       string // as the gateway sends it
	query      string
	route      string            // "POST /orders"; $default
	params     map[string]string // of the route
	stage      string            // $default
	domain     string
	headers    map[string]string
	cookies    []string
	body       string
	base64     bool
	authorizer any
}

const (
	apiDomain = "abcdef1234.execute-api.eu-central-1.amazonaws.com"
	urlDomain = "abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws"
	ownDomain = "api.shop.example"
)

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

type object = map[string]any

// event writes the payload. Strings pass as they are, invalid UTF-8 included.
func (c call) event() []byte {
	body := c.body
	if c.base64 {
		body = base64.StdEncoding.EncodeToString([]byte(body))
	}
	c.method, c.path, c.domain = or(c.method, "GET"), or(c.path, "/"), or(c.domain, apiDomain)
	c.route, c.stage = or(c.route, "$default"), or(c.stage, "$default")
	const marker = "the body goes here"
	var ev object
	switch {
	case c.format1 || c.rest:
		ev = c.event1()
	case c.lattice:
		ev = c.eventLattice()
	default:
		ev = c.event2()
	}
	ev["body"], ev["isBase64Encoded"], ev["pathParameters"] = marker, c.base64, c.params
	out, err := json.Marshal(ev)
	if err != nil {
		panic(err)
	}
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\x00", `\u0000`).Replace(body)
	return []byte(strings.Replace(string(out), marker, escaped, 1))
}

func (c call) event2() object {
	return object{
		"version": "2.0", "routeKey": c.route, "rawPath": c.path, "rawQueryString": c.query,
		"headers": c.headers, "cookies": c.cookies,
		"requestContext": object{
			"domainName": c.domain, "stage": c.stage, "routeKey": c.route, "requestId": "JKJaXmPLvHcESHA=",
			"authorizer": c.authorizer,
			"http":       object{"method": c.method, "path": c.path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test"},
		},
	}
}

func (c call) event1() object {
	headers := map[string][]string{}
	for name, value := range c.headers {
		headers[name] = []string{value}
	}
	if len(c.cookies) > 0 {
		headers["Cookie"] = []string{strings.Join(c.cookies, "; ")}
	}
	resource := c.route
	if _, template, ok := strings.Cut(c.route, " "); ok {
		resource = template
	}
	var query map[string][]string
	if c.query != "" {
		query = map[string][]string{}
		for pair := range strings.SplitSeq(c.query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			query[name] = append(query[name], value)
		}
	}
	ev := object{
		"resource": resource, "path": c.path, "httpMethod": c.method, "multiValueHeaders": headers,
		"multiValueQueryStringParameters": query,
		"requestContext": object{
			"domainName": c.domain, "stage": c.stage, "resourcePath": resource, "httpMethod": c.method, "protocol": "HTTP/1.1",
			"authorizer": c.authorizer, "identity": object{"sourceIp": "192.0.2.1"},
		},
	}
	if !c.rest {
		ev["version"] = "1.0"
	}
	return ev
}

func (c call) eventLattice() object {
	headers := map[string][]string{"host": {c.domain}}
	for name, value := range c.headers {
		headers[name] = []string{value}
	}
	if len(c.cookies) > 0 {
		headers["cookie"] = []string{strings.Join(c.cookies, "; ")}
	}
	path := c.path
	if c.query != "" {
		path += "?" + c.query
	}
	return object{
		"version": "2.0", "method": c.method, "path": path, "headers": headers,
		"requestContext": object{
			"serviceArn": "arn:aws:vpc-lattice:eu-central-1:123456789012:service/svc-1", "region": "eu-central-1",
			"identity": object{"sourceVpcArn": "arn:aws:ec2:eu-central-1:123456789012:vpc/vpc-1"},
		},
	}
}

// jsonCall is a POST of a JSON body.
func jsonCall(body string) call {
	return call{method: "POST", path: "/orders", headers: map[string]string{"content-type": "application/json"}, body: body}
}

// answer is a response as the client of the gateway sees it.
type answer struct {
	status int
	header http.Header
	body   string
	base64 bool
	fields object // the answer as the gateway reads it
}

// read opens an answer in payload format 2.0 or 1.0, or for VPC Lattice, strictly.
func read(t testing.TB, out []byte) answer {
	t.Helper()
	var raw struct {
		StatusCode        int                 `json:"statusCode"`
		Headers           map[string]any      `json:"headers"`
		MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
		Cookies           []string            `json:"cookies"`
		Body              string              `json:"body"`
		IsBase64Encoded   bool                `json:"isBase64Encoded"`
	}
	if err := strictjson.Unmarshal(out, &raw, strictjson.Options{RejectUnknown: true}); err != nil {
		t.Fatalf("not a proxy response: %v in %.300s", err, out)
	}
	a := answer{status: raw.StatusCode, header: http.Header{}, body: raw.Body, base64: raw.IsBase64Encoded}
	if err := json.Unmarshal(out, &a.fields); err != nil {
		t.Fatal(err)
	}
	for name, value := range raw.Headers {
		switch value := value.(type) {
		case string:
			a.header.Add(name, value)
		case []any: // of cookies alone, and more than one
			if name != "set-cookie" || len(value) < 2 {
				t.Errorf("a list for the header %s: %q", name, value)
			}
			for _, v := range value {
				a.header.Add(name, v.(string))
			}
		default:
			t.Errorf("the header %s is %v", name, value)
		}
	}
	for name, values := range raw.MultiValueHeaders {
		a.header[http.CanonicalHeaderKey(name)] = values
	}
	for _, c := range raw.Cookies {
		a.header.Add("Set-Cookie", c)
	}
	if raw.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(raw.Body)
		if err != nil {
			t.Fatalf("not base64: %v", err)
		}
		a.body = string(body)
	}
	return a
}

// problem is the body of an answer of Problems.
type problem struct {
	Type, Title, Detail, Instance, Code string
	Status                              int
	Errors                              []struct{ Pointer, Detail string }
}

// problem reads the body, which must agree with the status.
func (a answer) problem(t testing.TB) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("not a problem: %v in %.300s", err, a.body)
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" || p.Status != a.status {
		t.Errorf("content type %q, status %d in the body of a %d", got, p.Status, a.status)
	}
	return p
}

// inLambda returns a context as aws-lambda-go makes it for a handler.
func inLambda(ctx context.Context) context.Context {
	return lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: requestID})
}

// invoke calls h, wrapped in layers, with c, and returns its answer.
func invoke(t testing.TB, c call, h lambda.Handler, layers ...guard.Middleware) ([]byte, error) {
	t.Helper()
	return guard.Wrap(h, layers...).Invoke(inLambda(t.Context()), c.event())
}

// send calls h inside layers and Problems, which has an answer to everything.
func send(t testing.TB, c call, h lambda.Handler, layers ...guard.Middleware) answer {
	t.Helper()
	out, err := invoke(t, c, h, append(layers, httpapi.Problems(), guard.Recover())...)
	if err != nil {
		t.Fatalf("an error left the chain: %v", err)
	}
	return read(t, out)
}

// wantError checks what a caller may see of an error.
func wantError(t testing.TB, err error, kind guard.Kind, code string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s %s", kind, code)
	}
	if e := guard.Public(err); e.Kind != kind || e.Code != code {
		t.Errorf("%s %s (%v), want %s %s", e.Kind, e.Code, err, kind, code)
	}
}

// panics returns the text that f panics with, "" if it does not.
func panics(f func()) (text string) {
	defer func() {
		switch value := recover().(type) {
		case nil:
		case error:
			text = value.Error()
		case string:
			text = value
		default:
			text = "?"
		}
	}()
	f()
	return ""
}

// raw is a handler of someone else's, with the same answer for everything.
func raw(out string) lambda.Handler {
	return guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(out), nil })
}

// failing is a handler with an error.
func failing(err error) lambda.Handler {
	return guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, err })
}
