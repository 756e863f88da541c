package idempotency_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

func TestRule10AnErrorReleasesTheKey(t *testing.T) {
	broken := errors.New("broken")
	f := new(function)
	f.handle = func(_ context.Context, run int64) ([]byte, error) {
		if run < 3 {
			return nil, broken
		}
		return []byte(`{"statusCode":201}`), nil
	}
	h := protect(f, idempotency.NewMemoryStore())
	for range 2 {
		if out, err := ask(t, h, request{key: "k"}); !errors.Is(err, broken) {
			t.Errorf("%s, %v", out, err)
		}
	}
	mustAnswer(t, h, request{key: "k"})
	if out := mustAnswer(t, h, request{key: "k"}); !isReplay(out) {
		t.Errorf("not replayed: %s", out)
	}
	f.mustHaveRun(t, 3)
}

// It makes no difference whether the panic passes through Once or was made an
// error by a Recover inside it.
func TestRule10APanicLeavesTheOutcomeUnknown(t *testing.T) {
	for name, layers := range map[string][]guard.Middleware{"recovered outside": nil, "recovered inside": {guard.Recover()}} {
		t.Run(name, func(t *testing.T) {
			f := &function{handle: func(context.Context, int64) ([]byte, error) { panic("half done") }}
			h := guard.Wrap(f, append([]guard.Middleware{
				guard.Recover(), idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key")),
			}, layers...)...)
			if out, err := ask(t, h, request{key: "k"}); !guard.Panicked(err) {
				t.Errorf("%s, %v", out, err)
			}
			mustRefuse(t, h, request{key: "k"}, guard.Conflict, "idempotency_in_progress")
			f.mustHaveRun(t, 1)
		})
	}
}

func TestRule10WhatIsRefusedFurtherOutUsesNoKey(t *testing.T) {
	s := &counting{Store: idempotency.NewMemoryStore()}
	refuse := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			return nil, guard.Errorf(guard.Invalid, "validation_failed", "No.")
		})
	}
	h := guard.Wrap(new(function), refuse, idempotency.Once(s, idempotency.Header("Idempotency-Key")))
	mustRefuse(t, h, request{key: "k"}, guard.Invalid, "validation_failed")
	if s.claims.Load() != 0 {
		t.Error("a key was claimed")
	}
}

func TestRule11StatusesThatAreReplayed(t *testing.T) {
	for status := 100; status < 600; status++ {
		kept := status >= 200 && status < 500
		switch status {
		case 408, 409, 423, 425, 429:
			kept = false
		}
		for _, form := range []string{"%d", `"%d"`} {
			f := answering(`{"statusCode":` + fmt.Sprintf(form, status) + `,"body":"x"}`)
			h := protect(f, idempotency.NewMemoryStore())
			mustAnswer(t, h, request{key: "k"})
			again := mustAnswer(t, h, request{key: "k"})
			if isReplay(again) != kept {
				t.Errorf("%d is replayed: %v", status, !kept)
			}
		}
	}
}

