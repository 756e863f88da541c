package metrics

import (
	"context"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

// Meter takes measurements. [EMF] is one, and package guard/otel has another.
type Meter interface {
	// Measure takes measurements of the invocation of ctx, or of none. It is safe
	// for concurrent use. The error names the first measurement that is not valid;
	// the others are taken.
	Measure(ctx context.Context, m ...Measurement) error
}

// Measurement is one value of a metric.
type Measurement struct {
	Name  string
	Unit  Unit // the zero value is None
	Value float64
	// Dimensions separate the values of a metric, besides those of the meter. Each
	// different value is a metric of its own, with its own price: use few.
	Dimensions []Dimension
	// Resolution is how fine CloudWatch stores the metric, in seconds: 1 or 60.
	// Zero is 60. Other meters than an [EMF] may ignore it.
	Resolution int
	// Time is when the value was measured, from two weeks ago to two hours ahead.
	// The zero value is the start of the invocation. It is for values that are older
	// than the invocation, such as those of a record. Other meters than an [EMF] may
	// ignore it.
	Time time.Time
}

// Dimension is a name and a value that a metric is separated by.
type Dimension struct{ Name, Value string }

// Unit is a unit of CloudWatch.
type Unit string

// The units that are used most. CloudWatch has others, as [MetricDatum] lists them.
//
// [MetricDatum]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
const (
	None         Unit = "None"
	Count        Unit = "Count"
	Milliseconds Unit = "Milliseconds"
	Bytes        Unit = "Bytes"
	Percent      Unit = "Percent"
)

const errUnbound = guard.Reason("no meter belongs to this context: list metrics.Default or metrics.Emit among the layers")

// Add measures a value with the meter of the invocation: that of [Default] or
// [Emit], the innermost of several. The error is not nil if the measurement is not
// valid or if neither layer is listed. A handler that can do without the
// measurement ignores it.
func Add(ctx context.Context, name string, unit Unit, value float64, dimensions ...Dimension) error {
	b := boundOf(ctx)
	if b == nil {
		return wrap("Add", errUnbound)
	}
	m := Measurement{Name: name, Unit: unit, Value: value, Dimensions: dimensions}
	if b.documents != nil { // as its Measure does, without a copy
		return b.documents.measure([]Measurement{m})
	}
	return b.meter.Measure(ctx, m)
}

// AddMetadata adds a text to the documents that the [EMF] of the invocation writes
// from now on. It can be searched for in the log and is no dimension, so it may
// differ in each invocation: an order's id, a tenant. The last text of a name
// counts. Nothing is redacted. Another meter has no metadata and ignores it.
//
// The error is not nil if neither [Default] nor [Emit] is listed, if the name is
// empty or one that each document has, like requestId, or if the metadata of the
// invocation is larger than 32 kB.
func AddMetadata(ctx context.Context, name, text string) error {
	b := boundOf(ctx)
	if b == nil {
		return wrap("AddMetadata", errUnbound)
	}
	if b.documents == nil {
		return nil
	}
	return wrap("AddMetadata", b.documents.addMetadata(name, text))
}
