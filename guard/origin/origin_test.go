package origin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/origin"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/secrets"
)

const (
	met     = "" // the rule is met
	notSaid = "the event does not have it"
	foreign = "the event has another one"

	account = "123456789012" // of the samples
)

var ok = guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(`"ok"`), nil })

// cause returns the log's cause of the refusal of an event, "" if it is not refused.
func cause(t *testing.T, ctx context.Context, event fmt.Stringer, layers ...guard.Middleware) string {
	t.Helper()
	var log bytes.Buffer
	all := append([]guard.Middleware{guard.Log(logging.New(&log)), guard.Errors()}, layers...)
	_, err := guard.Wrap(ok, all...).Invoke(ctx, []byte(event.String()))
	var record struct {
		Error struct{ Kind, Code, Cause string }
	}
	if failed := json.Unmarshal(log.Bytes(), &record); failed != nil {
		t.Fatal(failed, log.String())
	}
	if err == nil {
		if record.Error.Kind != "" {
			t.Errorf("got the record %s without an error", log.String())
		}
		return ""
	}
	if record.Error.Kind != "forbidden" || record.Error.Code != "origin_refused" {
		t.Errorf("got error %+v, want forbidden and origin_refused", record.Error)
	}
	why, isRefusal := strings.CutPrefix(record.Error.Cause, "origin: ")
	if rule, _, _ := strings.Cut(why, ":"); !isRefusal || strings.Contains(err.Error(), rule) {
		t.Errorf("got cause %q and public error %q, want the rule in the cause alone", record.Error.Cause, err)
	}
	return why
}

type text string

func (s text) String() string { return string(s) }

