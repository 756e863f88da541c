package metrics

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// Default measures every invocation with m, also one that ends with a panic:
//
//	Invocations   1
//	Duration      milliseconds, of the layers and the handler inside
//	Remaining     milliseconds that were left before Lambda's timeout
//	Replays, ClaimsLost, StaleSecrets, Denials, Records, RecordsFailed,
//	RecordsDeadLettered, RecordsNotStarted
//	              the counts of package layer, and others of [layer.Count]; a count
//	              of 0 is left out
//	ColdStart     1 for the first invocation of a process that waited for it
//	Faults        1 if the function failed, with the dimension Kind
//	Refusals      1 if the caller has to change something, with the dimension Kind
//
// Kind is the name of a [guard.Kind]: internal, unavailable and timeout for
// Faults, the others for Refusals. An alarm on Faults adds the three. The status of
// an HTTP answer decides, also of one that the handler made itself; an answer below
// 400 is neither. Elsewhere the error decides.
//
// It binds m to the invocation, so that [Add] measures with it. An [EMF] writes its
// documents as [Emit] does: one for an invocation, with the handler's own metrics
// of the same dimensions in it. Faults or Refusals are another document, and
// ColdStart is one that is written before the handler runs.
//
// List it before httpapi.Default or guard.Default, so that it counts what they
// refuse. Two of them with different meters both measure. If m is a meter of your
// own that passes measurements on to an EMF, list Emit of that EMF as well.
//
// What cannot be measured or written does not fail the invocation, and is logged by
// [guard.Log]. Default panics if m is nil, and if an EMF has a dimension named like
// one of the metrics or has no room for Kind.
func Default(m Meter) guard.Middleware {
	if e, ok := m.(*EMF); m == nil || ok && e == nil {
		panic("metrics: Default with a nil meter")
	} else if ok {
		e.mustFit()
	}
	return layer.Named("metrics.Default", func(next lambda.Handler) lambda.Handler {
		return &measured{meter: m, next: next}
	})
}

// mustFit panics if a metric of Default could not be written.
func (e *EMF) mustFit() {
	kind := []Dimension{{Name: "Kind", Value: guard.Internal.String()}}
	for i, m := range []Measurement{
		{Name: "Invocations"},
		{Name: "Duration"},
		{Name: "Remaining"},
		{Name: "ColdStart"},
		{Name: "Faults", Dimensions: kind},
		{Name: "Refusals", Dimensions: kind},
	} {
		if err := e.check(i, &m, time.Now()); err != nil {
			panic("metrics: Default cannot measure with the dimensions of this EMF: " + err.Error())
		}
	}
}

type measured struct {
	meter Meter
	next  lambda.Handler
}

func (l *measured) Invoke(ctx context.Context, payload []byte) (out []byte, err error) {
	start := time.Now()
	if inv := invocation.Of(ctx); inv.Cold {
		l.coldStart(ctx)
	}
	b := bind(ctx, l.meter, start)
	defer b.end()
	returned := false
	defer func() {
		if returned {
			l.measure(b, start, layer.OutcomeOf(b, payload, out, err))
		} else { // a panic or a Goexit, which goes on by itself
			l.measure(b, start, layer.OutcomeOf(b, payload, nil, errPanic))
		}
	}()
	out, err = l.next.Invoke(b, payload)
	_ = guard.KindOf(err) // an error that panics when it is unwrapped does so here
	returned = true
	return out, err
}

const errPanic = guard.Reason("the handler panicked")

// coldStart measures in a document of its own, which is there even if Lambda ends
// the process.
func (l *measured) coldStart(ctx context.Context) {
	m := Measurement{Name: "ColdStart", Unit: Count, Value: 1}
	var err error
	if e, ok := l.meter.(*EMF); ok {
		err = e.measureNow(ctx, m)
	} else {
		err = l.meter.Measure(ctx, m)
	}
	if err != nil {
		layer.LogError(ctx, lost, err)
	}
}

func (l *measured) measure(ctx context.Context, start time.Time, o layer.Outcome) {
	now := time.Now()
	all := make([]Measurement, 0, 4+len(o.Counts))
	all = append(all,
		Measurement{Name: "Invocations", Unit: Count, Value: 1},
		Measurement{Name: "Duration", Unit: Milliseconds, Value: milliseconds(now.Sub(start))})
	if end, ok := layer.InvocationDeadline(ctx); ok {
		all = append(all, Measurement{Name: "Remaining", Unit: Milliseconds, Value: milliseconds(end.Sub(now))})
	}
	for _, name := range slices.Sorted(maps.Keys(o.Counts)) {
		all = append(all, Measurement{Name: name, Unit: Count, Value: float64(o.Counts[name])})
	}
	if kind, failed := failure(o); failed {
		name := "Faults"
		if kind.IsClientError() {
			name = "Refusals"
		}
		all = append(all, Measurement{
			Name: name, Unit: Count, Value: 1,
			Dimensions: []Dimension{{Name: "Kind", Value: kind.String()}},
		})
	}
	if err := l.meter.Measure(ctx, all...); err != nil {
		layer.LogError(ctx, lost, err)
	}
}

// failure returns the kind of a failure or a refusal.
func failure(o layer.Outcome) (kind guard.Kind, failed bool) {
	if o.Status == 0 {
		return guard.KindOf(o.Err), o.Err != nil
	}
	for kind := guard.Internal; kind <= guard.Timeout; kind++ {
		if kind.Status() == o.Status {
			return kind, true
		}
	}
	if o.Status < 500 {
		return guard.Invalid, o.Status >= 400
	}
	return guard.Internal, true
}

// lost is the message of a record about what could not be measured or written.
const lost = "metrics were lost"

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
