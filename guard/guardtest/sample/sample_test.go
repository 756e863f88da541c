package sample_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

func triggerOf(name string) guard.Trigger {
	trigger, _, _ := strings.Cut(name, "/")
	return guard.Trigger(trigger)
}

func TestEveryTriggerHasASampleThatIsRecognised(t *testing.T) {
	seen := map[guard.Trigger]bool{}
	for name, event := range sample.All() {
		seen[triggerOf(name)] = true
		if got := guard.EventOf(t.Context(), event.Bytes()).Trigger(); got != triggerOf(name) {
			t.Errorf("%s is recognised as %s", name, got)
		}
	}
	for _, trigger := range []guard.Trigger{
		guard.HTTPAPI, guard.FunctionURL, guard.REST, guard.VPCLattice, guard.WebSocket, guard.ALB, guard.Authorizer,
		guard.SQS, guard.SNS, guard.S3, guard.SES, guard.EventBridge, guard.Kinesis, guard.DynamoDB,
		guard.Firehose, guard.CloudWatchLogs, guard.Kafka, guard.MQ, guard.CodeCommit, guard.Cognito,
	} {
		if !seen[trigger] {
			t.Errorf("%s has no sample", trigger)
		}
		sample.Of(trigger)
	}
}

// decoders has, for each sample, its type in aws-lambda-go and the members that
// the type does not know.
var decoders = map[string]struct {
	decode func(context.Context, []byte) ([]byte, error)
	lost   []string
}{
	"alb":                            {decode: through[events.ALBTargetGroupRequest]},
	"alb/multi-value":                {decode: through[events.ALBTargetGroupRequest]},
	"authorizer":                     {decode: through[events.APIGatewayV2CustomAuthorizerV2Request]},
	"authorizer/appsync":             {decode: through[events.AppSyncLambdaAuthorizerRequest], lost: []string{"/requestHeaders"}},
	"authorizer/http-1.0":            {decode: through[events.APIGatewayV2CustomAuthorizerV1Request], lost: []string{"/requestContext/identity/userAgent"}},
	"authorizer/request":             {decode: through[events.APIGatewayCustomAuthorizerRequestTypeRequest], lost: []string{"/requestContext"}},
	"authorizer/request-documented":  {decode: through[events.APIGatewayCustomAuthorizerRequestTypeRequest], lost: []string{"/requestContext"}},
	"authorizer/token":               {decode: through[events.APIGatewayCustomAuthorizerRequest]},
	"authorizer/token-any-stage":     {decode: through[events.APIGatewayCustomAuthorizerRequest]},
	"authorizer/token-console":       {decode: through[events.APIGatewayCustomAuthorizerRequest]},
	"authorizer/websocket":           {decode: through[events.APIGatewayCustomAuthorizerRequestTypeRequest], lost: []string{"/requestContext"}},
	"cloudwatch-logs":                {decode: through[events.CloudwatchLogsEvent]},
	"codecommit":                     {decode: through[events.CodeCommitEvent]},
	"cognito":                        {decode: through[events.CognitoEventUserPoolsPreSignup]},
	"cognito/create-auth-challenge":  {decode: through[events.CognitoEventUserPoolsCreateAuthChallenge]},
	"cognito/custom-message":         {decode: through[events.CognitoEventUserPoolsCustomMessage], lost: []string{"/request/linkParameter"}},
	"cognito/define-auth-challenge":  {decode: through[events.CognitoEventUserPoolsDefineAuthChallenge]},
	"cognito/post-authentication":    {decode: through[events.CognitoEventUserPoolsPostAuthentication]},
	"cognito/post-confirmation":      {decode: through[events.CognitoEventUserPoolsPostConfirmation]},
	"cognito/pre-authentication":     {decode: through[events.CognitoEventUserPoolsPreAuthentication]},
	"cognito/pre-token-generation":   {decode: through[events.CognitoEventUserPoolsPreTokenGen]},
	"cognito/pre-token-generation-2": {decode: through[events.CognitoEventUserPoolsPreTokenGenV2_0]},
	"cognito/sync":                   {decode: through[events.CognitoEvent]},
	"cognito/user-migration":         {decode: through[events.CognitoEventUserPoolsMigrateUser]},
	"cognito/verify-auth-challenge":  {decode: through[events.CognitoEventUserPoolsVerifyAuthChallenge]},
	"dynamodb":                       {decode: through[events.DynamoDBEvent]},
	"dynamodb/modify":                {decode: through[events.DynamoDBEvent]},
	"dynamodb/remove":                {decode: through[events.DynamoDBEvent]},
	"eventbridge":                    {decode: through[events.EventBridgeEvent]},
	"eventbridge/scheduled":          {decode: through[events.EventBridgeEvent]},
	"firehose":                       {decode: through[events.KinesisFirehoseEvent]},
	"firehose/kinesis":               {decode: through[events.KinesisFirehoseEvent]},
	"function-url":                   {decode: through[events.LambdaFunctionURLRequest], lost: []string{"/routeKey", "/requestContext/routeKey", "/requestContext/stage"}},
	"http-api":                       {decode: through[events.APIGatewayV2HTTPRequest]},
	"http-api/format-1.0":            {decode: through[events.APIGatewayProxyRequest], lost: []string{"/version", "/isBase64Encoded"}},
	"kafka":                          {decode: through[events.KafkaEvent]},
	"kafka/self-managed":             {decode: through[events.KafkaEvent]},
	"kinesis":                        {decode: through[events.KinesisEvent]},
	"mq":                             {decode: through[events.ActiveMQEvent]},
	"mq/rabbitmq":                    {decode: through[events.RabbitMQEvent]},
	"rest-api":                       {decode: through[events.APIGatewayProxyRequest], lost: []string{"/requestContext/deploymentId", "/isBase64Encoded"}},
	"rest-api/mixed-case":            {decode: through[events.APIGatewayProxyRequest], lost: []string{"/requestContext/deploymentId", "/isBase64Encoded"}},
	"s3":                             {decode: through[events.S3Event]},
	"s3/removed":                     {decode: through[events.S3Event]},
	"ses":                            {decode: through[events.SimpleEmailEvent]},
	"sns":                            {decode: through[events.SNSEvent]},
	"sqs":                            {decode: through[events.SQSEvent]},
	"sqs/fifo":                       {decode: through[events.SQSEvent]},
	"vpc-lattice":                    {decode: through[latticeRequest]},
	"websocket":                      {decode: through[events.APIGatewayWebsocketProxyRequest]},
	"websocket/connect":              {decode: through[events.APIGatewayWebsocketProxyRequest]},
	"websocket/disconnect":           {decode: through[events.APIGatewayWebsocketProxyRequest]},
}

