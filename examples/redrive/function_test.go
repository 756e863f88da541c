package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

// The binary as it is deployed, invoked as the schedule does.
func TestTheFunctionRunsWhatThereIsTimeFor(t *testing.T) {
	a := newAccount(t)
	binary := guardtest.Build(t, ".")
	dead, saved := awstest.Queue(t, a.queues, "", nil), awstest.Bucket(t, a.objects)
	a.sink(dead, nil, letter(t, "good", 0), letter(t, "hunter2", 0))
	a.answers(func(_ context.Context, event string) (string, error) {
		if message(t, event).Body == "hunter2" {
			return "", errors.New("still broken: hunter2")
		}
		return "null", nil
	})
	deploy := func(timeout time.Duration, more ...string) *guardtest.Function {
		t.Helper()
		env := []string{"REDRIVE_FROM=" + dead, "REDRIVE_FUNCTION=booking", "REDRIVE_SAVE=s3://" + saved + "/saved/"}
		for _, pair := range os.Environ() {
			if strings.HasPrefix(pair, "AWS_") { // of the account
				env = append(env, pair)
			}
		}
		return guardtest.Start(t, binary, guardtest.Config{Timeout: timeout, Env: append(env, more...)})
	}
	scheduled := []byte(sampleOf(t, "eventbridge.scheduled"))

	// A minute is kept for what has begun, so that nothing begins here.
	if got, err := deploy(30*time.Second).Invoke(t.Context(), scheduled); err != nil || string(got.Payload) != `{"done":0,"failed":0,"newer":0}` {
		t.Errorf("got %s, %v, want none", got.Payload, err)
	}

	fn := deploy(15 * time.Minute)
	var failure *guardtest.FunctionError
	if _, err := fn.Invoke(t.Context(), scheduled); !errors.As(err, &failure) {
		t.Errorf("got %v, want an error that the alarm counts", err)
	}
	if got := a.bodies(dead); len(got) != 1 || got[0] != "hunter2" || len(awstest.Objects(t, a.objects, saved)) != 2 {
		t.Errorf("left are %q, want what failed, and two copies", got)
	}
	a.answers(nil) // it is mended
	if got, err := fn.Invoke(t.Context(), scheduled); err != nil || string(got.Payload) != `{"done":1,"failed":0,"newer":0}` {
		t.Errorf("got %s, %v, want one done", got.Payload, err)
	}
	if got := a.bodies(dead); len(got) != 0 {
		t.Errorf("left are %q, want none", got)
	}
	fn.Close()
	if strings.Contains(strings.ReplaceAll(fn.Log(), "m-hunter2", ""), "hunter2") {
		t.Errorf("the log shows a value:\n%s", fn.Log())
	}

	fn = deploy(time.Minute, "REDRIVE_FUNCTION=")
	if _, err := fn.Invoke(t.Context(), scheduled); err == nil {
		t.Error("the function started without a target")
	}
	if err := fn.WaitLog(t.Context(), "cannot start"); err != nil {
		t.Error(err)
	}
}