func TestRule11ReplaysAreTheSameButForTheirMarkAndCookies(t *testing.T) {
	for name, c := range map[string]struct{ answer, replay string }{
		"headers": {
			answer: `{"statusCode":201,"headers":{"location":"/o/1","Set-Cookie":"a=b","set-cookie":"c=d"},"cookies":["s=1"],"body":"{\"a\":1}","isBase64Encoded":false}`,
			replay: `{"statusCode":201,"headers":{"location":"/o/1","Idempotent-Replayed":"true"},"body":"{\"a\":1}","isBase64Encoded":false}`,
		},
		"no headers": {
			answer: `{"statusCode":204}`,
			replay: `{"statusCode":204,"headers":{"Idempotent-Replayed":"true"},"body":"","isBase64Encoded":false}`,
		},
		"null headers": {
			answer: `{"headers":null,"statusCode":204}`,
			replay: `{"statusCode":204,"headers":{"Idempotent-Replayed":"true"},"body":"","isBase64Encoded":false}`,
		},
		"cookies first": {
			answer: `{"cookies":["a=b"],"statusCode":200}`,
			replay: `{"statusCode":200,"headers":{"Idempotent-Replayed":"true"},"body":"","isBase64Encoded":false}`,
		},
		"escaped cookie": {
			answer: `{"statusCode":200,"headers":{"set\u002dcookie":"a=b"}}`,
			replay: `{"statusCode":200,"headers":{"Idempotent-Replayed":"true"},"body":"","isBase64Encoded":false}`,
		},
		"marked before": {
			answer: `{"statusCode":200,"headers":{"idempotent-replayed":"false"}}`,
			replay: `{"statusCode":200,"headers":{"Idempotent-Replayed":"true"},"body":"","isBase64Encoded":false}`,
		},
		"binary": {
			answer: `{"statusCode":200,"headers":{"content-type":"image/png"},"body":"/wAB","isBase64Encoded":true}`,
			replay: `{"statusCode":200,"headers":{"content-type":"image/png","Idempotent-Replayed":"true"},"body":"/wAB","isBase64Encoded":true}`,
		},
		"escaped names": {
			answer: `{"status\u0043ode":201,"cook\u0069es":["a=b"],"he\u0061ders":{"set-cookie":"a=b","a":"1"},"body":"b"}`,
			replay: `{"statusCode":201,"headers":{"a":"1","Idempotent-Replayed":"true"},"body":"b","isBase64Encoded":false}`,
		},
		"no status": {
			answer: `{"id":"ö","a":"\""}`,
			replay: `{"statusCode":200,"headers":{"content-type":"application/json","Idempotent-Replayed":"true"},"body":"{\"id\":\"ö\",\"a\":\"\\\"\"}","isBase64Encoded":false}`,
		},
		"a string": {
			answer: `"done"`,
			replay: `{"statusCode":200,"headers":{"content-type":"application/json","Idempotent-Replayed":"true"},"body":"\"done\"","isBase64Encoded":false}`,
		},
		"more than is read": {
			answer: `{"statusCode":200,"x":[1,{"headers":{}}],"body":"b"}`,
			replay: `{"statusCode":200,"headers":{"Idempotent-Replayed":"true"},"body":"b","isBase64Encoded":false}`,
		},
	} {
		f := answering(c.answer)
		h := protect(f, idempotency.NewMemoryStore())
		if first := mustAnswer(t, h, request{key: "k"}); first != c.answer {
			t.Errorf("%s: first %s", name, first)
		}
		for range 2 {
			if again := mustAnswer(t, h, request{key: "k"}); again != c.replay {
				t.Errorf("%s:\n got %s\nwant %s", name, again, c.replay)
			}
		}
		f.mustHaveRun(t, 1)
	}
}

// A load balancer that takes lists takes no other headers, so that a replay has
// its mark where the gateway looks.
func TestRule11AReplayIsInTheFormOfTheLoadBalancer(t *testing.T) {
	f := answering(`{"statusCode":201}`)
	for name, cfg := range map[string]gateway.ALBConfig{"lists": {MultiValueHeaders: true}, "single values": {}} {
		g, err := gateway.NewALB(guardtest.NewInProcess(protect(f, idempotency.NewMemoryStore()), guardtest.Config{}), cfg)
		if err != nil {
			t.Fatal(err)
		}
		for i, mark := range []string{"", "true", "true"} {
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/orders", strings.NewReader(`{}`))
			req.Header.Set("Idempotency-Key", "k")
			w := httptest.NewRecorder()
			g.ServeHTTP(w, req)
			if got := w.Header().Get("Idempotent-Replayed"); w.Code != 201 || got != mark {
				t.Errorf("%s, %d: got %d, marked %q; want 201, %q", name, i, w.Code, got, mark)
			}
		}
	}
}

