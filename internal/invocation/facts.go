package invocation

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"github.com/aws/aws-lambda-go/lambda/messages"
)

// Facts are the facts that layers have set for the invocation.
type Facts struct {
	Attrs       []slog.Attr // for the record of the invocation
	Route       string
	Principal   string
	Correlation string
	Err         error // that a layer has turned into an answer

	TraceID string // of a tracing layer, 32 hexadecimal digits
	SpanID  string // 16 hexadecimal digits
	Sampled bool
	Counts  map[string]int // of the whole invocation; replaced, never changed

	Sealed   bool // the principal must not change
	Resealed bool // somebody has tried to change it

	Answer []byte // the last answer that was encoded here, with its status
	Status int

	Recorded error    // that guard.Log has returned, or panicked with, and has written
	LogError LogError // of the outermost guard.Log, nil without one
}

// LogError writes a record about an error that does not leave the chain.
type LogError func(ctx context.Context, message string, err error, attrs []slog.Attr)

// Facts returns the facts that are set so far.
func (inv *Invocation) Facts() Facts {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	return inv.facts
}

// Update calls change with the facts, which must not be kept.
func (inv *Invocation) Update(change func(*Facts)) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	change(&inv.facts)
}

// SetError sets the error of the record. An answer for the platform does not
// replace the error that it was made from.
func (inv *Invocation) SetError(err error) {
	inv.Update(func(f *Facts) {
		if f.Err == nil || !Reported(err) {
			f.Err = err
		}
	})
}

// Count adds n to a count of the whole invocation.
func (inv *Invocation) Count(name string, n int) {
	inv.Whole().Update(func(f *Facts) {
		counts := maps.Clone(f.Counts) // a layer may be reading them
		if counts == nil {
			counts = make(map[string]int, 1)
		}
		counts[name] += n
		f.Counts = counts
	})
}

// Reported reports whether err is an answer for the platform. It looks at err
// itself and not at its chain, as aws-lambda-go does.
func Reported(err error) bool {
	_, ok := err.(messages.InvokeResponse_Error)
	return ok
}

// Same reports whether two slices share memory. It does not compare bytes, which
// would cost more than it saves.
func Same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// AddAttrs adds attributes to the record. The last one of a key stays.
func (inv *Invocation) AddAttrs(attrs []slog.Attr) {
	attrs = inline(attrs)
	inv.Update(func(f *Facts) {
		f.Attrs = slices.Grow(f.Attrs, len(attrs))
		for _, a := range attrs {
			same := func(b slog.Attr) bool { return b.Key == a.Key }
			if i := slices.IndexFunc(f.Attrs, same); i >= 0 && a.Key != "" {
				f.Attrs = slices.Concat(f.Attrs[:i], f.Attrs[i+1:]) // a record may be reading them
			}
			f.Attrs = append(f.Attrs, a)
		}
	})
}

// inline replaces groups without a key by their members, as slog does.
func inline(attrs []slog.Attr) []slog.Attr {
	for i, a := range attrs {
		if a.Key != "" {
			continue
		}
		if group := a.Value.Resolve(); group.Kind() == slog.KindGroup {
			return slices.Concat(attrs[:i], inline(group.Group()), inline(attrs[i+1:]))
		}
	}
	return attrs
}
