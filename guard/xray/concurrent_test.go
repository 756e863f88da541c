package xray_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	sdk "github.com/aws/aws-xray-sdk-go/xray"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/xray"
)

func TestInvocationsAtTheSameTimeDoNotMix(t *testing.T) {
	const n = 64
	var mu sync.Mutex
	headers := make(map[string][]string) // by the number of the invocation
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		number := r.URL.Query().Get("n")
		headers[number] = append(headers[number], r.Header.Get("X-Amzn-Trace-Id"))
	}))
	defer server.Close()
	client := xray.Client(server.Client())

	rootOf := func(i int) string { return fmt.Sprintf("1-%08x-%024x", i+1, i+1) }
	parentOf := func(i int) string { return fmt.Sprintf("%016x", i+1) }
	var all sync.WaitGroup // every handler is inside at the same time
	all.Add(n)
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		all.Done()
		all.Wait()
		number := string(payload)
		if err := sdk.AddAnnotation(ctx, "number", number); err != nil {
			return nil, err
		}
		var calls sync.WaitGroup
		for range 3 { // the calls of one invocation are side by side, too
			calls.Go(func() {
				resp, err := client.Do(httpRequest(ctx, t, server.URL+"?n="+number))
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
			})
		}
		calls.Wait()
		_ = sdk.Capture(ctx, "own "+number, func(context.Context) error { return nil })
		trace, _, _ := layer.Trace(ctx)
		return []byte(trace), &guard.Error{Kind: guard.NotFound, Code: "gone_" + number}
	}), xray.Trace(), xray.Subsegment("layer", guard.Recover()))

	d := startDaemon(t)
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() {
			ctx := d.context(fmt.Sprintf("Root=%s;Parent=%s;Sampled=%d", rootOf(i), parentOf(i), i%2))
			ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{TenantID: fmt.Sprint(i)})
			out, err := h.Invoke(ctx, fmt.Append(nil, i))
			if want := fmt.Sprintf("%08x%024x", i+1, i+1); string(out) != want || guard.KindOf(err) != guard.NotFound {
				t.Errorf("got %s, %v, want the trace %s", out, err, want)
			}
		})
	}
	running.Wait()

	ids := make(map[string]bool)
	for range n / 2 {
		got := d.next()
		number := got.Annotations["tenant"].(string)
		var i int
		if _, err := fmt.Sscan(number, &i); err != nil {
			t.Fatal(err)
		}
		if i%2 != 1 || got.TraceID != rootOf(i) || got.ParentID != parentOf(i) || got.Annotations["errorCode"] != "gone_"+number {
			t.Errorf("got %s, want that of %d", got.text, i)
		}
		inner := got.Subsegments[0]
		if len(got.Subsegments) != 1 || inner.Name != "layer" || inner.Annotations["number"] != number || len(inner.Subsegments) != 4 {
			t.Fatalf("got %s, want the layer of %d with three calls and its own", got.text, i)
		}
		for _, s := range append(inner.Subsegments, inner, got) {
			if ids[s.ID] || s.TraceID != rootOf(i) || s.Name != "layer" && s.Name != "handler" && s.Name != "own "+number && s.Namespace != "remote" {
				t.Errorf("got %s, want other ids, the trace of %d and its calls alone", got.text, i)
			}
			ids[s.ID] = true
		}
	}
	d.nothing()
	for i := range n {
		got := headers[fmt.Sprint(i)]
		if len(got) != 3 {
			t.Errorf("got %d requests of %d, want 3", len(got), i)
		}
		for _, header := range got {
			if !strings.HasPrefix(header, "Root="+rootOf(i)+";") || !strings.HasSuffix(header, fmt.Sprintf(";Sampled=%d", i%2)) {
				t.Errorf("got %s sent on, want it of %s", header, rootOf(i))
			}
		}
	}
}
