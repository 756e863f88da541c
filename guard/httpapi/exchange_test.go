package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// Every answer that there can be has the headers of both layers, wherever the
// layers stand.
func TestEveryAnswerIsDecorated(t *testing.T) {
	late := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() })
	mux := http.NewServeMux()
	mux.HandleFunc("/std", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Access-Control-Allow-Origin", "*") })
	h := httpapi.Routes(map[string]lambda.Handler{
		"GET /success":  httpapi.Func(func(context.Context, struct{}) (string, error) { return "v", nil }),
		"GET /error":    failing(guard.Errorf(guard.Conflict, "", "")),
		"GET /unknown":  failing(errors.New("unknown")),
		"GET /panic":    guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { panic("v") }),
		"GET /late":     late,
		"POST /func":    httpapi.Func(echo),
		"GET /sub/":     raw(`{}`),
		"GET /2.0":      raw(`{"statusCode":202,"headers":{"access-control-allow-origin":"*"},"body":"b"}`),
		"GET /1.0":      raw(`{"statusCode":202,"multiValueHeaders":{"Access-Control-Allow-Origin":["*"]},"body":"b"}`),
		"GET /bare":     raw(`{"id":1}`),
		"GET /unsent":   httpapi.Func(replies(httpapi.Reply[string]{Header: http.Header{"X": {"a\nb"}}})),
		"GET /huge":     httpapi.Func(func(context.Context, struct{}) (string, error) { return strings.Repeat("x", 7<<20), nil }),
		"GET /rewriter": guard.Wrap(failing(guard.Errorf(guard.Conflict, "", "")), rewriting(call{path: "/else"}.event())),
		"/std":          httpapi.Serve(mux),
	})
	with := func(c call, contentType string) call {
		c.headers = map[string]string{"content-type": contentType}
		return c
	}
	big := with(call{method: "POST", path: "/func", body: strings.Repeat("x", 2<<20)}, "application/json")
	cases := map[string]struct {
		call
		status int
	}{
		"success":           {call: call{path: "/success"}, status: 200},
		"a handler's error": {call: call{path: "/error"}, status: 409},
		"an unknown error":  {call: call{path: "/unknown"}, status: 500},
		"a panic":           {call: call{path: "/panic"}, status: 500},
		"a timeout":         {call: call{path: "/late"}, status: 504},
		"404":               {call: call{path: "/none"}, status: 404},
		"405":               {call: call{method: "PUT", path: "/success"}, status: 405},
		"413":               {call: big, status: 413},
		"415":               {call: with(call{method: "POST", path: "/func", body: "x"}, "text/plain"), status: 415},
		"400":               {call: with(call{method: "POST", path: "/func", body: "x"}, "application/json"), status: 400},
		"a body that is no text": {
			call:   with(call{method: "POST", path: "/func", body: "\xff"}, "application/json"),
			status: 400,
		},
		"a redirect": {call: call{path: "/sub"}, status: 307},
		"a preflight": {
			call:   call{method: "OPTIONS", path: "/func", headers: map[string]string{"access-control-request-method": "POST"}},
			status: 204,
		},
		"an answer in 2.0":          {call: call{path: "/2.0"}, status: 202},
		"an answer in 1.0":          {call: call{path: "/1.0"}, status: 202},
		"an answer without status":  {call: call{path: "/bare"}, status: 200},
		"what cannot be sent":       {call: call{path: "/unsent"}, status: 500},
		"more than can be sent":     {call: call{path: "/huge"}, status: 500},
		"of a rewritten event":      {call: call{path: "/rewriter"}, status: 409},
		"a net/http handler":        {call: call{path: "/std"}, status: 200},
		"a net/http handler's miss": {call: call{method: "PUT", path: "/std/x"}, status: 404},
	}
	problems := httpapi.Problems()
	security := httpapi.SecurityHeaders()
	cors := httpapi.CORS(httpapi.CORSConfig{Origins: []string{shopOrigin}, Credentials: true})
	for order, layers := range map[string][]guard.Middleware{
		"outside Problems":     {security, cors, problems},
		"inside Problems":      {problems, security, cors},
		"one on each side":     {security, problems, cors},
		"the other way around": {security, cors, httpapi.Problems(), problems},
	} {
		layers = append(layers, guard.Recover(), guard.Deadline(5*time.Millisecond, guard.MinRemaining(0)), guard.Limit(guard.Limits{}))
		wrapped := guard.Wrap(h, layers...)
		for name, tt := range cases {
			for _, form := range []func(c *call){func(*call) {}, func(c *call) { c.format1 = true }, func(c *call) { c.rest = true }, func(c *call) { c.domain = urlDomain }, func(c *call) { c.lattice = true }} {
				c := tt.call
				c.headers = map[string]string{"origin": shopOrigin}
				for n, v := range tt.headers {
					c.headers[n] = v
				}
				form(&c)
				if name == "an answer without status" && (c.format1 || c.rest || c.lattice) {
					continue // is one in format 2.0 alone
				}
				if name == "a redirect" && c.rest {
					continue // there is none behind a REST API
				}
				left := time.Minute
				if name == "a timeout" {
					left = 20 * time.Millisecond
				}
				var out []byte
				var err error
				synctest.Test(t, func(t *testing.T) { // in which only a handler that waits takes time
					ctx, cancel := context.WithTimeout(t.Context(), left)
					defer cancel()
					out, err = wrapped.Invoke(ctx, c.event())
				})
				if err != nil {
					t.Errorf("%s, %s: %v", order, name, err)
					continue
				}
				a := read(t, out)
				if a.status != tt.status {
					t.Errorf("%s, %s: %d %.200s, want %d", order, name, a.status, a.body, tt.status)
				}
				if _, lists := a.fields["multiValueHeaders"]; lists != (c.format1 || c.rest) {
					t.Errorf("%s, %s: not in the form of the request: %v", order, name, a.fields)
				}
				if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Strict-Transport-Security") == "" {
					t.Errorf("%s, %s: no security headers: %v", order, name, a.header)
				}
				if got := a.header["Access-Control-Allow-Origin"]; len(got) != 1 || got[0] != shopOrigin || !strings.Contains(a.header.Get("Vary"), "Origin") {
					t.Errorf("%s, %s: no CORS headers: %v", order, name, a.header)
				}
			}
		}
	}
}

