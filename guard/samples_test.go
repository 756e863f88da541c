package guard_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
)

// A goldenEvent is one of the events and answers that aws-lambda-go keeps beside
// its event types, with the type that its own tests decode it into.
type goldenEvent struct {
	file    string
	trigger guard.Trigger
	decodes func(t *testing.T, text []byte)
}

// as says that Func reads and writes a T exactly as lambda.NewHandler does.
func as[T any](t *testing.T, text []byte) {
	t.Helper()
	var got, want T
	echo := func(to *T) func(context.Context, T) (T, error) {
		return func(_ context.Context, in T) (T, error) {
			*to = in
			return in, nil
		}
	}
	wantOut, err := lambda.NewHandler(echo(&want)).Invoke(t.Context(), text)
	if err != nil {
		t.Fatalf("lambda.NewHandler: %v", err)
	}
	gotOut, err := guard.Func(echo(&got)).Invoke(t.Context(), text)
	if err != nil {
		t.Fatalf("guard.Func: %v", err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("decoded\n%+v, lambda.NewHandler makes it\n%+v", got, want)
	}
	if !bytes.Equal(gotOut, wantOut) {
		t.Errorf("encoded\n%s, lambda.NewHandler writes\n%s", gotOut, wantOut)
	}
}

// notJSON is for the sample that is broken on purpose.
func notJSON(t *testing.T, text []byte) {
	t.Helper()
	var want events.DynamoDBEvent
	if _, err := lambda.NewHandler(func(in events.DynamoDBEvent) error { want = in; return nil }).Invoke(t.Context(), text); err == nil {
		t.Fatalf("lambda.NewHandler accepts it as %+v", want)
	}
	_, err := guard.Func(func(context.Context, events.DynamoDBEvent) (any, error) {
		t.Error("the handler was called")
		return nil, nil
	}).Invoke(t.Context(), text)
	if e := guard.Public(err); err == nil || e.Kind != guard.Invalid || e.Code != "malformed_json" {
		t.Errorf("%v, want Invalid malformed_json", err)
	}
}

var samples = []goldenEvent{
	{file: "activemq-event.json", trigger: guard.MQ, decodes: as[events.ActiveMQEvent]},
	{file: "alb-lambda-target-request-headers-only.json", trigger: guard.ALB, decodes: as[events.ALBTargetGroupRequest]},
	{file: "alb-lambda-target-request-multivalue-headers.json", trigger: guard.ALB, decodes: as[events.ALBTargetGroupRequest]},
	{file: "alb-lambda-target-response.json", trigger: guard.Unknown, decodes: as[events.ALBTargetGroupResponse]},
	{
		file:    "apigw-custom-auth-request-type-request.json",
		trigger: guard.Authorizer,
		decodes: as[events.APIGatewayCustomAuthorizerRequestTypeRequest],
	},
	{file: "apigw-custom-auth-request.json", trigger: guard.Authorizer, decodes: as[events.APIGatewayCustomAuthorizerRequest]},
	{file: "apigw-custom-auth-response.json", trigger: guard.Unknown, decodes: as[events.APIGatewayCustomAuthorizerResponse]},
	{file: "apigw-request.json", trigger: guard.REST, decodes: as[events.APIGatewayProxyRequest]},
	{file: "apigw-response.json", trigger: guard.Unknown, decodes: as[events.APIGatewayProxyResponse]},
	{file: "apigw-restapi-openapi-request.json", trigger: guard.REST, decodes: as[events.APIGatewayProxyRequest]},
	{
		file:    "apigw-v2-custom-authorizer-v1-request.json",
		trigger: guard.Authorizer,
		decodes: as[events.APIGatewayV2CustomAuthorizerV1Request],
	},
	{
		file:    "apigw-v2-custom-authorizer-v2-request.json",
		trigger: guard.Authorizer,
		decodes: as[events.APIGatewayV2CustomAuthorizerV2Request],
	},
	{file: "apigw-v2-request-iam.json", trigger: guard.HTTPAPI, decodes: as[events.APIGatewayV2HTTPRequest]},
	{file: "apigw-v2-request-jwt-authorizer.json", trigger: guard.HTTPAPI, decodes: as[events.APIGatewayV2HTTPRequest]},
	{file: "apigw-v2-request-lambda-authorizer.json", trigger: guard.HTTPAPI, decodes: as[events.APIGatewayV2HTTPRequest]},
	{file: "apigw-v2-request-no-authorizer.json", trigger: guard.HTTPAPI, decodes: as[events.APIGatewayV2HTTPRequest]},
	{
		file:    "apigw-websocket-request-disconnect.json",
		trigger: guard.WebSocket,
		decodes: as[events.APIGatewayWebsocketProxyRequest],
	},
	{
		file:    "apigw-websocket-request-send-message.json",
		trigger: guard.WebSocket,
		decodes: as[events.APIGatewayWebsocketProxyRequest],
	},
	{file: "apigw-websocket-request.json", trigger: guard.WebSocket, decodes: as[events.APIGatewayWebsocketProxyRequest]},
	{file: "appsync-identity-cognito.json", trigger: guard.Unknown, decodes: as[events.AppSyncCognitoIdentity]},
	{file: "appsync-identity-iam.json", trigger: guard.Unknown, decodes: as[events.AppSyncIAMIdentity]},
	{file: "appsync-lambda-auth-request.json", trigger: guard.Authorizer, decodes: as[events.AppSyncLambdaAuthorizerRequest]},
	{file: "appsync-lambda-auth-response.json", trigger: guard.Unknown, decodes: as[events.AppSyncLambdaAuthorizerResponse]},
	{file: "autoscaling-event-launch-successful.json", trigger: guard.EventBridge, decodes: as[events.AutoScalingEvent]},
	{file: "autoscaling-event-launch-unsuccessful.json", trigger: guard.EventBridge, decodes: as[events.AutoScalingEvent]},
	{file: "autoscaling-event-lifecycle-action.json", trigger: guard.EventBridge, decodes: as[events.AutoScalingEvent]},
	{file: "autoscaling-event-terminate-action.json", trigger: guard.EventBridge, decodes: as[events.AutoScalingEvent]},
	{file: "autoscaling-event-terminate-successful.json", trigger: guard.EventBridge, decodes: as[events.AutoScalingEvent]},
	{file: "autoscaling-event-terminate-unsuccessful.json", trigger: guard.EventBridge, decodes: as[events.AutoScalingEvent]},
	{
		file:    "clientvpn-connectionhandler-request.json",
		trigger: guard.Unknown,
		decodes: as[events.ClientVPNConnectionHandlerRequest],
	},
	{file: "cloudwatch-alarm-sns-payload-multiple-metrics.json", trigger: guard.SNS, decodes: as[events.SNSEvent]},
	{file: "cloudwatch-alarm-sns-payload-single-metric.json", trigger: guard.SNS, decodes: as[events.SNSEvent]},
	{file: "cloudwatch-logs-event.json", trigger: guard.CloudWatchLogs, decodes: as[events.CloudwatchLogsEvent]},
	{file: "code-commit-event.json", trigger: guard.CodeCommit, decodes: as[events.CodeCommitEvent]},
	{file: "codebuild-phase-change.json", trigger: guard.EventBridge, decodes: as[events.CodeBuildEvent]},
	{file: "codebuild-state-change.json", trigger: guard.EventBridge, decodes: as[events.CodeBuildEvent]},
	{file: "codedeploy-deployment-event.json", trigger: guard.EventBridge, decodes: as[events.CodeDeployEvent]},
	{file: "codedeploy-instance-event.json", trigger: guard.EventBridge, decodes: as[events.CodeDeployEvent]},
	{
		file:    "codepipeline-action-execution-stage-change-event.json",
		trigger: guard.EventBridge,
		decodes: as[events.CodePipelineCloudWatchEvent],
	},
	{
		file:    "codepipeline-execution-stage-change-event.json",
		trigger: guard.EventBridge,
		decodes: as[events.CodePipelineCloudWatchEvent],
	},
	{
		file:    "codepipeline-execution-state-change-event.json",
		trigger: guard.EventBridge,
		decodes: as[events.CodePipelineCloudWatchEvent],
	},
	{file: "codepipeline-job-event.json", trigger: guard.Unknown, decodes: as[events.CodePipelineJobEvent]},
	{
		file:    "cognito-event-userpools-create-auth-challenge.json",
		trigger: guard.Cognito,
		decodes: as[events.CognitoEventUserPoolsCreateAuthChallenge],
	},
	{
		file:    "cognito-event-userpools-custommessage.json",
		trigger: guard.Cognito,
		decodes: as[events.CognitoEventUserPoolsCustomMessage],
	},
	{
		file:    "cognito-event-userpools-define-auth-challenge.json",
		trigger: guard.Cognito,
		decodes: as[events.CognitoEventUserPoolsDefineAuthChallenge],
	},
	{
		file:    "cognito-event-userpools-inbound-federation-oidc.json",
		trigger: guard.Cognito,
		decodes: as[events.CognitoEventUserPoolsInboundFederation],
	},
	{
		file:    "cognito-event-userpools-inbound-federation-saml.json",
		trigger: guard.Cognito,
		decodes: as[events.CognitoEventUserPoolsInboundFederation],
	},
	{
		file:    "cognito-event-userpools-migrateuser.json",
		trigger: guard.Cognito,
		decodes: as[events.CognitoEventUserPoolsMigrateUser],
	},
	{
		file:    "cognito-event-userpools-postauthentication.json",
		trigger: guard.Cognito,
		decodes: as[events.CognitoEventUserPoolsPostAuthentication],
	},
	{
		file:    "cognito-event-userpools-postconfirmation.json",
		trigger: guard.Cognito,
		decodes: as[events.CognitoEventUserPoolsPostConfirmation],
	},
	{
		file:    "cognito-event-userpools-preauthentication.json",
		trigger: guard.Cognito,
		decodes: as[events.CognitoEventUserPoolsPreAuthentication],
	},
	{
		file:    "cognito-event-userpools-presignup.json",
		trigger: guard.Cognito,
		decodes: as[events.CognitoEventUserPoolsPreSignup],
	},
	{
		file:    "cognito-event-userpools-pretokengen-v2.json",
		trigger: guard.Cognito,
		//lint:ignore SA1019 the sample is of the type that v2_0 replaces
		decodes: as[events.CognitoEventUserPoolsPreTokenGenV2],
	},
	{
		file:    "cognito-event-userpools-pretokengen-v2_0.json",
		trigger: guard.Cognito,
		decodes: as[events.CognitoEventUserPoolsPreTokenGenV2_0],
	},
	{
		file:    "cognito-event-userpools-pretokengen.json",
		trigger: guard.Cognito,
		decodes: as[events.CognitoEventUserPoolsPreTokenGen],
	},
	{
		file:    "cognito-event-userpools-verify-auth-challenge.json",
		trigger: guard.Cognito,
		decodes: as[events.CognitoEventUserPoolsVerifyAuthChallenge],
	},
	{file: "cognito-event.json", trigger: guard.Cognito, decodes: as[events.CognitoEvent]},
	{file: "config-event.json", trigger: guard.Unknown, decodes: as[events.ConfigEvent]},
	{file: "connect-event.json", trigger: guard.Unknown, decodes: as[events.ConnectEvent]},
	{file: "dynamodb-event-malformed.2.json", trigger: guard.DynamoDB, decodes: notJSON},
	{file: "dynamodb-event.json", trigger: guard.DynamoDB, decodes: as[events.DynamoDBEvent]},
	{file: "dynamodb-time-window-event.json", trigger: guard.DynamoDB, decodes: as[events.DynamoDBTimeWindowEvent]},
	{file: "ecr-image-push-event.json", trigger: guard.EventBridge, decodes: as[events.ECRImageActionEvent]},
	{file: "ecr-image-scan-event.json", trigger: guard.EventBridge, decodes: as[events.ECRScanEvent]},
	{
		file:    "ecs-container-instance-state-change.json",
		trigger: guard.EventBridge,
		decodes: as[events.ECSContainerInstanceEvent],
	},
	{file: "iot-1-click-event.json", trigger: guard.Unknown, decodes: as[events.IoTOneClickEvent]},
	{file: "iot-button-event.json", trigger: guard.Unknown, decodes: as[events.IoTButtonEvent]},
	{file: "iot-custom-auth-request.json", trigger: guard.Unknown, decodes: as[events.IoTCoreCustomAuthorizerRequest]},
	{file: "iot-custom-auth-response.json", trigger: guard.Unknown, decodes: as[events.IoTCoreCustomAuthorizerResponse]},
	{file: "iot-preprovision-hook-request.json", trigger: guard.Unknown, decodes: as[events.IoTPreProvisionHookRequest]},
	{file: "iot-preprovision-hook-response.json", trigger: guard.Unknown, decodes: as[events.IoTPreProvisionHookResponse]},
	{file: "kafka-event.json", trigger: guard.Kafka, decodes: as[events.KafkaEvent]},
	{
		file:    "kinesis-analytics-output-delivery-event.json",
		trigger: guard.Unknown,
		decodes: as[events.KinesisAnalyticsOutputDeliveryEvent],
	},
	{
		file:    "kinesis-analytics-output-delivery-response.json",
		trigger: guard.Unknown,
		decodes: as[events.KinesisAnalyticsOutputDeliveryResponse],
	},
	{file: "kinesis-event.json", trigger: guard.Kinesis, decodes: as[events.KinesisEvent]},
	{file: "kinesis-firehose-event.json", trigger: guard.Firehose, decodes: as[events.KinesisFirehoseEvent]},
	{file: "kinesis-firehose-response.json", trigger: guard.Unknown, decodes: as[events.KinesisFirehoseResponse]},
	{file: "kinesis-time-window-event.json", trigger: guard.Kinesis, decodes: as[events.KinesisTimeWindowEvent]},
	{file: "lambda-urls-request.json", trigger: guard.FunctionURL, decodes: as[events.LambdaFunctionURLRequest]},
	{file: "lambda-urls-response.json", trigger: guard.Unknown, decodes: as[events.LambdaFunctionURLResponse]},
	{file: "lex-event.json", trigger: guard.Unknown, decodes: as[events.LexEvent]},
	{file: "lex-response.json", trigger: guard.Unknown, decodes: as[events.LexResponse]},
	{file: "rabbitmq-event.json", trigger: guard.MQ, decodes: as[events.RabbitMQEvent]},
	{file: "s3-batch-job-event-request-1.0.json", trigger: guard.Unknown, decodes: as[events.S3BatchJobEvent]},
	{file: "s3-batch-job-event-request-2.0.json", trigger: guard.Unknown, decodes: as[events.S3BatchJobEventV2]},
	{file: "s3-batch-job-event-response.json", trigger: guard.Unknown, decodes: as[events.S3BatchJobResponse]},
	{file: "s3-event-with-decoded.json", trigger: guard.S3, decodes: as[events.S3Event]},
	{file: "s3-event.json", trigger: guard.S3, decodes: as[events.S3Event]},
	{file: "s3-glacier-event.json", trigger: guard.S3, decodes: as[events.S3Event]},
	{file: "s3-intelligenttier-event.json", trigger: guard.S3, decodes: as[events.S3Event]},
	{file: "s3-lifecycle-event.json", trigger: guard.S3, decodes: as[events.S3Event]},
	{
		file:    "s3-object-lambda-event-get-object-assumed-role.json",
		trigger: guard.Unknown,
		decodes: as[events.S3ObjectLambdaEvent],
	},
	{file: "s3-object-lambda-event-get-object-iam.json", trigger: guard.Unknown, decodes: as[events.S3ObjectLambdaEvent]},
	{file: "s3-object-lambda-event-head-object-iam.json", trigger: guard.Unknown, decodes: as[events.S3ObjectLambdaEvent]},
	{file: "s3-object-lambda-event-list-objects-iam.json", trigger: guard.Unknown, decodes: as[events.S3ObjectLambdaEvent]},
	{file: "s3-object-lambda-event-list-objects-v2-iam.json", trigger: guard.Unknown, decodes: as[events.S3ObjectLambdaEvent]},
	{file: "s3-replication-event.json", trigger: guard.S3, decodes: as[events.S3Event]},
	{file: "s3-restore-event.json", trigger: guard.S3, decodes: as[events.S3Event]},
	{
		file:    "secretsmanager-secret-rotation-event.json",
		trigger: guard.Unknown,
		decodes: as[events.SecretsManagerSecretRotationEvent],
	},
	{file: "ses-lambda-event.json", trigger: guard.SES, decodes: as[events.SimpleEmailEvent]},
	{file: "ses-s3-event.json", trigger: guard.SES, decodes: as[events.SimpleEmailEvent]},
	{file: "ses-sns-event.json", trigger: guard.SES, decodes: as[events.SimpleEmailEvent]},
	{file: "sns-event.json", trigger: guard.SNS, decodes: as[events.SNSEvent]},
	{file: "sqs-event.json", trigger: guard.SQS, decodes: as[events.SQSEvent]},
}

// samplesDir is where the module cache keeps the samples.
var samplesDir = sync.OnceValues(func() (string, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-lambda-go").Output()
	return filepath.Join(strings.TrimSpace(string(dir)), "events", "testdata"), err
})

func readSample(tb testing.TB, file string) []byte {
	tb.Helper()
	dir, err := samplesDir()
	if err != nil {
		tb.Fatalf("find aws-lambda-go: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func TestEverySampleIsListed(t *testing.T) {
	listed := map[string]bool{}
	for _, s := range samples {
		readSample(t, s.file)
		listed[s.file] = true
	}
	dir, _ := samplesDir()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples in %s: %v", dir, err)
	}
	for _, path := range files {
		if file := filepath.Base(path); !listed[file] {
			t.Errorf("%s has no line in the table", file)
		}
	}
}

func TestFuncDecodesEverySampleAsLambdaDoes(t *testing.T) {
	for _, s := range samples {
		t.Run(s.file, func(t *testing.T) { s.decodes(t, readSample(t, s.file)) })
	}
}

func TestTriggerOfEverySample(t *testing.T) {
	for _, s := range samples {
		if got := guard.EventOf(t.Context(), readSample(t, s.file)).Trigger(); got != s.trigger {
			t.Errorf("%s: %s, want %s", s.file, got, s.trigger)
		}
	}
}
