package metrics_test

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/metrics"
)

func dim(name, value string) metrics.Dimension { return metrics.Dimension{Name: name, Value: value} }

func TestADocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w strings.Builder
		emf := metrics.New(&w, "Shop", metrics.Dimensions(dim("service", "orders"), dim("stage", "prod")))
		err := emf.Measure(withRequest(t.Context(), "r-1"),
			metrics.Measurement{Name: "Placed", Unit: metrics.Count, Value: 3},
			metrics.Measurement{Name: "Latency", Unit: metrics.Milliseconds, Value: 0.25, Resolution: 1},
			metrics.Measurement{Name: "Placed", Unit: metrics.Count, Value: -2},
			metrics.Measurement{Name: "Ratio", Value: 1e-9, Resolution: 60})
		if err != nil {
			t.Fatal(err)
		}
		const want = `{"_aws":{"Timestamp":946684800000,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["service","stage"]],` +
			`"Metrics":[{"Name":"Placed","Unit":"Count"},{"Name":"Latency","Unit":"Milliseconds","StorageResolution":1},{"Name":"Ratio"}]}]},` +
			`"service":"orders","stage":"prod","Placed":[3,-2],"Latency":0.25,"Ratio":1e-09}` + "\n"
		if got := w.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		one(t, w.String())
	})
}