// What is refused for its size must not be taken apart to be answered.
func TestTheAnswerToARefusedEventTakesNoneOfItsHeaders(t *testing.T) {
	headers := map[string]string{"origin": shopOrigin, "cookie": "a=1"}
	for i := range 200_000 {
		headers[fmt.Sprint("x-", i)] = ""
	}
	payload := call{headers: headers}.event()
	h := guard.Wrap(named("never"), httpapi.Problems(), httpapi.SecurityHeaders(),
		httpapi.CORS(httpapi.CORSConfig{Origins: []string{shopOrigin}}), guard.Limit(guard.Limits{}))
	allocations := testing.AllocsPerRun(1, func() {
		out, err := h.Invoke(t.Context(), payload)
		if a := read(t, out); err != nil || a.problem(t).Code != "json_too_many_values" || a.allowed() != shopOrigin || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%+v, %v", a, err)
		}
	})
	if allocations > 1000 {
		t.Errorf("%v allocations", allocations)
	}
}

// rewriting is a layer that passes on another payload.
func rewriting(payload []byte) guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) { return next.Invoke(ctx, payload) })
	}
}

// A decorator inside a layer that rewrites the event still reaches the answer
// that Problems makes outside it.
func TestDecoratorsReachAcrossARewrittenEvent(t *testing.T) {
	h := guard.Wrap(failing(guard.Errorf(guard.Conflict, "", "")),
		httpapi.Problems(), rewriting(call{path: "/else"}.event()), httpapi.SecurityHeaders())
	out, err := h.Invoke(t.Context(), call{}.event())
	if a := read(t, out); err != nil || a.status != 409 || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestTheRequestIsThatOfTheRewrittenEvent(t *testing.T) {
	h := guard.Wrap(named("got"), httpapi.Problems(), rewriting(call{path: "/else"}.event()))
	h = guard.Wrap(h, httpapi.SecurityHeaders())
	seen := httpapi.Handler(func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
		return httpapi.Response{Body: []byte(r.Path)}, nil
	})
	out, err := guard.Wrap(seen, httpapi.Problems(), rewriting(call{path: "/else"}.event())).Invoke(t.Context(), call{path: "/x"}.event())
	if a := read(t, out); err != nil || a.body != "/else" {
		t.Errorf("%+v, %v", a, err)
	}
	if out, err := h.Invoke(t.Context(), call{}.event()); err != nil || read(t, out).body != "got" {
		t.Errorf("%s, %v", out, err)
	}
}

// A layer may call what is inside it more than once, as a retry does.
func TestALayerThatTriesAgainDecoratesOnce(t *testing.T) {
	twice := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			if _, err := next.Invoke(ctx, payload); err != nil {
				return nil, err
			}
			return next.Invoke(ctx, payload)
		})
	}
	a := send(t, from(shopOrigin), handing(200, nil), twice, httpapi.SecurityHeaders(), httpapi.CORS(httpapi.CORSConfig{Origins: []string{shopOrigin}}))
	if len(a.header["Access-Control-Allow-Origin"]) != 1 || a.header.Get("Vary") != "Origin" {
		t.Errorf("%v", a.header)
	}
}

