package otel_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/metrics"
	"github.com/lambdarmor/lambdarmor/guard/otel"
)

// points returns what a meter has taken, one line for each metric and its attributes.
func points(t *testing.T, reader sdkmetric.Reader) string {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, sm := range all.ScopeMetrics {
		for _, m := range sm.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Sum[float64]:
				for _, p := range d.DataPoints {
					got = append(got, fmt.Sprintf("sum %s %v %s {%s}", m.Name, p.Value, m.Unit, p.Attributes.Encoded(attribute.DefaultEncoder())))
				}
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					got = append(got, fmt.Sprintf("histogram %s %d of %v %s {%s}", m.Name, p.Count, p.Sum, m.Unit, p.Attributes.Encoded(attribute.DefaultEncoder())))
				}
			default:
				t.Errorf("got %T", d)
			}
		}
	}
	return lines(got...)
}

func newMeter(t *testing.T) (metrics.Meter, *sdkmetric.ManualReader) {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	t.Cleanup(func() { _ = mp.Shutdown(context.Background()) })
	return otel.Meter(mp), reader
}

func TestMeasurementsBecomeInstruments(t *testing.T) {
	m, reader := newMeter(t)
	route := []metrics.Dimension{{Name: "route", Value: "GET /orders/{id}"}}
	for range 2 {
		err := m.Measure(t.Context(),
			metrics.Measurement{Name: "Orders", Unit: metrics.Count, Value: 2, Dimensions: route},
			metrics.Measurement{Name: "Duration", Unit: metrics.Milliseconds, Value: 1.5, Dimensions: route},
			metrics.Measurement{Name: "Size", Unit: metrics.Bytes, Value: 100},
			metrics.Measurement{Name: "Load", Unit: metrics.Percent, Value: 50},
			metrics.Measurement{Name: "Depth", Value: -1},
			metrics.Measurement{Name: "Rate", Unit: "Kilobits/Second", Value: 8},
		)
		if err != nil {
			t.Fatal(err)
		}
	}
	want := lines("sum Orders 4 1 {route=GET /orders/{id}}", "histogram Duration 2 of 3 ms {route=GET /orders/{id}}",
		"histogram Size 2 of 200 By {}", "histogram Load 2 of 100 % {}", "histogram Depth 2 of -2 1 {}", "histogram Rate 2 of 16 kbit/s {}")
	if got := points(t, reader); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The units are all that the API of CloudWatch lists.
func TestEachUnitOfCloudWatchHasOneOfUCUM(t *testing.T) {
	m, reader := newMeter(t)
	var want []string
	for unit, ucum := range map[metrics.Unit]string{
		"Seconds": "s", "Microseconds": "us", "Milliseconds": "ms", "Percent": "%", "None": "1",
		"Bytes": "By", "Kilobytes": "kBy", "Megabytes": "MBy", "Gigabytes": "GBy", "Terabytes": "TBy",
		"Bits": "bit", "Kilobits": "kbit", "Megabits": "Mbit", "Gigabits": "Gbit", "Terabits": "Tbit",
		"Bytes/Second": "By/s", "Kilobytes/Second": "kBy/s", "Megabytes/Second": "MBy/s", "Gigabytes/Second": "GBy/s", "Terabytes/Second": "TBy/s",
		"Bits/Second": "bit/s", "Kilobits/Second": "kbit/s", "Megabits/Second": "Mbit/s", "Gigabits/Second": "Gbit/s", "Terabits/Second": "Tbit/s",
		"Count/Second": "1/s",
	} {
		name := strings.ReplaceAll(string(unit), "/", ".")
		if err := m.Measure(t.Context(), metrics.Measurement{Name: name, Unit: unit, Value: 1}); err != nil {
			t.Error(err)
		}
		want = append(want, fmt.Sprintf("histogram %s 1 of 1 %s {}", name, ucum))
	}
	if got := points(t, reader); got != lines(want...) {
		t.Errorf("got\n%s\nwant\n%s", got, lines(want...))
	}
}

func TestAMeasurementThatIsNotValidIsNamed(t *testing.T) {
	for want, bad := range map[string]metrics.Measurement{
		"otel: Orders: the value is not finite":         {Name: "Orders", Unit: metrics.Count, Value: math.Inf(1)},
		"otel: Load: the value is not finite":           {Name: "Load", Unit: metrics.Percent, Value: math.NaN()},
		"otel: Orders: a count is negative":             {Name: "Orders", Unit: metrics.Count, Value: -1},
		"otel: Wait: CloudWatch has no such unit":       {Name: "Wait", Unit: "Fortnights", Value: 1},
		"otel: Speed: CloudWatch has no such unit":      {Name: "Speed", Unit: "Seconds/Second", Value: 1},
		"otel: measurement 1: a name begins with a let": {Name: "7 dwarfs", Value: 1},
		"otel: measurement 1: a name begins with a le":  {Name: "Order " + strings.Repeat("x", 10_000), Value: 1},
		"otel: measurement 1: a name begins with a l":   {Value: 1},
	} {
		m, reader := newMeter(t)
		good := metrics.Measurement{Name: "Good", Value: 1}
		err := m.Measure(t.Context(), bad, metrics.Measurement{Name: "Worse", Unit: "x"}, good)
		if err == nil || !strings.HasPrefix(err.Error(), want) || len(err.Error()) > 200 {
			t.Errorf("got %v, want %q", err, want)
		}
		if got := points(t, reader); got != "histogram Good 1 of 1 1 {}" {
			t.Errorf("%s: got %s, want the good one", want, got)
		}
	}
}

func TestInstrumentsAreBounded(t *testing.T) {
	m, _ := newMeter(t)
	for i := range 1000 {
		if err := m.Measure(t.Context(), metrics.Measurement{Name: fmt.Sprint("Order", i)}); err != nil {
			t.Fatal(err)
		}
	}
	err := m.Measure(t.Context(), metrics.Measurement{Name: "Order1000"})
	if err == nil || !strings.Contains(err.Error(), "there are 1000 metrics already") {
		t.Errorf("got %v, want an error", err)
	}
	if err := m.Measure(t.Context(), metrics.Measurement{Name: "Order7"}); err != nil {
		t.Errorf("got %v of one that there is", err)
	}
}

func TestAMeterIsSafeForConcurrentUse(t *testing.T) {
	m, reader := newMeter(t)
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if err := m.Measure(t.Context(), metrics.Measurement{Name: "Orders", Unit: metrics.Count, Value: 1}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := points(t, reader); got != "sum Orders 64 1 {}" {
		t.Errorf("got %s", got)
	}
}

// The metrics of the guard, and those of a handler, are taken by the meter.
func TestTheMetricsOfTheGuardGoToOpenTelemetry(t *testing.T) {
	m, reader := newMeter(t)
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		layer.Count(ctx, layer.Replays, 2)
		if err := metrics.Add(ctx, "OrdersPlaced", metrics.Count, 1); err != nil {
			t.Error(err)
		}
		return nil, guard.Errorf(guard.Unavailable, "no_stock", "Later.")
	}), metrics.Default(m))
	for range 2 {
		if _, err := h.Invoke(t.Context(), []byte(`{}`)); err == nil {
			t.Error("got no error")
		}
	}
	got := points(t, reader)
	for _, want := range []string{
		"sum ColdStart 1 1 {}", "sum Invocations 2 1 {}", "sum Replays 4 1 {}", "sum OrdersPlaced 2 1 {}", "sum Faults 2 1 {Kind=unavailable}",
		"histogram Duration 2 of ",
	} {
		if !strings.Contains(got+"\n", want) {
			t.Errorf("got\n%s\nwant %s", got, want)
		}
	}
}
