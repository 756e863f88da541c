package secondline_test

import (
	"bytes"
	"log"
	"log/slog"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/secondline"
)

// A line of somebody else stays even if its text is the one that is expected, and
// nothing changes for a logger until an error is recorded.
func TestALineThatIsNotTheRuntimeClientsStays(t *testing.T) {
	var out bytes.Buffer
	l := log.New(&out, "shop: ", log.LstdFlags)
	h := guard.Wrap(secondline.Drop(l, guard.Wrap(failures, guard.Log(slog.New(slog.DiscardHandler)))))
	ctx := invocationOf(t.Context(), "ok")
	if _, err := h.Invoke(ctx, nil); err != nil || l.Writer() != &out {
		t.Errorf("got %v and another output, want the logger as it was", err)
	}
	h = guard.Wrap(secondline.Drop(l, guard.Wrap(failures, guard.Log(slog.New(slog.NewTextHandler(new(bytes.Buffer), nil))))))
	for range 2 {
		if _, err := h.Invoke(invocationOf(t.Context(), "error"), nil); err == nil {
			t.Error("got no error, want one")
		}
	}
	if l.Writer() == &out {
		t.Error("got the output as it was, want one that drops the line")
	}
	const line = `{"errorMessage":"hunter2","errorType":"errorString"}`
	for range 3 {
		l.Print(line)
	}
	if got := strings.Count(out.String(), line); got != 3 {
		t.Errorf("got %d lines, want 3: %s", got, &out)
	}
}
