package guard_test

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

// noting is a layer that stores its event.
func noting(to **guard.Event) guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			*to = guard.EventOf(ctx, payload)
			return next.Invoke(ctx, payload)
		})
	}
}

// rewriting is a layer that passes on another payload.
func rewriting(payload string) guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			return next.Invoke(ctx, []byte(payload))
		})
	}
}

func TestLayersShareOneEvent(t *testing.T) {
	var a, b, c *guard.Event
	route := guard.Wrap(answers(``, nil), noting(&c))
	h := guard.Wrap(route, noting(&a), noting(&b))
	payload := []byte(`{"a":1}`)
	if _, err := h.Invoke(t.Context(), payload); err != nil {
		t.Fatal(err)
	}
	if a != b || b != c {
		t.Error("the layers and the wrapped route inside have events of their own")
	}
	first := a
	if _, err := h.Invoke(t.Context(), payload); err != nil {
		t.Fatal(err)
	}
	if a == first {
		t.Error("two invocations share an event")
	}
}

func TestARewrittenPayloadHasAnEventOfItsOwn(t *testing.T) {
	var outer, b, c, again *guard.Event
	h := guard.Wrap(answers(``, nil), noting(&outer), rewriting(`{"b":2}`), noting(&b), noting(&c), rewriting(`{"c":3}`), noting(&again))
	if _, err := h.Invoke(t.Context(), []byte(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	if string(outer.Raw()) != `{"a":1}` || string(b.Raw()) != `{"b":2}` || string(again.Raw()) != `{"c":3}` {
		t.Errorf("%s, %s, %s", outer.Raw(), b.Raw(), again.Raw())
	}
	if b != c {
		t.Error("layers inside the rewriting one do not share its event")
	}
}

func TestEqualBytesElsewhereAreAnotherPayload(t *testing.T) {
	var outer, inner *guard.Event
	h := guard.Wrap(answers(``, nil), noting(&outer), rewriting(`{"a":1}`), noting(&inner))
	if _, err := h.Invoke(t.Context(), []byte(`{"a":1}`)); err != nil || outer == inner {
		t.Errorf("one event: %t, error %v", outer == inner, err)
	}
}

func TestAPartOfThePayloadIsAnotherPayload(t *testing.T) {
	payload := []byte(`{"a":1} junk`)
	inside(t, payload, func(ctx context.Context, _ []byte) {
		part := guard.EventOf(ctx, payload[:7])
		if _, err := part.Tree(); err != nil || string(part.Raw()) != `{"a":1}` {
			t.Errorf("%s, %v", part.Raw(), err)
		}
	})
}

func TestOutsideWrapEveryEventIsFresh(t *testing.T) {
	payload := []byte(`{"a":1}`)
	one, other := guard.EventOf(t.Context(), payload), guard.EventOf(t.Context(), payload)
	if one == other {
		t.Error("the same event twice")
	}
}

func TestLimitsHoldForARewrittenPayload(t *testing.T) {
	h := guard.Wrap(guard.Func(func(context.Context, any) (any, error) { return nil, nil }),
		guard.Limit(guard.Limits{Depth: 2}), rewriting(`[[[]]]`))
	_, err := h.Invoke(t.Context(), []byte(`[]`))
	wantError(t, err, guard.Invalid, "json_too_deep")
}

func TestViewsAreMadeOnce(t *testing.T) {
	inside(t, httpEvent(`{"a":[1]}`, true), func(ctx context.Context, payload []byte) {
		type views struct{ tree, http, body, bodyTree uintptr }
		seen := make([]views, 64)
		var wg sync.WaitGroup
		for i := range seen {
			wg.Go(func() {
				e := guard.EventOf(ctx, payload)
				tree, err1 := e.Tree()
				req, err2 := e.HTTP()
				body, err3 := e.Body()
				bodyTree, err4 := e.BodyTree()
				if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
					t.Errorf("%v, %v, %v, %v", err1, err2, err3, err4)
					return
				}
				seen[i] = views{
					tree: reflect.ValueOf(tree).Pointer(), http: reflect.ValueOf(req).Pointer(),
					body: reflect.ValueOf(body).Pointer(), bodyTree: reflect.ValueOf(bodyTree).Pointer(),
				}
			})
		}
		wg.Wait()
		if len(slices.Compact(seen)) != 1 {
			t.Error("a view was made more than once")
		}
	})
}

func TestErrorsOfViewsAreMadeOnce(t *testing.T) {
	e := guard.EventOf(t.Context(), httpEvent(`{"a":1,"a":2}`, false))
	_, first := e.BodyTree()
	_, second := e.BodyTree()
	wantError(t, first, guard.Invalid, "duplicate_member")
	if first != second {
		t.Error("the body was read twice")
	}
}

// inside calls f where a handler would be.
func inside(t *testing.T, payload []byte, f func(ctx context.Context, payload []byte)) {
	t.Helper()
	h := guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		f(ctx, payload)
		return nil, nil
	})
	if _, err := guard.Wrap(h).Invoke(t.Context(), payload); err != nil {
		t.Fatal(err)
	}
}

