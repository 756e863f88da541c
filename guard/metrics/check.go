package metrics

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

// What CloudWatch takes. Where its pages differ, the stricter one counts: the
// schema of the embedded metric format has names of dimensions up to 250 and of
// metrics and namespaces up to 1024 characters, the API reference 255 for all.
//
//	https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
//	https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
//	https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
//	https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
const (
	longestName           = 255
	longestDimensionName  = 250
	longestDimensionValue = 1024
	mostDimensions        = 30

	past   = 14 * 24 * time.Hour
	future = 2 * time.Hour
)

// The API reference says that a value is within ±2^360 and that one too small is
// refused; its older editions say that the smallest is 2^-360.
var largest, smallest = math.Ldexp(1, 360), math.Ldexp(1, -360)

const (
	errName       = guard.Reason("a name has 1 to 255 printable ASCII characters, one of them no space, and does not start with a colon")
	errReserved   = guard.Reason("the name _aws is that of the format")
	errUnit       = guard.Reason("CloudWatch has no such unit")
	errValue      = guard.Reason("a value is 0 or from 2^-360 to 2^360, or the negative of that")
	errResolution = guard.Reason("a resolution is 1 or 60")
	errTime       = guard.Reason("a time is at most two weeks ago and two hours ahead")

	errDimensionName  = guard.Reason("the name of a dimension has 1 to 250 printable ASCII characters, one of them no space, and does not start with a colon")
	errDimensionValue = guard.Reason("the value of a dimension has 1 to 1024 printable ASCII characters, one of them no space")
	errDimensions     = guard.Reason("a metric has at most 30 dimensions, those of the meter included")
	errTwice          = guard.Reason("a dimension is there twice")
	errBoth           = guard.Reason("a metric and one of its dimensions have the same name")
)

// check returns why a measurement cannot be written. i counts the measurements of
// a call. Nothing of a value is in the error, for it may be a caller's.
func (e *EMF) check(i int, m *Measurement, now time.Time) error {
	if err := nameError(m.Name); err != nil {
		return wrap(fmt.Sprintf("measurement %d", i+1), err)
	}
	switch {
	case !isUnit(m.Unit):
		return wrap(m.Name, errUnit)
	case !isValue(m.Value):
		return wrap(m.Name, errValue)
	case m.Resolution != 0 && m.Resolution != 1 && m.Resolution != 60:
		return wrap(m.Name, errResolution)
	case !m.Time.IsZero() && (m.Time.Before(now.Add(-past)) || m.Time.After(now.Add(future))):
		return wrap(m.Name, errTime)
	}
	if err := dimensionsError(m.Dimensions); err != nil {
		return wrap(m.Name, err)
	}
	n := len(m.Dimensions)
	for _, d := range e.dimensions {
		if d.Name == m.Name {
			return wrap(m.Name, errBoth)
		}
		if !hasDimension(m.Dimensions, d.Name) {
			n++
		}
	}
	switch {
	case hasDimension(m.Dimensions, m.Name):
		return wrap(m.Name, errBoth)
	case n > mostDimensions:
		return wrap(m.Name, errDimensions)
	}
	return nil
}

func nameError(name string) error {
	switch {
	case !isText(name, longestName) || name[0] == ':':
		return errName
	case name == "_aws":
		return errReserved
	}
	return nil
}

func dimensionsError(dimensions []Dimension) error {
	if len(dimensions) > mostDimensions {
		return errDimensions
	}
	for i, d := range dimensions {
		switch {
		case !isText(d.Name, longestDimensionName) || d.Name[0] == ':':
			return errDimensionName
		case d.Name == "_aws":
			return errReserved
		case !isText(d.Value, longestDimensionValue):
			return fmt.Errorf("dimension %s: %w", d.Name, errDimensionValue)
		case hasDimension(dimensions[:i], d.Name):
			return fmt.Errorf("dimension %s: %w", d.Name, errTwice)
		}
	}
	return nil
}

func hasDimension(dimensions []Dimension, name string) bool {
	return slices.ContainsFunc(dimensions, func(d Dimension) bool { return d.Name == name })
}

// isText reports whether text has 1 to longest printable ASCII characters, one of
// them no space.
func isText(text string, longest int) bool {
	if len(text) > longest {
		return false
	}
	blank := true
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
		blank = blank && text[i] == ' '
	}
	return !blank
}

func isValue(v float64) bool {
	size := math.Abs(v)
	return size == 0 || size >= smallest && size <= largest // false for NaN
}

func isUnit(u Unit) bool {
	switch u {
	case "", None, Count, Milliseconds, Bytes, Percent,
		"Seconds", "Microseconds",
		"Kilobytes", "Megabytes", "Gigabytes", "Terabytes",
		"Bits", "Kilobits", "Megabits", "Gigabits", "Terabits",
		"Bytes/Second", "Kilobytes/Second", "Megabytes/Second", "Gigabytes/Second", "Terabytes/Second",
		"Bits/Second", "Kilobits/Second", "Megabits/Second", "Gigabits/Second", "Terabits/Second",
		"Count/Second":
		return true
	default:
		return false
	}
}

// wrap returns err with the package's name and what it is about, nil for nil.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("metrics: %s: %w", what, err)
}