func TestRule11FormatOneHasHeadersOfSeveralValues(t *testing.T) {
	const event = `{"version":"1.0","resource":"/o","path":"/o","httpMethod":"POST","headers":{"Idempotency-Key":"k"},"requestContext":{"httpMethod":"POST"},"body":"{\"a\":1}"}`
	for answer, want := range map[string]string{
		`{"statusCode":200,"multiValueHeaders":{"a":["1","2"],"Set-Cookie":["x=y"]},"body":"b"}`: `{"statusCode":200,"multiValueHeaders":{"a":["1","2"],"Idempotent-Replayed":["true"]},"body":"b","isBase64Encoded":false}`,
		`{"statusCode":200,"headers":{"a":"1","Set-Cookie":"x=y"},"body":"b"}`:                   `{"statusCode":200,"multiValueHeaders":{"a":["1"],"Idempotent-Replayed":["true"]},"body":"b","isBase64Encoded":false}`,
		`{"statusCode":200,"multiValueHeaders":null}`:                                            `{"statusCode":200,"multiValueHeaders":{"Idempotent-Replayed":["true"]},"body":"","isBase64Encoded":false}`,
		`{"id":1}`: `{"id":1}`, // without a status it is no answer there
	} {
		h := protect(answering(answer), idempotency.NewMemoryStore())
		for i, want := range []string{answer, want} {
			if got, err := h.Invoke(t.Context(), []byte(event)); err != nil || string(got) != want {
				t.Errorf("call %d: %s (%v), want %s", i, got, err, want)
			}
		}
	}
}

// The gateway answers 502 in their place.
func TestRule11AnAnswerThatIsNoneIsNotKept(t *testing.T) {
	for _, answer := range []string{
		``, `{`, `{"statusCode":200`, `{"statusCode":200}}`, `<html>`, "{\"statusCode\":200,\"body\":\"\xff\"}",
		`{"statusCode":"ok"}`, `{"statusCode":null}`, `{"statusCode":0,"body":"x"}`, `{"statusCode":"0"}`, `{"statusCode":-1}`, `{"statusCode":99}`, `{"statusCode":600}`,
	} {
		f := answering(answer)
		h := protect(f, idempotency.NewMemoryStore())
		for range 2 {
			if out := mustAnswer(t, h, request{key: "k"}); out != answer {
				t.Errorf("%s became %s", answer, out)
			}
		}
		f.mustHaveRun(t, 2)
	}
}

// The second caller reads what the first has read: the id of the first request.
func TestRule11AProblemIsReplayedAsTheFirstCallerReadIt(t *testing.T) {
	for kind, kept := range map[guard.Kind]bool{
		guard.Invalid: true, guard.Forbidden: true, guard.NotFound: true, guard.Unprocessable: true, guard.TooLarge: true, guard.Unauthenticated: true,
		guard.Conflict: false, guard.TooManyRequests: false, guard.Internal: false, guard.Unavailable: false, guard.Timeout: false,
	} {
		f := failing(fmt.Errorf("wrapped: %w", &guard.Error{
			Kind: kind, Code: "a_code", Detail: "Why.", Violations: []guard.Violation{{Pointer: "/a", Detail: "no"}}, Err: errors.New("hidden cause"),
		}))
		h := served(f, idempotency.NewMemoryStore())
		first := read(t, mustAnswer(t, h, request{key: "k", id: "first-request"}))
		out := mustAnswer(t, h, request{key: "k", id: "second-request"})
		again := read(t, out)
		if !kept {
			f.mustHaveRun(t, 2)
			if isReplay(out) {
				t.Errorf("%s was replayed", kind)
			}
			continue
		}
		f.mustHaveRun(t, 1)
		if !isReplay(out) || first.StatusCode != again.StatusCode || first.Body != again.Body || again.Headers["content-type"] != "application/problem+json" {
			t.Errorf("%s: first %+v, again %+v", kind, first, again)
		}
		var problem struct{ Instance, Code string }
		if err := json.Unmarshal([]byte(again.Body), &problem); err != nil || problem.Instance != "first-request" || problem.Code != "a_code" {
			t.Errorf("%s: problem %s", kind, again.Body)
		}
		if strings.Contains(out, "hidden") {
			t.Errorf("the cause is out: %s", out)
		}
	}
}

func TestAnErrorThatNobodyAnswersIsReleased(t *testing.T) {
	f := failing(guard.Errorf(guard.Unprocessable, "unknown_sku", "No such SKU."))
	h := protect(f, idempotency.NewMemoryStore()) // no Problems outside
	for range 2 {
		mustRefuse(t, h, request{key: "k"}, guard.Unprocessable, "unknown_sku")
	}
	f.mustHaveRun(t, 2)
}

