// Package outcome reads what became of an invocation, for the layers that report
// it: log, metrics and traces.
package outcome

import (
	"strings"

	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/answer"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// Outcome is what became of an invocation.
type Outcome struct {
	Trigger request.Trigger
	Method  string // of an HTTP request
	Route   string // a pattern, also of other triggers
	Status  int    // of an HTTP answer, 0 if there is none
	Err     error  // of the handler, also one made an answer
}

// Of returns the outcome of an invocation with these facts, that was asked r and
// answered out or err. A text from the event is at most 8 kB.
func Of(facts invocation.Facts, r *request.Request, out []byte, err error) Outcome {
	o := Outcome{Trigger: r.Trigger(), Route: facts.Route, Err: err}
	if o.Trigger.IsHTTP() {
		o.Method = Shortened(r.Method())
		if o.Route == "" {
			o.Route = Shortened(r.RouteKey()) // who forges an event may fill it
		}
		if err == nil { // beside an error there is no answer
			o.Status = statusOf(facts, r, out)
		}
	}
	if facts.Err != nil && (err == nil || invocation.Reported(err)) {
		o.Err = facts.Err
	}
	return o
}

func statusOf(facts invocation.Facts, r *request.Request, out []byte) int {
	if len(out) == 0 {
		return 0
	}
	if invocation.Same(facts.Answer, out) {
		return facts.Status
	}
	status, _ := answer.Status(out, answer.FormOf(r))
	return status
}

const longest = 8 << 10

// Shortened cuts a text that is too long for a log, between characters.
func Shortened(text string) string {
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "…"
}
