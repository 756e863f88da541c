package jmespath

// Envelopes are expressions for [At] that select the sender's content. They are the
// same as in Powertools for AWS Lambda. An expression with [*] selects an array
// with an element for each record: write its schema for the array.
//
// https://docs.powertools.aws.dev/lambda/python/latest/utilities/validation/#built-in-envelopes
const (
	EnvelopeAPIGatewayREST       = "powertools_json(body)"
	EnvelopeAPIGatewayHTTP       = "powertools_json(body)"
	EnvelopeSQS                  = "Records[*].powertools_json(body)"
	EnvelopeSNS                  = "Records[0].Sns.Message | powertools_json(@)"
	EnvelopeEventBridge          = "detail"
	EnvelopeSchedule             = "detail"
	EnvelopeKinesisDataStream    = "Records[*].kinesis.powertools_json(powertools_base64(data))"
	EnvelopeCloudWatchLogs       = "awslogs.powertools_base64_gzip(data) | powertools_json(@).logEvents[*]"
	EnvelopeS3SQS                = "Records[*].powertools_json(body).Records[0]"
	EnvelopeS3SNSSQS             = "Records[*].powertools_json(body).powertools_json(Message).Records[0]"
	EnvelopeS3SNSKinesisFirehose = "records[*].powertools_json(powertools_base64(data)).powertools_json(Message).Records[0]"
	EnvelopeS3KinesisFirehose    = "records[*].powertools_json(powertools_base64(data)).Records[0]"
	EnvelopeS3EventBridgeSQS     = "Records[*].powertools_json(body).detail"
)
