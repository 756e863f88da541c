package guard

import "github.com/lambdarmor/lambdarmor/guard/request"

// Trigger is the service that invoked the function, found from the form of the
// event. A caller with permission to invoke the function can forge any event: use a
// trigger to route and to label, never to authorize.
type Trigger = request.Trigger

// The triggers.
const (
	Unknown        = request.Unknown     // a direct invocation, or a shape not listed here
	HTTPAPI        = request.HTTPAPI     // API Gateway HTTP API, payload format 2.0 or 1.0
	FunctionURL    = request.FunctionURL // Lambda function URL
	REST           = request.REST        // API Gateway REST API
	VPCLattice     = request.VPCLattice  // VPC Lattice, event structure version V2
	ALB            = request.ALB         // Application Load Balancer
	WebSocket      = request.WebSocket   // API Gateway WebSocket API
	Authorizer     = request.Authorizer  // API Gateway or AppSync, asking for a decision
	AppSync        = request.AppSync     // AppSync, calling a resolver or a handler of AppSync Events
	SQS            = request.SQS
	SNS            = request.SNS
	S3             = request.S3
	SES            = request.SES
	EventBridge    = request.EventBridge
	Kinesis        = request.Kinesis
	DynamoDB       = request.DynamoDB
	Firehose       = request.Firehose
	CloudWatchLogs = request.CloudWatchLogs
	Kafka          = request.Kafka      // MSK or self-managed
	MQ             = request.MQ         // Amazon MQ: ActiveMQ, RabbitMQ
	DocumentDB     = request.DocumentDB // the change stream of a cluster
	CodeCommit     = request.CodeCommit
	Cognito        = request.Cognito // user pool triggers and sync events
)
