package metrics

import "context"

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
}

// Dimension is a name and a value that a metric is separated by.
type Dimension struct{ Name, Value string }

// Unit is a unit of CloudWatch.
type Unit string

// The units that are used most. CloudWatch has others, as MetricDatum lists them.
const (
	None         Unit = "None"
	Count        Unit = "Count"
	Milliseconds Unit = "Milliseconds"
	Bytes        Unit = "Bytes"
	Percent      Unit = "Percent"
)
