package xray_test

import (
	"context"
	"net/http"
	"testing"

	sdk "github.com/aws/aws-xray-sdk-go/xray"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/xray"
)

func TestAHandlerThatLeavesACallBehindIsSentAtItsEnd(t *testing.T) {
	d := startDaemon(t)
	var call *sdk.Segment
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		_, call = sdk.BeginSubsegment(ctx, "left behind")
		return nil, &guard.Error{Kind: guard.Unavailable}
	}), xray.Trace(xray.Service("orders")))
	_, _ = h.Invoke(d.context(sampled), []byte(`{}`))
	first := d.next()
	if !first.InProgress || first.End != 0 || first.ParentID != parent || outcomeOf(first) != (outcome{fault: true, code: "unavailable"}) ||
		first.Annotations["service"] != "orders" || len(first.Subsegments) != 0 {
		t.Errorf("got %s, want the handler in progress", first.text)
	}
	call.Close(nil)
	whole := d.next()
	if whole.ID != first.ID || whole.InProgress || whole.End == 0 || len(whole.Subsegments) != 1 || !whole.Fault {
		t.Errorf("got %s, want the handler complete", whole.text)
	}
	d.nothing()
}

func TestASubsegmentThatIsStreamedDoesNotKeepTheHandlersBack(t *testing.T) {
	d := startDaemon(t)
	first := traced(t, d, sampled, func(ctx context.Context) {
		_, own := sdk.BeginSubsegment(ctx, "own")
		own.CloseAndStream(nil)
	})
	if handler := d.next(); first.Name != "own" || first.ParentID != handler.ID || handler.Name != "handler" || handler.InProgress {
		t.Errorf("got %s and %s, want the subsegment and then the handler", first.text, handler.text)
	}
	d.nothing()
}

func TestWhatBeginsAfterTheInvocationDoesNotSendItAgain(t *testing.T) {
	d := startDaemon(t)
	var left context.Context
	handler := traced(t, d, sampled, func(ctx context.Context) { left = context.WithoutCancel(ctx) })
	for name, begin := range map[string]func() error{
		"the SDK": func() error { return sdk.Capture(left, "late", func(context.Context) error { return nil }) },
		"the client": func() error {
			_, err := xray.Client(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				if got, want := r.Header.Get("X-Amzn-Trace-Id"), "Root="+root+";Parent="+handler.ID+";Sampled=1"; got != want {
					t.Errorf("got %s sent on, want the subsegment that was sent, %s", got, want)
				}
				return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
			})}).Do(httpRequest(left, t, "http://192.0.2.1/"))
			return err
		},
	} {
		if err := begin(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		d.nothing()
	}
}

func TestManySubsegmentsGoInPacketsOfTheirOwn(t *testing.T) {
	d := startDaemon(t)
	const n = 500
	first := traced(t, d, sampled, func(ctx context.Context) {
		for range n {
			_ = sdk.Capture(ctx, "one of many, with a name that fills a packet in the end", func(context.Context) error { return nil })
		}
	})
	docs := []document{first}
	total := 0
	for {
		last := docs[len(docs)-1]
		total += 1 + len(last.Subsegments)
		if last.Name == "handler" {
			break
		}
		docs = append(docs, d.next())
	}
	handler := docs[len(docs)-1]
	for _, doc := range docs[:len(docs)-1] {
		if doc.ParentID != handler.ID || doc.TraceID != root || doc.Type != "subsegment" {
			t.Errorf("got %s, want it within %s", doc.text, handler.ID)
		}
	}
	if total != n+1 {
		t.Errorf("got %d subsegments, want %d", total, n+1)
	}
	d.nothing()
}

// A call that begins as the layer around it ends is in time or is not recorded. The
// SDK alone would count a layer that is open again as closed twice.
func TestACallThatBeginsAsItsLayerEndsLosesNothing(t *testing.T) {
	d := startDaemon(t)
	client := xray.Client(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})})
	const n = 20_000
	lost := 0
	for i := range n {
		started, called := make(chan struct{}), make(chan struct{})
		leaves := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			go func() {
				defer close(called)
				close(started)
				_, _ = client.Do(httpRequest(ctx, t, "http://192.0.2.1/"))
			}()
			<-started
			for range i % 3000 { // to end at another moment each time
			}
			return nil, nil
		}), xray.Subsegment("layer", pass))
		got := traced(t, d, sampled, func(ctx context.Context) {
			invoke(t, leaves, ctx, `{}`)
			<-called
		})
		if got.InProgress {
			lost++
		}
	}
	if lost != 0 {
		t.Errorf("got %d of %d invocations in progress for ever, want none", lost, n)
	}
	d.nothing()
}