func TestTheDefaultDimensionIsTheFunction(t *testing.T) {
	name := lambdacontext.FunctionName
	defer func() { lambdacontext.FunctionName = name }()
	for _, c := range []struct {
		name     string
		function string
		opts     []metrics.Option
		want     []string
	}{
		{name: "in Lambda", function: "orders-prod", want: []string{"service=orders-prod"}},
		{name: "elsewhere"},
		{name: "replaced", function: "orders-prod", opts: []metrics.Option{metrics.Dimensions(dim("app", "shop"))}, want: []string{"app=shop"}},
		{name: "none", function: "orders-prod", opts: []metrics.Option{metrics.Dimensions()}},
	} {
		lambdacontext.FunctionName = c.function
		var w strings.Builder
		if err := metrics.New(&w, "Shop", c.opts...).Measure(t.Context(), metrics.Measurement{Name: "A"}); err != nil {
			t.Fatal(err)
		}
		d := one(t, w.String())
		var got []string
		for _, name := range d.order {
			got = append(got, name+"="+d.dimensions[name])
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestAMeasurementReplacesADefaultDimension(t *testing.T) {
	var w strings.Builder
	emf := metrics.New(&w, "Shop", metrics.Dimensions(dim("service", "orders"), dim("stage", "prod")))
	if err := emf.Measure(t.Context(), metrics.Measurement{Name: "A", Dimensions: []metrics.Dimension{dim("stage", "test"), dim("tier", "1")}}); err != nil {
		t.Fatal(err)
	}
	d := one(t, w.String())
	if want := []string{"service", "stage", "tier"}; !slices.Equal(d.order, want) || d.dimensions["stage"] != "test" {
		t.Errorf("got %v %v, want %v with stage test", d.order, d.dimensions, want)
	}
}

// dimensions returns n dimensions.
func dimensions(n int) []metrics.Dimension {
	all := make([]metrics.Dimension, n)
	for i := range all {
		all[i] = dim("d"+strconv.Itoa(i), "v")
	}
	return all
}

// What CloudWatch would drop without a word is an error at the call. The published
// tests of Powertools for Python and TypeScript are the checklist of this file:
// names, units, values, resolutions, numbers of dimensions, a name that is a metric
// and a dimension, documents that are full, times, errors of the handler, cold
// starts. There is no counterpart for what is not here: dimensions and metrics that
// can be cleared, several sets of dimensions in a document, a warning if an
// invocation has no metrics.
func TestWhatCloudWatchDoesNotTakeIsAnError(t *testing.T) {
	long := strings.Repeat("n", 256)
	one := func(name, value string) []metrics.Dimension { return []metrics.Dimension{dim(name, value)} }
	valid := metrics.Measurement{Name: "A", Value: 1}
	for _, c := range []struct {
		name string
		m    metrics.Measurement
		want string // "" if it is valid
	}{
		{name: "a name", m: metrics.Measurement{Name: "Orders placed: #1/2 (ok)"}},
		{name: "quotes in a name", m: metrics.Measurement{Name: `a"b\c`}},
		{name: "the longest name", m: metrics.Measurement{Name: long[:255]}},
		{name: "no name", m: metrics.Measurement{}, want: "measurement 1: a name"},
		{name: "a blank name", m: metrics.Measurement{Name: "  "}, want: "measurement 1: a name"},
		{name: "a long name", m: metrics.Measurement{Name: long}, want: "measurement 1: a name"},
		{name: "a colon first", m: metrics.Measurement{Name: ":a"}, want: "measurement 1: a name"},
		{name: "no ASCII", m: metrics.Measurement{Name: "größe"}, want: "measurement 1: a name"},
		{name: "a line", m: metrics.Measurement{Name: "a\nb"}, want: "measurement 1: a name"},
		{name: "the format's name", m: metrics.Measurement{Name: "_aws"}, want: "measurement 1: the name _aws"},

		{name: "every unit", m: metrics.Measurement{Name: "A", Unit: "Terabits/Second"}},
		{name: "no unit", m: metrics.Measurement{Name: "A", Unit: metrics.None}},
		{name: "a foreign unit", m: metrics.Measurement{Name: "A", Unit: "Furlongs"}, want: "A: CloudWatch has no such unit"},
		{name: "a unit in lower case", m: metrics.Measurement{Name: "A", Unit: "count"}, want: "A: CloudWatch has no such unit"},

		{name: "zero", m: metrics.Measurement{Name: "A", Value: math.Copysign(0, -1)}},
		{name: "the largest", m: metrics.Measurement{Name: "A", Value: 0x1p360}},
		{name: "the smallest", m: metrics.Measurement{Name: "A", Value: -0x1p-360}},
		{name: "NaN", m: metrics.Measurement{Name: "A", Value: math.NaN()}, want: "A: a value"},
		{name: "infinite", m: metrics.Measurement{Name: "A", Value: math.Inf(-1)}, want: "A: a value"},
		{name: "too large", m: metrics.Measurement{Name: "A", Value: -0x1.1p360}, want: "A: a value"},
		{name: "too small", m: metrics.Measurement{Name: "A", Value: 0x0.fp-360}, want: "A: a value"},

		{name: "high resolution", m: metrics.Measurement{Name: "A", Resolution: 1}},
		{name: "another resolution", m: metrics.Measurement{Name: "A", Resolution: 30}, want: "A: a resolution"},
		{name: "a negative resolution", m: metrics.Measurement{Name: "A", Resolution: -1}, want: "A: a resolution"},

		{name: "dimensions up to 30", m: metrics.Measurement{Name: "A", Dimensions: dimensions(29)}},
		{name: "30 that replace one", m: metrics.Measurement{Name: "A", Dimensions: append(dimensions(29), dim("service", "x"))}},
		{name: "31 with the default", m: metrics.Measurement{Name: "A", Dimensions: dimensions(30)}, want: "A: a metric has at most 30 dimensions"},
		{name: "31", m: metrics.Measurement{Name: "A", Dimensions: dimensions(31)}, want: "A: a metric has at most 30 dimensions"},
		{name: "a long dimension", m: metrics.Measurement{Name: "A", Dimensions: one(long[:250], strings.Repeat(`"`, 1024))}},
		{name: "a longer name", m: metrics.Measurement{Name: "A", Dimensions: one(long[:251], "v")}, want: "A: the name of a dimension"},
		{name: "a name with a colon first", m: metrics.Measurement{Name: "A", Dimensions: one(":d", "v")}, want: "A: the name of a dimension"},
		{name: "no dimension name", m: metrics.Measurement{Name: "A", Dimensions: one("", "v")}, want: "A: the name of a dimension"},
		{name: "control characters", m: metrics.Measurement{Name: "A", Dimensions: one("d\t", "v")}, want: "A: the name of a dimension"},
		{name: "the format's dimension", m: metrics.Measurement{Name: "A", Dimensions: one("_aws", "v")}, want: "A: the name _aws"},
		{name: "a longer value", m: metrics.Measurement{Name: "A", Dimensions: one("d", strings.Repeat("v", 1025))}, want: "A: dimension d: the value"},
		{name: "no value", m: metrics.Measurement{Name: "A", Dimensions: one("d", "")}, want: "A: dimension d: the value"},
		{name: "a blank value", m: metrics.Measurement{Name: "A", Dimensions: one("d", " ")}, want: "A: dimension d: the value"},
		{name: "no ASCII value", m: metrics.Measurement{Name: "A", Dimensions: one("d", "Köln")}, want: "A: dimension d: the value"},
		{name: "twice", m: metrics.Measurement{Name: "A", Dimensions: []metrics.Dimension{dim("d", "1"), dim("d", "2")}}, want: "A: dimension d: a dimension is there twice"},
		{name: "both", m: metrics.Measurement{Name: "A", Dimensions: one("A", "v")}, want: "A: a metric and one of its dimensions"},
		{name: "both by default", m: metrics.Measurement{Name: "service"}, want: "service: a metric and one of its dimensions"},
	} {
		var w strings.Builder
		emf := metrics.New(&w, "Shop", metrics.Dimensions(dim("service", "orders")))
		err := emf.Measure(t.Context(), c.m, valid)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: got %v, want no error", c.name, err)
		case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), "metrics: "+c.want)):
			t.Errorf("%s: got %v, want an error about %s", c.name, err, c.want)
		case c.want != "" && !errors.As(err, new(guard.Reason)):
			t.Errorf("%s: got %v, want a reason that the log shows", c.name, err)
		}
		taken := 0
		for _, d := range read(t, w.String()) {
			taken += len(d.metrics)
			if c.want != "" && d.sum("A") != 1 {
				t.Errorf("%s: got %v, want the valid measurement beside it", c.name, d)
			}
		}
		if taken == 0 {
			t.Errorf("%s: the valid measurement is lost", c.name)
		}
	}
}

