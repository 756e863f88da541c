package recursion_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/recursion"
)

func TestACounterIsReadWhereItTravels(t *testing.T) {
	number := func(value string) map[string]any { return map[string]any{"stringValue": value, "dataType": "Number"} }
	sqs := sample.Of(guard.SQS).Messages("hello")
	attributes := func(value string) sample.Event {
		return sqs.Set("/Records/0/messageAttributes/lambdarmor.hops", number(value))
	}
	body := func(text string) sample.Event { return sqs.Set("/Records/0/body", text) }
	notification := func(message, hops string) string {
		return string(encode(t, map[string]any{
			"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:123456789012:orders", "Message": message,
			"MessageAttributes": map[string]any{"lambdarmor.hops": map[string]string{"Type": "Number", "Value": hops}},
		}))
	}
	put := func(detail string) string {
		return `{"version":"0","detail-type":"x","source":"shop","detail":` + detail + `}`
	}
	sns := sample.Of(guard.SNS)
	get := sample.HTTP("GET", "/")
	kinesis := func(data string) sample.Event {
		return sample.Of(guard.Kinesis).Set("/Records/0/kinesis/data", base64.StdEncoding.EncodeToString([]byte(data)))
	}
	for _, c := range []struct {
		name  string
		event fmt.Stringer
		hops  int
		code  string
	}{
		{name: "attribute", event: attributes("3"), hops: 4},
		{name: "zero", event: attributes("0"), hops: 1},
		{name: "largest", event: attributes("9998"), hops: 9999},
		{name: "beyond the limit", event: attributes("9999"), code: "loop"},
		{name: "five digits", event: attributes("10000"), code: "hops_malformed"},
		{name: "very many digits", event: attributes(strings.Repeat("9", 100_000)), code: "hops_malformed"},
		{name: "many zeros", event: attributes("00001"), code: "hops_malformed"},
		{name: "negative", event: attributes("-1"), code: "hops_malformed"},
		{name: "signed", event: attributes("+1"), code: "hops_malformed"},
		{name: "fraction", event: attributes("1.0"), code: "hops_malformed"},
		{name: "hexadecimal", event: attributes("0x1"), code: "hops_malformed"},
		{name: "other digits", event: attributes("١"), code: "hops_malformed"},
		{name: "a space", event: attributes(" 1"), code: "hops_malformed"},
		{name: "empty", event: attributes(""), code: "hops_malformed"},
		{name: "binary attribute", event: sqs.Set("/Records/0/messageAttributes/lambdarmor.hops", map[string]any{"binaryValue": "MQ==", "dataType": "Binary"}), code: "hops_malformed"},
		{name: "another case is another name", event: sqs.Set("/Records/0/messageAttributes/Lambdarmor.Hops", number("3")), hops: 1},
		{name: "largest of a batch", event: sample.Of(guard.SQS).Messages("a", "b", "c").Set("/Records/1/messageAttributes/lambdarmor.hops", number("7")), hops: 8},

		{name: "JSON in a body", event: body(`{"_hops":3}`), hops: 4},
		{name: "attribute and body", event: attributes("2").Set("/Records/0/body", `{"_hops":3}`), hops: 4},
		{name: "twice in a body", event: body(`{"_hops":5,"_hops":1}`), hops: 6},
		{name: "deep in a body is the program's", event: body(`{"order":{"_hops":"x"}}`), hops: 1},
		{name: "text about it", event: body(`the "_hops" of lambdarmor.hops`), hops: 1},
		{name: "broken JSON", event: body(`{"_hops":3`), hops: 1},
		{name: "two objects", event: body(`{"_hops":3}{}`), hops: 1},
		{name: "an array", event: body(`[{"_hops":3}]`), hops: 1},
		{name: "quoted in JSON", event: body(`{"_hops":"3"}`), code: "hops_malformed"},
		{name: "null in JSON", event: body(`{"_hops":null}`), code: "hops_malformed"},
		{name: "exponent in JSON", event: body(`{"_hops":1e3}`), code: "hops_malformed"},
		{name: "event in a body", event: body(put(`{"_hops":3}`)), hops: 4},
		{name: "event without an object", event: body(put(`"_hops"`)), hops: 1},
		{name: "notification in a body", event: body(notification("hello", "3")), hops: 4},
		{name: "notification with an event in a body", event: body(notification(put(`{"_hops":6}`), "3")), hops: 7},
		{name: "malformed in a notification", event: body(notification("hello", "x")), code: "hops_malformed"},
		{name: "notification of another form", event: body(`{"MessageAttributes":{"lambdarmor.hops":3}}`), code: "hops_malformed"},
		{name: "notification within notifications", event: body(notification(notification(notification(notification(notification("", "9"), "1"), "1"), "1"), "1")), hops: 2},

		{name: "SNS", event: sns.Set("/Records/0/Sns/MessageAttributes/lambdarmor.hops", map[string]string{"Type": "Number", "Value": "3"}), hops: 4},
		{name: "SNS, malformed", event: sns.Set("/Records/0/Sns/MessageAttributes/lambdarmor.hops", map[string]any{"Type": "Number", "Value": 3}), code: "hops_malformed"},
		{name: "SNS, no object", event: sns.Set("/Records/0/Sns/MessageAttributes/lambdarmor.hops", "3"), code: "hops_malformed"},
		{name: "SNS with an event", event: sns.Set("/Records/0/Sns/Message", put(`{"_hops":3}`)), hops: 4},
		{name: "EventBridge", event: sample.Of(guard.EventBridge).Set("/detail/_hops", 3), hops: 4},
		{name: "EventBridge, malformed", event: sample.Of(guard.EventBridge).Set("/detail/_hops", "3"), code: "hops_malformed"},
		{name: "Kinesis", event: kinesis(`{"_hops":3}`), hops: 4},
		{name: "Kinesis with an event", event: kinesis(put(`{"_hops":3}`)), hops: 4},
		{name: "Kinesis, not JSON", event: kinesis("\x00_hops"), hops: 1},
		{name: "DynamoDB", event: sample.Of(guard.DynamoDB).Set("/Records/0/dynamodb/NewImage/_hops", map[string]string{"N": "3"}), hops: 4},
		{name: "DynamoDB, text", event: sample.Of(guard.DynamoDB).Set("/Records/0/dynamodb/NewImage/_hops", map[string]string{"S": "3"}), code: "hops_malformed"},
		{name: "Kafka", event: sample.Of(guard.Kafka).Set("/records/orders-0/0/headers", []map[string][]int{{"lambdarmor.hops": {'3'}}}), hops: 4},
		{name: "Kafka, empty", event: sample.Of(guard.Kafka).Set("/records/orders-0/0/headers", []map[string][]int{{"lambdarmor.hops": {}}}), code: "hops_malformed"},
		{name: "direct", event: text(`{"_hops":3}`), hops: 4},
		{name: "direct, not an object", event: text(`"_hops"`), hops: 1},
		{name: "direct, not JSON", event: text(`_hops`), hops: 1},

		{name: "header", event: get.Header(recursion.Header, "3"), hops: 4},
		{name: "header, format 1.0", event: get.Format1().Header(recursion.Header, "3"), hops: 4},
		{name: "header, REST", event: get.REST().Header(recursion.Header, "3"), hops: 4},
		{name: "header, function URL", event: get.FunctionURL().Header(recursion.Header, "3"), hops: 4},
		{name: "header, Lattice", event: get.VPCLattice().Header(recursion.Header, "3"), hops: 4},
		{name: "header, load balancer", event: sample.Of(guard.ALB).Set("/headers/lambdarmor-hops", "3"), hops: 4},
		{name: "header, WebSocket", event: sample.Of(guard.WebSocket, "connect").Set("/multiValueHeaders/lambdarmor-hops", []string{"3"}), hops: 4},
		{name: "two headers", event: get.Header(recursion.Header, "3").Header(recursion.Header, "1"), code: "hops_malformed"},
		{name: "empty header", event: get.Event().Set("/headers/lambdarmor-hops", ""), code: "hops_malformed"},
		{name: "baggage", event: get.Header("baggage", "user=alice, lambdarmor.hops = 3 ;ttl=1,x=y"), hops: 4},
		{name: "baggage in two lines", event: get.REST().Header("Baggage", "user=alice").Header("Baggage", "lambdarmor.hops=3"), hops: 4},
		{name: "header and baggage", event: get.Header(recursion.Header, "1").Header("baggage", "lambdarmor.hops=3"), hops: 4},
		{name: "malformed baggage of others", event: get.Header("baggage", ",,;=,%%"), hops: 1},
		{name: "malformed baggage", event: get.Header("baggage", "lambdarmor.hops=%33"), code: "hops_malformed"},
		{name: "baggage without a value", event: get.Header("baggage", "lambdarmor.hops"), code: "hops_malformed"},
		{name: "a body of a request is the program's", event: get.JSON(`{"_hops":"x"}`), hops: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if hops, code := count(t, []byte(c.event.String())); hops != c.hops || code != c.code {
				t.Errorf("got %d, %q, want %d, %q", hops, code, c.hops, c.code)
			}
		})
	}
}

