package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

func TestEveryKindIsAProblem(t *testing.T) {
	for kind := guard.Internal; kind <= guard.Timeout+1; kind++ {
		p := &guard.Error{Kind: kind, Code: "some_code", Detail: "Some detail.", Err: errors.New("planted")}
		for name, err := range map[string]error{"bare": p, "wrapped": fmt.Errorf("planted: %w", p), "joined": errors.Join(errors.New("planted"), p)} {
			for _, c := range []call{{}, {format1: true}, {rest: true}, {domain: urlDomain}, {lattice: true}} {
				a := send(t, c, failing(err))
				got := a.problem(t)
				want := problem{Type: "about:blank", Title: kind.Title(), Detail: "Some detail.", Instance: requestID, Code: "some_code", Status: kind.Status()}
				if fmt.Sprint(got) != fmt.Sprint(want) || strings.Contains(a.body, "planted") {
					t.Errorf("%s, %s: %s", kind, name, a.body)
				}
			}
		}
	}
}

func TestAProblemHasTheMembersOfTheRFCAndOurs(t *testing.T) {
	err := &guard.Error{Kind: guard.Unprocessable, Code: "c", Detail: "d", RetryAfter: time.Second, Violations: []guard.Violation{
		{Pointer: "/items/0", Keyword: "maximum", Detail: "must be at most 9"}, {Detail: "whole"},
	}}
	out, failed := invoke(t, call{}, failing(err), httpapi.Problems())
	const want = `{"statusCode":422,"headers":{"content-type":"application/problem+json","retry-after":"1"},"body":` +
		`"{\"type\":\"about:blank\",\"title\":\"Unprocessable request\",\"status\":422,\"detail\":\"d\",\"instance\":\"` + requestID + `\",\"code\":\"c\",` +
		`\"errors\":[{\"pointer\":\"/items/0\",\"detail\":\"must be at most 9\"},{\"pointer\":\"\",\"detail\":\"whole\"}]}","isBase64Encoded":false}`
	if failed != nil || string(out) != want {
		t.Errorf("%v\n%s\n%s", failed, out, want)
	}
	out, failed = guard.Wrap(failing(&guard.Error{Kind: guard.Conflict}), httpapi.Problems()).Invoke(t.Context(), call{}.event())
	const bare = `{"type":"about:blank","title":"Conflict","status":409,"code":"conflict"}`
	if a := read(t, out); failed != nil || a.body != bare {
		t.Errorf("%v, %s, want %s", failed, a.body, bare)
	}
}

