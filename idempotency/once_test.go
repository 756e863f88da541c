package idempotency_test

import (
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

func TestTheSameKeyRunsOnceAndIsReplayed(t *testing.T) {
	f := new(function)
	h := protect(f, idempotency.NewMemoryStore())
	first := mustAnswer(t, h, request{key: "k1"})
	again := mustAnswer(t, h, request{key: "k1"})
	f.mustHaveRun(t, 1)
	if isReplay(first) || !isReplay(again) {
		t.Errorf("first %s\nagain %s", first, again)
	}
	a, b := read(t, first), read(t, again)
	delete(b.Headers, "Idempotent-Replayed")
	if a.StatusCode != b.StatusCode || a.Body != b.Body || len(b.Headers) != 1 || b.Headers["location"] != "/orders/1" {
		t.Errorf("replayed %+v, want %+v", b, a)
	}
	mustAnswer(t, h, request{key: "k2"})
	f.mustHaveRun(t, 2)
}

func TestRule04AnotherPayloadWithTheKeyIsRefused(t *testing.T) {
	f := new(function)
	h := protect(f, idempotency.NewMemoryStore())
	mustAnswer(t, h, request{key: "k", body: `{"amount":9007199254740992,"to":"a"}`})
	for _, same := range []string{`{"to":"a","amount":9007199254740992}`, " {\"to\" : \"\\u0061\",\n\"amount\":9007199254740992.0}"} {
		if out := mustAnswer(t, h, request{key: "k", body: same}); !isReplay(out) {
			t.Errorf("%s is not a repeat: %s", same, out)
		}
	}
	for _, other := range []string{
		`{"amount":9007199254740993,"to":"a"}`, // the same double
		`{"AMOUNT":9007199254740992,"to":"a"}`,
		`{"amount":"9007199254740992","to":"a"}`,
		`{"amount":9007199254740992,"to":"A"}`,
		`{"amount":9007199254740992,"to":"a","to":"a"}`,
		`not JSON`,
	} {
		mustRefuse(t, h, request{key: "k", body: other}, guard.Unprocessable, "idempotency_key_reused")
	}
	f.mustHaveRun(t, 1)
}
