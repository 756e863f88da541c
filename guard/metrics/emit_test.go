package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/metrics"
)

func TestDocumentsAreWrittenHoweverTheInvocationEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func() error
	}{
		{name: "well", end: func() error { return nil }},
		{name: "an error", end: func() error { return io.ErrUnexpectedEOF }},
		{name: "a panic", end: func() error { panic("at the disco") }},
		{name: "a Goexit", end: func() error { runtime.Goexit(); return nil }},
	} {
		for _, layerName := range []string{"Emit", "Default"} {
			var w buffer
			emf := metrics.New(&w, "Shop")
			l := metrics.Emit(emf)
			if layerName == "Default" {
				l = metrics.Default(emf)
			}
			h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
				if err := metrics.Add(ctx, "Placed", metrics.Count, 2); err != nil {
					t.Error(err)
				}
				return nil, c.end()
			}), l)
			var err error
			var value any
			var done sync.WaitGroup
			done.Go(func() {
				defer func() { value = recover() }()
				_, err = h.Invoke(t.Context(), nil)
			})
			done.Wait()
			if c.name == "an error" && !errors.Is(err, io.ErrUnexpectedEOF) || c.name == "a panic" && value != "at the disco" {
				t.Errorf("%s, %s: got %v and a panic with %v, want what the handler did", layerName, c.name, err, value)
			}
			got := 0.0
			for _, d := range read(t, w.String()) {
				got += d.sum("Placed")
			}
			if got != 2 {
				t.Errorf("%s, %s: got %g in %s, want 2", layerName, c.name, got, w.String())
			}
		}
	}
}

func TestADocumentHasTheIDsOfItsInvocation(t *testing.T) {
	var w strings.Builder
	emf := metrics.New(&w, "Shop")
	correlate := guard.Correlate(func(context.Context, *guard.Event) string { return "c-9" })
	traced := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			layer.SetTrace(ctx, "5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8", true)
			return next.Invoke(ctx, payload)
		})
	}
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		return nil, errors.Join(
			metrics.Add(ctx, "Placed", metrics.Count, 1),
			metrics.AddMetadata(ctx, "order", "o-1"),
			metrics.AddMetadata(ctx, "order", "o-2 \"\n\xff"),
			metrics.AddMetadata(ctx, "Placed", "hidden"))
	}), metrics.Emit(emf), guard.Log(logging.New(io.Discard), correlate), traced)
	if _, err := h.Invoke(withRequest(t.Context(), "r-1"), nil); err != nil {
		t.Fatal(err)
	}
	d := one(t, w.String())
	for name, want := range map[string]string{
		"requestId": "r-1", "traceId": "1-5759e988-bd862e3fe1be46a994272793",
		"trace_id": "5759e988bd862e3fe1be46a994272793", "span_id": "53995c3f42cd8ad8",
		"correlationId": "c-9", "order": "o-2 \"\n\ufffd",
	} {
		if got := d.properties[name]; got != want {
			t.Errorf("got %q as %s, want %q", got, name, want)
		}
	}
	if len(d.properties) != 6 || d.sum("Placed") != 1 {
		t.Errorf("got %v and %v, want six properties, and the metric before the metadata", d.properties, d)
	}
}

func TestATargetTakesThePlaceOfAnID(t *testing.T) {
	var w strings.Builder
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		return nil, metrics.Add(ctx, "requestId", metrics.Count, 1, dim("traceId", "x"), dim("level", "y"))
	}), metrics.Emit(metrics.New(&w, "Shop", metrics.LogLevel("ERROR"))))
	if _, err := h.Invoke(withRequest(t.Context(), "r-1"), nil); err != nil {
		t.Fatal(err)
	}
	if d := one(t, w.String()); d.sum("requestId") != 1 || d.dimensions["traceId"] != "x" || d.dimensions["level"] != "y" {
		t.Errorf("got %s, want the metric and its dimensions", w.String())
	}
}

func TestMetadataHasLimits(t *testing.T) {
	var w strings.Builder
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		for _, c := range []struct {
			name, text string
			want       string
		}{
			{name: "", want: "a name of metadata"},
			{name: "_aws", want: "a name of metadata"},
			{name: "requestId", want: "a name of metadata"},
			{name: "level", want: "a name of metadata"},
			{name: "large", text: strings.Repeat("\x01", 6_000), want: "the metadata"},
			{name: "half", text: strings.Repeat("h", 16_000)},
			{name: "other half", text: strings.Repeat("o", 16_000)},
			{name: "half", text: strings.Repeat("h", 16_001)},
			{name: "half", text: strings.Repeat("h", 18_000), want: "the metadata"},
			{name: "third", text: strings.Repeat("t", 1_000), want: "the metadata"},
		} {
			err := metrics.AddMetadata(ctx, c.name, c.text)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), "metrics: AddMetadata: "+c.want)) {
				t.Errorf("%s of %d bytes: got %v, want %q", c.name, len(c.text), err, c.want)
			}
		}
		return nil, metrics.Add(ctx, "A", metrics.Count, 1)
	}), metrics.Emit(metrics.New(&w, "Shop")))
	if _, err := h.Invoke(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if d := one(t, w.String()); len(d.properties["half"]) != 16_001 || len(d.properties) != 2 {
		t.Errorf("got %d properties, want the two that fit", len(d.properties))
	}
}

