package metrics_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// emfDocument is what CloudWatch reads from one line. It is read here from the
// specification alone, with nothing of the package:
//
//	https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
type emfDocument struct {
	namespace  string
	timestamp  int64
	dimensions map[string]string
	order      []string // of the dimensions
	metrics    map[string]emfMetric
	properties map[string]string // the members of the root that are no target
}

type emfMetric struct {
	unit       string
	resolution int
	values     []float64
}

// readDocument reads a line and checks what the specification says.
func readDocument(line []byte) (*emfDocument, error) {
	if len(line)+26 > 256<<10 {
		return nil, fmt.Errorf("%d bytes are more than the smallest limit that is published", len(line))
	}
	if bytes.ContainsAny(line, "\n\r") {
		return nil, fmt.Errorf("a document on several lines")
	}
	root, err := readObject(line)
	if err != nil {
		return nil, err
	}
	metadata, err := readObject(root["_aws"])
	if err != nil {
		return nil, err
	}
	delete(root, "_aws")
	if err := only(metadata, "Timestamp", "CloudWatchMetrics"); err != nil {
		return nil, err
	}
	d := &emfDocument{dimensions: map[string]string{}, metrics: map[string]emfMetric{}, properties: map[string]string{}}
	if err := json.Unmarshal(metadata["Timestamp"], &d.timestamp); err != nil {
		return nil, err
	}
	var directives []json.RawMessage
	if err := json.Unmarshal(metadata["CloudWatchMetrics"], &directives); err != nil || len(directives) != 1 {
		return nil, fmt.Errorf("%d directives, %v", len(directives), err)
	}
	directive, err := readObject(directives[0])
	if err != nil {
		return nil, err
	}
	if err := only(directive, "Namespace", "Dimensions", "Metrics"); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(directive["Namespace"], &d.namespace); err != nil {
		return nil, err
	}
	if err := d.readDimensions(directive["Dimensions"], root); err != nil {
		return nil, err
	}
	if err := d.readMetrics(directive["Metrics"], root); err != nil {
		return nil, err
	}
	for name, value := range root {
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return nil, fmt.Errorf("property %q: %w", name, err)
		}
		d.properties[name] = text
	}
	return d, nil
}

func (d *emfDocument) readDimensions(raw json.RawMessage, root map[string]json.RawMessage) error {
	var sets [][]string
	if err := json.Unmarshal(raw, &sets); err != nil || len(sets) != 1 {
		return fmt.Errorf("%d dimension sets, %v", len(sets), err)
	}
	if len(sets[0]) > 30 {
		return fmt.Errorf("%d dimensions", len(sets[0]))
	}
	d.order = sets[0]
	for _, name := range sets[0] {
		var value string
		if err := json.Unmarshal(root[name], &value); err != nil {
			return fmt.Errorf("dimension %q: %w", name, err) // missing, twice, or no string
		}
		if !printable(name, 250) || name[0] == ':' || !printable(value, 1024) {
			return fmt.Errorf("dimension %q: %q", name, value)
		}
		delete(root, name)
		d.dimensions[name] = value
	}
	return nil
}

