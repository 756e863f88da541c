package guardtest

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
)

// logKept is how much of a function's log stays readable, in bytes.
const logKept = 1 << 20

// A logTail passes writes on and keeps the last of them.
type logTail struct {
	mu      sync.Mutex
	to      io.Writer // may be nil
	kept    []byte
	changed chan struct{} // closed and replaced by every write
}

func newLogTail(to io.Writer) *logTail {
	return &logTail{to: to, changed: make(chan struct{})}
}

func (l *logTail) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, b...)
	// Not with every line: moving a MiB costs more than most lines.
	if len(l.kept) > 2*logKept {
		l.kept = append(l.kept[:0], l.tail()...)
	}
	close(l.changed)
	l.changed = make(chan struct{})
	if l.to != nil {
		_, _ = l.to.Write(b) // a console that is gone must not stop the function
	}
	return len(b), nil
}

func (l *logTail) String() string {
	text, _ := l.read()
	return text
}

func (l *logTail) read() (text string, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.tail()), l.changed
}

func (l *logTail) tail() []byte { return l.kept[max(0, len(l.kept)-logKept):] }

func (l *logTail) wait(ctx context.Context, text string) error {
	for {
		kept, changed := l.read()
		if strings.Contains(kept, text) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("guardtest: %q is not in the log: %w; the log:\n%s", text, context.Cause(ctx), kept)
		}
	}
}
