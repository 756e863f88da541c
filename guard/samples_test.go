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

// A sample is one of the events and answers that aws-lambda-go keeps beside
// its event types, with the type that its own tests decode it into.
type sample struct {
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

var samples = []sample{
	{"activemq-event.json", guard.MQ, as[events.ActiveMQEvent]},
	{"alb-lambda-target-request-headers-only.json", guard.ALB, as[events.ALBTargetGroupRequest]},
	{"alb-lambda-target-request-multivalue-headers.json", guard.ALB, as[events.ALBTargetGroupRequest]},
	{"alb-lambda-target-response.json", guard.Unknown, as[events.ALBTargetGroupResponse]},
	{"apigw-custom-auth-request-type-request.json", guard.Authorizer, as[events.APIGatewayCustomAuthorizerRequestTypeRequest]},
	{"apigw-custom-auth-request.json", guard.Authorizer, as[events.APIGatewayCustomAuthorizerRequest]},
	{"apigw-custom-auth-response.json", guard.Unknown, as[events.APIGatewayCustomAuthorizerResponse]},
	{"apigw-request.json", guard.REST, as[events.APIGatewayProxyRequest]},
	{"apigw-response.json", guard.Unknown, as[events.APIGatewayProxyResponse]},
	{"apigw-restapi-openapi-request.json", guard.REST, as[events.APIGatewayProxyRequest]},
	{"apigw-v2-custom-authorizer-v1-request.json", guard.Authorizer, as[events.APIGatewayV2CustomAuthorizerV1Request]},
	{"apigw-v2-custom-authorizer-v2-request.json", guard.Authorizer, as[events.APIGatewayV2CustomAuthorizerV2Request]},
	{"apigw-v2-request-iam.json", guard.HTTPAPI, as[events.APIGatewayV2HTTPRequest]},
	{"apigw-v2-request-jwt-authorizer.json", guard.HTTPAPI, as[events.APIGatewayV2HTTPRequest]},
	{"apigw-v2-request-lambda-authorizer.json", guard.HTTPAPI, as[events.APIGatewayV2HTTPRequest]},
	{"apigw-v2-request-no-authorizer.json", guard.HTTPAPI, as[events.APIGatewayV2HTTPRequest]},
	{"apigw-websocket-request-disconnect.json", guard.WebSocket, as[events.APIGatewayWebsocketProxyRequest]},
	{"apigw-websocket-request-send-message.json", guard.WebSocket, as[events.APIGatewayWebsocketProxyRequest]},
	{"apigw-websocket-request.json", guard.WebSocket, as[events.APIGatewayWebsocketProxyRequest]},
	{"appsync-identity-cognito.json", guard.Unknown, as[events.AppSyncCognitoIdentity]},
	{"appsync-identity-iam.json", guard.Unknown, as[events.AppSyncIAMIdentity]},
	{"appsync-lambda-auth-request.json", guard.Authorizer, as[events.AppSyncLambdaAuthorizerRequest]},
	{"appsync-lambda-auth-response.json", guard.Unknown, as[events.AppSyncLambdaAuthorizerResponse]},
	{"autoscaling-event-launch-successful.json", guard.EventBridge, as[events.AutoScalingEvent]},
	{"autoscaling-event-launch-unsuccessful.json", guard.EventBridge, as[events.AutoScalingEvent]},
	{"autoscaling-event-lifecycle-action.json", guard.EventBridge, as[events.AutoScalingEvent]},
	{"autoscaling-event-terminate-action.json", guard.EventBridge, as[events.AutoScalingEvent]},
	{"autoscaling-event-terminate-successful.json", guard.EventBridge, as[events.AutoScalingEvent]},
	{"autoscaling-event-terminate-unsuccessful.json", guard.EventBridge, as[events.AutoScalingEvent]},
	{"clientvpn-connectionhandler-request.json", guard.Unknown, as[events.ClientVPNConnectionHandlerRequest]},
	{"cloudwatch-alarm-sns-payload-multiple-metrics.json", guard.SNS, as[events.SNSEvent]},
	{"cloudwatch-alarm-sns-payload-single-metric.json", guard.SNS, as[events.SNSEvent]},
	{"cloudwatch-logs-event.json", guard.CloudWatchLogs, as[events.CloudwatchLogsEvent]},
	{"code-commit-event.json", guard.CodeCommit, as[events.CodeCommitEvent]},
	{"codebuild-phase-change.json", guard.EventBridge, as[events.CodeBuildEvent]},
	{"codebuild-state-change.json", guard.EventBridge, as[events.CodeBuildEvent]},
	{"codedeploy-deployment-event.json", guard.EventBridge, as[events.CodeDeployEvent]},
	{"codedeploy-instance-event.json", guard.EventBridge, as[events.CodeDeployEvent]},
	{"codepipeline-action-execution-stage-change-event.json", guard.EventBridge, as[events.CodePipelineCloudWatchEvent]},
	{"codepipeline-execution-stage-change-event.json", guard.EventBridge, as[events.CodePipelineCloudWatchEvent]},
	{"codepipeline-execution-state-change-event.json", guard.EventBridge, as[events.CodePipelineCloudWatchEvent]},
	{"codepipeline-job-event.json", guard.Unknown, as[events.CodePipelineJobEvent]},
	{"cognito-event-userpools-create-auth-challenge.json", guard.Cognito, as[events.CognitoEventUserPoolsCreateAuthChallenge]},
	{"cognito-event-userpools-custommessage.json", guard.Cognito, as[events.CognitoEventUserPoolsCustomMessage]},
	{"cognito-event-userpools-define-auth-challenge.json", guard.Cognito, as[events.CognitoEventUserPoolsDefineAuthChallenge]},
	{"cognito-event-userpools-inbound-federation-oidc.json", guard.Cognito, as[events.CognitoEventUserPoolsInboundFederation]},
	{"cognito-event-userpools-inbound-federation-saml.json", guard.Cognito, as[events.CognitoEventUserPoolsInboundFederation]},
	{"cognito-event-userpools-migrateuser.json", guard.Cognito, as[events.CognitoEventUserPoolsMigrateUser]},
	{"cognito-event-userpools-postauthentication.json", guard.Cognito, as[events.CognitoEventUserPoolsPostAuthentication]},
	{"cognito-event-userpools-postconfirmation.json", guard.Cognito, as[events.CognitoEventUserPoolsPostConfirmation]},
	{"cognito-event-userpools-preauthentication.json", guard.Cognito, as[events.CognitoEventUserPoolsPreAuthentication]},
	{"cognito-event-userpools-presignup.json", guard.Cognito, as[events.CognitoEventUserPoolsPreSignup]},
	//lint:ignore SA1019 the sample is of the type that v2_0 replaces
	{"cognito-event-userpools-pretokengen-v2.json", guard.Cognito, as[events.CognitoEventUserPoolsPreTokenGenV2]},
	{"cognito-event-userpools-pretokengen-v2_0.json", guard.Cognito, as[events.CognitoEventUserPoolsPreTokenGenV2_0]},
	{"cognito-event-userpools-pretokengen.json", guard.Cognito, as[events.CognitoEventUserPoolsPreTokenGen]},
	{"cognito-event-userpools-verify-auth-challenge.json", guard.Cognito, as[events.CognitoEventUserPoolsVerifyAuthChallenge]},
	{"cognito-event.json", guard.Cognito, as[events.CognitoEvent]},
	{"config-event.json", guard.Unknown, as[events.ConfigEvent]},
	{"connect-event.json", guard.Unknown, as[events.ConnectEvent]},
	{"dynamodb-event-malformed.2.json", guard.DynamoDB, notJSON},
	{"dynamodb-event.json", guard.DynamoDB, as[events.DynamoDBEvent]},
	{"dynamodb-time-window-event.json", guard.DynamoDB, as[events.DynamoDBTimeWindowEvent]},
	{"ecr-image-push-event.json", guard.EventBridge, as[events.ECRImageActionEvent]},
	{"ecr-image-scan-event.json", guard.EventBridge, as[events.ECRScanEvent]},
	{"ecs-container-instance-state-change.json", guard.EventBridge, as[events.ECSContainerInstanceEvent]},
	{"iot-1-click-event.json", guard.Unknown, as[events.IoTOneClickEvent]},
	{"iot-button-event.json", guard.Unknown, as[events.IoTButtonEvent]},
	{"iot-custom-auth-request.json", guard.Unknown, as[events.IoTCoreCustomAuthorizerRequest]},
	{"iot-custom-auth-response.json", guard.Unknown, as[events.IoTCoreCustomAuthorizerResponse]},
	{"iot-preprovision-hook-request.json", guard.Unknown, as[events.IoTPreProvisionHookRequest]},
	{"iot-preprovision-hook-response.json", guard.Unknown, as[events.IoTPreProvisionHookResponse]},
	{"kafka-event.json", guard.Kafka, as[events.KafkaEvent]},
	{"kinesis-analytics-output-delivery-event.json", guard.Unknown, as[events.KinesisAnalyticsOutputDeliveryEvent]},
	{"kinesis-analytics-output-delivery-response.json", guard.Unknown, as[events.KinesisAnalyticsOutputDeliveryResponse]},
	{"kinesis-event.json", guard.Kinesis, as[events.KinesisEvent]},
	{"kinesis-firehose-event.json", guard.Firehose, as[events.KinesisFirehoseEvent]},
	{"kinesis-firehose-response.json", guard.Unknown, as[events.KinesisFirehoseResponse]},
	{"kinesis-time-window-event.json", guard.Kinesis, as[events.KinesisTimeWindowEvent]},
	{"lambda-urls-request.json", guard.FunctionURL, as[events.LambdaFunctionURLRequest]},
	{"lambda-urls-response.json", guard.Unknown, as[events.LambdaFunctionURLResponse]},
	{"lex-event.json", guard.Unknown, as[events.LexEvent]},
	{"lex-response.json", guard.Unknown, as[events.LexResponse]},
	{"rabbitmq-event.json", guard.MQ, as[events.RabbitMQEvent]},
	{"s3-batch-job-event-request-1.0.json", guard.Unknown, as[events.S3BatchJobEvent]},
	{"s3-batch-job-event-request-2.0.json", guard.Unknown, as[events.S3BatchJobEventV2]},
	{"s3-batch-job-event-response.json", guard.Unknown, as[events.S3BatchJobResponse]},
	{"s3-event-with-decoded.json", guard.S3, as[events.S3Event]},
	{"s3-event.json", guard.S3, as[events.S3Event]},
	{"s3-glacier-event.json", guard.S3, as[events.S3Event]},
	{"s3-intelligenttier-event.json", guard.S3, as[events.S3Event]},
	{"s3-lifecycle-event.json", guard.S3, as[events.S3Event]},
	{"s3-object-lambda-event-get-object-assumed-role.json", guard.Unknown, as[events.S3ObjectLambdaEvent]},
	{"s3-object-lambda-event-get-object-iam.json", guard.Unknown, as[events.S3ObjectLambdaEvent]},
	{"s3-object-lambda-event-head-object-iam.json", guard.Unknown, as[events.S3ObjectLambdaEvent]},
	{"s3-object-lambda-event-list-objects-iam.json", guard.Unknown, as[events.S3ObjectLambdaEvent]},
	{"s3-object-lambda-event-list-objects-v2-iam.json", guard.Unknown, as[events.S3ObjectLambdaEvent]},
	{"s3-replication-event.json", guard.S3, as[events.S3Event]},
	{"s3-restore-event.json", guard.S3, as[events.S3Event]},
	{"secretsmanager-secret-rotation-event.json", guard.Unknown, as[events.SecretsManagerSecretRotationEvent]},
	{"ses-lambda-event.json", guard.SES, as[events.SimpleEmailEvent]},
	{"ses-s3-event.json", guard.SES, as[events.SimpleEmailEvent]},
	{"ses-sns-event.json", guard.SES, as[events.SimpleEmailEvent]},
	{"sns-event.json", guard.SNS, as[events.SNSEvent]},
	{"sqs-event.json", guard.SQS, as[events.SQSEvent]},
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
