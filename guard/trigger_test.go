package guard_test

import (
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// What aws-lambda-go keeps no sample of, in the shape that AWS documents.
func TestTriggersWithoutASample(t *testing.T) {
	for _, tc := range []struct {
		rule, payload string
		want          guard.Trigger
	}{
		{"an HTTP API in format 1.0", `{"version":"1.0","resource":"/","httpMethod":"GET","requestContext":{"httpMethod":"GET"}}`, guard.HTTPAPI},
		{"a function URL of its own domain", `{"version":"2.0","requestContext":{"domainName":"id.lambda-url.eu-west-1.on.aws","http":{"method":"GET"}}}`, guard.FunctionURL},
		{"self-managed Kafka", `{"eventSource":"SelfManagedKafka","bootstrapServers":"b:9092","records":{}}`, guard.Kafka},
		{"members in another order", `{"requestContext":{"http":{},"domainName":"api.example.com"},"body":"{\"Records\":[]}","version":"2.0"}`, guard.HTTPAPI},
		{"VPC Lattice", `{"requestContext":{"identity":{},"serviceArn":"arn:aws:vpc-lattice:eu-west-1:1:service/svc-1"},"method":"GET","path":"/","version":"2.0"}`, guard.VPCLattice},
		{"VPC Lattice in another partition", `{"version":"2.0","method":"GET","path":"/","requestContext":{"serviceArn":"arn:aws-cn:vpc-lattice:cn-north-1:1:service/svc-1"}}`, guard.VPCLattice},
		{"VPC Lattice in version 1", `{"raw_path":"/","method":"GET","headers":{},"query_string_parameters":{},"body":"","is_base64_encoded":false}`, guard.Unknown},
		{"another version of it", `{"version":"3.0","method":"GET","path":"/","requestContext":{"serviceArn":"arn:aws:vpc-lattice:eu-west-1:1:service/svc-1"}}`, guard.Unknown},
		{"another service's ARN", `{"version":"2.0","method":"GET","path":"/","requestContext":{"serviceArn":"arn:aws:ecs:eu-west-1:1:service/s"}}`, guard.Unknown},
		{"an HTTP API that has one", `{"version":"2.0","requestContext":{"serviceArn":"arn:aws:vpc-lattice:eu-west-1:1:service/svc-1","http":{"method":"GET"}}}`, guard.HTTPAPI},
		{"space between all", " {\n\t\"Records\" : [ { \"eventSource\" : \"aws:sqs\" } ] } ", guard.SQS},
		{"a schedule", `{"version":"0","source":"aws.events","detail-type":"Scheduled Event","detail":{}}`, guard.EventBridge},
		{"an event bus's own", `{"version":"0","source":"shop","detail-type":"order","detail":{"Records":[{"eventSource":"aws:sqs"}]}}`, guard.EventBridge},
		{"AppSync, called with an API key", `{"arguments":{},"identity":null,"source":null,"request":{"headers":{},"domainName":null},"prev":null,"info":{"fieldName":"f","parentTypeName":"Query"},"stash":{}}`, guard.AppSync},
		{"AppSync Events, a publication", `{"identity":null,"result":null,"request":{"headers":{}},"info":{"channel":{"path":"/a/b"},"operation":"PUBLISH"},"error":null,"prev":null,"stash":{},"outErrors":[],"events":[{"id":"1","payload":{}}]}`, guard.AppSync},
		{"AppSync Events, a subscription", `{"identity":{"sub":"u"},"result":null,"request":{"headers":{}},"info":{"channel":{"path":"/a/b"},"operation":"SUBSCRIBE"},"error":null,"prev":null,"stash":{},"outErrors":[],"events":null}`, guard.AppSync},
		{"what a template of AppSync's made", `{"typeName":"Query","fieldName":"f","arguments":{},"identity":null,"request":{}}`, guard.Unknown},
		{"DocumentDB", `{"eventSourceArn":"arn:aws:rds:eu-west-1:1:cluster:c","events":[{"event":{"operationType":"insert"}}],"eventSource":"aws:docdb"}`, guard.DocumentDB},
		{"no records", `{"Records":[]}`, guard.Unknown},
		{"records of what we do not know", `{"Records":[{"eventSource":"aws:new"}]}`, guard.Unknown},
		{"a token of one's own", `{"authorizationToken":"x","type":"TOKEN"}`, guard.Unknown},
		{"a requestContext of one's own", `{"requestContext":{"user":"x"}}`, guard.Unknown},
		{"a direct invocation", `{"order":1}`, guard.Unknown},
		{"an array", `[{"eventSource":"aws:sqs"}]`, guard.Unknown},
		{"a string", `"Records"`, guard.Unknown},
		{"nothing", ``, guard.Unknown},
		{"what is not JSON", `{"Records":[{"eventSource`, guard.Unknown},
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
	for name, event := range guardtest.Samples() {
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
	for name, event := range guardtest.Samples() {
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