func TestTheErrorNamesTheFirst(t *testing.T) {
	err := metrics.New(io.Discard, "Shop").Measure(t.Context(),
		metrics.Measurement{Name: "A"}, metrics.Measurement{Name: "B", Unit: "b"}, metrics.Measurement{Name: "C", Unit: "c"})
	if err == nil || !strings.HasPrefix(err.Error(), "metrics: B: ") {
		t.Errorf("got %v, want the error of B", err)
	}
}

func TestATimeIsWithinTwoWeeksAndTwoHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		for _, c := range []struct {
			name  string
			ago   time.Duration
			valid bool
		}{
			{name: "two weeks", ago: 14 * 24 * time.Hour, valid: true},
			{name: "older", ago: 14*24*time.Hour + time.Millisecond},
			{name: "two hours ahead", ago: -2 * time.Hour, valid: true},
			{name: "later", ago: -2*time.Hour - time.Millisecond},
		} {
			var w strings.Builder
			err := metrics.New(&w, "Shop").Measure(t.Context(), metrics.Measurement{Name: "Age", Time: now.Add(-c.ago)})
			if !c.valid {
				if err == nil || w.Len() > 0 {
					t.Errorf("%s: got %v, %q, want an error and no document", c.name, err, w.String())
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: got %v, want no error", c.name, err)
			} else if got, want := one(t, w.String()).timestamp, now.Add(-c.ago).UnixMilli(); got != want {
				t.Errorf("%s: got %d, want %d", c.name, got, want)
			}
		}
	})
}

