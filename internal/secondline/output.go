package secondline

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"sync"
)

// output drops each line that is expected, once. What it passes on is as it was, but for
// one thing: if slog.SetDefault has been called while the logger had Lshortfile, slog
// counts the calls to find the source of a line, and finds package log.
type output struct {
	next io.Writer

	mu       sync.Mutex     // guards expected; not held while next writes
	expected map[string]int // how often, by the line up to its stack
}

func (o *output) expect(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.expected[line]++
}

func (o *output) Write(p []byte) (int, error) {
	if o.drops(p) {
		return len(p), nil
	}
	return o.next.Write(p)
}

func (o *output) drops(p []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.expected) == 0 || !printedByClient() {
		return false
	}
	for line, n := range o.expected {
		_, rest, found := bytes.Cut(p, []byte(line)) // behind what the logger puts before it
		if !found || rest[0] != '}' && rest[0] != ',' {
			continue
		}
		if o.expected[line] = n - 1; n == 1 {
			delete(o.expected, line)
		}
		return true
	}
	return false
}

// printedByClient reports whether the runtime client prints, and nobody else whose
// line has the same text.
func printedByClient() bool {
	var calls [8]uintptr
	frames := runtime.CallersFrames(calls[:runtime.Callers(4, calls[:])]) // without the output
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "log.") {
			return strings.HasPrefix(f.Function, "github.com/aws/aws-lambda-go/lambda.")
		}
		if !more {
			return false
		}
	}
}
