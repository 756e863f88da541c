package xray_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-xray-sdk-go/xray"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/xray"
)

// isFunction makes the test binary the function of the test below.
const isFunction = "XRAY_TEST_FUNCTION"

func function() {
	guard.Start(guard.Func(func(ctx context.Context, n int) (int, error) {
		return n, sdk.AddAnnotation(ctx, "number", n)
	}), xray.Trace(), guard.Default(logging.New(os.Stdout)))
}

// With aws-lambda-go's runtime client, the SDK's own emitter, and an environment
// variable that each invocation overwrites.
func TestAFunctionOfManyInvocationsAtOnceIsTraced(t *testing.T) {
	for _, taskRoot := range []string{"", t.TempDir()} {
		d := startDaemon(t)
		var log bytes.Buffer
		fn := guardtest.Start(t, os.Args[0], guardtest.Config{
			Name: "orders", Concurrency: 16, Memory: 1024, Timeout: time.Minute, Log: &log,
			Env: []string{isFunction + "=1", "LAMBDA_TASK_ROOT=" + taskRoot, "AWS_XRAY_DAEMON_ADDRESS=" + d.conn.LocalAddr().String()},
		})
		const n = 64
		rootOf := func(i int) string { return fmt.Sprintf("1-5759e988-%024x", i) }
		var running sync.WaitGroup
		for i := range n {
			running.Go(func() {
				call := guardtest.Call{Payload: fmt.Append(nil, i), TraceID: fmt.Sprintf("Root=%s;Parent=%016x;Sampled=1", rootOf(i+1), i+1)}
				if got, err := fn.Do(t.Context(), call); err != nil || string(got.Payload) != fmt.Sprint(i) {
					t.Errorf("got %s, %v, want %d", got.Payload, err, i)
				}
			})
		}
		running.Wait()
		fn.Close() // so that the log is complete

		spans := make(map[string]string) // by trace
		for range n {
			got := d.next()
			i := int(got.Annotations["number"].(float64))
			if got.TraceID != rootOf(i+1) || got.ParentID != fmt.Sprintf("%016x", i+1) || got.Annotations["service"] != "orders" {
				t.Errorf("got %s, want that of %d", got.text, i)
			}
			spans[got.TraceID] = got.ID
		}
		d.nothing()
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != n {
			t.Errorf("got %d lines, want one for each of %d invocations:\n%s", len(lines), n, log.String())
		}
		for _, line := range lines {
			var r struct {
				Root string `json:"traceId"`
				Span string `json:"span_id"`
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil || r.Span == "" || r.Span != spans[r.Root] {
				t.Errorf("got %v for %s, want the subsegment %q", err, line, spans[r.Root])
			}
		}
	}
}
