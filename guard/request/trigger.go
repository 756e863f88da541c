package request

import "bytes"

// Trigger is the service that invoked the function, found from the form of the
// event. A caller with permission to invoke the function can forge any event: use a
// trigger to route and to label, never to authorize.
type Trigger string

// The triggers.
const (
	Unknown        Trigger = "unknown"      // a direct invocation, or a shape not listed here
	HTTPAPI        Trigger = "http-api"     // API Gateway HTTP API, payload format 2.0 or 1.0
	FunctionURL    Trigger = "function-url" // Lambda function URL
	REST           Trigger = "rest-api"     // API Gateway REST API
	VPCLattice     Trigger = "vpc-lattice"  // VPC Lattice, event structure version V2
	ALB            Trigger = "alb"          // Application Load Balancer
	WebSocket      Trigger = "websocket"    // API Gateway WebSocket API
	Authorizer     Trigger = "authorizer"   // API Gateway or AppSync, asking for a decision
	AppSync        Trigger = "appsync"      // AppSync, calling a resolver or a handler of AppSync Events
	SQS            Trigger = "sqs"
	SNS            Trigger = "sns"
	S3             Trigger = "s3"
	SES            Trigger = "ses"
	EventBridge    Trigger = "eventbridge"
	Kinesis        Trigger = "kinesis"
	DynamoDB       Trigger = "dynamodb"
	Firehose       Trigger = "firehose"
	CloudWatchLogs Trigger = "cloudwatch-logs"
	Kafka          Trigger = "kafka"      // MSK or self-managed
	MQ             Trigger = "mq"         // Amazon MQ: ActiveMQ, RabbitMQ
	DocumentDB     Trigger = "documentdb" // the change stream of a cluster
	CodeCommit     Trigger = "codecommit"
	Cognito        Trigger = "cognito" // user pool triggers and sync events
)

// IsHTTP reports whether the event is an HTTP request, and the answer an HTTP
// response in the proxy format.
func (t Trigger) IsHTTP() bool {
	switch t {
	case HTTPAPI, FunctionURL, REST, VPCLattice, ALB:
		return true
	default:
		return false
	}
}

// triggerOf returns the trigger by the source of the first record or of the event.
func triggerOf(source []byte) Trigger {
	switch string(source) {
	case "aws:sqs":
		return SQS
	case "aws:sns":
		return SNS
	case "aws:s3":
		return S3
	case "aws:ses":
		return SES
	case "aws:kinesis":
		return Kinesis
	case "aws:dynamodb":
		return DynamoDB
	case "aws:codecommit":
		return CodeCommit
	case "aws:kafka", "aws:SelfManagedKafka", "SelfManagedKafka":
		return Kafka
	case "aws:mq", "aws:rmq", "aws:amq":
		return MQ
	case "aws:docdb":
		return DocumentDB
	default:
		return Unknown
	}
}

// decide returns the trigger of an event without records, by the members that it
// has.
func (r *Request) decide() Trigger {
	switch {
	case (r.has(methodARN) || r.has(routeARN)) && (r.is(kind, "REQUEST") || r.is(kind, "TOKEN")),
		r.has(authorizationToken) && r.has(requestContext):
		return Authorizer
	case r.has(detailType) && r.has(source):
		return EventBridge
	case r.has(info) && (r.has(arguments) && (r.has(identityOfCaller) || r.has(requestOfResolver)) || r.has(requestOfResolver) && r.has(stash)): // an API key is no identity
		return AppSync
	case !r.has(requestContext):
		return Unknown
	case r.has(elb):
		return ALB
	case r.has(connectionID):
		return WebSocket
	}
	switch {
	case r.is(version, "2.0") && r.has(http):
		if bytes.Contains(r.value(domainName), []byte(".lambda-url.")) {
			return FunctionURL
		}
		return HTTPAPI
	case r.is(version, "1.0") && r.has(httpMethod):
		return HTTPAPI
	case r.has(httpMethod):
		return REST
	case r.is(version, "2.0") && bytes.Contains(r.value(serviceARN), []byte(":vpc-lattice:")):
		return VPCLattice
	default:
		return Unknown
	}
}