type text string

func (s text) String() string { return string(s) }

// The records of a batch are read as the events are.
func TestRecordsReadWhatLimitReads(t *testing.T) {
	var kinesis events.KinesisEvent
	var dynamoDB events.DynamoDBEvent
	var kafka events.KafkaEvent
	decode := func(e sample.Event, into any) {
		if err := json.Unmarshal(e.Bytes(), into); err != nil {
			t.Fatal(err)
		}
	}
	decode(sample.Of(guard.Kinesis).Messages(`{"_hops":3}`), &kinesis)
	decode(sample.Of(guard.DynamoDB).Set("/Records/0/dynamodb/NewImage/_hops", map[string]string{"N": "3"}), &dynamoDB)
	decode(sample.Of(guard.Kafka).Set("/records/orders-0/0/headers", []map[string][]int{{"lambdarmor.hops": {'3'}}}), &kafka)
	mustCount(t, kinesis.Records[0])
	mustCount(t, dynamoDB.Records[0])
	mustCount(t, kafka.Records["orders-0"][0])
	mustCount(t, events.SQSMessage{Body: `{"_hops":3}`})
}

func mustCount[R recursion.Record](t *testing.T, record R) {
	t.Helper()
	got := 0
	fn := func(ctx context.Context, _ R) error { got = recursion.Hops(ctx); return nil }
	if err := recursion.Records[R](4)(fn)(t.Context(), record); err != nil || got != 4 {
		t.Errorf("%T: got %d, %v, want 4", record, got, err)
	}
	got = 0
	err := recursion.Records[R](3)(fn)(t.Context(), record)
	if e := guard.Public(err); err == nil || e.Code != "loop" || e.Kind.Retryable() || got != 0 {
		t.Errorf("%T: got %v after %d, want the final error loop", record, err, got)
	}
}

