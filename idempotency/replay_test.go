package idempotency_test

import (
	"context"
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
				const want = `{"statusCode":200,"headers":{"Idempotent-Replayed":"true","a":"1"},"multiValueHeaders":{},"body":"b"}`
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
