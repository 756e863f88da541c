package idempotency_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

const role = "arn:aws:sts::123456789012:assumed-role/"

// lattice is a request to VPC Lattice, signed by whom.
func lattice(whom string) sample.HTTPEvent {
	b := sample.HTTP("POST", "/orders").VPCLattice().JSON(`{"sku":"KB-101"}`)
	if whom != "" {
		b = b.IAM(role + whom)
	}
	return b
}

func invokeLattice(t *testing.T, h lambda.Handler, event sample.Event) string {
	t.Helper()
	out, err := h.Invoke(t.Context(), event.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestALatticeRequestIsReplayed(t *testing.T) {
	runs := 0
	h := served(httpapi.Func(func(context.Context, map[string]string) (httpapi.Reply[string], error) {
		runs++
		return httpapi.Reply[string]{Status: 201, Value: "done", Cookies: []*http.Cookie{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}}, nil
	}), idempotency.NewMemoryStore())
	event := lattice("checkout/a").Header("Idempotency-Key", "k").Event()
	const first = `{"statusCode":201,"headers":{"content-type":"application/json","set-cookie":["a=1","b=2"]},"body":"\"done\"","isBase64Encoded":false}`
	const again = `{"statusCode":201,"headers":{"content-type":"application/json","Idempotent-Replayed":"true"},"body":"\"done\"","isBase64Encoded":false}`
	if out := invokeLattice(t, h, event); out != first {
		t.Errorf("first %s", out)
	}
	// A repeat comes from another address, at another time.
	repeat := event.Set("/headers/x-forwarded-for", []string{"198.51.100.7"}).Set("/requestContext/timeEpoch", "1690497599177431")
	if out := invokeLattice(t, h, repeat); out != again || runs != 1 {
		t.Errorf("again %s, %d runs", out, runs)
	}
	other := lattice("checkout/a").JSON(`{"sku":"KB-102"}`).Header("Idempotency-Key", "k").Event()
	if status := latticeStatus(t, invokeLattice(t, h, other)); status != 422 || runs != 1 {
		t.Errorf("another body: %d, %d runs", status, runs)
	}
}

func latticeStatus(t *testing.T, answer string) int {
	t.Helper()
	var a struct{ StatusCode int }
	if err := json.Unmarshal([]byte(answer), &a); err != nil {
		t.Fatalf("%v in %s", err, answer)
	}
	return a.StatusCode
}

func TestRule01KeysOfLatticeRequests(t *testing.T) {
	for _, tt := range []struct {
		rule string
		set  map[string][]string
		want string // the key, or what is wrong
	}{
		{rule: "one value", set: map[string][]string{"idempotency-key": {"k"}}, want: "k"},
		{rule: "quoted", set: map[string][]string{"Idempotency-Key": {`"a,b"`}}, want: "a,b"},
		{rule: "two values", set: map[string][]string{"idempotency-key": {"k", "k"}}, want: "malformed"},
		{rule: "two quoted values", set: map[string][]string{"idempotency-key": {`"k"`, `"k"`}}, want: "malformed"},
		{rule: "two spellings", set: map[string][]string{"idempotency-key": {"k"}, "Idempotency-Key": {"k"}}, want: "malformed"},
		{rule: "an empty value", set: map[string][]string{"idempotency-key": {""}}, want: "malformed"},
		{rule: "no value", set: map[string][]string{"idempotency-key": {}}, want: "missing"},
		{rule: "none", want: "missing"},
	} {
		event := lattice("").Event()
		for name, values := range tt.set {
			event = event.Set("/headers/"+name, values)
		}
		key, err := idempotency.Header("Idempotency-Key")(t.Context(), guard.EventOf(t.Context(), event.Bytes()))
		if tt.want == "malformed" || tt.want == "missing" {
			mustBe(t, tt.rule, err, guard.Invalid, "idempotency_key_"+tt.want)
		} else if err != nil || key != tt.want {
			t.Errorf("%s: key %q, %v", tt.rule, key, err)
		}
	}
}

func TestRule02CallersOfLatticeNeverMeet(t *testing.T) {
	f := new(function)
	h := protect(f, idempotency.NewMemoryStore())
	seen := map[string]bool{}
	for _, b := range []sample.HTTPEvent{lattice(""), lattice("checkout/a"), lattice("checkout/b"), lattice("refunds/a")} {
		event := b.Header("Idempotency-Key", "k").Event()
		if out := invokeLattice(t, h, event); isReplay(out) || seen[out] {
			t.Errorf("%s: another's answer %s", event, out)
		} else {
			seen[out] = true
		}
		if out := invokeLattice(t, h, event); !isReplay(out) {
			t.Errorf("%s: not its own answer again: %s", event, out)
		}
	}
	f.mustHaveRun(t, 4)
}

// What is no authentication that is known is neither a caller nor nobody.
func TestRule02AnUnknownIdentityOfLatticeFailsClosed(t *testing.T) {
	f := new(function)
	h := protect(f, idempotency.NewMemoryStore())
	for _, identity := range []map[string]any{
		{"type": "AWS_IAM"}, {"type": "AWS_IAM", "principal": ""}, {"principal": role + "r/s"}, {"type": "OTHER", "principal": role + "r/s"},
	} {
		event := lattice("").Header("Idempotency-Key", "k").Event().Set("/requestContext/identity", identity)
		if out, err := h.Invoke(t.Context(), event.Bytes()); err == nil || guard.KindOf(err) != guard.Internal {
			t.Errorf("%v: %s, %v", identity, out, err)
		}
	}
	f.mustHaveRun(t, 0)
	for _, identity := range []any{nil, map[string]any{"type": "NONE"}} {
		event := lattice("").Header("Idempotency-Key", "k").Event().Set("/requestContext/identity", identity)
		invokeLattice(t, h, event)
	}
	f.mustHaveRun(t, 1)
}

func TestRule02PathsBehindLatticeNeverMeet(t *testing.T) {
	f := new(function)
	h := protect(f, idempotency.NewMemoryStore())
	for _, path := range []string{"/orders", "/refunds"} {
		for _, method := range []string{"POST", "PUT"} {
			b := sample.HTTP(method, path).VPCLattice().Header("Idempotency-Key", "k")
			if out := invokeLattice(t, h, b.Event()); isReplay(out) {
				t.Errorf("%s %s got another's answer: %s", method, path, out)
			}
		}
	}
	f.mustHaveRun(t, 4)
	withQuery := sample.HTTP("POST", "/orders?dryRun=true").VPCLattice().Header("Idempotency-Key", "k")
	_, err := h.Invoke(t.Context(), withQuery.Bytes())
	mustBe(t, "another query", err, guard.Unprocessable, "idempotency_key_reused")
}

// An answer has to say its status to VPC Lattice, which answers 5xx else.
func TestALatticeAnswerWithoutAStatusIsNotKept(t *testing.T) {
	f := answering(`{"id":1}`)
	h := protect(f, idempotency.NewMemoryStore())
	event := lattice("checkout/a").Header("Idempotency-Key", "k").Event()
	for range 2 {
		if out := invokeLattice(t, h, event); out != `{"id":1}` {
			t.Errorf("answer %s", out)
		}
	}
	f.mustHaveRun(t, 2)
}