// latticeRequest is an event of VPC Lattice as AWS documents it; aws-lambda-go
// has no type for one.
type latticeRequest struct {
	Version               string              `json:"version"`
	Path                  string              `json:"path"`
	Method                string              `json:"method"`
	Headers               map[string][]string `json:"headers"`
	QueryStringParameters map[string][]string `json:"queryStringParameters"`
	Body                  string              `json:"body"`
	IsBase64Encoded       bool                `json:"isBase64Encoded"`
	RequestContext        struct {
		ServiceNetworkARN string `json:"serviceNetworkArn"`
		ServiceARN        string `json:"serviceArn"`
		TargetGroupARN    string `json:"targetGroupArn"`
		Identity          struct {
			SourceVPCARN   string `json:"sourceVpcArn"`
			Type           string `json:"type"`
			Principal      string `json:"principal"`
			PrincipalOrgID string `json:"principalOrgID"`
			SessionName    string `json:"sessionName"`
			X509IssuerOU   string `json:"x509IssuerOu"`
			X509SANDNS     string `json:"x509SanDns"`
			X509SANNameCN  string `json:"x509SanNameCn"`
			X509SANURI     string `json:"x509SanUri"`
			X509SubjectCN  string `json:"x509SubjectCn"`
		} `json:"identity"`
		Region    string `json:"region"`
		TimeEpoch string `json:"timeEpoch"`
	} `json:"requestContext"`
}

