package extension_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// beside starts a function with testdata/watch beside it.
func beside(t *testing.T, cfg guardtest.Config, watch string) (*guardtest.Function, context.Context) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(stop)
	cfg.Extensions = t.TempDir()
	if err := os.Symlink(guardtest.Build(t, "./testdata/watch"), filepath.Join(cfg.Extensions, "watch")); err != nil {
		t.Fatal(err)
	}
	cfg.Env = append(cfg.Env, "WATCH="+watch)
	cfg.Timeout, cfg.InitTimeout, cfg.Memory = time.Minute, time.Minute, 1024
	return guardtest.Start(t, guardtest.Build(t, "./testdata/function"), cfg), ctx
}

// waitFor waits for texts that the log has in any order.
func waitFor(ctx context.Context, t *testing.T, fn *guardtest.Function, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err := fn.WaitLog(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnExtensionLivesBesideItsFunction(t *testing.T) {
	fn, ctx := beside(t, guardtest.Config{Name: "orders", Version: "7"}, "")
	for _, id := range []string{"r-1", "r-2"} {
		if _, err := fn.Do(ctx, guardtest.Call{RequestID: id, Payload: []byte("{}"), TraceID: "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2"}); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(ctx, t, fn,
		"watch beside orders 7 bootstrap 123456789012\n",
		"EXTENSION\tName: watch\tState: Ready\tEvents: [INVOKE,SHUTDOWN]\n",
		"watch invoke r-1 arn:aws:lambda:us-east-1:123456789012:function:orders true Root=1-5f35ae12-0c0fec141ab77a00bc047aa2\n",
		"watch invoke r-2 ")
	fn.Close()
	if !strings.Contains(fn.Log(), "watch shutdown spindown close: <nil>\nwatch ends\n") {
		t.Errorf("got no shutdown in the log\n%s", fn.Log())
	}
}

func TestAnExtensionOfAManagedInstanceHearsOfNoInvocation(t *testing.T) {
	fn, ctx := beside(t, guardtest.Config{Concurrency: 2}, "")
	if _, err := fn.Invoke(ctx, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	waitFor(ctx, t, fn, "EXTENSION\tName: watch\tState: Ready\tEvents: [SHUTDOWN]\n")
	fn.Close()
	if log := fn.Log(); strings.Contains(log, "watch invoke") || !strings.Contains(log, "watch shutdown spindown") {
		t.Errorf("got the log\n%s\nwant a shutdown and no invocation", log)
	}
}

func TestLambdaLearnsWhyAnExtensionFails(t *testing.T) {
	for watch, want := range map[string]struct{ errorType, line string }{
		"init error": {guardtest.TypeExtensionInit, "State: InitError\tEvents: [INVOKE,SHUTDOWN]\tError Type: Extension.ConfigMissing\n"},
		"exit error": {guardtest.TypeExtensionExit, "watch failed: tired, <nil>\n"},
	} {
		fn, ctx := beside(t, guardtest.Config{}, watch)
		// The answer may come before the extension fails, and the next call then
		// meets the environment that ended.
		_, err := fn.Invoke(ctx, []byte("{}"))
		waitFor(ctx, t, fn, want.line, want.errorType+"\n")
		var failure *guardtest.FunctionError
		if watch == "init error" && (!errors.As(err, &failure) || failure.Type != want.errorType) {
			t.Errorf("%s: got %v, want %s", watch, err, want.errorType)
		}
	}
}

// The function's lines and Lambda's records reach the handler, also what comes at the
// end, and what the handler has refused.
func TestTelemetryReachesAnExtension(t *testing.T) {
	fn, ctx := beside(t, guardtest.Config{Name: "orders", Freeze: true}, "telemetry")
	for _, id := range []string{"r-1", "r-2"} {
		if _, err := fn.Do(ctx, guardtest.Call{RequestID: id, Payload: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(ctx, t, fn, "watch invoke r-2")
	fn.Close()
	log := fn.Log()
	for _, want := range []string{
		"watch record platform.initStart {InitializationType:on-demand Phase:init Environment:{FunctionName:orders FunctionVersion:$LATEST ",
		"watch record platform.telemetrySubscription {Name:watch State:Subscribed Types:[platform function]}\n",
		"watch record platform.extension {Name:watch State:Ready Events:[INVOKE SHUTDOWN]}\n",
		"watch record platform.start r-1\n",
		`watch record function "a line of r-1`,
		"watch record platform.runtimeDone r-1 success\n",
		"watch record platform.report r-1 success true\n",
		`watch record function "a line of r-2`,
		"watch record platform.report r-2 success true\n",
		"watch shutdown spindown close: <nil>\n", // the first batch, which was refused, came again
		"watch ends\n",
	} {
		if got := strings.Count(log, want); got != 1 {
			t.Errorf("got %d times %q, want 1, in the log\n%s", got, want, log)
		}
	}
}
