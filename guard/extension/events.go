package extension

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Event is an [Invoke] or a [Shutdown].
type Event interface{ isEvent() }

// Invoke is the start of an invocation. It ends for Lambda when the function has
// answered and each extension has asked for the next event, and all of that counts
// for the function's timeout and its bill.
type Invoke struct {
	RequestID string
	Deadline  time.Time // when Lambda ends the invocation, of the extensions too
	ARN       string    // that the function was invoked by
	TraceID   string    // the tracing header, as "Root=…;Parent=…;Sampled=1"; "" if there is none
}

// Shutdown is the end of the environment. Lambda kills the process at the deadline,
// within 2 seconds. There is no Shutdown before a kill that Lambda does not plan, such
// as that of an environment that runs out of memory.
type Shutdown struct {
	Reason   string // "spindown", "timeout" or "failure"
	Deadline time.Time
}

func (Invoke) isEvent()   {}
func (Shutdown) isEvent() {}

const (
	eventInvoke   = "INVOKE"
	eventShutdown = "SHUTDOWN"
)

// Events returns the events as Lambda sends them. The first step tells Lambda that the
// extension has finished its init, and each further one that it has finished the
// event before. The environment may be frozen while a step waits, for hours.
//
// The sequence ends after a [Shutdown] and when ctx ends. After an error, which is
// yielded once, it ends as well: the program should end too. Use it once and in one
// goroutine.
func (x *Extension) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			event, err := x.next(ctx)
			switch {
			case err != nil && ctx.Err() != nil:
				return
			case err != nil:
				yield(nil, fmt.Errorf("%w: %w", guard.Reason("extension: next event"), err))
				return
			}
			if !yield(event, nil) {
				return
			}
			if _, last := event.(Shutdown); last {
				return
			}
		}
	}
}

// next has no timeout of its own, as the process may be frozen meanwhile.
func (x *Extension) next(ctx context.Context) (Event, error) {
	_, answer, err := x.api.Do(ctx, http.MethodGet, base+"/event/next", x.identity(), nil)
	if err != nil {
		return nil, err
	}
	var event struct {
		Type       string `json:"eventType"`
		DeadlineMs int64  `json:"deadlineMs"`
		RequestID  string `json:"requestId"`
		ARN        string `json:"invokedFunctionArn"`
		Reason     string `json:"shutdownReason"`
		Tracing    struct {
			Value string `json:"value"`
		} `json:"tracing"`
	}
	if err := strictjson.Unmarshal(answer, &event, strictjson.Options{}); err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	deadline := time.UnixMilli(event.DeadlineMs)
	switch event.Type {
	case eventInvoke:
		return Invoke{RequestID: event.RequestID, Deadline: deadline, ARN: event.ARN, TraceID: event.Tracing.Value}, nil
	case eventShutdown:
		// AWS's documents have the reason in lower case and in capitals.
		return Shutdown{Reason: strings.ToLower(event.Reason), Deadline: deadline}, nil
	default:
		return nil, guard.Reason(fmt.Sprintf("unknown type of event %q", event.Type))
	}
}
