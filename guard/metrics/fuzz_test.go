package metrics_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/metrics"
)

// Whatever is measured, each line is a valid document with all that was taken, and
// nothing panics.
//
// SECURITY: The process lives.
func FuzzMeasure(f *testing.F) {
	f.Add("Placed", "Count", 1.0, "currency", "EUR", 0, int64(0), "order", "o-1", uint8(3))
	f.Add(`a"b\c`, "Bytes/Second", -0x1p-360, `"`, `\`, 1, int64(3600), "_aws", "\xff", uint8(101))
	f.Add("_aws", "", 1e300, ":a", " ", 60, int64(-7200), "requestId", "\n", uint8(0))
	f.Add("requestId", "None", 0.0, "traceId", "x", 7, int64(1e15), "", "", uint8(255))
	f.Add("A", "Percent", 1e21, "A", "ß", -1, int64(1209600), "A", strings.Repeat("m", 40_000), uint8(100))
	f.Fuzz(func(t *testing.T, name, unit string, value float64, dimension, dimensionValue string, resolution int, ago int64,
		metadata, text string, n uint8,
	) {
		var w buffer
		emf := metrics.New(&w, "Shop", metrics.Dimensions(dim("service", "orders")), metrics.LogLevel("WARN"))
		taken := 0
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			_ = metrics.AddMetadata(ctx, metadata, text)
			m := metrics.Measurement{
				Name: name, Unit: metrics.Unit(unit), Value: value, Resolution: resolution,
				Dimensions: []metrics.Dimension{dim(dimension, dimensionValue)},
			}
			if ago != 0 {
				m.Time = time.Now().Add(-time.Duration(ago) * time.Second)
			}
			for range n {
				if emf.Measure(ctx, m) == nil {
					taken++
				}
				if metrics.Add(ctx, name, metrics.Unit(unit), value) == nil {
					taken++
				}
				if metrics.Add(ctx, "Other", metrics.Count, value, m.Dimensions...) == nil {
					taken++
				}
			}
			return nil, nil
		}), metrics.Default(emf))
		if _, err := h.Invoke(withRequest(t.Context(), text[:min(len(text), 1_000)]), nil); err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, d := range read(t, w.String()) {
			for _, m := range d.metrics {
				got += len(m.values)
			}
		}
		// ColdStart, Invocations and Duration are there as well.
		if got != taken+3 {
			t.Errorf("got %d values, want %d and 3 of the layer", got, taken)
		}
	})
}