func TestOutsideALimitThereAreNoHops(t *testing.T) {
	if got := recursion.Hops(t.Context()); got != 0 {
		t.Errorf("got %d, want 0", got)
	}
}

func TestWrongLimitsPanic(t *testing.T) {
	for _, n := range []int{-1, 0, 10_000} {
		for name, f := range map[string]func(){
			"Limit":   func() { recursion.Limit(n) },
			"Records": func() { recursion.Records[events.SQSMessage](n) },
		} {
			func() {
				defer func() {
					if got, want := fmt.Sprint(recover()), fmt.Sprintf("recursion: %s of %d", name, n); !strings.HasPrefix(got, want) {
						t.Errorf("got panic %q, want %q", got, want)
					}
				}()
				f()
			}()
		}
	}
}

// A function links the client of AWS alone that it uses.
func TestNoOtherClientIsLinked(t *testing.T) {
	for pkg, allowed := range map[string]string{".": "", "./sqshops": "sqs", "./snshops": "sns", "./eventbridgehops": "eventbridge"} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		for dep := range strings.Lines(string(out)) {
			dep = strings.TrimSpace(dep)
			_, service, isService := strings.Cut(dep, "aws-sdk-go-v2/service/")
			client, _, _ := strings.Cut(service, "/")
			if isService && client != allowed && client != "internal" || allowed == "" && strings.Contains(dep, "smithy-go") {
				t.Errorf("%s links %s", pkg, dep)
			}
		}
	}
}