// The event of a rewritten payload takes its limits from the first event,
// which others may be reading at that moment.
func TestEventsMayBeAskedForWhileOthersRead(t *testing.T) {
	inside(t, []byte(`{"a":1}`), func(ctx context.Context, payload []byte) {
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if _, err := guard.EventOf(ctx, payload).Tree(); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if _, err := guard.EventOf(ctx, []byte(`{"b":2}`)).Tree(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestTreeKeepsNumbersAsWritten(t *testing.T) {
	got, err := guard.EventOf(t.Context(), []byte(`{"n":[1.0,9007199254740993,1e400]}`)).Tree()
	want := map[string]any{"n": []any{json.Number("1.0"), json.Number("9007199254740993"), json.Number("1e400")}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%#v, %v", got, err)
	}
}

func TestBody(t *testing.T) {
	for _, tc := range []struct {
		rule    string
		payload []byte
		body    string
		code    string // "" is no error
	}{
		{rule: "plain", payload: httpEvent(`{"a":"\n"}`, false), body: `{"a":"\n"}`},
		{rule: "base64", payload: httpEvent("\x00\xff<é>", true), body: "\x00\xff<é>"},
		{rule: "empty", payload: httpEvent(``, true)},
		{rule: "none", payload: readSample(t, "apigw-v2-request-no-authorizer.json")},
		{rule: "of a REST API", payload: readSample(t, "apigw-request.json"), body: "{\r\n\t\"a\": 1\r\n}"},
		{rule: "of a function URL", payload: readSample(t, "lambda-urls-request.json"), body: "Hello from client!"},
		{
			rule:    "not base64",
			payload: []byte(strings.Replace(string(httpEvent(`!`, false)), `Encoded":false`, `Encoded":true`, 1)),
			code:    "malformed_base64",
		},
		{rule: "not an HTTP event", payload: []byte(`{"body":"x"}`), code: "not_an_http_event"},
		{
			rule:    "format 2.0 without a method",
			payload: []byte(`{"version":"2.0","body":"x"}`),
			code:    "not_an_http_event",
		},
		{rule: "not JSON", payload: []byte(`{`), code: "malformed_json"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			body, err := guard.EventOf(t.Context(), tc.payload).Body()
			if tc.code != "" {
				wantError(t, err, guard.Invalid, tc.code)
			} else if err != nil {
				t.Error(err)
			}
			if string(body) != tc.body {
				t.Errorf("%q, want %q", body, tc.body)
			}
		})
	}
}

func TestDecodeBodyRefusesAVariantOfTheBody(t *testing.T) {
	// Not a case variant of the event but of the body's own type.
	var in struct {
		Role string `json:"role"`
	}
	e := guard.EventOf(t.Context(), httpEvent(`{"role":"user","extra":1}`, true))
	if err := e.DecodeBody(&in); err != nil || in.Role != "user" {
		t.Errorf("%+v, %v", in, err)
	}
	in.Role = ""
	wantError(t, e.DecodeBody(&in, guard.RejectUnknownMembers()), guard.Invalid, "unknown_member")
	if err := guard.EventOf(t.Context(), []byte(`{}`)).DecodeBody(&in); err == nil {
		t.Error("decoded a body of what is no HTTP event")
	}
}

func TestDecodeReadsThePayload(t *testing.T) {
	var in events.SQSEvent
	if err := guard.EventOf(t.Context(), readSample(t, "sqs-event.json")).Decode(&in); err != nil || len(in.Records) != 1 {
		t.Errorf("%+v, %v", in, err)
	}
}

// A request that is read as far as it is asked is no door for what the whole
// one refuses.
func TestRequestIsAsStrictAsHTTP(t *testing.T) {
	base := sample.Of(guard.HTTPAPI)
	values := []string{`null`, `1`, `1.5`, `"x"`, `true`, `[]`, `[1]`, `["x"]`, `[null]`, `{}`, `{"a":1}`, `{"a":"x"}`, `{"a":null}`, `{"a":"x","a":"y"}`}
	refused := 0
	for _, pointer := range []string{
		"/version", "/routeKey", "/rawPath", "/rawQueryString", "/cookies", "/headers", "/queryStringParameters", "/pathParameters",
		"/stageVariables", "/body", "/isBase64Encoded", "/requestContext", "/requestContext/routeKey", "/requestContext/accountId",
		"/requestContext/stage", "/requestContext/requestId", "/requestContext/apiId", "/requestContext/domainName",
		"/requestContext/domainPrefix", "/requestContext/time", "/requestContext/timeEpoch", "/requestContext/http",
		"/requestContext/http/method", "/requestContext/http/path", "/requestContext/http/protocol", "/requestContext/http/sourceIp",
		"/requestContext/http/userAgent", "/Body", "/Headers", "/requestContext/HTTP", "/requestContext/http/Method", "/unknown",
	} {
		for _, value := range values {
			// A place holder, as what is set would be read and written again.
			event := strings.Replace(base.Set(pointer, "PLACE").String(), `"PLACE"`, value, 1)
			_, whole := guard.EventOf(t.Context(), []byte(event)).HTTP()
			_, light := guard.EventOf(t.Context(), []byte(event)).Request()
			if (whole == nil) != (light == nil) {
				t.Errorf("%s of %s: HTTP says %v, Request %v", pointer, value, whole, light)
			}
			if whole != nil {
				refused++
			}
		}
	}
	if refused < 200 {
		t.Errorf("only %d of the events were refused", refused)
	}
}

func TestWhichRequestsAreIdentified(t *testing.T) {
	for more, want := range map[string]bool{
		`"x":1`:                                         false,
		`"cookies":null`:                                false,
		`"headers":{"authorization":""}`:                false,
		`"cookies":["a=1"]`:                             true,
		`"headers":{"Authorization":"Bearer x"}`:        true,
		`"headers":{"cookie":"a=1"}`:                    true,
		`"requestContext":{"authorizer":null}`:          false,
		`"requestContext":{"authorizer":{"lambda":{}}}`: true,
	} {
		payload := `{"version":"2.0",` + strings.Replace(more, `"requestContext":{`, `"requestContext":{"http":{"method":"GET"},`, 1)
		if !strings.Contains(payload, "requestContext") {
			payload += `,"requestContext":{"http":{"method":"GET"}}`
		}
		req, err := guard.EventOf(t.Context(), []byte(payload+"}")).Request()
		if err != nil || req.HasCredentials() != want {
			t.Errorf("%s: %v, want %t", more, err, want)
		}
	}
}

func TestHTTPReadsFormat2AsItIs(t *testing.T) {
	for _, file := range []string{"apigw-v2-request-iam.json", "apigw-v2-request-jwt-authorizer.json", "lambda-urls-request.json"} {
		text := readSample(t, file)
		want := new(events.APIGatewayV2HTTPRequest)
		if err := json.Unmarshal(text, want); err != nil {
			t.Fatal(err)
		}
		lower := make(map[string]string)
		for name, value := range want.Headers {
			lower[strings.ToLower(name)] = value
		}
		want.Headers = lower // as a gateway sends them
		got, err := guard.EventOf(t.Context(), text).HTTP()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v, want %+v", file, got, err, want)
		}
		if keys := slices.Collect(maps.Keys(got.Headers)); len(keys) == 0 {
			t.Errorf("%s: no headers", file)
		}
	}
}

func TestRequestAndHTTPRefuse(t *testing.T) {
	many := strings.Repeat(`{"a":[]},`, 60) + `{}` // more structure than most events have
	for _, tc := range []struct {
		name  string
		event string
		read  func(*guard.Event) error
		code  string
	}{
		{
			name:  "HTTP of a WebSocket",
			event: `{"requestContext":{"connectionId":"c"}}`,
			read:  func(e *guard.Event) error { _, err := e.HTTP(); return err },
			code:  "not_an_http_event",
		},
		{
			name:  "HTTP of an authorizer's context in another form",
			event: `{"version":"2.0","requestContext":{"http":{"method":"GET"},"authorizer":{"jwt":{"claims":[]}}}}`,
			read:  func(e *guard.Event) error { _, err := e.HTTP(); return err },
			code:  "wrong_type",
		},
		{
			name:  "a member twice in a large event",
			event: `{"x":[` + many + `],"version":"2.0","version":"2.0","requestContext":{"http":{"method":"GET"}}}`,
			read:  func(e *guard.Event) error { _, err := e.Request(); return err },
			code:  "duplicate_member",
		},
		{
			name:  "a large event",
			event: `{"x":[` + many + `],"version":"2.0","requestContext":{"http":{"method":"GET"}}}`,
			read:  func(e *guard.Event) error { _, err := e.Request(); return err },
		},
		{
			name:  "a body that is too large",
			event: string(httpEvent(strings.Repeat("x", 1<<20+1), false)),
			read:  func(e *guard.Event) error { _, err := e.Request(); return err },
			code:  "body_too_large",
		},
		{
			name:  "depth",
			event: `{"version":"2.0","requestContext":{"http":{"method":"GET"}},"x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`,
			read:  func(e *guard.Event) error { _, err := e.Request(); return err },
			code:  "json_too_deep",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := ""
			if err := tc.read(guard.EventOf(t.Context(), []byte(tc.event))); err != nil {
				got = guard.Public(err).Code
			}
			if got != tc.code {
				t.Errorf("got %q, want %q", got, tc.code)
			}
		})
	}
}
