// Package secondline keeps aws-lambda-go from printing a failed invocation once
// more.
//
// The runtime client prints every error that it reports to Lambda through the
// standard logger, as a line of text. Where guard.Log has written the record of
// the invocation, that is a second one.
package secondline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"reflect"
	"sync"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// Drop returns h, for the outermost handler within an invocation. What the runtime
// client prints by l about an error or a panic that is recorded is dropped. An error
// that is another one than guard.Log has returned is not recorded: a layer outside
// of it has made it.
//
// Nothing changes about l until a recorded error is about to be printed.
func Drop(l *log.Logger, h lambda.Handler) lambda.Handler {
	return &handler{next: h, log: l}
}

type handler struct {
	next lambda.Handler
	log  *log.Logger

	mu  sync.Mutex // guards out
	out *output    // nil until it is needed
}

func (h *handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	inv := invocation.Of(ctx)
	returned := false
	defer func() {
		if returned {
			return
		}
		if value, ok := panicValue(inv.Facts().Recorded); ok {
			h.expect(panicReport(value))
		}
	}()
	answer, err := h.next.Invoke(ctx, payload)
	returned = true
	if err == nil {
		return answer, nil
	}
	recorded := inv.Facts().Recorded
	if recorded == nil {
		return answer, err
	}
	report := errorReport(err)
	if lineOf(report) != lineOf(errorReport(recorded)) {
		return nil, err
	}
	h.expect(report)
	return nil, report // which is printed as it is, also if a text of err changes
}

// expect makes the output of the logger drop a line. The program may have replaced
// that output since the last time.
func (h *handler) expect(report messages.InvokeResponse_Error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if w := h.log.Writer(); h.out == nil || w != h.out {
		h.out = &output{next: w, expected: make(map[string]int)}
		h.log.SetOutput(h.out)
	}
	h.out.expect(lineOf(report))
}

// errorReport returns what the runtime client makes of an error.
func errorReport(err error) messages.InvokeResponse_Error {
	if own, ok := err.(messages.InvokeResponse_Error); ok {
		return own
	}
	return messages.InvokeResponse_Error{Type: typeName(err), Message: err.Error()}
}

// panicReport returns what it makes of a panic, without the stack.
func panicReport(value any) messages.InvokeResponse_Error {
	if own, ok := value.(messages.InvokeResponse_Error); ok {
		return own
	}
	return messages.InvokeResponse_Error{Type: typeName(value), Message: fmt.Sprintf("%v", value)}
}

func panicValue(recorded error) (value any, ok bool) {
	var p interface{ Value() any } // a *guard.PanicError
	if !errors.As(recorded, &p) {
		return nil, false
	}
	value = p.Value()
	return value, value != nil // nil after runtime.Goexit
}

func typeName(v any) string {
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

// lineOf returns the line of a report up to its stack.
func lineOf(report messages.InvokeResponse_Error) string {
	line, _ := json.Marshal(messages.InvokeResponse_Error{Type: report.Type, Message: report.Message}) // texts and no more
	return string(line[:len(line)-1])
}
