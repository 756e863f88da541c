package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
)

// What queues and streams before the function have in common.

// atPath serves desk at a path. Without others, there is nothing at any other path.
func atPath(path, what string, desk, next http.Handler, others bool) http.Handler {
	desk = notForWebPages(desk)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == path:
			desk.ServeHTTP(w, r)
		case others:
			next.ServeHTTP(w, r)
		default:
			answer(w, http.StatusNotFound, map[string]string{"message": "there is no API, for which start with -route; the " + what + " is " + path})
		}
	})
}

// inBackground runs a source until ctx ends. The channel is closed when no batch is under
// way any more.
func inBackground(ctx context.Context, run func(context.Context) error, console *console, name string) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := run(ctx); err != nil {
			console.say("%s: %v", name, err)
		}
	}()
	return done
}

// finished is the channel of a source that is not there.
func finished() <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(body) // a client that left needs no answer
}

// A line of the ledger that is shown.
type line struct {
	ID      string    `json:"id"`
	Group   string    `json:"group,omitempty"`
	Sent    time.Time `json:"sent"`
	Outcome string    `json:"outcome"`
	Reason  string    `json:"reason,omitempty"`
	Tries   int       `json:"deliveries"`
	Failure string    `json:"lastFailure,omitempty"`
}

// openLines are all but those that are done or filtered, which the ledger only counts.
func openLines(ledger source.Ledger) []line {
	open := []line{}
	for _, e := range ledger.Entries() {
		l := line{ID: e.ID, Group: e.Group, Sent: e.Sent, Outcome: string(e.Outcome), Reason: e.Reason, Tries: len(e.Deliveries)}
		if l.Tries > 0 {
			l.Failure = e.Deliveries[l.Tries-1].Failure
		}
		open = append(open, l)
	}
	return open
}