func TestEachRuleJudgesWhatTheEventSays(t *testing.T) {
	const queue = "arn:aws:sqs:us-east-1:123456789012:orders"
	two := sample.Of(guard.SQS).Messages("1", "2")
	kinesis, dynamo, s3, sns := sample.Of(guard.Kinesis), sample.Of(guard.DynamoDB), sample.Of(guard.S3).Repeat(2), sample.Of(guard.SNS).Messages("1", "2")
	get := sample.HTTP("GET", "/orders")
	private := get.REST().Event().Set("/requestContext/identity/vpceId", "vpce-0123456789abcdef0")
	rest := sample.Of(guard.REST)
	socket := sample.Of(guard.WebSocket)
	for _, c := range []struct {
		name  string
		event fmt.Stringer
		rule  origin.Rule
		want  string
	}{
		{name: "account of a queue", event: two, rule: origin.Account("111111111111", account), want: met},
		{name: "another account", event: two, rule: origin.Account("111111111111"), want: "Account: " + foreign},
		{name: "account of one record", event: two.Set("/Records/1/eventSourceARN", "arn:aws:sqs:us-east-1:999999999999:orders"), rule: origin.Account(account), want: "Account: " + foreign},
		{name: "a record without a source", event: two.Delete("/Records/1/eventSourceARN"), rule: origin.Account(account), want: "Account: " + notSaid},
		{name: "a record of another service", event: two.Set("/Records/1/eventSource", "aws:sns"), rule: origin.Account(account), want: "Account: " + notSaid},
		{name: "a record with a short ARN", event: two.Set("/Records/1/eventSourceARN", "arn:aws:sqs:us-east-1:123456789012"), rule: origin.Account(account), want: "Account: " + notSaid},
		{name: "no records", event: two.Repeat(0), rule: origin.Account(account), want: "Account: " + notSaid},
		{name: "null records", event: text(`{"Records":null}`), rule: origin.Account(account), want: "Account: " + notSaid},
		{name: "records of nothing", event: text(`{"Records":[{}]}`), rule: origin.Account(account), want: "Account: " + notSaid},
		{name: "direct invocation", event: text(`{"account":"123456789012","eventSourceARN":"` + queue + `"}`), rule: origin.Account(account), want: "Account: " + notSaid},
		{name: "not JSON objects", event: text(`null`), rule: origin.Account(account), want: "Account: " + notSaid},
		{name: "account of a stream", event: kinesis, rule: origin.Account(account), want: met},
		{name: "account of a table", event: dynamo, rule: origin.Account(account), want: met},
		{name: "account of a topic", event: sns, rule: origin.Account(account), want: met},
		{name: "account of a repository", event: sample.Of(guard.CodeCommit), rule: origin.Account(account), want: met},
		{name: "account of a broker", event: sample.Of(guard.MQ), rule: origin.Account(account), want: met},
		{name: "account of a Kafka cluster", event: sample.Of(guard.Kafka), rule: origin.Account(account), want: met},
		{name: "account of a delivery stream", event: sample.Of(guard.Firehose), rule: origin.Account(account), want: met},
		{name: "account of an event", event: sample.Of(guard.EventBridge), rule: origin.Account(account), want: met},
		{name: "account of a foreign event", event: sample.Of(guard.EventBridge).Set("/account", "999999999999"), rule: origin.Account(account), want: "Account: " + foreign},
		{name: "account of a load balancer", event: sample.Of(guard.ALB), rule: origin.Account(account), want: met},
		{name: "account of a service network", event: sample.Of(guard.VPCLattice), rule: origin.Account(account), want: met},
		{name: "account of an HTTP API", event: get, rule: origin.Account(account), want: met},
		{name: "account in format 1.0", event: get.Format1(), rule: origin.Account(account), want: met},
		{name: "account of a REST API", event: rest, rule: origin.Account(account), want: met},
		{name: "account of a function URL", event: get.FunctionURL().IAM("arn:aws:iam::123456789012:role/shop").Event().Set("/requestContext/accountId", account), rule: origin.Account(account), want: met},
		{name: "a function URL without IAM", event: get.FunctionURL(), rule: origin.Account(account), want: "Account: " + foreign},
		{name: "account of an authorizer's call", event: sample.Of(guard.Authorizer), rule: origin.Account(account), want: met},
		{name: "an authorizer's ARN and context differ", event: sample.Of(guard.Authorizer).Set("/requestContext/accountId", "999999999999"), rule: origin.Account(account), want: "Account: " + foreign},
		{name: "an authorizer's ARN of nothing", event: sample.Of(guard.Authorizer).Set("/routeArn", "arn:aws:execute-api"), rule: origin.Account(account), want: "Account: " + notSaid},
		{name: "a WebSocket has none", event: socket, rule: origin.Account(account), want: "Account: " + notSaid},
		{name: "a bucket has none", event: s3, rule: origin.Account(account), want: "Account: " + notSaid},
		{name: "mail has none", event: sample.Of(guard.SES), rule: origin.Account(account), want: "Account: " + notSaid},
		{name: "log events have none that is not packed", event: sample.Of(guard.CloudWatchLogs), rule: origin.Account(account), want: "Account: " + notSaid},
		{name: "a user pool has none", event: sample.Of(guard.Cognito), rule: origin.Account(account), want: "Account: " + notSaid},

		{name: "region of a queue", event: two, rule: origin.Region("us-east-1"), want: met},
		{name: "region of one record", event: two.Set("/Records/1/awsRegion", "eu-central-1"), rule: origin.Region("us-east-1"), want: "Region: " + foreign},
		{name: "region of one record's ARN", event: two.Set("/Records/1/eventSourceARN", "arn:aws:sqs:eu-central-1:123456789012:orders"), rule: origin.Region("us-east-1"), want: "Region: " + foreign},
		{name: "region of a bucket", event: s3, rule: origin.Region("us-east-1"), want: met},
		{name: "region of a topic", event: sns, rule: origin.Region("us-east-1"), want: met},
		{name: "region of an event", event: sample.Of(guard.EventBridge), rule: origin.Region("eu-central-1"), want: "Region: " + foreign},
		{name: "region of a user pool", event: sample.Of(guard.Cognito), rule: origin.Region("us-east-1"), want: met},
		{name: "region of a domain of AWS", event: get, rule: origin.Region("us-east-1"), want: met},
		{name: "region of a function URL", event: get.FunctionURL(), rule: origin.Region("us-east-1"), want: met},
		{name: "region of a WebSocket", event: socket, rule: origin.Region("us-east-1"), want: met},
		{name: "a custom domain has none", event: get.Header("Host", "api.example.com"), rule: origin.Region("us-east-1"), want: "Region: " + notSaid},
		{name: "a domain that looks like one", event: get.Header("Host", "x.execute-api.us-east-1.amazonaws.com.example.com"), rule: origin.Region("us-east-1"), want: "Region: " + notSaid},
		{name: "region of a load balancer", event: sample.Of(guard.ALB), rule: origin.Region("us-east-1"), want: met},

		{name: "API", event: rest, rule: origin.API("a1b2c3d4e5"), want: met},
		{name: "API of a WebSocket", event: socket, rule: origin.API("a1b2c3d4e5"), want: met},
		{name: "API of AppSync's authorizer", event: sample.Of(guard.Authorizer, "appsync"), rule: origin.API("aaaaaa123123123example123"), want: met},
		{name: "API of a token's authorizer", event: sample.Of(guard.Authorizer, "token"), rule: origin.API("a1b2c3d4e5"), want: met},
		{name: "another API", event: rest, rule: origin.API("zzzzzzzzzz"), want: "API: " + foreign},
		{name: "an id in another case", event: rest, rule: origin.API("A1B2C3D4E5"), want: "API: " + foreign},
		{name: "a load balancer has no API", event: sample.Of(guard.ALB), rule: origin.API("a1b2c3d4e5"), want: "API: " + notSaid},
		{name: "Lattice has no API", event: sample.Of(guard.VPCLattice), rule: origin.API("a1b2c3d4e5"), want: "API: " + notSaid},
		{name: "a queue has no API", event: two, rule: origin.API("a1b2c3d4e5"), want: "API: " + notSaid},
		{name: "an API beside records", event: two.Set("/requestContext", map[string]any{"apiId": "a1b2c3d4e5", "stage": "prod"}), rule: origin.API("a1b2c3d4e5"), want: "API: " + notSaid},
		{name: "an API of another type", event: get.Event().Set("/requestContext/apiId", nil), rule: origin.API("a1b2c3d4e5"), want: "API: " + notSaid},

		{name: "stage", event: rest, rule: origin.Stage("prod"), want: met},
		{name: "default stage", event: get, rule: origin.Stage("$default"), want: met},
		{name: "stage of a function URL", event: get.FunctionURL(), rule: origin.Stage("$default"), want: met},
		{name: "stage of a token's authorizer", event: sample.Of(guard.Authorizer, "token"), rule: origin.Stage("prod"), want: met},
		{name: "test stage", event: get.REST().Stage("test"), rule: origin.Stage("prod"), want: "Stage: " + foreign},
		{name: "a console's test has the stage of its own", event: rest.Set("/requestContext/stage", "test-invoke-stage"), rule: origin.Stage("prod"), want: "Stage: " + foreign},
		{name: "stage of a WebSocket", event: socket, rule: origin.Stage("prod"), want: met},
		{name: "no stage", event: sample.Of(guard.ALB), rule: origin.Stage("prod"), want: "Stage: " + notSaid},

		{name: "domain", event: get.Header("Host", "api.example.com"), rule: origin.Domain("API.example.com"), want: met},
		{name: "domain in another case", event: get.Event().Set("/requestContext/domainName", "Api.Example.COM"), rule: origin.Domain("api.example.com"), want: met},
		{name: "AWS's domain", event: get, rule: origin.Domain("api.example.com"), want: "Domain: " + foreign},
		{name: "a longer domain", event: get.Header("Host", "api.example.com.evil.example"), rule: origin.Domain("api.example.com"), want: "Domain: " + foreign},
		{name: "Host alone", event: get.Event().Set("/requestContext/domainName", nil).Set("/headers/host", "api.example.com"), rule: origin.Domain("api.example.com"), want: "Domain: " + notSaid},
		{name: "Host at a load balancer", event: sample.Of(guard.ALB).Set("/headers/host", "api.example.com"), rule: origin.Domain("api.example.com"), want: "Domain: " + notSaid},
		{name: "Host at Lattice", event: sample.Of(guard.VPCLattice).Set("/headers/host", []string{"api.example.com"}), rule: origin.Domain("api.example.com"), want: "Domain: " + notSaid},

		{name: "queue", event: two, rule: origin.Source(queue), want: met},
		{name: "queues", event: two, rule: origin.Source("arn:aws:sqs:us-east-1:123456789012:or*"), want: met},
		{name: "one foreign queue", event: two.Set("/Records/1/eventSourceARN", queue+"-evil"), rule: origin.Source(queue), want: "Source: " + foreign},
		{name: "one record without", event: two.Set("/Records/0/eventSourceARN", ""), rule: origin.Source(queue), want: "Source: " + notSaid},
		{name: "a wildcard does not reach the account", event: two.Set("/Records/1/eventSourceARN", "arn:aws:sqs:us-east-1:x:123456789012:orders"), rule: origin.Source("arn:aws:sqs:us-east-1:*:orders"), want: "Source: " + foreign},
		{name: "the name in another case", event: two.Set("/Records/0/eventSourceARN", strings.ToUpper(queue)), rule: origin.Source(queue), want: "Source: " + notSaid},
		{name: "a dot is a dot", event: two.Set("/Records/0/eventSourceARN", queue+".fifo"), rule: origin.Source(queue, queue+".fifo"), want: met},
		{name: "a dot is no wildcard", event: two.Set("/Records/0/eventSourceARN", queue+"-fifo"), rule: origin.Source(queue, queue+".fifo"), want: "Source: " + foreign},
		{name: "two wildcards", event: two, rule: origin.Source("arn:*:sqs:us-*:123456789012:*der*"), want: met},
		{name: "a wildcard for nothing", event: two, rule: origin.Source(queue + "*"), want: met},
		{name: "the rest is something", event: two, rule: origin.Source(queue + "**"), want: "Source: " + foreign},
		{name: "a line break in a name", event: two.Set("/Records/0/eventSourceARN", queue+"\n"), rule: origin.Source(queue), want: "Source: " + foreign},
		{name: "a line break in the rest", event: two.Set("/Records/0/eventSourceARN", queue+"\nx"), rule: origin.Source(queue, queue+"**"), want: met},
		{name: "topic", event: sns, rule: origin.Source("arn:aws:sns:us-east-1:123456789012:orders"), want: met},
		{name: "one foreign topic", event: sns.Set("/Records/1/Sns/TopicArn", "arn:aws:sns:us-east-1:123456789012:evil"), rule: origin.Source("arn:aws:sns:us-east-1:123456789012:orders"), want: "Source: " + foreign},
		{name: "a queue among topics", event: sns.Set("/Records/1/EventSource", "aws:sqs"), rule: origin.Source("arn:aws:sns:us-east-1:123456789012:orders"), want: "Source: " + notSaid},
		{name: "stream", event: kinesis, rule: origin.Source("arn:aws:kinesis:us-east-1:123456789012:stream/orders"), want: met},
		{name: "table's stream", event: dynamo, rule: origin.Source("arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/**"), want: met},
		{name: "another table's", event: dynamo, rule: origin.Source("arn:aws:dynamodb:us-east-1:123456789012:table/order/stream/**"), want: "Source: " + foreign},
		{name: "one wildcard does not cross colons", event: dynamo, rule: origin.Source("arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/*"), want: "Source: " + foreign},
		{name: "bucket", event: s3, rule: origin.Source("arn:aws:s3:::shop-invoices"), want: met},
		{name: "one foreign bucket", event: s3.Set("/Records/1/s3/bucket/arn", "arn:aws:s3:::evil").Set("/Records/1/s3/bucket/name", "evil"), rule: origin.Source("arn:aws:s3:::shop-invoices"), want: "Source: " + foreign},
		{name: "the bucket's name is another", event: s3.Set("/Records/1/s3/bucket/name", "evil"), rule: origin.Source("arn:aws:s3:::shop-invoices"), want: "Source: " + notSaid},
		{name: "the bucket's name is the end of another", event: s3.Set("/Records/1/s3/bucket/name", "invoices"), rule: origin.Source("arn:aws:s3:::shop-invoices"), want: "Source: " + notSaid},
		{name: "the bucket's name behind another's", event: s3.Set("/Records/1/s3/bucket/name", "evil").Set("/Records/1/s3/bucket/arn", "arn:aws:s3:::shop-x:::evil"), rule: origin.Source("arn:aws:s3:::shop-**"), want: "Source: " + notSaid},
		{name: "a cluster and a foreign delivery stream", event: sample.Of(guard.Kafka).Set("/deliveryStreamArn", "arn:aws:firehose:us-east-1:999999999999:deliverystream/evil"), rule: origin.Source("arn:aws:kafka:us-east-1:123456789012:cluster/shop/**"), want: "Source: " + foreign},
		{name: "broker", event: sample.Of(guard.MQ, "rabbitmq"), rule: origin.Source("arn:aws:mq:us-east-1:123456789012:broker:shop:*"), want: met},
		{name: "cluster", event: sample.Of(guard.Kafka), rule: origin.Source("arn:aws:kafka:us-east-1:123456789012:cluster/shop/*"), want: met},
		{name: "a cluster of one's own has none", event: sample.Of(guard.Kafka, "self-managed"), rule: origin.Source("arn:aws:kafka:us-east-1:123456789012:cluster/shop/*"), want: "Source: " + notSaid},
		{name: "delivery stream", event: sample.Of(guard.Firehose), rule: origin.Source("arn:aws:firehose:us-east-1:123456789012:deliverystream/orders"), want: met},
		{name: "schedule", event: sample.Of(guard.EventBridge, "scheduled"), rule: origin.Source("arn:aws:events:us-east-1:123456789012:rule/**"), want: met},
		{name: "an event without resources", event: sample.Of(guard.EventBridge), rule: origin.Source("arn:aws:events:us-east-1:123456789012:rule/**"), want: "Source: " + notSaid},
		{name: "target group", event: sample.Of(guard.ALB), rule: origin.Source("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/shop/*"), want: met},
		{name: "another target group", event: sample.Of(guard.ALB), rule: origin.Source("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/*"), want: "Source: " + foreign},
		{name: "Lattice service", event: sample.Of(guard.VPCLattice), rule: origin.Source("arn:aws:vpc-lattice:us-east-1:123456789012:service/svc-*"), want: met},
		{name: "an API has none", event: rest, rule: origin.Source("arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/**"), want: "Source: " + notSaid},

		{name: "bucket's owner", event: s3, rule: origin.BucketOwner("A3I5XTEXAMAI3E"), want: met},
		{name: "another owner of one", event: s3.Set("/Records/1/s3/bucket/ownerIdentity/principalId", "AEVIL"), rule: origin.BucketOwner("A3I5XTEXAMAI3E"), want: "BucketOwner: " + foreign},
		{name: "an owner of no bucket", event: s3.Delete("/Records/1/s3/bucket/arn").Delete("/Records/1/s3/bucket/name"), rule: origin.BucketOwner("A3I5XTEXAMAI3E"), want: "BucketOwner: " + notSaid},
		{name: "no owner of one", event: s3.Delete("/Records/1/s3/bucket/ownerIdentity"), rule: origin.BucketOwner("A3I5XTEXAMAI3E"), want: "BucketOwner: " + notSaid},
		{name: "a record of another service among buckets", event: s3.Set("/Records/1/eventSource", "aws:ses"), rule: origin.BucketOwner("A3I5XTEXAMAI3E"), want: "BucketOwner: " + notSaid},
		{name: "a queue has no owner", event: two, rule: origin.BucketOwner("A3I5XTEXAMAI3E"), want: "BucketOwner: " + notSaid},

		{name: "endpoint", event: private, rule: origin.VPCEndpoint("vpce-0123456789abcdef0"), want: met},
		{name: "another endpoint", event: private, rule: origin.VPCEndpoint("vpce-1"), want: "VPCEndpoint: " + foreign},
		{name: "endpoint in another spelling", event: get.REST().Event().Set("/requestContext/identity/vpceid", "vpce-1"), rule: origin.VPCEndpoint("vpce-1"), want: "VPCEndpoint: " + notSaid},
		{name: "endpoint of another type", event: private.Set("/requestContext/identity/vpceId", []string{"vpce-1"}), rule: origin.VPCEndpoint("vpce-1"), want: "VPCEndpoint: " + notSaid},
		{name: "public API", event: rest, rule: origin.VPCEndpoint("vpce-1"), want: "VPCEndpoint: " + notSaid},
		{name: "no identity", event: rest.Delete("/requestContext/identity"), rule: origin.VPCEndpoint("vpce-1"), want: "VPCEndpoint: " + notSaid},
		{name: "a header of that name", event: get.REST().Header("vpceId", "vpce-1"), rule: origin.VPCEndpoint("vpce-1"), want: "VPCEndpoint: " + notSaid},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := cause(t, t.Context(), c.event, origin.Require(c.rule)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestQualifiedRefusesWhatIsNotPublished(t *testing.T) {
	const fn = "arn:aws:lambda:us-east-1:123456789012:function:orders"
	for _, c := range []struct {
		arn   string
		names []string
		want  string
	}{
		{arn: fn + ":live", want: met},
		{arn: fn + ":42", want: met},
		{arn: fn, want: "Qualified: " + notSaid},
		{arn: fn + ":", want: "Qualified: " + notSaid},
		{arn: fn + ":$LATEST", want: "Qualified: " + foreign},
		{arn: fn + ":$latest", want: "Qualified: " + foreign},
		{arn: fn + ":$LATEST.PUBLISHED", want: "Qualified: " + foreign},
		{arn: fn + ":live:42", want: "Qualified: " + notSaid},
		{arn: "", want: "Qualified: " + notSaid},
		{arn: "orders:live", want: "Qualified: " + notSaid},
		{arn: "123456789012:function:orders:live", want: "Qualified: " + notSaid},
		{arn: "arn:aws:sqs:us-east-1:123456789012:function:orders:live", want: "Qualified: " + notSaid},
		{arn: "arn:aws:lambda:us-east-1:123456789012:layer:orders:42", want: "Qualified: " + notSaid},
		{arn: "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:orders:live", want: met},
		{arn: fn + ":live", names: []string{"live", "42"}, want: met},
		{arn: fn + ":42", names: []string{"live", "42"}, want: met},
		{arn: fn + ":next", names: []string{"live", "42"}, want: "Qualified: " + foreign},
		{arn: fn + ":LIVE", names: []string{"live"}, want: "Qualified: " + foreign},
		{arn: fn, names: []string{"orders"}, want: "Qualified: " + notSaid},
		{arn: fn + ":$LATEST.PUBLISHED", names: []string{"$LATEST.PUBLISHED"}, want: met},
	} {
		ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{InvokedFunctionArn: c.arn})
		if got := cause(t, ctx, text(`{}`), origin.Require(origin.Qualified(c.names...))); got != c.want {
			t.Errorf("%s, %v: got %q, want %q", c.arn, c.names, got, c.want)
		}
	}
	if got, want := cause(t, t.Context(), text(`{}`), origin.Require(origin.Qualified())), "Qualified: "+notSaid; got != want {
		t.Errorf("without a Lambda context: got %q, want %q", got, want)
	}
}

func TestTheTenantIsTheCallers(t *testing.T) {
	granting := func(claims map[string]any) guard.Middleware {
		return authorizer.Require(func(context.Context, *authorizer.Request) (*authorizer.Grant, error) {
			return &authorizer.Grant{Principal: "alice", Context: claims}, nil
		})
	}
	claim := origin.Require(origin.TenantClaim("tenant"))
	for _, c := range []struct {
		name   string
		tenant string
		layers []guard.Middleware
		want   string
	}{
		{name: "one of the list", tenant: "blue", layers: []guard.Middleware{origin.Require(origin.Tenant("green", "blue"))}, want: met},
		{name: "another", tenant: "red", layers: []guard.Middleware{origin.Require(origin.Tenant("green", "blue"))}, want: "Tenant: " + foreign},
		{name: "none", tenant: "", layers: []guard.Middleware{origin.Require(origin.Tenant("green", "blue"))}, want: "Tenant: " + notSaid},
		{name: "the claim", tenant: "blue", layers: []guard.Middleware{granting(map[string]any{"tenant": "blue"}), claim}, want: met},
		{name: "another claim", tenant: "blue", layers: []guard.Middleware{granting(map[string]any{"tenant": "Blue"}), claim}, want: "TenantClaim: " + foreign},
		{name: "no claim", tenant: "blue", layers: []guard.Middleware{granting(nil), claim}, want: "TenantClaim: the grant does not have the claim"},
		{name: "an empty claim and no tenant", tenant: "", layers: []guard.Middleware{granting(map[string]any{"tenant": ""}), claim}, want: "TenantClaim: the grant does not have the claim"},
		{name: "a claim that is a number", tenant: "1", layers: []guard.Middleware{granting(map[string]any{"tenant": 1}), claim}, want: "TenantClaim: the grant does not have the claim"},
		{name: "a claim and no tenant", tenant: "", layers: []guard.Middleware{granting(map[string]any{"tenant": "blue"}), claim}, want: "TenantClaim: " + notSaid},
		{name: "no grant", tenant: "blue", layers: []guard.Middleware{claim}, want: "TenantClaim: there is no grant"},
	} {
		ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{TenantID: c.tenant})
		if got := cause(t, ctx, sample.HTTP("GET", "/").REST(), c.layers...); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

const (
	secret1 = "first-0123456789abcdef"
	secret2 = "second-0123456789abcdef"
	secret3 = "third-0123456789abcdef"
)

// vault has a current and a previous value.
type vault struct {
	current, previous string
	err               error
}

func (v vault) Fetch(_ context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	out := make([]secrets.Value, len(refs))
	for i, ref := range refs {
		value := v.current
		if ref.Stage != "" {
			value = v.previous
		}
		out[i] = secrets.Value{Data: []byte(value), Version: value}
		if value == "" {
			out[i] = secrets.Value{Err: secrets.ErrNotFound}
		}
	}
	return out, v.err
}

func TestAHeaderHasTheSecret(t *testing.T) {
	const name = "X-Origin-Verify"
	rotated := vault{current: secret2, previous: secret1}
	get := sample.HTTP("GET", "/")
	rest := sample.Of(guard.REST)
	for _, c := range []struct {
		name  string
		from  vault
		event fmt.Stringer
		want  string
	}{
		{name: "current", from: rotated, event: get.Header(name, secret2), want: met},
		{name: "previous", from: rotated, event: get.Header(name, secret1), want: met},
		{name: "one before", from: rotated, event: get.Header(name, secret3), want: "Header: " + foreign},
		{name: "no previous", from: vault{current: secret1}, event: get.Header(name, secret1), want: met},
		{name: "empty, no previous", from: vault{current: secret1}, event: get.Header(name, ""), want: "Header: " + foreign},
		{name: "none", from: rotated, event: get, want: "Header: " + notSaid},
		{name: "with a space", from: rotated, event: get.Event().Set("/headers/x-origin-verify", secret1+" "), want: "Header: " + foreign},
		{name: "twice the same", from: rotated, event: get.Header(name, secret1).Header(name, secret1), want: "Header: " + foreign},
		{name: "joined to a guess", from: rotated, event: get.Header(name, "guess").Header(name, secret1), want: "Header: " + foreign},
		{name: "another case", from: rotated, event: get.Event().Set("/headers/X-ORIGIN-VERIFY", secret1), want: met},
		{name: "two spellings", from: rotated, event: get.Event().Set("/headers/X-ORIGIN-VERIFY", secret1).Set("/headers/x-origin-verify", secret1), want: "Header: the request has several"},
		{name: "REST", from: rotated, event: rest.Set("/multiValueHeaders/X-Origin-Verify", []string{secret1}), want: met},
		{name: "REST, two lines", from: rotated, event: rest.Set("/multiValueHeaders/X-Origin-Verify", []string{"guess", secret1}), want: "Header: the request has several"},
		{name: "REST, single values alone", from: rotated, event: rest.Set("/headers/X-Origin-Verify", secret1), want: "Header: " + notSaid},
		{name: "REST, two spellings", from: rotated, event: rest.Set("/multiValueHeaders/X-Origin-Verify", []string{secret1}).Set("/multiValueHeaders/x-origin-verify", []string{"guess"}), want: "Header: the request has several"},
		{name: "format 1.0", from: rotated, event: get.Format1().Header(name, secret1), want: met},
		{name: "function URL", from: rotated, event: get.FunctionURL().Header(name, secret1), want: met},
		{name: "load balancer", from: rotated, event: sample.Of(guard.ALB).Set("/headers/x-origin-verify", secret1), want: met},
		{name: "Lattice", from: rotated, event: sample.Of(guard.VPCLattice).Set("/headers/x-origin-verify", []string{secret1}), want: met},
		{name: "Lattice, two lines", from: rotated, event: sample.Of(guard.VPCLattice).Set("/headers/x-origin-verify", []string{secret1, secret1}), want: "Header: the request has several"},
		{name: "WebSocket connects", from: rotated, event: sample.Of(guard.WebSocket, "connect").Set("/multiValueHeaders/x-origin-verify", []string{secret1}), want: met},
		{name: "WebSocket message", from: rotated, event: sample.Of(guard.WebSocket), want: "Header: " + notSaid},
		{name: "query", from: rotated, event: get.Query(name, secret1), want: "Header: " + notSaid},
		{name: "queue", from: rotated, event: sample.Of(guard.SQS).Set("/headers", map[string]string{name: secret1}), want: "Header: " + notSaid},
	} {
		rule := origin.Header(name, secrets.New(c.from), "cdn")
		if got := cause(t, t.Context(), c.event, origin.Require(rule)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	for name, c := range map[string]struct {
		from vault
		kind guard.Kind
	}{
		"cannot be read": {from: vault{err: secrets.ErrUnavailable}, kind: guard.Unavailable},
		"is too short":   {from: vault{current: "guess"}, kind: guard.Internal},
		"is empty":       {from: vault{current: ""}, kind: guard.Internal},
	} {
		h := guard.Wrap(ok, origin.Require(origin.Header("X-Origin-Verify", secrets.New(c.from), "cdn")))
		out, err := h.Invoke(t.Context(), get.Header("X-Origin-Verify", "guess").Bytes())
		if err == nil || guard.KindOf(err) != c.kind {
			t.Errorf("a secret that %s: got %s, %v, want an error of kind %v", name, out, err, c.kind)
		}
	}
}

func TestTheClientsAddressIsInANetwork(t *testing.T) {
	nets := []string{"192.0.2.0/24", "2001:db8::/32"}
	direct, proxied := origin.ClientIP(nets...), origin.ForwardedIP(1, nets...)
	get := sample.HTTP("GET", "/")
	v2 := func(xff string) fmt.Stringer { return get.Event().Set("/headers/x-forwarded-for", xff) }
	alb := func(xff string) fmt.Stringer { return sample.Of(guard.ALB).Set("/headers/x-forwarded-for", xff) }
	lines := func(xff ...string) fmt.Stringer {
		return sample.Of(guard.ALB, "multi-value").Set("/multiValueHeaders/x-forwarded-for", xff)
	}
	for _, c := range []struct {
		name  string
		event fmt.Stringer
		rule  origin.Rule
		want  string
	}{
		{name: "inside", event: get.SourceIP("192.0.2.7"), rule: direct, want: met},
		{name: "outside", event: get.SourceIP("192.0.3.7"), rule: direct, want: "ClientIP: " + foreign},
		{name: "IPv6", event: get.SourceIP("2001:db8::7"), rule: direct, want: met},
		{name: "mapped", event: get.Event().Set("/requestContext/http/sourceIp", "::ffff:192.0.2.7"), rule: direct, want: met},
		{name: "mapped, in hexadecimal", event: get.Event().Set("/requestContext/http/sourceIp", "::ffff:c000:207"), rule: direct, want: met},
		{name: "mapped, outside", event: get.Event().Set("/requestContext/http/sourceIp", "::ffff:192.0.3.7"), rule: direct, want: "ClientIP: " + foreign},
		{name: "zone", event: get.Event().Set("/requestContext/http/sourceIp", "2001:db8::7%eth0"), rule: direct, want: "ClientIP: " + foreign},
		{name: "leading zero", event: get.Event().Set("/requestContext/http/sourceIp", "192.0.02.7"), rule: direct, want: "ClientIP: " + notSaid},
		{name: "no address", event: get.Event().Set("/requestContext/http/sourceIp", ""), rule: direct, want: "ClientIP: " + notSaid},
		{name: "a forged header", event: get.SourceIP("192.0.3.7").Header("X-Forwarded-For", "192.0.2.7"), rule: direct, want: "ClientIP: " + foreign},
		{name: "REST", event: get.REST().SourceIP("192.0.2.7"), rule: direct, want: met},
		{name: "format 1.0", event: get.Format1().SourceIP("192.0.2.7"), rule: direct, want: met},
		{name: "function URL", event: get.FunctionURL().SourceIP("192.0.2.7"), rule: direct, want: met},
		{name: "WebSocket", event: sample.Of(guard.WebSocket).Set("/requestContext/identity/sourceIp", "192.0.2.7"), rule: direct, want: met},
		{name: "no identity", event: sample.Of(guard.WebSocket).Delete("/requestContext/identity"), rule: direct, want: "ClientIP: " + notSaid},
		{name: "Lattice", event: get.VPCLattice().SourceIP("192.0.2.7"), rule: direct, want: "ClientIP: " + notSaid},
		{name: "queue", event: sample.Of(guard.SQS), rule: direct, want: "ClientIP: " + notSaid},
		{name: "load balancer", event: alb("192.0.2.7"), rule: direct, want: met},
		{name: "load balancer, what the client sent", event: alb("192.0.2.7, 192.0.3.7"), rule: direct, want: "ClientIP: " + foreign},
		{name: "load balancer, last", event: alb("nonsense,192.0.3.7, 192.0.2.7"), rule: direct, want: met},
		{name: "load balancer, port", event: alb("192.0.2.7:4711"), rule: direct, want: met},
		{name: "load balancer, port of IPv6", event: alb("[2001:db8::7]:4711"), rule: direct, want: met},
		{name: "load balancer, empty last", event: alb("192.0.2.7,"), rule: direct, want: "ClientIP: " + notSaid},
		{name: "load balancer, no header", event: sample.Of(guard.ALB).Delete("/headers/x-forwarded-for"), rule: direct, want: "ClientIP: " + notSaid},
		{name: "load balancer, two spellings", event: sample.Of(guard.ALB).Set("/headers/X-Forwarded-For", "192.0.2.7"), rule: direct, want: "ClientIP: " + notSaid},
		{name: "load balancer, one line", event: lines("192.0.2.7"), rule: direct, want: met},
		{name: "load balancer, two lines", event: lines("192.0.3.7", "192.0.2.7"), rule: direct, want: "ClientIP: " + notSaid},

		{name: "behind a CDN", event: v2("192.0.2.7, 198.51.100.1"), rule: proxied, want: met},
		{name: "behind a CDN, forged", event: v2("192.0.2.7, 192.0.3.7, 198.51.100.1"), rule: proxied, want: "ForwardedIP: " + foreign},
		{name: "around the CDN", event: v2("192.0.2.7"), rule: proxied, want: "ForwardedIP: " + notSaid},
		{name: "two proxies", event: v2("192.0.2.7,198.51.100.1,198.51.100.2"), rule: origin.ForwardedIP(2, nets...), want: met},
		{name: "mapped behind a CDN", event: v2("::ffff:192.0.2.7, 198.51.100.1"), rule: proxied, want: met},
		{name: "load balancer behind a CDN", event: alb("192.0.2.7, 198.51.100.1"), rule: proxied, want: met},
		{name: "Lattice behind a proxy", event: get.VPCLattice().Header("X-Forwarded-For", "192.0.2.7"), rule: proxied, want: "ForwardedIP: " + notSaid},
		{name: "queue behind a CDN", event: sample.Of(guard.SQS), rule: proxied, want: "ForwardedIP: " + notSaid},
	} {
		if got := cause(t, t.Context(), c.event, origin.Require(c.rule)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestACertificateIsOfAnIssuerAndValid(t *testing.T) {
	const issuer = "CN=Shop CA,O=Example,C=DE"
	begin, end := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), time.Date(2027, 5, 28, 12, 30, 2, 0, time.UTC)
	cert := map[string]any{
		"clientCertPem": "pem", "subjectDN": "CN=till", "issuerDN": issuer, "serialNumber": "a1",
		"validity": map[string]string{"notBefore": "May  1 12:00:00 2026 GMT", "notAfter": "May 28 12:30:02 2027 GMT"},
	}
	v2 := sample.Of(guard.HTTPAPI).Set("/requestContext/authentication", map[string]any{"clientCert": cert})
	const at = "/requestContext/authentication/clientCert"
	for _, c := range []struct {
		name  string
		event fmt.Stringer
		now   time.Time
		want  string
	}{
		{name: "first second", event: v2, now: begin, want: met},
		{name: "last second", event: v2, now: end, want: met},
		{name: "too early", event: v2, now: begin.Add(-time.Second), want: "ClientCert: the certificate is not valid now"},
		{name: "too late", event: v2, now: end.Add(time.Second), want: "ClientCert: the certificate is not valid now"},
		{name: "another issuer", event: v2.Set(at+"/issuerDN", "CN=Evil CA"), now: begin, want: "ClientCert: " + foreign},
		{name: "an issuer with more", event: v2.Set(at+"/issuerDN", issuer+",L=Evil"), now: begin, want: "ClientCert: " + foreign},
		{name: "no issuer", event: v2.Delete(at + "/issuerDN"), now: begin, want: "ClientCert: " + notSaid},
		{name: "no validity", event: v2.Delete(at + "/validity"), now: begin, want: "ClientCert: " + notSaid},
		{name: "no end", event: v2.Set(at+"/validity/notAfter", nil), now: begin, want: "ClientCert: " + notSaid},
		{name: "an end in another zone", event: v2.Set(at+"/validity/notAfter", "May 28 12:30:02 2027 EST"), now: begin, want: "ClientCert: " + notSaid},
		{name: "an end in another form", event: v2.Set(at+"/validity/notAfter", "2027-05-28T12:30:02Z"), now: begin, want: "ClientCert: " + notSaid},
		{name: "no certificate", event: sample.Of(guard.HTTPAPI), now: begin, want: "ClientCert: " + notSaid},
		{name: "REST", event: sample.Of(guard.REST).Set("/requestContext/identity/clientCert", cert), now: begin, want: met},
		{name: "load balancer", event: sample.Of(guard.ALB).Set("/headers/x-amzn-mtls-clientcert-issuer", issuer).Set("/headers/x-amzn-mtls-clientcert-subject", "CN=till"), now: begin, want: "ClientCert: " + notSaid},
		{name: "a header of the client", event: sample.HTTP("GET", "/").Header("clientCert", issuer), now: begin, want: "ClientCert: " + notSaid},
		{name: "queue", event: sample.Of(guard.SQS), now: begin, want: "ClientCert: " + notSaid},
	} {
		if got := cause(t, t.Context(), c.event, origin.RequireAt(c.now, origin.ClientCert("CN=Other CA", issuer))); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// An event with two meanings is refused before a rule is asked.
func TestAnAmbiguousEventIsInvalid(t *testing.T) {
	for name, event := range map[string]string{
		"a source twice":          `{"Records":[{"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-1:123456789012:orders","eventSourceARN":"evil"}]}`,
		"a source in two cases":   `{"Records":[{"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-1:123456789012:orders","EventSourceARN":"evil"}]}`,
		"records in two cases":    `{"Records":[{"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-1:123456789012:orders"}],"records":[]}`,
		"a source that is a list": `{"Records":[{"eventSource":"aws:sqs","eventSourceARN":["arn:aws:sqs:us-east-1:123456789012:orders"]}]}`,
		"a record that is null":   `{"Records":[{"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-1:123456789012:orders"},null]}`,
		"text behind":             `{"Records":[{"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-1:123456789012:orders"}]}{}`,
		"an account in two cases": sample.HTTP("GET", "/").Event().Set("/requestContext/AccountId", "123456789012").String(),
	} {
		h := guard.Wrap(ok, origin.Require(origin.Account(account)))
		if out, err := h.Invoke(t.Context(), []byte(event)); err == nil || guard.KindOf(err).Retryable() {
			t.Errorf("%s: got %s, %v, want an error that is final", name, out, err)
		}
	}
}

// All rules must be met, and the first one that is not is the reason.
func TestAllRulesMustBeMet(t *testing.T) {
	event := sample.Of(guard.REST)
	good, bad := origin.Stage("prod"), origin.API("zzz")
	if got := cause(t, t.Context(), event, origin.Require(good, origin.Account(account))); got != met {
		t.Errorf("two good ones: got %q, want none", got)
	}
	if got, want := cause(t, t.Context(), event, origin.Require(good, bad, origin.Stage("test"))), "API: "+foreign; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAClientLearnsNoRule(t *testing.T) {
	var log bytes.Buffer
	h := guard.Wrap(httpapi.Func(func(context.Context, struct{}) (string, error) { return "ok", nil }),
		httpapi.Default(logging.New(&log)), origin.Require(origin.VPCEndpoint("vpce-1")))
	out, err := h.Invoke(t.Context(), sample.HTTP("GET", "/orders").REST().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		StatusCode int
		Body       string
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != 403 || strings.Contains(strings.ToLower(string(out)), "vpc") {
		t.Errorf("got %s, want a 403 without the rule", out)
	}
	if !strings.Contains(log.String(), "origin: VPCEndpoint: "+notSaid) {
		t.Errorf("got the record %s, want the rule in it", log.String())
	}
}

func TestManyInvocationsAtOnceAreJudgedEachByItself(t *testing.T) {
	h := guard.Wrap(ok, origin.Require(
		origin.Source("arn:aws:sqs:us-east-1:123456789012:orders"),
		origin.Qualified("live"),
	))
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			event, qualifier, want := sample.Of(guard.SQS).Messages("1", "2"), "live", true
			if i%3 == 1 {
				event, want = event.Set("/Records/1/eventSourceARN", "arn:aws:sqs:us-east-1:123456789012:other"), false
			}
			if i%3 == 2 {
				qualifier, want = "next", false
			}
			ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{InvokedFunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:f:" + qualifier})
			if _, err := h.Invoke(ctx, event.Bytes()); (err == nil) != want {
				t.Errorf("%d: got %v, want success %t", i, err, want)
			}
		})
	}
	wg.Wait()
}

func TestWrongArgumentsPanic(t *testing.T) {
	cache := secrets.New(secrets.Env())
	wrap := func(layers ...guard.Middleware) func() { return func() { guard.Wrap(ok, layers...) } }
	for _, c := range []struct {
		want string
		f    func()
	}{
		{want: "origin: Require without a rule", f: func() { origin.Require() }},
		{want: "origin: Require with an empty Rule", f: func() { origin.Require(origin.Account(account), origin.Rule{}) }},
		{want: "origin: Account without", f: func() { origin.Account() }},
		{want: "origin: Account: malformed", f: func() { origin.Account("12345678901") }},
		{want: "origin: Account: malformed", f: func() { origin.Account("12345678901*") }},
		{want: "origin: Region without", f: func() { origin.Region() }},
		{want: "origin: Region: malformed", f: func() { origin.Region("eu-*") }},
		{want: "origin: Region: malformed", f: func() { origin.Region("EU-central-1") }},
		{want: "origin: API: malformed", f: func() { origin.API("*") }},
		{want: "origin: Stage: malformed", f: func() { origin.Stage("") }},
		{want: "origin: Stage: malformed", f: func() { origin.Stage("prod", "$DEFAULT") }},
		{want: "origin: Domain: malformed", f: func() { origin.Domain("https://example.com") }},
		{want: "origin: Domain: malformed", f: func() { origin.Domain("*.example.com") }},
		{want: "origin: Domain: malformed", f: func() { origin.Domain("example.com:443") }},
		{want: "origin: Source without", f: func() { origin.Source() }},
		{want: "origin: Source: malformed", f: func() { origin.Source("orders") }},
		{want: "origin: Source: malformed", f: func() { origin.Source("*") }},
		{want: "origin: Source: malformed", f: func() { origin.Source("arn:aws:*:us-east-1:123456789012:orders") }},
		{want: "origin: Source: malformed", f: func() { origin.Source("arn:aws:sqs:us-east-1:123456789012:") }},
		{want: "origin: Source: malformed", f: func() { origin.Source("arn:aws:sqs:us-east-1:**:orders") }},
		{want: "origin: Source: malformed", f: func() { origin.Source("arn:aws:sqs:us-east-1:123456789012:a**b") }},
		{want: "origin: Source: malformed", f: func() { origin.Source("arn:aws:sqs:us-east-1:123456789012:***") }},
		{want: "origin: Source: malformed", f: func() { origin.Source("arn:aws:sqs:us-east-1:123456789012:order?") }},
		{want: "origin: Source: malformed", f: func() { origin.Source("arn:aws:sqs:us-east-1:123456789012:\xff") }},
		{want: "origin: BucketOwner: malformed", f: func() { origin.BucketOwner("arn:aws:iam::1:root") }},
		{want: "origin: VPCEndpoint: malformed", f: func() { origin.VPCEndpoint("vpc-1") }},
		{want: "origin: VPCEndpoint: malformed", f: func() { origin.VPCEndpoint("vpce-") }},
		{want: "origin: Qualified: malformed", f: func() { origin.Qualified("$LATEST") }},
		{want: "origin: Qualified: malformed", f: func() { origin.Qualified("live", "") }},
		{want: "origin: Tenant: malformed", f: func() { origin.Tenant("") }},
		{want: "origin: Tenant without", f: func() { origin.Tenant() }},
		{want: "origin: TenantClaim without", f: func() { origin.TenantClaim("") }},
		{want: "origin: Header: not the name", f: func() { origin.Header("", cache, "s") }},
		{want: "origin: Header: not the name", f: func() { origin.Header("X Y", cache, "s") }},
		{want: "origin: Header: not the name", f: func() { origin.Header("Cookie", cache, "s") }},
		{want: "origin: Header without a cache", f: func() { origin.Header("X", nil, "s") }},
		{want: "origin: Header without a cache", f: func() { origin.Header("X", cache, "") }},
		{want: "origin: ClientIP without a network", f: func() { origin.ClientIP() }},
		{want: "origin: ClientIP with", f: func() { origin.ClientIP("192.0.2.1/24") }},
		{want: "origin: ForwardedIP without a proxy", f: func() { origin.ForwardedIP(0, "192.0.2.0/24") }},
		{want: "origin: ForwardedIP without a network", f: func() { origin.ForwardedIP(1) }},
		{want: "origin: ClientCert without", f: func() { origin.ClientCert() }},
		{want: "origin: ClientCert without", f: func() { origin.ClientCert("CN=a", "") }},
		{want: "idempotency.Once stands outside origin.Require", f: wrap(idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key")), origin.Require(origin.Account(account)))},
		{want: "idempotency.Once stands outside origin.Require", f: wrap(idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key")), origin.Require(origin.TenantClaim("t")))},
		{want: "origin.TenantClaim stands outside authorizer.Require", f: wrap(origin.Require(origin.Account(account), origin.TenantClaim("t")), authorizer.Require(authorizer.ClientCert()))},
		{want: "origin.TenantClaim stands outside authorizer.FromGateway", f: wrap(origin.Require(origin.TenantClaim("t")), authorizer.FromGateway())},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, c.want) {
					t.Errorf("got panic %q, want %q", got, c.want)
				}
			}()
			c.f()
		}()
	}
}