func TestRetryAfterIsRoundedUp(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "", -time.Second: "", time.Nanosecond: "1", time.Second: "1", time.Second + 1: "2", 90 * time.Second: "90", 1500 * time.Millisecond: "2",
	} {
		a := send(t, call{}, failing(&guard.Error{Kind: guard.Unavailable, RetryAfter: d}))
		if got := a.header.Get("Retry-After"); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestEvery401HasAChallenge(t *testing.T) {
	err := guard.Errorf(guard.Unauthenticated, "", "")
	for want, tt := range map[string]struct {
		err  error
		opts []httpapi.ProblemOption
	}{
		"Bearer":               {err: err},
		`Basic realm="orders"`: {err: err, opts: []httpapi.ProblemOption{httpapi.Challenge(`Basic realm="orders"`)}},
		"DPoP": {
			err:  httpapi.WithHeader(err, "www-authenticate", "DPoP"),
			opts: []httpapi.ProblemOption{httpapi.Challenge("Basic")},
		},
	} {
		out, err := invoke(t, call{}, failing(tt.err), httpapi.Problems(tt.opts...))
		if a := read(t, out); err != nil || a.status != 401 || a.header.Get("Www-Authenticate") != want {
			t.Errorf("%+v, want %q", a, want)
		}
	}
	if a := send(t, call{}, failing(guard.Errorf(guard.Forbidden, "", ""))); a.header.Get("Www-Authenticate") != "" {
		t.Errorf("a 403 asks for credentials: %+v", a)
	}
	for _, bad := range []string{"", "a\r\nb", "\xff"} {
		if text := panics(func() { httpapi.Challenge(bad) }); !strings.HasPrefix(text, "httpapi: ") {
			t.Errorf("%q: %q", bad, text)
		}
	}
}

func TestTypeBase(t *testing.T) {
	out, err := invoke(t, call{}, failing(guard.Errorf(guard.Conflict, "sold_out", "")), httpapi.Problems(httpapi.TypeBase("https://docs.example/problems/")))
	if p := read(t, out).problem(t); err != nil || p.Type != "https://docs.example/problems/sold_out" {
		t.Errorf("%+v", p)
	}
}

// An error that a handler lets slip is Internal, and its text is not sent.
func TestTheUnexpectedIsA500ThatSaysNothing(t *testing.T) {
	const silent = `{"type":"about:blank","title":"Internal error","status":500,"instance":"` + requestID + `","code":`
	for name, tt := range map[string]struct {
		code string
		h    guard.HandlerFunc
	}{
		"an error": {
			code: "internal",
			h:    func(context.Context, []byte) ([]byte, error) { return nil, errors.New("planted") },
		},
		"a nil *Error": {
			code: "internal",
			h:    func(context.Context, []byte) ([]byte, error) { return nil, (*guard.Error)(nil) },
		},
		"a panic":         {code: "panic", h: func(context.Context, []byte) ([]byte, error) { panic("planted") }},
		"a runtime error": {code: "panic", h: func(_ context.Context, p []byte) ([]byte, error) { return p[len(p)+1:], nil }},
		"an aborted one":  {code: "panic", h: func(context.Context, []byte) ([]byte, error) { panic(http.ErrAbortHandler) }},
		"a Lambda error": {code: "internal", h: func(context.Context, []byte) ([]byte, error) {
			return nil, messages.InvokeResponse_Error{Type: "planted", Message: "planted"}
		}},
	} {
		if a := send(t, call{}, tt.h); a.status != 500 || a.body != silent+`"`+tt.code+`"}` {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestATimeoutIsA504(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(inLambda(t.Context()), 150*time.Millisecond)
		defer cancel()
		late := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done()
			return []byte(`{"statusCode":200}`), nil
		})
		out, err := guard.Wrap(late, httpapi.Problems(), guard.Deadline(100*time.Millisecond)).Invoke(ctx, call{}.event())
		if a := read(t, out); err != nil || a.status != 504 || a.problem(t).Code != "timeout" {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

func TestEventsThatAreNoRequestsGetLambdaErrors(t *testing.T) {
	problem := guard.Errorf(guard.Unavailable, "later", "Later.")
	var rendered bool
	h := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		_, rendered = layer.Render(ctx, problem)
		return nil, fmt.Errorf("planted: %w", problem)
	})
	for _, payload := range []string{
		`{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}`, `{"Records":[{"EventSource":"aws:sns"}]}`, `{"source":"a","detail-type":"b"}`,
		`{"type":"REQUEST","methodArn":"arn"}`, `{}`, `[]`, `null`, ``, `{`,
	} {
		out, err := guard.Wrap(h, httpapi.Problems(), httpapi.SecurityHeaders()).Invoke(t.Context(), []byte(payload))
		var own messages.InvokeResponse_Error
		if out != nil || !errors.As(err, &own) || own.Type != "later" || own.Message != "Later." {
			t.Errorf("%s: %s, %#v", payload, out, err)
		}
		if rendered {
			t.Errorf("%s: a response is rendered that will not be sent", payload)
		}
	}
}

func TestWhatRendersIsWhatIsSent(t *testing.T) {
	for _, c := range []call{{}, {format1: true}} {
		var rendered []byte
		err := httpapi.WithHeader(&guard.Error{Kind: guard.Conflict, Detail: "d", RetryAfter: time.Second}, "X-A", "b")
		once := func(next lambda.Handler) lambda.Handler {
			return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
				_, failed := next.Invoke(ctx, payload)
				out, ok := layer.Render(ctx, failed)
				if !ok {
					t.Error("nothing renders")
				}
				rendered = bytes.Clone(out)
				return out, nil
			})
		}
		cors := httpapi.CORS(httpapi.CORSConfig{Origins: []string{"https://shop.example"}})
		c.headers = map[string]string{"origin": "https://shop.example"}
		kept, failed := invoke(t, c, failing(err), cors, httpapi.Problems(), httpapi.SecurityHeaders(), once)
		sent, alsoFailed := invoke(t, c, failing(err), cors, httpapi.Problems(), httpapi.SecurityHeaders())
		if failed != nil || alsoFailed != nil || !bytes.Equal(rendered, kept) || !bytes.Equal(sent, kept) {
			t.Errorf("%s\n%s\n%s", rendered, kept, sent)
		}
	}
}

func TestProblemsCanAlwaysBeSent(t *testing.T) {
	for name, err := range map[string]*guard.Error{
		"invalid UTF-8":  {Kind: guard.Conflict, Code: "c\xff", Detail: "d\xff\"\n", Violations: []guard.Violation{{Pointer: "/\xff", Detail: "\xff"}}},
		"a huge detail":  {Kind: guard.Conflict, Detail: strings.Repeat("x", 7<<20)},
		"a huge pointer": {Kind: guard.Conflict, Violations: []guard.Violation{{Pointer: strings.Repeat("\x00", 2<<20)}}},
	} {
		if a := send(t, call{}, failing(err)); a.status != 409 || a.problem(t).Title != "Conflict" {
			t.Errorf("%s: %d %.200s", name, a.status, a.body)
		}
	}
	a := send(t, call{}, failing(&guard.Error{Detail: "d\xffé"}))
	if p := a.problem(t); p.Detail != "d\uFFFDé" {
		t.Errorf("%q", p.Detail)
	}
}

func TestTheRecordHasTheErrorBehindTheProblem(t *testing.T) {
	var log bytes.Buffer
	send(t, call{}, failing(guard.Errorf(guard.Unavailable, "db_down", "Later: %w", guard.Reason("the store is down"))), guard.Log(logging.New(&log)))
	var record struct {
		Status int
		Level  string
		Error  struct{ Kind, Code, Cause string }
	}
	if err := json.Unmarshal(log.Bytes(), &record); err != nil || record.Status != 503 || record.Level != "ERROR" || record.Error.Code != "db_down" || record.Error.Cause != "the store is down" {
		t.Errorf("%v, %s", err, log.String())
	}
}