func TestWithoutALayerTheErrorSaysWhatToList(t *testing.T) {
	for name, err := range map[string]error{
		"Add":         metrics.Add(t.Context(), "A", metrics.Count, 1),
		"AddMetadata": metrics.AddMetadata(t.Context(), "a", "b"),
	} {
		if err == nil || !strings.Contains(err.Error(), "metrics: "+name+": ") || !strings.Contains(err.Error(), "list metrics.Default or metrics.Emit") {
			t.Errorf("%s: got %v, want an error that says what to list", name, err)
		}
	}
}

func TestOutsideOfItsLayerAnEMFWritesAtOnce(t *testing.T) {
	var w, other strings.Builder
	emf, bound := metrics.New(&w, "Shop"), metrics.New(&other, "Other")
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		if err := emf.Measure(ctx, metrics.Measurement{Name: "A", Value: 1}, metrics.Measurement{Name: "B", Value: 2}); err != nil {
			return nil, err
		}
		if d := one(t, w.String()); d.properties["requestId"] != "r-1" || d.sum("B") != 2 {
			t.Errorf("got %s, want a document of the invocation", w.String())
		}
		return nil, bound.Measure(ctx, metrics.Measurement{Name: "C"})
	}), metrics.Emit(bound))
	if _, err := h.Invoke(withRequest(t.Context(), "r-1"), nil); err != nil {
		t.Fatal(err)
	}
	one(t, w.String())
	one(t, other.String())
}

// A goroutine that outlives its invocation loses nothing and mixes nothing.
func TestWhatIsMeasuredAfterTheEndIsWrittenAtOnce(t *testing.T) {
	var w strings.Builder
	var kept context.Context
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		kept = ctx
		return nil, metrics.Add(ctx, "A", metrics.Count, 1)
	}), metrics.Emit(metrics.New(&w, "Shop")))
	if _, err := h.Invoke(withRequest(t.Context(), "r-1"), nil); err != nil {
		t.Fatal(err)
	}
	if err := metrics.Add(kept, "A", metrics.Count, 2); err != nil {
		t.Fatal(err)
	}
	all := read(t, w.String())
	if len(all) != 2 || all[1].sum("A") != 2 || all[1].properties["requestId"] != "r-1" {
		t.Errorf("got %s, want a second document", w.String())
	}
}

func TestNestedLayersShareTheDocuments(t *testing.T) {
	var w, outer strings.Builder
	emf := metrics.New(&w, "Shop")
	between := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			if err := metrics.Add(ctx, "A", metrics.Count, 1); err != nil {
				return nil, err
			}
			return next.Invoke(ctx, payload)
		})
	}
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		return nil, errors.Join(metrics.AddMetadata(ctx, "order", "o-1"), metrics.Add(ctx, "A", metrics.Count, 1))
	}), metrics.Emit(metrics.New(&outer, "Outer")), metrics.Emit(emf), between, metrics.Default(emf))
	if _, err := h.Invoke(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	all := read(t, w.String())
	if len(all) != 2 || all[0].String() != "map[] [ColdStart]" || all[1].String() != "map[] [A Duration Invocations]" ||
		all[1].sum("A") != 2 || all[1].properties["order"] != "o-1" {
		t.Errorf("got %s, want the cold start and one document of both layers", w.String())
	}
	if outer.Len() > 0 {
		t.Errorf("got %s of the outer EMF, want nothing", outer.String())
	}
}

// An invocation keeps a hundred documents, so that dimensions that never repeat
// take no more memory.
func TestDocumentsThatPileUpAreWrittenEarly(t *testing.T) {
	var w buffer
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		for i := range 250 {
			if err := metrics.Add(ctx, "A", metrics.Count, 1, dim("user", strconv.Itoa(i))); err != nil {
				return nil, err
			}
		}
		if w.calls != 200 {
			t.Errorf("got %d documents before the end, want 200", w.calls)
		}
		return nil, nil
	}), metrics.Emit(metrics.New(&w, "Shop")))
	if _, err := h.Invoke(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := len(read(t, w.String())); got != 250 {
		t.Errorf("got %d documents, want 250", got)
	}
}

func TestTheTimeIsThatOfTheInvocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w strings.Builder
		start := time.Now().UnixMilli()
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			time.Sleep(time.Minute)
			return nil, metrics.Add(ctx, "A", metrics.Count, 1)
		}), metrics.Emit(metrics.New(&w, "Shop")))
		if _, err := h.Invoke(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if got := one(t, w.String()).timestamp; got != start {
			t.Errorf("got %d, want %d", got, start)
		}
	})
}

