// Package logtail keeps the end of a function's log.
package logtail

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
)

// Kept is how much of a log stays readable, in bytes.
const Kept = 1 << 20

// A Tail passes writes on and keeps the last of them.
type Tail struct {
	mu      sync.Mutex
	to      io.Writer // may be nil
	kept    []byte
	changed chan struct{} // closed and replaced by every write
}

// New returns a Tail that passes writes on to a writer, if it is not nil.
func New(to io.Writer) *Tail {
	return &Tail{to: to, changed: make(chan struct{})}
}

// Write never fails.
func (l *Tail) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, b...)
	// Not with every line: moving a MiB costs more than most lines.
	if len(l.kept) > 2*Kept {
		l.kept = append(l.kept[:0], l.tail()...)
	}
	close(l.changed)
	l.changed = make(chan struct{})
	if l.to != nil {
		_, _ = l.to.Write(b) // a console that is gone must not stop the function
	}
	return len(b), nil
}

// String returns what is kept.
func (l *Tail) String() string {
	text, _ := l.read()
	return text
}

func (l *Tail) read() (text string, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.tail()), l.changed
}

func (l *Tail) tail() []byte { return l.kept[max(0, len(l.kept)-Kept):] }

// Wait returns when a text is in what is kept. The error has all of that.
func (l *Tail) Wait(ctx context.Context, text string) error {
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
