package idempotency_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
)

// Another library that comes late writes its answer into the record of an
// attempt of ours, and leaves the owner.
func TestWhatAnotherLibraryWroteIsReplayedWithoutCookies(t *testing.T) {
	const answer = `{"statusCode":200,"headers":{"a":"1","Set-Cookie":"session=alice"},"multiValueHeaders":{"set-cookie":["s=1"]},"cookies":["s=2"],"body":"b"}`
	for name, owner := range map[string]string{"with our owner": "ours", "without one": ""} {
		for local, opts := range map[string][]idempotency.Option{"": nil, ", local replays": {idempotency.LocalReplays(1)}} {
			s := &scripted{}
			for range 2 {
				s.script = append(s.script, func(_ context.Context, r idempotency.Record) (idempotency.Record, error) {
					return idempotency.Record{
						Key: r.Key, Owner: owner, Epoch: 1, Status: idempotency.Completed,
						Expires: time.Now().Add(time.Hour), Result: []byte(answer),
					}, idempotency.ErrHeld
				})
			}
			h := protect(new(function), s, opts...)
			for range 2 {
				const want = `{"statusCode":200,"headers":{"a":"1","Idempotent-Replayed":"true"},"body":"b","isBase64Encoded":false}`
				if got := mustAnswer(t, h, request{key: "k"}); got != want {
					t.Errorf("%s%s: got %s, want %s", name, local, got, want)
				}
			}
		}
	}
}

// What the gateway does not take for an answer is passed on, so that it refuses
// the replay too.
func TestWhatIsNoAnswerIsReplayedAsItIs(t *testing.T) {
	for _, answer := range []string{`<html>`, `{"statusCode":0,"cookies":["a=b"]}`, `{"statusCode":200,"headers":{"Set-Cookie":"a=b"`, ``} {
		s := &scripted{}
		s.script = append(s.script, func(_ context.Context, r idempotency.Record) (idempotency.Record, error) {
			return idempotency.Record{Key: r.Key, Status: idempotency.Completed, Result: []byte(answer)}, idempotency.ErrHeld
		})
		if got := mustAnswer(t, protect(new(function), s), request{key: "k"}); got != answer {
			t.Errorf("got %s, want %s", got, answer)
		}
	}
}

func TestOnReplayMayAddHeaders(t *testing.T) {
	const event1 = `{"version":"1.0","resource":"/o","path":"/o","httpMethod":"POST","headers":{"Idempotency-Key":"k"},"requestContext":{"httpMethod":"POST"},"body":"{\"a\":1}"}`
	add := idempotency.OnReplay(func(_ context.Context, r idempotency.Record, header http.Header) {
		header.Set("X-Status", string(r.Status))
		header.Add("Vary", "a")
		header.Add("Vary", "b")
		header.Set("Set-Cookie", "a=b")
		header.Set("Idempotent-Replayed", "no")
		header.Set("Content-Length", "5")
		header["bad name"] = []string{"x"}
		header["Bad-Value"] = []string{"a\r\nb: c"}
		header["None"] = nil
	})
	for name, c := range map[string]struct{ event, answer, want string }{
		"no headers": {
			answer: `{"statusCode":204}`,
			want:   `{"statusCode":204,"headers":{"vary":"a, b","x-status":"COMPLETED","Idempotent-Replayed":"true"},"body":"","isBase64Encoded":false}`,
		},
		"headers": {
			answer: `{"statusCode":200,"headers":{"a":"1","x-status":"x","VARY":"c","bad-value":"kept"}}`,
			want:   `{"statusCode":200,"headers":{"a":"1","bad-value":"kept","vary":"a, b","x-status":"COMPLETED","Idempotent-Replayed":"true"},"body":"","isBase64Encoded":false}`,
		},
		"a body alone": {
			answer: `"done"`,
			want:   `{"statusCode":200,"headers":{"content-type":"application/json","vary":"a, b","x-status":"COMPLETED","Idempotent-Replayed":"true"},"body":"\"done\"","isBase64Encoded":false}`,
		},
		"several values": {
			event:  event1,
			answer: `{"statusCode":200,"headers":{"vary":"c"},"multiValueHeaders":{"a":["1"]}}`,
			want:   `{"statusCode":200,"multiValueHeaders":{"a":["1"],"vary":["a","b"],"x-status":["COMPLETED"],"Idempotent-Replayed":["true"]},"body":"","isBase64Encoded":false}`,
		},
		"no answer at all": {answer: `<html>`, want: `<html>`},
	} {
		event := []byte(c.event)
		if c.event == "" {
			event = request{key: "k"}.event()
		}
		h := protect(answering(c.answer), idempotency.NewMemoryStore(), add, idempotency.StoreWhen(func(int, []byte) bool { return true }))
		for i, want := range []string{c.answer, c.want, c.want} {
			if got, err := h.Invoke(t.Context(), event); err != nil || string(got) != want {
				t.Errorf("%s, call %d:\n got %s (%v)\nwant %s", name, i, got, err, want)
			}
		}
	}
	op := idempotency.NewOperation("charge", idempotency.NewMemoryStore(), add)
	for range 2 { // where there is no HTTP answer
		if got, err := idempotency.Do(t.Context(), op, "k", nil, func(context.Context) (int, error) { return 7, nil }); got != 7 || err != nil {
			t.Errorf("got %d, %v, want 7", got, err)
		}
	}
}
