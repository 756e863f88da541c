package exampletest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.yaml.in/yaml/v3"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/metrics"
)

// written returns the log and the documents of a function that fails: of an HTTP
// request, and of one record of a batch.
func written(t *testing.T) (records, documents []map[string]any) {
	t.Helper()
	name := lambdacontext.FunctionName
	lambdacontext.FunctionName = "orders"
	defer func() { lambdacontext.FunctionName = name }()
	var out bytes.Buffer
	log := logging.New(&out)
	ids := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			layer.SetTrace(ctx, "5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8", true)
			return next.Invoke(ctx, payload)
		})
	}
	measure := metrics.Default(metrics.New(&out, "Shop"))
	failing := errors.New("broken")
	//lint:ignore SA1029 the key that aws-lambda-go uses
	ctx := context.WithValue(t.Context(), "x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793")
	_, _ = guard.Wrap(httpapi.Func(func(context.Context, any) (any, error) { return nil, failing }), ids, measure, httpapi.Default(log)).
		Invoke(ctx, sample.HTTP("POST", "/orders").JSON(`{}`).Bytes())
	_, _ = guard.Wrap(batch.SQS(func(context.Context, events.SQSMessage) error { return failing }), ids, measure, guard.Default(log)).
		Invoke(ctx, sample.Of(guard.SQS).Bytes())
	for line := range strings.Lines(out.String()) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l["_aws"] != nil {
			documents = append(documents, l)
		} else {
			records = append(records, l)
		}
	}
	return records, documents
}

// The queries of the page ask for fields that the log has.
func TestTheQueriesOfObservabilityFindTheirFields(t *testing.T) {
	records, _ := written(t)
	known := map[string]bool{"@timestamp": true}
	var add func(prefix string, of map[string]any)
	add = func(prefix string, of map[string]any) {
		for name, value := range of {
			known[prefix+name] = true
			if inner, ok := value.(map[string]any); ok {
				add(prefix+name+".", inner)
			}
		}
	}
	for _, r := range records {
		add("", r)
	}
	page, err := os.ReadFile("../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	// What is no field: commands, functions, and the names that a query makes.
	words := strings.Fields("fields filter sort stats by as and or desc count latest failures example")
	queries := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(queries) != 2 {
		t.Errorf("got %d queries, want 2", len(queries))
	}
	for _, q := range queries {
		text := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(q[1], "")
		for _, name := range regexp.MustCompile(`@?[A-Za-z_][A-Za-z_.]*`).FindAllString(text, -1) {
			if !slices.Contains(words, name) && !known[name] {
				t.Errorf("no record has the field %s, they have %v", name, slices.Sorted(maps.Keys(known)))
			}
		}
	}
	for _, id := range []string{"trace_id", "traceId"} {
		value, _ := records[0][id].(string)
		if value == "" || !strings.Contains(string(page), id+` = "`+value+`"`) {
			t.Errorf("the page does not look for %s %s", id, value)
		}
	}
}

// The alarms of the page are on metrics that are written, with their dimensions.
func TestTheAlarmsOfObservabilityHaveTheirMetrics(t *testing.T) {
	_, documents := written(t)
	page, err := os.ReadFile("../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)
	if found == nil {
		t.Fatal("the page has no template")
	}
	var template struct {
		Resources map[string]struct {
			Type       string `yaml:"Type"`
			Properties struct {
				Namespace  string `yaml:"Namespace"`
				MetricName string `yaml:"MetricName"`
				Dimensions []struct {
					Name  string `yaml:"Name"`
					Value string `yaml:"Value"`
				} `yaml:"Dimensions"`
				TreatMissingData string `yaml:"TreatMissingData"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(found[1], &template); err != nil || len(template.Resources) != 2 {
		t.Fatalf("got %+v, %v; want two alarms", template, err)
	}
	for name, r := range template.Resources {
		p := r.Properties
		matches := func(d map[string]any) bool {
			directive := d["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)
			dimensions := directive["Dimensions"].([]any)[0].([]any)
			for _, want := range p.Dimensions {
				if !slices.Contains(dimensions, any(want.Name)) || d[want.Name] != want.Value {
					return false
				}
			}
			return directive["Namespace"] == p.Namespace && d[p.MetricName] != nil && len(dimensions) == len(p.Dimensions)
		}
		if r.Type != "AWS::CloudWatch::Alarm" || p.TreatMissingData != "notBreaching" || !slices.ContainsFunc(documents, matches) {
			t.Errorf("%s: no document has its metric %+v: %v", name, p, documents)
		}
	}
}