// through decodes an event strictly, and encodes what has been read.
func through[T any](ctx context.Context, event []byte) ([]byte, error) {
	return guard.Func(func(_ context.Context, in T) (T, error) { return in, nil }).Invoke(ctx, event)
}

func TestSamplesKeepTheirMembersInTheTypesOfAWSLambdaGo(t *testing.T) {
	for name, event := range sample.All() {
		t.Run(name, func(t *testing.T) {
			d, ok := decoders[name]
			if !ok {
				t.Fatal("no line in the table")
			}
			encoded, err := d.decode(t.Context(), event.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			before, after := leaves(t, event.Bytes()), leaves(t, encoded)
			for pointer, value := range before {
				isLost := slices.ContainsFunc(d.lost, func(lost string) bool {
					return pointer == lost || strings.HasPrefix(pointer, lost+"/")
				})
				got, ok := after[pointer]
				if !isLost && value != nil && (!ok || !reflect.DeepEqual(got, value)) {
					t.Errorf("%s was %v, is %v", pointer, value, got)
				}
			}
			for _, lost := range d.lost {
				event.Get(lost) // panics when the table is out of date
			}
		})
	}
}

// leaves has every scalar and every empty object or array of a text.
func leaves(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var root any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	found := map[string]any{}
	var walk func(pointer string, v any)
	walk = func(pointer string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, value := range v {
				walk(pointer+"/"+name, value)
			}
		case []any:
			for i, value := range v {
				walk(fmt.Sprintf("%s/%d", pointer, i), value)
			}
		default:
			found[pointer] = v
		}
	}
	walk("", root)
	return found
}

func TestChecksumsAndEncodingsOfSamplesAreRight(t *testing.T) {
	for _, event := range []sample.Event{
		sample.Of(guard.SQS),
		sample.Of(guard.SQS, "fifo"),
		sample.Of(guard.SQS).Messages(`{"order":1}`),
	} {
		sum := md5.Sum([]byte(event.Get("/Records/0/body").(string)))
		if got := event.Get("/Records/0/md5OfBody"); got != hex.EncodeToString(sum[:]) {
			t.Errorf("md5OfBody is %v, want %x", got, sum)
		}
	}
	for _, event := range []sample.Event{sample.Of(guard.HTTPAPI), sample.Of(guard.ALB), sample.Of(guard.FunctionURL)} {
		if got, want := event.Get("/headers/content-length"), fmt.Sprint(len(event.Get("/body").(string))); got != want {
			t.Errorf("content-length is %v, want %s", got, want)
		}
	}
}

// A sample has all members that the kit's own API sends, and no fewer than the
// builder.
func TestHTTPSamplesHaveTheMembersOfTheBuilder(t *testing.T) {
	samples := maps.Collect(sample.All())
	request := sample.HTTP("POST", "/orders/42?dryRun=true").Cookie("session", "x").JSON(`{}`)
	for name, built := range map[string]sample.Event{
		"http-api":            request.Event(),
		"http-api/format-1.0": request.Format1().Event(),
		"function-url":        request.FunctionURL().Event(),
		"rest-api":            request.REST().Event(),
		"vpc-lattice":         request.VPCLattice().IAM("arn:aws:iam::123456789012:role/r").Event(),
	} {
		have := members(t, samples[name].Bytes())
		for pointer := range members(t, built.Bytes()) {
			if !have[pointer] {
				t.Errorf("%s: %s is not in the sample", name, pointer)
			}
		}
	}
}

// members are all member names of an event but those of headers, query and path.
func members(t *testing.T, text []byte) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for pointer := range leaves(t, text) {
		for _, open := range []string{"/headers", "/multiValueHeaders", "/queryStringParameters", "/multiValueQueryStringParameters", "/pathParameters", "/cookies"} {
			if strings.HasPrefix(pointer, open+"/") {
				pointer = open
			}
		}
		found[pointer] = true
	}
	return found
}
