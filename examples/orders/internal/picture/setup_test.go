package picture_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/otel/oteltest"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

var (
	servers testserver.Shared
	binary  string // the function as it is deployed
)

func TestMain(m *testing.M) { os.Exit(servers.Run(built{m})) }

// built are the tests, with the function built for them.
type built struct{ *testing.M }

func (b built) Run() int {
	_ = os.Setenv("GOFLAGS", strings.TrimSpace(os.Getenv("GOFLAGS")+" -tags=otel"))
	return guardtest.Main(b.M, "../..", &binary)
}

// patient is more than anything takes that works.
const patient = 2 * time.Minute

// A deployment is the function behind its HTTP API, with the tables of its template
// and a collector.
type deployment struct {
	*gateway.Server
	fn        *guardtest.Function
	log       *bytes.Buffer // complete when fn is closed
	collector *oteltest.Collector
	db        *dynamodb.Client
	orders    string // the name of the table

	mu     sync.Mutex
	traces map[string]string // customer → the trace that DynamoDB was told
}

var (
	customers = regexp.MustCompile(`customer\W+(c-[0-9]+)`) // an id may have c-8 in it, too
	roots     = regexp.MustCompile(`Root=1-([0-9a-f]{8})-([0-9a-f]{24})`)
)

// note keeps the trace in which an order is written.
func (d *deployment) note(header string, body []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	root, customer := roots.FindStringSubmatch(header), customers.FindSubmatch(body)
	if root != nil && customer != nil {
		d.traces[string(customer[1])] = root[1] + root[2]
	}
}

// written returns the trace in which the order of each customer was written.
func (d *deployment) written() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.traces)
}

func deploy(t *testing.T, cfg guardtest.Config, suffix string, env ...string) *deployment {
	t.Helper()
	url := servers.DynamoDB(t).URL()
	proxy := awsproxy.New(t, url)
	d := &deployment{
		traces:    map[string]string{},
		log:       new(bytes.Buffer),
		collector: oteltest.Start(t),
		db:        dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")}),
		orders:    "Orders" + suffix,
	}
	proxy.Meet("TransactWriteItems", func(w http.ResponseWriter, r *http.Request, body []byte) {
		d.note(r.Header.Get("X-Amzn-Trace-Id"), body)
		proxy.Pass(w, r, body)
	})
	for _, table := range []string{d.orders, "Keys" + suffix} {
		_, err := d.db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName:            &table,
			BillingMode:          types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if _, err := d.db.DeleteTable(context.WithoutCancel(t.Context()), &dynamodb.DeleteTableInput{TableName: &table}); err != nil {
				t.Error(err)
			}
		})
	}
	cfg.Name, cfg.Memory, cfg.Timeout, cfg.InitTimeout, cfg.Log = "orders", 512, patient, patient, d.log
	cfg.Env = append(cfg.Env,
		"ORDERS_TABLE="+d.orders, "IDEMPOTENCY_TABLE=Keys"+suffix, "AWS_ENDPOINT_URL_DYNAMODB="+proxy.URL,
		"AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret", "OTEL_EXPORTER_OTLP_ENDPOINT="+d.collector.URL)
	cfg.Env = append(cfg.Env, env...)
	d.fn = guardtest.Start(t, binary, cfg)
	d.Server = gateway.Start(t, d.fn, gateway.HTTPAPIConfig{Timeout: patient, Routes: []string{"POST /orders", "GET /orders/{id}"}})
	return d
}

// traced is a header for a sampled trace, as Lambda makes one with active tracing,
// and the trace's id.
func traced() (header, traceID string) {
	random := make([]byte, 20)
	_, _ = rand.Read(random)
	digits := fmt.Sprintf("%08x", time.Now().Unix()) + hex.EncodeToString(random)
	return "Root=1-" + digits[:8] + "-" + digits[8:32] + ";Parent=" + digits[32:48] + ";Sampled=1", digits[:32]
}

// placed returns how many orders are in the table.
func (d *deployment) placed(t *testing.T) int {
	t.Helper()
	out, err := d.db.Scan(t.Context(), &dynamodb.ScanInput{TableName: &d.orders, ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Items)
}

// A trail is what was recorded of one trace.
type trail struct {
	spans     []oteltest.Span
	records   []line
	documents []line
}

// A line is a log record or a metrics document.
type line struct {
	text   string
	values map[string]any
}

func (l line) value(name string) string {
	if v, ok := l.values[name]; ok {
		return fmt.Sprint(v)
	}
	return ""
}

// end ends the function and returns what was recorded, by trace. All else that it
// has written is returned under no trace.
func (d *deployment) end(t *testing.T) map[string]*trail {
	t.Helper()
	d.fn.Close()
	trails := map[string]*trail{}
	of := func(traceID string) *trail {
		if trails[traceID] == nil {
			trails[traceID] = new(trail)
		}
		return trails[traceID]
	}
	for _, span := range d.collector.Spans() {
		tr := of(span.TraceID)
		tr.spans = append(tr.spans, span)
	}
	for text := range bytes.Lines(d.log.Bytes()) {
		l := line{text: string(bytes.TrimSpace(text))}
		if err := json.Unmarshal(text, &l.values); err != nil {
			t.Errorf("the function writes what is no JSON: %s", text)
		}
		tr := of(l.value("trace_id"))
		if l.values["_aws"] != nil {
			tr.documents = append(tr.documents, l)
		} else {
			tr.records = append(tr.records, l)
		}
	}
	return trails
}
