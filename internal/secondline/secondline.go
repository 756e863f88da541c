// Package secondline keeps aws-lambda-go from printing a failed invocation once
// more.
//
// The runtime client prints every error that it reports to Lambda through the
// standard logger, as a line of text. Where guard.Log has written the record of
// the invocation, that is a second one.
package secondline

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"reflect"
	"sync"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// Drop returns h. Its errors are not printed by l if they are recorded already. It
// replaces the output of l, so call it once in a process.
func Drop(l *log.Logger, h lambda.Handler) lambda.Handler {
	out := &output{next: l.Writer(), expected: make(map[string]int)}
	l.SetOutput(out)
	return &handler{next: h, log: l, out: out}
}

type handler struct {
	next lambda.Handler
	log  *log.Logger
	out  *output
}

func (h *handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	answer, err := h.next.Invoke(ctx, payload)
	inv := invocation.Of(ctx)
	if err == nil || inv == nil || !inv.Facts().Recorded {
		return answer, err
	}
	reported := reportOf(err)
	if line, fault := json.Marshal(reported); fault == nil && h.log.Writer() == io.Writer(h.out) {
		h.out.expect(string(line))
	}
	return nil, reported
}

// reportOf returns the error as aws-lambda-go reports it, which it passes on as it
// is.
func reportOf(err error) messages.InvokeResponse_Error {
	if own, ok := err.(messages.InvokeResponse_Error); ok {
		return own
	}
	t := reflect.TypeOf(err)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return messages.InvokeResponse_Error{Type: t.Name(), Message: err.Error()}
}

// output drops each line that is expected, once.
type output struct {
	mu       sync.Mutex // guards all below
	next     io.Writer
	expected map[string]int
}

func (o *output) expect(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.expected[line]++
}

// Write ignores the prefix that a logger puts before a line.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := bytes.TrimSuffix(p, []byte("\n"))
	for line, n := range o.expected {
		if !bytes.HasSuffix(text, []byte(line)) {
			continue
		}
		if n == 1 {
			delete(o.expected, line)
		} else {
			o.expected[line] = n - 1
		}
		return len(p), nil
	}
	return o.next.Write(p)
}
