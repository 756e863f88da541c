package metrics

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// EMF is a [Meter] that writes documents in CloudWatch's [embedded metric format],
// one JSON object per line.
//
// [embedded metric format]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
type EMF struct {
	namespace  string
	dimensions []Dimension
	level      string

	mu   sync.Mutex // guards w and line
	w    io.Writer
	line []byte // reused
}

// Option changes [New].
type Option struct{ set func(*EMF) }

// Dimensions sets the dimensions of every metric. It replaces the default one:
// service, with the name of the function. Without arguments there is none. A
// measurement can replace the value of one.
func Dimensions(dimensions ...Dimension) Option {
	return Option{func(e *EMF) { e.dimensions = slices.Clone(dimensions) }}
}

// LogLevel adds a level to every document, and the timestamp that Lambda reads it
// with: TRACE, DEBUG, INFO, WARN, ERROR or FATAL. It is for a function whose
// application log level in Lambda is above INFO, because Lambda takes a line
// without a level for INFO and drops it. What counts lines of that level in the log
// counts the documents too. [logging.MinLevel] instead of Lambda's filter avoids
// both.
//
// [logging.MinLevel]: https://pkg.go.dev/github.com/lambdarmor/lambdarmor/guard/logging#MinLevel
func LogLevel(level string) Option {
	if !slices.Contains([]string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}, level) {
		panic("metrics: LogLevel is not one of TRACE, DEBUG, INFO, WARN, ERROR and FATAL")
	}
	return Option{func(e *EMF) { e.level = level }}
}

// New returns an EMF that writes metrics of a namespace to w, which is [os.Stdout]
// in a function. It writes each document with one call of Write, one call at a
// time. If others write to w as well, w must be safe for that, as an [os.File] is.
//
// New panics if w is nil, and if CloudWatch would not take the namespace or a
// dimension. A namespace has 1 to 255 printable ASCII characters and does not start
// with a colon or "AWS/".
func New(w io.Writer, namespace string, opts ...Option) *EMF {
	if w == nil {
		panic("metrics: New with a nil writer")
	}
	if !isNamespace(namespace) {
		panic("metrics: New with a namespace that is not 1 to 255 printable ASCII characters, or starts with a colon or AWS/")
	}
	e := &EMF{w: w, namespace: namespace}
	if name := lambdacontext.FunctionName; name != "" {
		e.dimensions = []Dimension{{Name: "service", Value: name}}
	}
	for _, opt := range opts {
		opt.set(e)
	}
	if err := dimensionsError(e.dimensions); err != nil {
		panic("metrics: New with dimensions that CloudWatch does not take: " + err.Error())
	}
	return e
}

func isNamespace(name string) bool {
	return isText(name, longestName) && name[0] != ':' && (len(name) < 4 || name[:4] != "AWS/")
}

// Measure implements [Meter]. Within [Default] or [Emit] of this EMF, documents are
// written at the end of the invocation. A document that is full is written at
// once. Elsewhere, and after the invocation has ended, Measure writes its
// measurements before it returns. The error of the writer is returned too.
func (e *EMF) Measure(ctx context.Context, m ...Measurement) error {
	if d := e.documentsOf(ctx); d != nil {
		return d.measure(m)
	}
	return e.measureNow(ctx, m...)
}

// measureNow writes measurements in documents of their own.
func (e *EMF) measureNow(ctx context.Context, m ...Measurement) error {
	d := &documents{emf: e, inv: invocation.Of(ctx), start: time.Now(), over: true}
	return d.measure(m)
}

// write writes a document as one line.
func (e *EMF) write(d *document, from *documents) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	line := append(e.appendDocument(e.line[:0], d, from), '\n')
	if cap(line) <= longestLineKept {
		e.line = line
	}
	n, err := e.w.Write(line)
	if err == nil && n < len(line) {
		err = io.ErrShortWrite
	}
	return wrap("a document could not be written", err)
}

// longestLineKept bounds the memory that one long document leaves behind.
const longestLineKept = 16 << 10
