package recipes_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

const (
	requestID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
	xray      = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
	xrayRoot  = "1-5759e988-bd862e3fe1be46a994272793"
)

func explode() { panic("hunter2") }

// fails is what handlers do, by the way of their failure.
func fails(way string) error {
	switch way {
	case "error":
		return errors.New("hunter2")
	case "panic":
		explode()
	case "refusal":
		return guard.Errorf(guard.Unprocessable, "sold_out", "It is sold out.")
	}
	return nil
}

// arrangement is where a vendor's layers stand, and what the function is.
type arrangement struct {
	http   bool
	inside bool // of the default chain
	way    string
}

// run invokes a function once, and returns the one record of its log.
func run(t *testing.T, a arrangement, vendor ...guard.Middleware) (record map[string]any) {
	t.Helper()
	var log bytes.Buffer
	fn := func(context.Context, any) (any, error) { return nil, fails(a.way) }
	h, chain := lambda.Handler(guard.Func(fn)), guard.Default(logging.New(&log))
	payload := []byte(`{}`)
	if a.http {
		h, chain = httpapi.Func(fn), httpapi.Default(logging.New(&log))
		payload = sample.HTTP("POST", "/orders").JSON(`{}`).Header("X-Datadog-Trace-Id", "1234").Bytes()
	}
	layers := append(vendor, chain)
	if a.inside {
		layers = append([]guard.Middleware{chain}, vendor...)
	}
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: requestID})
	//lint:ignore SA1029 the key that aws-lambda-go uses
	ctx = context.WithValue(ctx, "x-amzn-trace-id", xray)
	_, _ = guard.Wrap(h, layers...).Invoke(ctx, payload)
	if err := json.Unmarshal(log.Bytes(), &record); err != nil || strings.Contains(log.String(), "hunter2") {
		t.Fatalf("%+v: got the log %s, want one record without what the error says", a, &log)
	}
	if record["requestId"] != requestID || record["traceId"] != xrayRoot {
		t.Errorf("%+v: got the ids %v and %v, want %s and %s", a, record["requestId"], record["traceId"], requestID, xrayRoot)
	}
	return record
}
