package otel

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/metrics"
)

// Meter returns a meter that takes measurements with instruments of mp, for
// metrics.Default and metrics.Add:
//
//	guard.Start(routes, otel.Flush(time.Second, tp, mp), otel.Trace(tp), metrics.Default(otel.Meter(mp)), httpapi.Default(log))
//
// A measurement in Count is added to a counter, so it must not be negative. Any
// other goes into a histogram. Units are written as the conventions of
// OpenTelemetry write them, in UCUM: Milliseconds are ms, Bytes are By, Percent is
// %, None and Count are 1. Dimensions become attributes; of two with one name the
// last one counts. Time and Resolution of a measurement are ignored.
//
// An instrument is made when its name is first used, up to 1000 of them. It is an
// error beyond those, if a name is not one of OpenTelemetry, which begins with a
// letter and has up to 255 letters, digits and _ . - /, if a unit is not one of
// CloudWatch, if a value is not finite, and if a dimension has no name or is not UTF-8
// of up to 1024 bytes. Meter panics if mp is nil.
func Meter(mp metric.MeterProvider) metrics.Meter {
	if isNil(mp) {
		panic("otel: Meter with a nil MeterProvider")
	}
	return &meter{meter: mp.Meter(scope, metric.WithInstrumentationVersion(version()), metric.WithSchemaURL(semconv.SchemaURL))}
}

// mostInstruments keeps a program from making instruments without end, which it
// would if a name had a value in it.
const mostInstruments = 1000

const (
	errName        = guard.Reason("a name begins with a letter and has 1 to 255 letters, digits and _ . - /")
	errNotFinite   = guard.Reason("the value is not finite")
	errNegative    = guard.Reason("a count is negative")
	errUnit        = guard.Reason("CloudWatch has no such unit")
	errDimension   = guard.Reason("a dimension has a name, and is UTF-8 of up to 1024 bytes")
	errInstruments = guard.Reason("there are 1000 metrics already; a name must not have values in it")
)

type meter struct {
	meter metric.Meter

	mu          sync.Mutex // guards instruments
	instruments map[instrumentKey]record
}

type instrumentKey struct {
	name string
	unit metrics.Unit
}

// record takes a value into an instrument.
type record func(ctx context.Context, value float64, attrs metric.MeasurementOption)

// Measure implements [metrics.Meter].
func (m *meter) Measure(ctx context.Context, all ...metrics.Measurement) (first error) {
	for i, one := range all {
		err, place := m.measure(ctx, one), one.Name
		if err == nil || first != nil {
			continue
		}
		if errors.Is(err, errName) { // it may be anything
			place = fmt.Sprintf("measurement %d", i+1)
		}
		first = fmt.Errorf("otel: %s: %w", place, err)
	}
	return first
}

func (m *meter) measure(ctx context.Context, one metrics.Measurement) error {
	switch {
	case !isInstrumentName(one.Name):
		return errName
	case math.IsNaN(one.Value) || math.IsInf(one.Value, 0):
		return errNotFinite
	case one.Unit == metrics.Count && one.Value < 0:
		return errNegative
	}
	attrs := make([]attribute.KeyValue, len(one.Dimensions))
	for i, d := range one.Dimensions {
		if d.Name == "" || clipped(d.Name) != d.Name || clipped(d.Value) != d.Value {
			return errDimension
		}
		attrs[i] = attribute.String(d.Name, d.Value)
	}
	take, err := m.instrument(one.Name, one.Unit)
	if err != nil {
		return err
	}
	take(ctx, one.Value, metric.WithAttributes(attrs...))
	return nil
}

// instrument returns the instrument of a name and a unit, made on first use.
func (m *meter) instrument(name string, unit metrics.Unit) (record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := instrumentKey{name: name, unit: unit}
	if take, ok := m.instruments[key]; ok {
		return take, nil
	}
	ucum, ok := ucum(unit)
	switch {
	case !ok:
		return nil, errUnit
	case len(m.instruments) >= mostInstruments:
		return nil, errInstruments
	}
	take, err := m.newInstrument(name, unit, ucum)
	if err != nil {
		return nil, err
	}
	if m.instruments == nil {
		m.instruments = make(map[instrumentKey]record)
	}
	m.instruments[key] = take
	return take, nil
}

func (m *meter) newInstrument(name string, unit metrics.Unit, ucum string) (record, error) {
	if unit == metrics.Count {
		counter, err := m.meter.Float64Counter(name, metric.WithUnit(ucum))
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, value float64, attrs metric.MeasurementOption) {
			counter.Add(ctx, value, attrs)
		}, nil
	}
	histogram, err := m.meter.Float64Histogram(name, metric.WithUnit(ucum))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, value float64, attrs metric.MeasurementOption) {
		histogram.Record(ctx, value, attrs)
	}, nil
}

// isInstrumentName reports whether a name is of the syntax that OpenTelemetry has:
// https://opentelemetry.io/docs/specs/otel/metrics/api/#instrument-name-syntax
func isInstrumentName(name string) bool {
	return plain(name, "_.-/", 255) != "" && strings.Contains(letters, name[:1])
}

// ucum returns a [unit of CloudWatch] as UCUM writes it. The prefixes of CloudWatch
// are decimal.
//
// [unit of CloudWatch]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
func ucum(unit metrics.Unit) (string, bool) {
	base, rate := strings.CutSuffix(string(unit), "/Second")
	code := ""
	switch metrics.Unit(base) {
	case metrics.Count:
		code = "1"
	case metrics.Bytes:
		code = "By"
	case "Kilobytes":
		code = "kBy"
	case "Megabytes":
		code = "MBy"
	case "Gigabytes":
		code = "GBy"
	case "Terabytes":
		code = "TBy"
	case "Bits":
		code = "bit"
	case "Kilobits":
		code = "kbit"
	case "Megabits":
		code = "Mbit"
	case "Gigabits":
		code = "Gbit"
	case "Terabits":
		code = "Tbit"
	}
	switch {
	case code != "" && rate:
		return code + "/s", true
	case code != "":
		return code, true
	}
	switch unit { // of which CloudWatch has no rates
	case "", metrics.None:
		return "1", true
	case metrics.Percent:
		return "%", true
	case "Seconds":
		return "s", true
	case metrics.Milliseconds:
		return "ms", true
	case "Microseconds":
		return "us", true
	default:
		return "", false
	}
}
