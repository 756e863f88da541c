package guardtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

func inProcess(t *testing.T, cfg guardtest.Config, fn any) *guardtest.InProcess {
	t.Helper()
	if cfg.Timeout == 0 {
		cfg.Timeout = patient
	}
	return guardtest.NewInProcess(lambda.NewHandler(fn), cfg)
}

func TestInProcessGivesTheContextOfARealInvocation(t *testing.T) {
	before := time.Now()
	fn := inProcess(t, guardtest.Config{Name: "orders", Timeout: time.Minute}, func(ctx context.Context) error {
		lc, ok := lambdacontext.FromContext(ctx)
		if !ok {
			t.Fatal("no LambdaContext")
		}
		if lc.AwsRequestID != "r" || lc.TenantID != "blue" || lc.Identity.CognitoIdentityID != "c" || lc.ClientContext.Custom["a"] != "b" ||
			lc.InvokedFunctionArn != "arn:aws:lambda:us-east-1:123456789012:function:orders" {
			t.Errorf("%+v", lc)
		}
		if got := ctx.Value("x-amzn-trace-id"); got != "Root=1-2-3" {
			t.Errorf("trace id %v", got)
		}
		if deadline, ok := ctx.Deadline(); !ok || deadline.Before(before.Add(time.Minute)) || time.Until(deadline) > time.Minute {
			t.Errorf("deadline %v", deadline)
		}
		return nil
	})
	_, err := fn.Do(t.Context(), guardtest.Call{
		RequestID: "r", TenantID: "blue", TraceID: "Root=1-2-3",
		ClientContext: []byte(`{"custom":{"a":"b"}}`), Identity: []byte(`{"CognitoIdentityID":"c"}`),
	})
	if err != nil {
		t.Error(err)
	}
}

// What the real client reports is the measure of what InProcess does.
func TestInProcessReportsErrorsAsTheRealClientDoes(t *testing.T) {
	real := start(t, guardtest.Config{})
	local := inProcess(t, guardtest.Config{}, func(_ context.Context, e struct{ Do, Text string }) error {
		switch e.Do {
		case "error":
			return errors.New(e.Text)
		case "typed error":
			return messages.InvokeResponse_Error{Type: "no_stock", Message: e.Text}
		default:
			panic(e.Text)
		}
	})
	for _, payload := range []string{`{"do":"error","text":"<no>"}`, `{"do":"typed error","text":"sold out"}`, `{"do":"panic","text":"boom"}`} {
		_, realErr := real.Invoke(t.Context(), []byte(payload))
		_, localErr := local.Invoke(t.Context(), []byte(payload))
		want, got := failure(t, realErr), failure(t, localErr)
		if got.Type != want.Type || got.Message != want.Message {
			t.Errorf("%s: %v, the real one says %v", payload, got, want)
		}
		if want.StackTrace == nil && !bytes.Equal(got.Payload, want.Payload) {
			t.Errorf("%s: payload %s, the real one is %s", payload, got.Payload, want.Payload)
		}
	}
}

func TestInProcessWaitsForAHandlerThatOverruns(t *testing.T) {
	returned := false
	fn := inProcess(t, guardtest.Config{Timeout: 20 * time.Millisecond}, func(ctx context.Context) (string, error) {
		<-ctx.Done()
		returned = true
		return "late", nil
	})
	result, err := fn.Invoke(t.Context(), nil)
	if got := failure(t, err); got.Type != guardtest.TypeTimeout || !returned || result.Payload != nil {
		t.Errorf("%v, payload %s, returned %v", got, result.Payload, returned)
	}
}

func TestInProcessHoldsToLambdasLimits(t *testing.T) {
	fn := guardtest.NewInProcess(echoHandler{}, guardtest.Config{})
	if _, err := fn.Invoke(t.Context(), make([]byte, 6<<20+1)); !errors.Is(err, guardtest.ErrTooLarge) {
		t.Errorf("error %v", err)
	}
	big := inProcess(t, guardtest.Config{}, func() (json.RawMessage, error) {
		return json.RawMessage(`"` + string(bytes.Repeat([]byte("x"), 6<<20+100)) + `"`), nil
	})
	_, err := big.Invoke(t.Context(), []byte("{}"))
	if got := failure(t, err); got.Type != guardtest.TypeResponseTooLarge {
		t.Errorf("%v", got)
	}
}

type echoHandler struct{}

func (echoHandler) Invoke(_ context.Context, payload []byte) ([]byte, error) { return payload, nil }

func TestInProcessAnswersAreKeptApart(t *testing.T) {
	fn := inProcess(t, guardtest.Config{}, func(text string) (string, error) { return text, nil })
	var results []guardtest.Result
	for i := range 100 {
		r, err := fn.Invoke(t.Context(), fmt.Appendf(nil, `"answer %02d"`, i))
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	for i, r := range results {
		if want := fmt.Sprintf(`"answer %02d"`, i); string(r.Payload) != want {
			t.Fatalf("%s became %s", want, r.Payload)
		}
	}
}

func TestNegativeConfigurationPanics(t *testing.T) {
	for what, cfg := range map[string]guardtest.Config{
		"memory": {Memory: -1}, "timeout": {Timeout: -1}, "init timeout": {InitTimeout: -1}, "concurrency": {Concurrency: -1}, "instances": {Instances: -1},
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "guardtest: ") {
					t.Errorf("%s: %s, want a panic with the package's name", what, text)
				}
			}()
			guardtest.NewInProcess(echoHandler{}, cfg)
		}()
	}
}
