package guard

import (
	"bytes"

	"github.com/lambdarmor/lambdarmor/internal/jsonpeek"
)

// Trigger is what invoked the function, told from the shape of the event. Who
// may invoke a function can forge any shape: a trigger routes and labels, it
// never permits.
type Trigger string

// The triggers that are told apart.
const (
	Unknown        Trigger = "unknown"      // a direct invocation, or a shape not listed here
	HTTPAPI        Trigger = "http-api"     // API Gateway HTTP API, payload format 2.0 or 1.0
	FunctionURL    Trigger = "function-url" // Lambda function URL
	REST           Trigger = "rest-api"     // API Gateway REST API
	VPCLattice     Trigger = "vpc-lattice"  // VPC Lattice, event structure version V2
	WebSocket      Trigger = "websocket"    // API Gateway WebSocket API
	ALB            Trigger = "alb"          // Application Load Balancer
	Authorizer     Trigger = "authorizer"   // API Gateway or AppSync, asking for a decision
	SQS            Trigger = "sqs"
	SNS            Trigger = "sns"
	S3             Trigger = "s3"
	SES            Trigger = "ses"
	EventBridge    Trigger = "eventbridge"
	Kinesis        Trigger = "kinesis"
	DynamoDB       Trigger = "dynamodb"
	Firehose       Trigger = "firehose"
	CloudWatchLogs Trigger = "cloudwatch-logs"
	Kafka          Trigger = "kafka" // MSK or self-managed
	MQ             Trigger = "mq"    // Amazon MQ: ActiveMQ, RabbitMQ
	CodeCommit     Trigger = "codecommit"
	Cognito        Trigger = "cognito" // user pool triggers and sync events
)

// IsHTTP reports whether the event is an HTTP request that [Event.HTTP] reads,
// and the answer an HTTP response in the proxy format.
func (t Trigger) IsHTTP() bool {
	return t == HTTPAPI || t == FunctionURL || t == REST || t == VPCLattice
}

// triggerOf reads the members at the top and what the deciding one holds.
func triggerOf(payload []byte) Trigger {
	var version, kind, source, reqContext []byte
	var arn, detailType, httpMethod, token bool
	for name, value := range jsonpeek.Starts(payload) {
		switch string(name) {
		case "Records":
			return recordTrigger(jsonpeek.First(value))
		case "version":
			version = leadingText(value)
		case "type":
			kind = leadingText(value)
		case "methodArn", "routeArn":
			arn = true
		case "authorizationToken":
			token = true
		case "requestContext":
			reqContext = value
		case "httpMethod":
			httpMethod = true
		case "source":
			source = value
		case "detail-type":
			detailType = true
		case "eventSource":
			return brokerTrigger(leadingText(value))
		case "deliveryStreamArn":
			return Firehose
		case "awslogs":
			return CloudWatchLogs
		case "triggerSource", "identityPoolId":
			return Cognito
		}
	}
	switch {
	case arn && (string(kind) == "REQUEST" || string(kind) == "TOKEN"), token && reqContext != nil:
		return Authorizer
	case detailType && source != nil:
		return EventBridge
	case reqContext != nil:
		return gatewayTrigger(string(version), reqContext, httpMethod)
	default:
		return Unknown
	}
}

func recordTrigger(record []byte) Trigger {
	for name, value := range jsonpeek.Starts(record) {
		if string(name) == "eventSource" || string(name) == "EventSource" {
			return sourceTrigger(leadingText(value))
		}
	}
	return Unknown
}

// leadingText is the string that rest begins with.
func leadingText(rest []byte) []byte { return jsonpeek.Text(jsonpeek.Value(rest)) }

func sourceTrigger(source []byte) Trigger {
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
	default:
		return Unknown
	}
}

func brokerTrigger(source []byte) Trigger {
	switch string(source) {
	case "aws:kafka", "aws:SelfManagedKafka", "SelfManagedKafka":
		return Kafka
	case "aws:mq", "aws:rmq", "aws:amq":
		return MQ
	default:
		return Unknown
	}
}

// gatewayTrigger tells apart what has a requestContext.
func gatewayTrigger(version string, reqContext []byte, httpMethod bool) Trigger {
	var domain []byte
	var hasHTTP, lattice bool
	for name, value := range jsonpeek.Starts(reqContext) {
		switch string(name) {
		case "elb":
			return ALB
		case "connectionId":
			return WebSocket
		case "http":
			hasHTTP = true
		case "serviceArn":
			lattice = bytes.Contains(leadingText(value), []byte(":vpc-lattice:"))
		case "domainName":
			domain = leadingText(value)
		}
	}
	switch {
	case version == "2.0" && hasHTTP && bytes.Contains(domain, []byte(".lambda-url.")):
		return FunctionURL
	case version == "2.0" && hasHTTP, version == "1.0" && httpMethod:
		return HTTPAPI
	case httpMethod:
		return REST
	case version == "2.0" && lattice:
		return VPCLattice
	default:
		return Unknown
	}
}