func (d *emfDocument) readMetrics(raw json.RawMessage, root map[string]json.RawMessage) error {
	var definitions []json.RawMessage
	if err := json.Unmarshal(raw, &definitions); err != nil {
		return err
	}
	if len(definitions) == 0 || len(definitions) > 100 {
		return fmt.Errorf("%d metrics", len(definitions))
	}
	for _, definition := range definitions {
		members, err := readObject(definition)
		if err != nil {
			return err
		}
		if err := only(members, "Name", "Unit", "StorageResolution"); err != nil {
			return err
		}
		var name string
		m := emfMetric{unit: "None", resolution: 60}
		for member, to := range map[string]any{"Name": &name, "Unit": &m.unit, "StorageResolution": &m.resolution} {
			if value, ok := members[member]; ok {
				if err := json.Unmarshal(value, to); err != nil {
					return err
				}
			}
		}
		if !printable(name, 255) {
			return fmt.Errorf("metric %q", name)
		}
		value := root[name]
		delete(root, name)
		if err := json.Unmarshal(value, &m.values); err != nil {
			var one float64
			if err := json.Unmarshal(value, &one); err != nil {
				return fmt.Errorf("metric %q: %w", name, err) // missing, twice, or no number
			}
			m.values = []float64{one}
		}
		if len(m.values) == 0 || len(m.values) > 100 {
			return fmt.Errorf("metric %q: %d values", name, len(m.values))
		}
		for _, v := range m.values {
			if size := math.Abs(v); size > 0x1p360 || size != 0 && size < 0x1p-360 {
				return fmt.Errorf("metric %q: %g", name, v)
			}
		}
		d.metrics[name] = m
	}
	return nil
}

// readObject reads an object and refuses a name that is there twice.
func readObject(raw json.RawMessage) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return nil, fmt.Errorf("%v, %w instead of an object", start, err)
	}
	members := map[string]json.RawMessage{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		if _, twice := members[name.(string)]; twice {
			return nil, fmt.Errorf("%q is there twice", name)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		members[name.(string)] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("data after the object")
	}
	return members, nil
}

func only(members map[string]json.RawMessage, names ...string) error {
	for name := range members {
		if !slices.Contains(names, name) {
			return fmt.Errorf("a member %q that the specification does not have", name)
		}
	}
	return nil
}

var text = regexp.MustCompile(`^[ -~]*[!-~][ -~]*$`)

func printable(s string, longest int) bool { return len(s) <= longest && text.MatchString(s) }

// sum returns the sum of all values of a metric.
func (d *emfDocument) sum(name string) (sum float64) {
	for _, v := range d.metrics[name].values {
		sum += v
	}
	return sum
}

func (d *emfDocument) String() string {
	return fmt.Sprintf("%v %v", d.dimensions, slices.Sorted(maps.Keys(d.metrics)))
}

var schema = sync.OnceValue(func() *jsonschema.Schema {
	file, err := os.Open("testdata/emf.schema.json")
	if err != nil {
		panic(err)
	}
	defer file.Close()
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft7 // it has "$id"; its fragments are no URLs of their own there
	if err := c.AddResource("emf.json", file); err != nil {
		panic(err)
	}
	return c.MustCompile("emf.json")
})

// read reads each line by the schema and by the specification.
func read(t testing.TB, output string) []*emfDocument {
	t.Helper()
	var all []*emfDocument
	for line := range strings.Lines(output) {
		whole, ok := strings.CutSuffix(line, "\n")
		if !ok {
			t.Fatalf("a line without its end: %s", line)
		}
		var value any
		dec := json.NewDecoder(strings.NewReader(whole))
		dec.UseNumber()
		if err := dec.Decode(&value); err != nil {
			t.Fatalf("%v in %s", err, whole)
		}
		if err := schema().Validate(value); err != nil {
			t.Fatalf("%v in %s", err, whole)
		}
		d, err := readDocument([]byte(whole))
		if err != nil {
			t.Fatalf("%v in %s", err, whole)
		}
		all = append(all, d)
	}
	return all
}

// one reads the only document.
func one(t testing.TB, output string) *emfDocument {
	t.Helper()
	all := read(t, output)
	if len(all) != 1 {
		t.Fatalf("got %d documents %v, want 1", len(all), all)
	}
	return all[0]
}

// buffer is a writer that several goroutines share, and that counts its calls.
type buffer struct {
	mu    sync.Mutex
	text  strings.Builder
	calls int
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// withRequest returns the context that aws-lambda-go passes to a handler.
func withRequest(ctx context.Context, id string) context.Context {
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: id})
	//lint:ignore SA1029 the key that aws-lambda-go uses
	return context.WithValue(ctx, "x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
}