func TestMeasurementsOfOtherDimensionsOrTimesAreOtherDocuments(t *testing.T) {
	var w strings.Builder
	emf := metrics.New(&w, "Shop", metrics.Dimensions())
	ab, ba := []metrics.Dimension{dim("a", "1"), dim("b", "2")}, []metrics.Dimension{dim("b", "2"), dim("a", "1")}
	then := time.Now().Add(-time.Hour)
	err := emf.Measure(t.Context(),
		metrics.Measurement{Name: "A"}, metrics.Measurement{Name: "A", Dimensions: ab}, metrics.Measurement{Name: "B", Dimensions: ba},
		metrics.Measurement{Name: "A", Dimensions: []metrics.Dimension{dim("a", "2"), dim("b", "2")}},
		metrics.Measurement{Name: "A", Dimensions: ab[:1]}, metrics.Measurement{Name: "B"},
		metrics.Measurement{Name: "C", Time: then}, metrics.Measurement{Name: "D", Time: then})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range read(t, w.String()) {
		got = append(got, d.String())
	}
	want := []string{"map[] [A B]", "map[a:1 b:2] [A B]", "map[a:2 b:2] [A]", "map[a:1] [A]", "map[] [C D]"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Powertools refuses the second unit. Here nothing is lost, and CloudWatch takes
// both.
func TestAnotherUnitOfAMetricIsAnotherDocument(t *testing.T) {
	var w strings.Builder
	if err := metrics.New(&w, "Shop").Measure(t.Context(),
		metrics.Measurement{Name: "A", Unit: metrics.Count, Value: 1}, metrics.Measurement{Name: "A", Unit: metrics.Bytes, Value: 2},
		metrics.Measurement{Name: "A", Unit: metrics.Bytes, Value: 3, Resolution: 1}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range read(t, w.String()) {
		got = append(got, d.metrics["A"].unit+strconv.Itoa(d.metrics["A"].resolution))
	}
	if want := []string{"Count60", "Bytes60", "Bytes1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// longestDimensions returns as many and as long ones as there may be, in which each
// character is escaped.
func longestDimensions() []metrics.Dimension {
	all := make([]metrics.Dimension, 30)
	for i := range all {
		all[i] = dim(strings.Repeat(`\`, 248)+strconv.Itoa(10+i), strings.Repeat(`"`, 1024))
	}
	return all
}

// The reader refuses a document of more than 256 kB.
func TestTheLargestDocumentFits(t *testing.T) {
	var w buffer
	emf := metrics.New(&w, strings.Repeat(`"`, 255), metrics.Dimensions(longestDimensions()...), metrics.LogLevel("ERROR"))
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		if err := metrics.AddMetadata(ctx, "m", strings.Repeat("m", 32_000)); err != nil {
			return nil, err
		}
		for i := range 10_000 {
			name := strings.Repeat(`"`, 252) + strconv.Itoa(100+i/100)
			if err := emf.Measure(ctx, metrics.Measurement{Name: name, Unit: "Kilobytes/Second", Resolution: 1, Value: -0x1.fffffffffffffp-360}); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}), metrics.Emit(emf))
	if _, err := h.Invoke(withRequest(t.Context(), strings.Repeat("r", 36)), nil); err != nil {
		t.Fatal(err)
	}
	longest := 0
	for line := range strings.Lines(w.String()) {
		longest = max(longest, len(line))
	}
	if documents := len(read(t, w.String())); documents < 2 || longest < 200<<10 {
		t.Errorf("got %d documents of up to %d bytes, want some that are nearly full", documents, longest)
	}
}

func TestADocumentHasAHundredMetricsAndValues(t *testing.T) {
	longest, full := strings.Repeat(`"`, 251), longestDimensions()
	for _, c := range []struct {
		name       string
		measure    func(i int) metrics.Measurement
		n          int
		dimensions []metrics.Dimension
		documents  int
	}{
		{name: "100 metrics", n: 100, documents: 1, measure: func(i int) metrics.Measurement {
			return metrics.Measurement{Name: "m" + strconv.Itoa(i), Value: 1}
		}},
		{name: "101 metrics", n: 101, documents: 2, measure: func(i int) metrics.Measurement {
			return metrics.Measurement{Name: "m" + strconv.Itoa(i), Value: 1}
		}},
		{name: "100 values", n: 100, documents: 1, measure: func(int) metrics.Measurement {
			return metrics.Measurement{Name: "m", Value: 1}
		}},
		{name: "250 values", n: 250, documents: 3, measure: func(int) metrics.Measurement {
			return metrics.Measurement{Name: "m", Value: 1}
		}},
		// 100 times 100 of the longest numbers are 240 kB.
		{name: "many long values", n: 10_000, documents: 3, measure: func(i int) metrics.Measurement {
			return metrics.Measurement{Name: "m" + strconv.Itoa(i%100), Value: -0x1.fffffffffffffp-360}
		}},
		{name: "all at its longest", n: 1_000, documents: 10, dimensions: full, measure: func(i int) metrics.Measurement {
			return metrics.Measurement{Name: longest + strconv.Itoa(1000+i), Unit: "Kilobytes/Second", Resolution: 1, Value: -0x1.fffffffffffffp-360}
		}},
		{name: "dimensions that never repeat", n: 250, documents: 250, measure: func(i int) metrics.Measurement {
			return metrics.Measurement{Name: "m", Value: 1, Dimensions: []metrics.Dimension{dim("user", strconv.Itoa(i))}}
		}},
	} {
		var w buffer
		emf := metrics.New(&w, strings.Repeat("N", 255), metrics.Dimensions(c.dimensions...))
		var all []metrics.Measurement
		var want, got float64
		for i := range c.n {
			all = append(all, c.measure(i))
			want += all[i].Value
		}
		if err := emf.Measure(t.Context(), all...); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		documents := read(t, w.String())
		for _, d := range documents {
			for name := range d.metrics {
				got += d.sum(name)
			}
		}
		if len(documents) != c.documents || w.calls != c.documents {
			t.Errorf("%s: got %d documents in %d writes, want %d", c.name, len(documents), w.calls, c.documents)
		}
		if math.Abs(got-want) > math.Abs(want)*1e-9 {
			t.Errorf("%s: got %g in all, want %g", c.name, got, want)
		}
	}
}

func TestAMisconfigurationPanics(t *testing.T) {
	for _, c := range []struct {
		name string
		make func()
		want string
	}{
		{name: "no writer", make: func() { metrics.New(nil, "Shop") }, want: "metrics: New with a nil writer"},
		{name: "no namespace", make: func() { metrics.New(io.Discard, "") }, want: "metrics: New with a namespace"},
		{name: "a blank namespace", make: func() { metrics.New(io.Discard, " ") }, want: "metrics: New with a namespace"},
		{name: "a long namespace", make: func() { metrics.New(io.Discard, strings.Repeat("n", 256)) }, want: "metrics: New with a namespace"},
		{name: "a colon first", make: func() { metrics.New(io.Discard, ":a") }, want: "metrics: New with a namespace"},
		{name: "no ASCII", make: func() { metrics.New(io.Discard, "Läden") }, want: "metrics: New with a namespace"},
		{name: "Amazon's namespace", make: func() { metrics.New(io.Discard, "AWS/Lambda") }, want: "metrics: New with a namespace"},
		{name: "a dimension", make: func() { metrics.New(io.Discard, "Shop", metrics.Dimensions(dim(":a", "b"))) }, want: "metrics: New with dimensions"},
		{name: "31 dimensions", make: func() { metrics.New(io.Discard, "Shop", metrics.Dimensions(dimensions(31)...)) }, want: "metrics: New with dimensions"},
		{name: "a level", make: func() { metrics.LogLevel("warn") }, want: "metrics: LogLevel"},
		{name: "no meter", make: func() { metrics.Default(nil) }, want: "metrics: Default with a nil meter"},
		{name: "a nil EMF as a meter", make: func() { metrics.Default((*metrics.EMF)(nil)) }, want: "metrics: Default with a nil meter"},
		{name: "a nil EMF", make: func() { metrics.Emit(nil) }, want: "metrics: Emit of a nil EMF"},
		{
			name: "no room for a kind", want: "metrics: Default cannot measure",
			make: func() { metrics.Default(metrics.New(io.Discard, "Shop", metrics.Dimensions(dimensions(30)...))) },
		},
		{
			name: "a dimension that is a metric", want: "metrics: Default cannot measure",
			make: func() { metrics.Default(metrics.New(io.Discard, "Shop", metrics.Dimensions(dim("Duration", "x")))) },
		},
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, c.want) {
					t.Errorf("%s: got %q, want %q", c.name, text, c.want)
				}
			}()
			c.make()
		}()
	}
}

type failingWriter struct{ short bool }

const errDisk = guard.Reason("the disk is full")

func (w failingWriter) Write(p []byte) (int, error) {
	if w.short {
		return len(p) - 1, nil
	}
	return 0, errDisk
}

func TestTheErrorOfTheWriterIsReturned(t *testing.T) {
	m := metrics.Measurement{Name: "A"}
	if err := metrics.New(failingWriter{}, "Shop").Measure(t.Context(), m); !errors.Is(err, errDisk) {
		t.Errorf("got %v, want %v", err, errDisk)
	}
	if err := metrics.New(failingWriter{short: true}, "Shop").Measure(t.Context(), m); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v, want %v", err, io.ErrShortWrite)
	}
}

// Lambda reads level and timestamp of a line, and takes one without them for INFO.
func TestALevelLetsDocumentsPassLambdasFilter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w strings.Builder
		if err := metrics.New(&w, "Shop", metrics.LogLevel("WARN")).Measure(t.Context(), metrics.Measurement{Name: "A"}); err != nil {
			t.Fatal(err)
		}
		d := one(t, w.String())
		if d.properties["level"] != "WARN" || d.properties["timestamp"] != "2000-01-01T00:00:00.000Z" {
			t.Errorf("got %v, want level and timestamp", d.properties)
		}
	})
}
