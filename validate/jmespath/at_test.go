package jmespath_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/validate/jmespath"
	"github.com/lambdarmor/lambdarmor/validate/schema"
)

// invoke sends an event through a layer.
func invoke(t *testing.T, event []byte, layer guard.Middleware) error {
	t.Helper()
	_, err := guard.Wrap(store, layer).Invoke(t.Context(), event)
	return err
}

// listed writes violations as "pointer keyword detail", one a line.
func listed(err error) string {
	if err == nil {
		return ""
	}
	var lines []string
	for _, v := range guard.Public(err).Violations {
		lines = append(lines, v.Pointer+" "+v.Keyword+" "+v.Detail)
	}
	return strings.Join(lines, "\n")
}

func TestMisusePanics(t *testing.T) {
	good := schema.MustCompile([]byte(`{}`))
	for name, construct := range map[string]func(){
		"nil schema":         func() { jmespath.At("a", nil) },
		"an expression":      func() { jmespath.At("Records[", good) },
		"a function":         func() { jmespath.At("nosuch(@)", good) },
		"too many arguments": func() { jmespath.At("powertools_json(a, b)", good) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "validate/jmespath: ") {
					t.Errorf("panicked with %v", r)
				}
			}()
			construct()
		})
	}
}

func quoted(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(out)
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func gzipped(text []byte) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// Each envelope takes what was sent out of an event: order, or a list of it.
func TestEnvelopes(t *testing.T) {
	const order, bad = `{"sku":"KB-101"}`, `{"sku":7}`
	one := `{"type":"object","properties":{"sku":{"type":"string"}},"required":["sku"]}`
	list := `{"type":"array","minItems":1,"items":` + one + `}`
	for _, tt := range []struct{ name, expr, event, schema, place string }{
		{name: "API Gateway REST", expr: jmespath.EnvelopeAPIGatewayREST, event: `{"body":%q}`, schema: one, place: "/sku"},
		{name: "API Gateway HTTP", expr: jmespath.EnvelopeAPIGatewayHTTP, event: `{"body":%q}`, schema: one, place: "/sku"},
		{
			name:   "SQS",
			expr:   jmespath.EnvelopeSQS,
			event:  `{"Records":[{"body":"{\"sku\":\"A\"}"},{"body":%q}]}`,
			schema: list,
			place:  "/1/sku",
		},
		{name: "SNS", expr: jmespath.EnvelopeSNS, event: `{"Records":[{"Sns":{"Message":%q}}]}`, schema: one, place: "/sku"},
		{name: "EventBridge", expr: jmespath.EnvelopeEventBridge, event: `{"detail":%s}`, schema: one, place: "/sku"},
		{name: "a schedule", expr: jmespath.EnvelopeSchedule, event: `{"detail":%s}`, schema: one, place: "/sku"},
		{
			name:   "Kinesis",
			expr:   jmespath.EnvelopeKinesisDataStream,
			event:  `{"Records":[{"kinesis":{"data":"%b"}}]}`,
			schema: list,
			place:  "/0/sku",
		},
		{
			name:   "CloudWatch Logs",
			expr:   jmespath.EnvelopeCloudWatchLogs,
			event:  `{"awslogs":{"data":"%g"}}`,
			schema: list,
			place:  "/0/sku",
		},
		{name: "S3 by SQS", expr: jmespath.EnvelopeS3SQS, event: `{"Records":[{"body":%r}]}`, schema: list, place: "/0/sku"},
		{
			name:   "S3 by SNS and SQS",
			expr:   jmespath.EnvelopeS3SNSSQS,
			event:  `{"Records":[{"body":%m}]}`,
			schema: list,
			place:  "/0/sku",
		},
		{
			name:   "S3 by SNS and Firehose",
			expr:   jmespath.EnvelopeS3SNSKinesisFirehose,
			event:  `{"records":[{"data":"%mb"}]}`,
			schema: list,
			place:  "/0/sku",
		},
		{
			name:   "S3 by Firehose",
			expr:   jmespath.EnvelopeS3KinesisFirehose,
			event:  `{"records":[{"data":"%rb"}]}`,
			schema: list,
			place:  "/0/sku",
		},
		{
			name:   "S3 by EventBridge and SQS",
			expr:   jmespath.EnvelopeS3EventBridgeSQS,
			event:  `{"Records":[{"body":%d}]}`,
			schema: list,
			place:  "/0/sku",
		},
	} {
		event := func(sent string) []byte {
			records := `{"Records":[` + sent + `]}`
			message := `{"Message":` + quoted(records) + `}`
			return []byte(strings.NewReplacer("%q", quoted(sent), "%s", sent, "%b", b64(sent),
				"%g", gzipped([]byte(`{"logEvents":[`+sent+`]}`)), "%rb", b64(records), "%r", quoted(records),
				"%mb", b64(message), "%m", quoted(message), "%d", quoted(`{"detail":`+sent+`}`)).Replace(tt.event))
		}
		layer := jmespath.At(tt.expr, schema.MustCompile([]byte(tt.schema)))
		if err := invoke(t, event(order), layer); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		err := invoke(t, event(bad), layer)
		if got, want := listed(err), tt.place+" type must be a string"; got != want {
			t.Errorf("%s: got %q, want %q: %v", tt.name, got, want, err)
		}
	}
}

// What cannot be selected or decoded is refused, also where JMESPath takes an
// error for nothing.
func TestAtFailsClosed(t *testing.T) {
	any, big := `{"multipleOf":1}`, gzipped(make([]byte, 10<<20+1))
	for _, tt := range []struct{ rule, expr, event, code string }{
		{rule: "nothing selected", expr: "detail", event: `{"x":1}`, code: "nothing_selected"},
		{rule: "null selected", expr: "detail", event: `{"detail":null}`, code: "nothing_selected"},
		{rule: "no body", expr: jmespath.EnvelopeSQS, event: `{"Records":[{"body":"{}"},{}]}`, code: "wrong_type"},
		{rule: "a body that is no string", expr: jmespath.EnvelopeSQS, event: `{"Records":[{"body":{}}]}`, code: "wrong_type"},
		{
			rule:  "null in a string, which a projection would leave out",
			expr:  jmespath.EnvelopeSQS,
			event: `{"Records":[{"body":"{}"},{"body":"null"}]}`,
			code:  "nothing_selected",
		},
		{rule: "not JSON", expr: jmespath.EnvelopeSQS, event: `{"Records":[{"body":"{"}]}`, code: "malformed_json"},
		{
			rule:  "a member twice",
			expr:  jmespath.EnvelopeSQS,
			event: `{"Records":[{"body":"{\"a\":1,\"a\":2}"}]}`,
			code:  "duplicate_member",
		},
		{rule: "an error left of a projection", expr: "powertools_json(a).b[*]", event: `{"a":"{"}`, code: "malformed_json"},
		{rule: "an error left of a filter", expr: "powertools_json(a)[?b]", event: `{"a":"{"}`, code: "malformed_json"},
		{rule: "an error left of a flattening", expr: "powertools_json(a)[]", event: `{"a":"{"}`, code: "malformed_json"},
		{
			rule:  "an error in the other branch of or",
			expr:  "a || powertools_base64(b)",
			event: `{"b":"!"}`,
			code:  "malformed_base64",
		},
		{rule: "not base64", expr: "powertools_base64(a)", event: `{"a":"!"}`, code: "malformed_base64"},
		{rule: "not UTF-8", expr: "powertools_base64(a)", event: `{"a":"/w=="}`, code: "invalid_utf8"},
		{rule: "not base64, packed", expr: "powertools_base64_gzip(a)", event: `{"a":"!"}`, code: "malformed_base64"},
		{rule: "not gzip", expr: "powertools_base64_gzip(a)", event: `{"a":"YWJj"}`, code: "malformed_gzip"},
		{
			rule:  "gzip that is cut off",
			expr:  "powertools_base64_gzip(a)",
			event: `{"a":"` + b64(string([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1})) + `"}`,
			code:  "malformed_gzip",
		},
		{rule: "more than 10 MiB of it", expr: "powertools_base64_gzip(a)", event: `{"a":"` + big + `"}`, code: "text_too_large"},
		{rule: "a function given another type", expr: "sum(a)", event: `{"a":["s3cr3t"]}`, code: "wrong_type"},
		{
			rule:  "a function given what it cannot compare",
			expr:  "contains(a, a[0])",
			event: `{"a":[["s3cr3t"]]}`,
			code:  "wrong_type",
		},
		{
			rule:  "a number that a float64 cannot hold, compared",
			expr:  "items[?n > `5`]",
			event: `{"items":[{"n":9007199254740993}]}`,
			code:  "number_not_exact",
		},
		{
			rule:  "a number that takes long to compare",
			expr:  "items[?n > `5`]",
			event: `{"items":[{"n":1.` + strings.Repeat("0", 600) + `}]}`,
			code:  "number_not_exact",
		},
		{rule: "or one beyond it", expr: "items[?n > `5`]", event: `{"items":[{"n":1e400}]}`, code: "number_not_exact"},
		{
			rule:  "also in a text",
			expr:  "powertools_json(a)[?n == `1`]",
			event: `{"a":"[{\"n\":0.10000000000000000001}]"}`,
			code:  "number_not_exact",
		},
		{rule: "a division by zero", expr: "a / b", event: `{"a":1,"b":0}`, code: "number_not_exact"},
		{rule: "zero by zero, deep inside", expr: "{a: [b / b]}", event: `{"b":0}`, code: "number_not_exact"},
		{rule: "a product beyond a float64", expr: "a * a", event: `{"a":1e300}`, code: "number_not_exact"},
		{rule: "a text that says that it is no number", expr: "to_number(a)", event: `{"a":"NaN"}`, code: "number_not_exact"},
		{rule: "an event that is not JSON", expr: "a", event: `{`, code: "malformed_json"},
	} {
		err := invoke(t, []byte(tt.event), jmespath.At(tt.expr, schema.MustCompile([]byte(any))))
		if err == nil || guard.Public(err).Code != tt.code {
			t.Errorf("%s: got %v, want %s", tt.rule, err, tt.code)
		}
		if err != nil && strings.Contains(fmt.Sprint(err, guard.Public(err)), "s3cr3t") {
			t.Errorf("%s: repeated in %s", tt.rule, err)
		}
	}
}

func TestAtJudgesNumbers(t *testing.T) {
	for _, tt := range []struct {
		rule, expr, event, schema string
		valid                     bool
	}{
		{
			rule:   "as written where the expression does not look at them",
			expr:   "a",
			event:  `{"a":9007199254740993}`,
			schema: `{"maximum":9007199254740992}`,
		},
		{
			rule:   "a comparison selects by value",
			expr:   "items[?n > `5`].n",
			event:  `{"items":[{"n":4},{"n":6}]}`,
			schema: `{"items":{"maximum":5}}`,
		},
		{
			rule:   "and what is exact stays what it is",
			expr:   "items[?n > `5`].n",
			event:  `{"items":[{"n":4},{"n":6.1}]}`,
			schema: `{"items":{"const":6.1},"minItems":1}`,
			valid:  true,
		},
		{rule: "a function too", expr: "max(a)", event: `{"a":[1,2.5,1e3]}`, schema: `{"const":1000}`, valid: true},
	} {
		err := invoke(t, []byte(tt.event), jmespath.At(tt.expr, schema.MustCompile([]byte(tt.schema))))
		if (err == nil) != tt.valid {
			t.Errorf("%s: %v", tt.rule, err)
		}
	}
}

func TestAtDecompressesTenMiB(t *testing.T) {
	text := fmt.Sprintf(`{"a":%q}`, strings.Repeat("x", 10<<20-8))
	event := []byte(`{"awslogs":{"data":"` + gzipped([]byte(text)) + `"}}`)
	layer := jmespath.At("awslogs.powertools_base64_gzip(data)", schema.MustCompile([]byte(`{"minLength":10485760}`)))
	if err := invoke(t, event, layer); err != nil {
		t.Error(err)
	}
}
