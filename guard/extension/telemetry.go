package extension

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

// Stream is a kind of telemetry.
type Stream string

// The streams of the Telemetry API.
const (
	Platform   Stream = "platform"  // Lambda's own records
	Function   Stream = "function"  // lines that the function writes
	Extensions Stream = "extension" // lines that extensions write, also this one: see [Extension.Subscribe]
)

// Telemetry is what to subscribe to. The limits of the buffer are AWS's:
//
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api-reference.html
type Telemetry struct {
	// Streams are those to receive; Platform and Function if there are none.
	Streams []Stream
	// MaxItems is how many records Lambda buffers, 1,000 to 10,000; 1,000 if 0.
	MaxItems int
	// MaxBytes is how many bytes Lambda buffers, 262,144 to 1,048,576; 262,144 if 0.
	MaxBytes int
	// Timeout is how long Lambda buffers a record, 25 ms to 30 s; 1 s if 0. When the
	// runtime ends, Lambda sends at once what it has buffered.
	Timeout time.Duration
}

// withDefaults sets what is zero. AWS's documents disagree on the default of MaxItems,
// 1,000 or 10,000, so nothing is left to Lambda.
func (t Telemetry) withDefaults() (Telemetry, error) {
	if len(t.Streams) == 0 {
		t.Streams = []Stream{Platform, Function}
	}
	for _, s := range t.Streams {
		if !slices.Contains([]Stream{Platform, Function, Extensions}, s) {
			return t, guard.Reason(fmt.Sprintf("Streams has %q, which is no stream", string(s)))
		}
	}
	t.MaxItems = cmp.Or(t.MaxItems, 1_000)
	t.MaxBytes = cmp.Or(t.MaxBytes, 256<<10)
	t.Timeout = cmp.Or(t.Timeout, time.Second)
	switch {
	case t.MaxItems < 1_000 || t.MaxItems > 10_000:
		return t, guard.Reason(fmt.Sprintf("MaxItems is %d, not from 1000 to 10000", t.MaxItems))
	case t.MaxBytes < 256<<10 || t.MaxBytes > 1<<20:
		return t, guard.Reason(fmt.Sprintf("MaxBytes is %d, not from 262144 to 1048576", t.MaxBytes))
	case t.Timeout < 25*time.Millisecond || t.Timeout > 30*time.Second:
		return t, guard.Reason(fmt.Sprintf("Timeout is %v, not from 25ms to 30s", t.Timeout))
	}
	return t, nil
}

const (
	errSubscribed = guard.Reason("the extension has subscribed already")
	errNoHandler  = guard.Reason("the handler is nil")
)

// Subscribe starts a listener and asks Lambda to send telemetry to it. Lambda takes
// the call between [Register] and the first step of [Extension.Events] only. An
// extension has one subscription.
//
// handle gets one batch after the other, never two at once. If it returns an error or
// panics, Lambda sends the batch again, with a growing pause, and then drops records.
// A batch can also come again after a success, if the answer was lost. So handle has to
// be idempotent. The records stay valid after it has returned.
//
// The environment may be frozen while handle runs, unless an [Invoke] is under way. So
// let it store the batch, and send what is stored before the next step of Events.
// Lambda drops records while handle is slower than the function logs, and then sends a
// [LogsDropped]. With the stream [Extensions], a line written in handle is sent to
// handle: never write one for each batch.
//
// ctx is that of the calls of handle: they end with it, and after it no batch is taken.
// [Extension.Close] ends the listener.
func (x *Extension) Subscribe(ctx context.Context, t Telemetry, handle func(ctx context.Context, batch []Record) error) error {
	if err := x.subscribe(ctx, t, handle); err != nil {
		return fmt.Errorf("%w: %w", guard.Reason("extension: subscribe"), err)
	}
	return nil
}

func (x *Extension) subscribe(ctx context.Context, t Telemetry, handle func(context.Context, []Record) error) error {
	t, err := t.withDefaults()
	switch {
	case err != nil:
		return err
	case handle == nil:
		return errNoHandler
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.listener != nil {
		return errSubscribed
	}
	l, err := listen(ctx, t, handle)
	if err != nil {
		return err
	}
	_, _, err = x.call(ctx, http.MethodPut, "/2022-07-01/telemetry", x.identity(), map[string]any{
		"schemaVersion": "2025-01-29", // the one that managed instances take, and all others too
		"types":         t.Streams,
		"buffering": map[string]int64{
			"maxItems":  int64(t.MaxItems),
			"maxBytes":  int64(t.MaxBytes),
			"timeoutMs": t.Timeout.Milliseconds(),
		},
		"destination": map[string]string{"protocol": "HTTP", "URI": l.uri},
	})
	if err != nil {
		l.abort()
		return err
	}
	x.listener = l
	return nil
}

// Close ends the subscription, and returns nil if there is none. Call it after a
// [Shutdown]. Lambda sends the last records in the shutdown phase, and does not say
// which is the last, so Close waits until handle has returned and no more have come for
// 200 ms. It also waits for a batch that was not taken, which comes again. Then it ends
// the listener. When ctx ends, it cancels handle, and waits until that has returned.
//
// ctx should end before the deadline of the Shutdown, so that there is time to send
// what handle has stored:
//
//	ctx, stop := context.WithDeadline(ctx, shutdown.Deadline.Add(-time.Second))
//	defer stop()
//	err := ext.Close(ctx)
//
// The error is why the last batch was not taken: that of handle, or of its transfer.
func (x *Extension) Close(ctx context.Context) error {
	x.mu.Lock()
	l := x.listener
	x.listener = nil
	x.mu.Unlock()
	if l == nil {
		return nil
	}
	if err := l.close(ctx); err != nil {
		return fmt.Errorf("%w: %w", guard.Reason("extension: telemetry"), err)
	}
	return nil
}

// sandbox is the only host that Lambda sends to.
const sandbox = "sandbox.localdomain"

// bind listens on the interface that Lambda sends to. Outside of Lambda, where its name
// has no address of this machine, that is loopback.
func bind(ctx context.Context) (net.Listener, error) {
	var config net.ListenConfig
	lookup, stop := context.WithTimeout(ctx, time.Second) // it is in /etc/hosts
	defer stop()
	if l, err := config.Listen(lookup, "tcp", net.JoinHostPort(sandbox, "0")); err == nil {
		return l, nil
	}
	return config.Listen(ctx, "tcp", "127.0.0.1:0")
}
