package httpapi_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// defended is a function with every layer and each way to make an answer.
func defended(log io.Writer) lambda.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/std/{id}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.Header.Get("X-Echo"))
		_, _ = io.Copy(w, r.Body)
	})
	return guard.Wrap(httpapi.Routes(map[string]lambda.Handler{
		"POST /orders": httpapi.Func(echo),
		"GET /orders/{id}": httpapi.Handler(func(_ context.Context, r *httpapi.Request) (httpapi.Response, error) {
			cookie, _ := r.Cookie("a")
			return httpapi.Response{Header: http.Header{"X-Echo": {r.PathValue("id"), cookie, r.ClientIP()}}, Body: []byte(r.Query().Encode())}, nil
		}),
		"GET /panic": guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { panic("v") }),
		"/std/":      httpapi.Serve(mux),
		"/files/":    raw(`{"statusCode":200,"body":"b"}`),
	}),
		guard.Log(logging.New(log)), httpapi.Problems(), httpapi.SecurityHeaders(),
		httpapi.CORS(httpapi.CORSConfig{Origins: []string{shopOrigin}, Credentials: true}),
		guard.Recover(), guard.Deadline(0), guard.Limit(guard.Limits{Payload: 1 << 16}),
	)
}

// Whatever bytes come, the chain does not panic, and what leaves it is a
// response that a gateway can send, or an error that Lambda can report.
//
// SECURITY: The process lives.
func FuzzChain(f *testing.F) {
	for _, c := range []call{
		jsonCall(`{"customer":"c","lines":[{"sku":"a","n":1}]}`),
		{path: "/orders/o-1", query: "a=1&b", cookies: []string{"a=1"}, headers: map[string]string{"origin": shopOrigin}},
		{path: "/v1/orders/o%2F1", stage: "v1"},
		{method: "PUT", path: "/std/x", body: "\x00", base64: true, headers: map[string]string{"x-echo": "a\r\nb"}},
		{path: "/panic", rest: true},
		{path: "/files//x", format1: true},
		{path: "/orders/o-1", query: "a=1&b", lattice: true, cookies: []string{"a=1"}},
		preflight(shopOrigin),
	} {
		f.Add(c.event())
	}
	for _, payload := range []string{
		``, `{`, `null`, `[]`, `{}`, `{"Records":[{"eventSource":"aws:sqs"}]}`, `{"requestContext":{"elb":{}},"httpMethod":"GET","path":"/orders/1"}`,
		`{"requestContext":{"connectionId":"c"}}`, `{"version":"2.0","requestContext":{"http":{}},"body":1}`,
	} {
		f.Add([]byte(payload))
	}
	h := defended(io.Discard)
	f.Fuzz(func(t *testing.T, payload []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		trigger := guard.EventOf(ctx, payload).Trigger()
		out, err := h.Invoke(ctx, payload)
		if err != nil {
			var own messages.InvokeResponse_Error
			if !errors.As(err, &own) || own.Type == "" || trigger.IsHTTP() {
				t.Fatalf("%s: %#v", trigger, err)
			}
			return
		}
		if !trigger.IsHTTP() && trigger != guard.ALB && trigger != guard.WebSocket {
			t.Skip() // an HTTP request all the same, of a shape that no gateway sends
		}
		if a := read(t, out); a.status < 200 || a.status > 599 {
			t.Fatalf("%s: status %d", trigger, a.status)
		}
	})
}
