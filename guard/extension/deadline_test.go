package extension

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// answer records until when a request may be read.
type answer struct {
	*httptest.ResponseRecorder
	until time.Time
}

func (a *answer) SetReadDeadline(t time.Time) error { a.until = t; return nil }

// net/http reads on while a handler runs, and cancels its context if that fails: the
// time for a body must not be that of the handler, which a freeze may stop for hours.
func TestTheTimeForABodyIsNotThatOfTheHandler(t *testing.T) {
	w := &answer{ResponseRecorder: httptest.NewRecorder()}
	called := false
	l := &listener{limit: 1 << 10, handle: func(context.Context, []Record) error {
		called = true
		if !w.until.IsZero() {
			t.Errorf("got a handler that has until %v, want no limit", w.until)
		}
		return nil
	}}
	body := readerFunc(func(p []byte) (int, error) {
		if w.until.IsZero() {
			t.Error("got a body without a limit, want one")
		}
		return 0, context.Canceled
	})
	if status, err := l.receive(w, httptest.NewRequest("POST", "/", body)); status != 500 || err == nil {
		t.Errorf("got %d and %v for a body that is cut, want 500 and an error", status, err)
	}
	status, err := l.receive(w, httptest.NewRequest("POST", "/", strings.NewReader(`[{"type":"function","record":"x"}]`)))
	if status != 200 || err != nil || !called {
		t.Errorf("got %d and %v, want 200 after a call", status, err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
