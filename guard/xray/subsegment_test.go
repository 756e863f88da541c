package xray_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/xray"
)

func pass(next lambda.Handler) lambda.Handler { return next }

func TestALayerThatAsksHasASubsegment(t *testing.T) {
	d := startDaemon(t)
	refuses := func(lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
			return nil, &guard.Error{Kind: guard.Forbidden, Code: "not_yours"}
		})
	}
	h := guard.Wrap(guard.HandlerFunc(ok), xray.Trace(), xray.Subsegment("answer", httpapi.Problems()),
		xray.Subsegment("a,b\x00é", pass), xray.Subsegment("authorize", refuses))
	invoke(t, h, d.context(sampled), sample.HTTP("GET", "/").String())
	got := d.next()
	want := outcome{error: true, code: "not_yours"}
	within := got
	for _, name := range []string{"answer", "a_b_é", "authorize"} {
		if len(within.Subsegments) != 1 {
			t.Fatalf("got %s, want one in each", got.text)
		}
		next := within.Subsegments[0]
		if next.Name != name || next.ParentID != within.ID || next.TraceID != root || outcomeOf(next) != want || next.End < next.Start {
			t.Errorf("got %s, want %s with %+v in it", got.text, name, want)
		}
		within = next
	}
	if outcomeOf(got) != want {
		t.Errorf("got %s, want %+v", got.text, want)
	}
}

func TestAnUnwiseOrderIsWarnedOf(t *testing.T) {
	for name, layers := range map[string][]guard.Middleware{
		"httpapi.Problems": {httpapi.Problems(), xray.Trace()},
		"guard.Errors":     {guard.Errors(), xray.Trace()},
		"guard.Recover":    {guard.Recover(), xray.Trace()},
		"xray.Trace":       {xray.Trace(), xray.Trace()},
		"a layer inside":   {guard.Recover(), xray.Subsegment("x", pass), xray.Subsegment("y", xray.Trace())},
		"httpapi.CORS":     nil,
	} {
		d := startDaemon(t)
		var j journal
		h := guard.Wrap(guard.HandlerFunc(ok), append([]guard.Middleware{guard.Log(j.logger())}, layers...)...)
		invoke(t, h, d.context(sampled), `{}`)
		if got := strings.Count(j.String(), "stands outside xray.Trace"); got != min(1, len(layers)) {
			t.Errorf("%s: got %s, want %d warnings", name, j.String(), min(1, len(layers)))
		}
	}
}