func TestWhatCannotBeWrittenIsLogged(t *testing.T) {
	for name, l := range map[string]guard.Middleware{
		"Emit":    metrics.Emit(metrics.New(failingWriter{}, "Shop")),
		"Default": metrics.Default(metrics.New(failingWriter{}, "Shop")),
	} {
		var log strings.Builder
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			return []byte("{}"), metrics.Add(ctx, "A", metrics.Count, 1)
		}), l, guard.Default(logging.New(&log)))
		if out, err := h.Invoke(t.Context(), nil); err != nil || string(out) != "{}" {
			t.Errorf("%s: got %s, %v, want the answer of the handler", name, out, err)
		}
		if got := strings.Count(log.String(), "the disk is full"); got != 1 {
			t.Errorf("%s: got %d records in %s, want 1", name, got, log.String())
		}
	}
}

// 64 invocations at once, each with measurements from several goroutines: every
// document has those of its own invocation.
//
// SECURITY: Kept apart.
func TestConcurrentInvocationsNeverMix(t *testing.T) {
	var w buffer
	const invocations, goroutines, each = 64, 4, 60
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		id := string(payload)
		n, err := strconv.Atoi(id)
		if err != nil {
			return nil, err
		}
		if err := metrics.AddMetadata(ctx, "id", id); err != nil {
			return nil, err
		}
		var all sync.WaitGroup
		for range goroutines {
			all.Go(func() {
				for range each {
					if err := metrics.Add(ctx, "N", metrics.Count, float64(n)); err != nil {
						t.Error(err)
					}
				}
				if err := metrics.Add(ctx, "PerID", metrics.Count, float64(n), dim("id", id)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		return nil, nil
	}), metrics.Default(metrics.New(&w, "Shop")))
	var all sync.WaitGroup
	for i := range invocations {
		all.Go(func() {
			if _, err := h.Invoke(withRequest(t.Context(), "r-"+strconv.Itoa(i)), []byte(strconv.Itoa(i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	values, ids := map[int]int{}, map[int]int{}
	for _, d := range read(t, w.String()) {
		if _, cold := d.metrics["ColdStart"]; cold {
			continue
		}
		id := d.properties["id"]
		if id == "" {
			id = d.dimensions["id"]
		}
		if d.properties["requestId"] != "r-"+id {
			t.Fatalf("got request %s with id %s", d.properties["requestId"], id)
		}
		n, _ := strconv.Atoi(id)
		for _, v := range append(d.metrics["N"].values, d.metrics["PerID"].values...) {
			if v != float64(n) {
				t.Fatalf("got value %g in a document of %d", v, n)
			}
		}
		values[n] += len(d.metrics["N"].values)
		ids[n] += len(d.metrics["PerID"].values)
	}
	for i := range invocations {
		if values[i] != goroutines*each || ids[i] != goroutines {
			t.Errorf("got %d and %d values of invocation %d, want %d and %d", values[i], ids[i], i, goroutines*each, goroutines)
		}
	}
}

// Log and metrics share a real pipe, as they share the standard output in Lambda.
func TestLinesOfLogAndMetricsAreNeverInterleaved(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var text []byte
	var reader sync.WaitGroup
	reader.Go(func() {
		if text, err = io.ReadAll(in); err != nil {
			t.Error(err)
		}
	})
	log := logging.New(out)
	const invocations = 200
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		for i := range 100 { // about 6 kB, more than a pipe takes as one
			if err := metrics.Add(ctx, fmt.Sprintf("Metric%d", i), metrics.Count, 1); err != nil {
				return nil, err
			}
		}
		log.InfoContext(ctx, "placed", "note", strings.Repeat("n", 8_000))
		return nil, nil
	}), metrics.Emit(metrics.New(out, "Shop")), guard.Default(log))
	var all sync.WaitGroup
	for i := range invocations {
		all.Go(func() {
			if _, err := h.Invoke(withRequest(t.Context(), strconv.Itoa(i)), nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	reader.Wait()
	documents, records := map[string]int{}, map[string]int{}
	for line := range strings.Lines(string(text)) {
		members, err := readObject([]byte(line))
		if err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if id := string(members["requestId"]); members["_aws"] != nil {
			documents[id]++
			one(t, line)
		} else {
			records[id]++
		}
	}
	if len(documents) != invocations || len(records) != invocations {
		t.Fatalf("got documents of %d and records of %d invocations, want %d", len(documents), len(records), invocations)
	}
	for id := range documents {
		if documents[id] != 1 || records[id] != 2 {
			t.Errorf("got %d documents and %d records of %s, want 1 and 2", documents[id], records[id], id)
		}
	}
}
