package guard_test

import (
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

// What aws-lambda-go keeps no sample of, in the shape that AWS documents.
func TestTriggersWithoutASample(t *testing.T) {
	for _, tc := range []struct {
		rule, payload string
		want          guard.Trigger
	}{
		{
			rule:    "an HTTP API in format 1.0",
			payload: `{"version":"1.0","resource":"/","httpMethod":"GET","requestContext":{"httpMethod":"GET"}}`,
			want:    guard.HTTPAPI,
		},
		{
			rule:    "a function URL of its own domain",
			payload: `{"version":"2.0","requestContext":{"domainName":"id.lambda-url.eu-west-1.on.aws","http":{"method":"GET"}}}`,
			want:    guard.FunctionURL,
		},
		{
			rule:    "self-managed Kafka",
			payload: `{"eventSource":"SelfManagedKafka","bootstrapServers":"b:9092","records":{}}`,
			want:    guard.Kafka,
		},
		{
			rule:    "members in another order",
			payload: `{"requestContext":{"http":{},"domainName":"api.example.com"},"body":"{\"Records\":[]}","version":"2.0"}`,
			want:    guard.HTTPAPI,
		},
		{
			rule:    "VPC Lattice",
			payload: `{"requestContext":{"identity":{},"serviceArn":"arn:aws:vpc-lattice:eu-west-1:1:service/svc-1"},"method":"GET","path":"/","version":"2.0"}`,
			want:    guard.VPCLattice,
		},
		{
			rule:    "VPC Lattice in another partition",
			payload: `{"version":"2.0","method":"GET","path":"/","requestContext":{"serviceArn":"arn:aws-cn:vpc-lattice:cn-north-1:1:service/svc-1"}}`,
			want:    guard.VPCLattice,
		},
		{
			rule:    "VPC Lattice in version 1",
			payload: `{"raw_path":"/","method":"GET","headers":{},"query_string_parameters":{},"body":"","is_base64_encoded":false}`,
			want:    guard.Unknown,
		},
		{
			rule:    "another version of it",
			payload: `{"version":"3.0","method":"GET","path":"/","requestContext":{"serviceArn":"arn:aws:vpc-lattice:eu-west-1:1:service/svc-1"}}`,
			want:    guard.Unknown,
		},
		{
			rule:    "another service's ARN",
			payload: `{"version":"2.0","method":"GET","path":"/","requestContext":{"serviceArn":"arn:aws:ecs:eu-west-1:1:service/s"}}`,
			want:    guard.Unknown,
		},
		{
			rule:    "an HTTP API that has one",
			payload: `{"version":"2.0","requestContext":{"serviceArn":"arn:aws:vpc-lattice:eu-west-1:1:service/svc-1","http":{"method":"GET"}}}`,
			want:    guard.HTTPAPI,
		},
		{rule: "space between all", payload: " {\n\t\"Records\" : [ { \"eventSource\" : \"aws:sqs\" } ] } ", want: guard.SQS},
		{
			rule:    "a schedule",
			payload: `{"version":"0","source":"aws.events","detail-type":"Scheduled Event","detail":{}}`,
			want:    guard.EventBridge,
		},
		{
			rule:    "an event bus's own",
			payload: `{"version":"0","source":"shop","detail-type":"order","detail":{"Records":[{"eventSource":"aws:sqs"}]}}`,
			want:    guard.EventBridge,
		},
		{
			rule:    "AppSync, called with an API key",
			payload: `{"arguments":{},"identity":null,"source":null,"request":{"headers":{},"domainName":null},"prev":null,"info":{"fieldName":"f","parentTypeName":"Query"},"stash":{}}`,
			want:    guard.AppSync,
		},
		{
			rule:    "AppSync Events, a publication",
			payload: `{"identity":null,"result":null,"request":{"headers":{}},"info":{"channel":{"path":"/a/b"},"operation":"PUBLISH"},"error":null,"prev":null,"stash":{},"outErrors":[],"events":[{"id":"1","payload":{}}]}`,
			want:    guard.AppSync,
		},
		{
			rule:    "AppSync Events, a subscription",
			payload: `{"identity":{"sub":"u"},"result":null,"request":{"headers":{}},"info":{"channel":{"path":"/a/b"},"operation":"SUBSCRIBE"},"error":null,"prev":null,"stash":{},"outErrors":[],"events":null}`,
			want:    guard.AppSync,
		},
		{
			rule:    "what a template of AppSync's made",
			payload: `{"typeName":"Query","fieldName":"f","arguments":{},"identity":null,"request":{}}`,
			want:    guard.Unknown,
		},
		{
			rule:    "DocumentDB",
			payload: `{"eventSourceArn":"arn:aws:rds:eu-west-1:1:cluster:c","events":[{"event":{"operationType":"insert"}}],"eventSource":"aws:docdb"}`,
			want:    guard.DocumentDB,
		},
		{rule: "no records", payload: `{"Records":[]}`, want: guard.Unknown},
		{rule: "records of what we do not know", payload: `{"Records":[{"eventSource":"aws:new"}]}`, want: guard.Unknown},
		{rule: "a token of one's own", payload: `{"authorizationToken":"x","type":"TOKEN"}`, want: guard.Unknown},
		{rule: "a requestContext of one's own", payload: `{"requestContext":{"user":"x"}}`, want: guard.Unknown},
		{rule: "a direct invocation", payload: `{"order":1}`, want: guard.Unknown},
		{rule: "an array", payload: `[{"eventSource":"aws:sqs"}]`, want: guard.Unknown},
		{rule: "a string", payload: `"Records"`, want: guard.Unknown},
		{rule: "nothing", want: guard.Unknown},
		{rule: "what is not JSON", payload: `{"Records":[{"eventSource`, want: guard.Unknown},
	} {
		if got := guard.EventOf(t.Context(), []byte(tc.payload)).Trigger(); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.rule, got, tc.want)
		}
	}
}

func TestIsHTTP(t *testing.T) {
	http := map[guard.Trigger]bool{guard.HTTPAPI: true, guard.FunctionURL: true, guard.REST: true, guard.VPCLattice: true, guard.ALB: true}
	for _, s := range samples {
		if got := s.trigger.IsHTTP(); got != http[s.trigger] {
			t.Errorf("%s: %t", s.trigger, got)
		}
	}
	for name, event := range sample.All() {
		ev := guard.EventOf(t.Context(), event.Bytes())
		if got := ev.Trigger().IsHTTP(); got != http[ev.Trigger()] {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// What is called an HTTP request can be read as one, and the other way around.
func TestTriggersThatAreHTTPCanBeReadAsHTTP(t *testing.T) {
	for _, s := range samples {
		if s.trigger.IsHTTP() {
			if req, err := guard.EventOf(t.Context(), readSample(t, s.file)).HTTP(); err != nil || req.RequestContext.HTTP.Method == "" {
				t.Errorf("%s: %v", s.file, err)
			}
		}
	}
	for name, event := range sample.All() {
		ev := guard.EventOf(t.Context(), event.Bytes())
		if _, err := ev.HTTP(); ev.Trigger().IsHTTP() && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A long event is told by what stands at its top.
func TestTriggerOfALongEvent(t *testing.T) {
	text := `{"x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `,"y":[` + strings.Repeat("1,", 1<<20) + `1],"awslogs":{}}`
	if got := guard.TriggerOf([]byte(text)); got != guard.CloudWatchLogs {
		t.Errorf("got %s, want %s", got, guard.CloudWatchLogs)
	}
}
