package metrics

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// Emit collects what is measured with e during an invocation, and writes it at the
// end: also after an error, a panic and [runtime.Goexit]. It measures nothing by
// itself. [Default] of an EMF does the same.
//
// Measurements with the same dimensions and time go into one document. A document
// has at most 100 metrics, 100 values of each, and 256 kB. One that is full is
// written, and another one begins. Emit panics if e is nil.
func Emit(e *EMF) guard.Middleware {
	if e == nil {
		panic("metrics: Emit of a nil EMF")
	}
	return layer.Named("metrics.Emit", func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			b := bind(ctx, e, time.Now())
			defer b.end()
			return next.Invoke(b, payload)
		})
	})
}

// bound is the context of an invocation that has a meter.
type bound struct {
	context.Context
	meter     Meter
	documents *documents // nil if the meter is no EMF
	ends      bool       // no outer layer has bound the same EMF
}

type (
	boundKey     struct{}
	documentsKey struct{ *EMF }
)

// Value returns what the context is bound to, for the keys of this package.
func (b *bound) Value(key any) any {
	switch key := key.(type) {
	case boundKey:
		return b
	case documentsKey:
		if b.documents != nil && b.documents.emf == key.EMF {
			return b.documents
		}
	}
	return b.Context.Value(key)
}

// boundOf returns the innermost bound context, nil if there is none.
func boundOf(ctx context.Context) *bound {
	b, _ := ctx.Value(boundKey{}).(*bound)
	return b
}

// documentsOf returns the documents of the invocation, nil if e is not bound.
func (e *EMF) documentsOf(ctx context.Context) *documents {
	d, _ := ctx.Value(documentsKey{e}).(*documents)
	return d
}

func bind(ctx context.Context, meter Meter, start time.Time) *bound {
	b := &bound{Context: ctx, meter: meter}
	if e, ok := meter.(*EMF); ok {
		if b.documents = e.documentsOf(ctx); b.documents == nil {
			b.documents = &documents{emf: e, inv: invocation.Of(ctx), start: start}
			b.ends = true
		}
	}
	return b
}

// end writes the documents. An error must not fail the invocation, so it is logged.
func (b *bound) end() {
	if !b.ends {
		return
	}
	if err := b.documents.end(); err != nil {
		layer.LogError(b, lost, err)
	}
}

// documents are those of one invocation that are not yet written.
type documents struct {
	emf   *EMF
	inv   *invocation.Invocation // nil outside an invocation
	start time.Time

	mu       sync.Mutex // guards the rest
	over     bool       // documents are written as soon as they are measured
	pending  []*document
	metadata []metadatum
	size     int // of the metadata
}

type metadatum struct {
	name   string
	member string // the name and the text as JSON
}

// mostPending bounds the memory of an invocation whose dimensions never repeat.
const mostPending = 100

// measure takes measurements and returns the first error.
func (d *documents) measure(m []Measurement) (first error) {
	keep := func(err error) {
		if first == nil {
			first = err
		}
	}
	now := d.start
	for i := range m {
		if !m[i].Time.IsZero() {
			now = time.Now()
			break
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range m {
		if err := d.emf.check(i, &m[i], now); err != nil {
			keep(err)
			continue
		}
		keep(d.add(&m[i]))
	}
	if d.over {
		keep(d.writeAll())
	}
	return first
}

// add adds a valid measurement to its document.
func (d *documents) add(m *Measurement) error {
	at := m.Time
	if at.IsZero() {
		at = d.start
	}
	ms := at.UnixMilli()
	i := slices.IndexFunc(d.pending, func(known *document) bool { return known.isFor(m, ms) })
	if i >= 0 && d.pending[i].take(m) {
		return nil
	}
	var err error
	if i >= 0 { // it is full
		err = d.emf.write(d.pending[i], d)
		d.pending = slices.Delete(d.pending, i, i+1)
	} else if len(d.pending) == mostPending {
		err = d.writeAll()
	}
	fresh := &document{at: ms, dimensions: slices.Clone(m.Dimensions), metrics: make([]metric, 0, 8)}
	fresh.take(m)
	d.pending = append(d.pending, fresh)
	return err
}

// writeAll writes every document and returns the first error.
func (d *documents) writeAll() (first error) {
	for _, doc := range d.pending {
		if err := d.emf.write(doc, d); err != nil && first == nil {
			first = err
		}
	}
	d.pending = nil
	return first
}

// end writes every document. What is measured afterwards is written at once.
func (d *documents) end() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	return d.writeAll()
}

const (
	errMetadataName = guard.Reason("a name of metadata is not empty and not one that each document has")
	errMetadataSize = guard.Reason("the metadata of an invocation is at most 32 kB")
)

func (d *documents) addMetadata(name, text string) error {
	if name == "" || name == "_aws" || invocation.Reserved(name) {
		return errMetadataName
	}
	added := metadatum{name: name, member: string(appendText(nil, name, text)[1:])}
	d.mu.Lock()
	defer d.mu.Unlock()
	size := d.size + len(added.member) + 1
	i := slices.IndexFunc(d.metadata, func(known metadatum) bool { return known.name == name })
	if i >= 0 {
		size -= len(d.metadata[i].member) + 1
	}
	if size > metadataShare {
		return errMetadataSize
	}
	d.size = size
	if i >= 0 {
		d.metadata[i] = added
	} else {
		d.metadata = append(d.metadata, added)
	}
	return nil
}