// A layer may answer something else than the handler that it has called.
func TestAnAnswerInThePlaceOfTheHandlersIsDecorated(t *testing.T) {
	instead := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			if _, err := next.Invoke(ctx, payload); err != nil {
				return nil, err
			}
			return []byte(`{"statusCode":202,"headers":{"Access-Control-Allow-Origin":"*"},"body":"b"}`), nil
		})
	}
	a := send(t, from(otherOrigin), handing(200, nil), httpapi.SecurityHeaders(), httpapi.CORS(httpapi.CORSConfig{Origins: []string{shopOrigin}}), instead)
	if a.status != 202 || a.header.Get("X-Content-Type-Options") != "nosniff" || a.allowed() != "" {
		t.Errorf("%+v", a)
	}
}

func TestEventsThatAreNoRequestsPassDecoratorsUntouched(t *testing.T) {
	const out = `{"batchItemFailures":[]}`
	got, err := guard.Wrap(raw(out), httpapi.Problems(), httpapi.SecurityHeaders(), httpapi.CORS(httpapi.CORSConfig{})).
		Invoke(t.Context(), []byte(`{"Records":[{"eventSource":"aws:sqs"}]}`))
	if err != nil || string(got) != out {
		t.Errorf("%s, %v", got, err)
	}
}

// One process may serve many invocations at once: nothing of one may be seen
// in another.
//
// SECURITY: Kept apart.
func TestInvocationsAtOnceDoNotMix(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /std/{id}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Id", r.PathValue("id"))
		_, _ = io.Copy(w, r.Body)
	})
	var all sync.WaitGroup
	all.Add(64)
	inside := func(next lambda.Handler) lambda.Handler { // all of them are there at one moment
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			all.Done()
			all.Wait()
			return next.Invoke(ctx, payload)
		})
	}
	id := func(ctx context.Context) string {
		r, _ := httpapi.RequestFrom(ctx)
		return r.PathValue("id")
	}
	routes := httpapi.Routes(map[string]lambda.Handler{
		"POST /func/{id}": httpapi.Func(func(ctx context.Context, in order) (httpapi.Reply[order], error) {
			return httpapi.Reply[order]{Header: http.Header{"X-Id": {id(ctx)}}, Value: in}, nil
		}),
		"POST /fail/{id}": httpapi.Func(func(ctx context.Context, in order) (order, error) {
			return order{}, httpapi.WithHeader(guard.Errorf(guard.Conflict, in.Customer, "%s", in.Customer), "X-Id", id(ctx))
		}),
		"/std/": httpapi.Serve(mux),
	})
	h := guard.Wrap(routes, guard.Log(logging.New(io.Discard)), httpapi.Problems(), httpapi.SecurityHeaders(),
		httpapi.CORS(httpapi.CORSConfig{Origins: origins(64)}), guard.Recover(), guard.Deadline(0), guard.Limit(guard.Limits{}), inside)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			me := fmt.Sprintf("caller-%d", i)
			c := jsonCall(`{"customer":"` + me + `"}`)
			c.path = "/" + []string{"func", "fail", "std"}[i/3%3] + "/" + me
			c.headers["origin"] = origins(64)[i]
			c.format1, c.lattice = i%3 == 0, i%3 == 1
			out, err := h.Invoke(t.Context(), c.event())
			if err != nil {
				t.Error(err)
				return
			}
			a := read(t, out)
			if a.header.Get("X-Id") != me || a.header.Get("Access-Control-Allow-Origin") != c.headers["origin"] ||
				strings.Count(a.body, me) == 0 || strings.Count(a.body, "caller-") != strings.Count(a.body, me) {
				t.Errorf("%s: %+v", me, a)
			}
		})
	}
	wg.Wait()
}

func origins(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("https://site-%d.example", i)
	}
	return all
}

// A layer between may answer in place of the handler, also in as many bytes.
func TestAnAnswerOfTheSameLengthIsDecorated(t *testing.T) {
	inPlace := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			out, err := next.Invoke(ctx, payload)
			const head, tail = `{"statusCode":200,"body":"`, `"}`
			return []byte(head + strings.Repeat("x", len(out)-len(head+tail)) + tail), err
		})
	}
	h := httpapi.Func(func(context.Context, struct{}) (string, error) { return "a body of some length", nil })
	out, err := invoke(t, call{}, h, httpapi.SecurityHeaders(), inPlace)
	if err != nil || !strings.Contains(string(out), `"x-content-type-options":"nosniff"`) {
		t.Errorf("got %s, %v, want it with the headers", out, err)
	}
}