func TestStoreWhenReplacesThePolicy(t *testing.T) {
	only201 := idempotency.StoreWhen(func(status int, answer []byte) bool { return status == 201 && strings.Contains(string(answer), "x") })
	for answer, runs := range map[string]int64{`{"statusCode":201,"body":"x"}`: 1, `{"statusCode":201,"body":"y"}`: 2, `{"statusCode":200,"body":"x"}`: 2} {
		f := answering(answer)
		h := protect(f, idempotency.NewMemoryStore(), only201)
		mustAnswer(t, h, request{key: "k"})
		mustAnswer(t, h, request{key: "k"})
		f.mustHaveRun(t, runs)
	}
	all := idempotency.StoreWhen(func(int, []byte) bool { return true })
	f := failing(guard.Errorf(guard.Conflict, "taken", "Taken."))
	h := served(f, idempotency.NewMemoryStore(), all)
	mustAnswer(t, h, request{key: "k"})
	if out := mustAnswer(t, h, request{key: "k"}); !isReplay(out) || read(t, out).StatusCode != 409 {
		t.Errorf("not replayed: %s", out)
	}
	f.mustHaveRun(t, 1)

	// An error of ours is no answer, whatever the policy.
	f = failing(guard.Errorf(guard.Internal, "broken", ""))
	h = served(f, idempotency.NewMemoryStore(), all)
	mustAnswer(t, h, request{key: "k"})
	mustAnswer(t, h, request{key: "k"})
	f.mustHaveRun(t, 2)
}

func TestStoreWhenIsToldWhatTheGatewayAnswers(t *testing.T) {
	for answer, want := range map[string]int{`{"statusCode":201}`: 201, `{"a":1}`: 200, `{"statusCode":0}`: 502, `<html>`: 502} {
		told := -1
		f := answering(answer)
		h := protect(f, idempotency.NewMemoryStore(), idempotency.StoreWhen(func(status int, _ []byte) bool { told = status; return true }))
		mustAnswer(t, h, request{key: "k"})
		if told != want {
			t.Errorf("%s has status %d, want %d", answer, told, want)
		}
		// What it refused once, it refuses again.
		if again := mustAnswer(t, h, request{key: "k"}); want == 502 && again != answer {
			t.Errorf("%s is replayed as %s", answer, again)
		}
		f.mustHaveRun(t, 1)
	}
}

func TestABatchThatFailedInPartIsNotKept(t *testing.T) {
	event := []byte(`{"Records":[{"messageId":"m","body":"b","eventSource":"aws:sqs"}]}`)
	for answer, runs := range map[string]int64{
		`{"batchItemFailures":[{"itemIdentifier":"m"}]}`: 2, `{"batchItemFailures":[]}`: 1, `null`: 1, `{}`: 1, `"text"`: 1, ``: 1,
	} {
		f := answering(answer)
		h := guard.Wrap(f, idempotency.Once(idempotency.NewMemoryStore(), idempotency.Payload()))
		for range 2 {
			if out, err := h.Invoke(t.Context(), event); err != nil || string(out) != answer {
				t.Errorf("%s became %s (%v)", answer, out, err)
			}
		}
		if got := f.runs.Load(); got != runs {
			t.Errorf("answering %s it ran %d times, want %d", answer, got, runs)
		}
	}
}

// CORS and the like add to a replay what belongs to the second request.
func TestLayersFurtherOutDecorateAReplay(t *testing.T) {
	f := new(function)
	h := guard.Wrap(f, httpapi.Problems(), httpapi.CORS(httpapi.CORSConfig{Origins: []string{"https://a.example", "https://b.example"}}),
		idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key")))
	for _, origin := range []string{"https://a.example", "https://b.example"} {
		out := mustAnswer(t, h, request{key: "k", headers: map[string]string{"origin": origin}})
		if got := read(t, out).Headers["access-control-allow-origin"]; got != origin {
			t.Errorf("allowed %q, want %q: %s", got, origin, out)
		}
	}
	f.mustHaveRun(t, 1)
}
