package otel

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// subjectOf returns what a call is about, and the kind of its span. A name that is
// here is one of the function's own resources; a key, a phone number or a value never
// is.
func subjectOf(service, operation, region string, input any) ([]attribute.KeyValue, trace.SpanKind) {
	switch service {
	case "DynamoDB":
		// https://github.com/open-telemetry/semantic-conventions/blob/v1.43.0/docs/db/dynamodb.md
		attrs := []attribute.KeyValue{semconv.DBSystemNameAWSDynamoDB}
		if tables := tablesOf(input); len(tables) > 0 {
			attrs = append(attrs, semconv.AWSDynamoDBTableNames(tables...))
		}
		return attrs, trace.SpanKindClient
	case "SQS":
		return messaging(semconv.MessagingSystemAWSSQS, operation, semconv.AWSSQSQueueURLKey, input, "QueueUrl", "/")
	case "SNS":
		return messaging(semconv.MessagingSystemAWSSNS, operation, semconv.AWSSNSTopicARNKey, input, "TopicArn", ":")
	case "S3":
		return optional(semconv.AWSS3BucketKey, member(input, "Bucket")), trace.SpanKindClient
	case "Kinesis":
		stream := member(input, "StreamName")
		if stream == "" {
			stream = after(member(input, "StreamARN"), "/")
		}
		return optional(semconv.AWSKinesisStreamNameKey, stream), trace.SpanKindClient
	case "Lambda":
		// https://github.com/open-telemetry/semantic-conventions/blob/v1.43.0/docs/faas/faas-spans.md#outgoing-invocations
		name := functionName(member(input, "FunctionName"))
		if name == "" || !strings.HasPrefix(operation, "Invoke") {
			return nil, trace.SpanKindClient
		}
		attrs := append(optional(semconv.FaaSInvokedNameKey, name), semconv.FaaSInvokedProviderAWS)
		return append(attrs, optional(semconv.FaaSInvokedRegionKey, region)...), trace.SpanKindClient
	default:
		return nil, trace.SpanKindClient
	}
}

func optional(key attribute.Key, name string) []attribute.KeyValue {
	if name == "" {
		return nil
	}
	return []attribute.KeyValue{key.String(clipped(name))}
}

// messaging returns what is known of a call of SQS or SNS. The context of a span that
// sends goes with its messages, so it is a producer.
//
// https://github.com/open-telemetry/semantic-conventions/blob/v1.43.0/docs/messaging/messaging-spans.md#span-kind
func messaging(system attribute.KeyValue, operation string, key attribute.Key, input any, field, separator string) ([]attribute.KeyValue, trace.SpanKind) {
	attrs := []attribute.KeyValue{system}
	if destination := member(input, field); destination != "" {
		attrs = append(attrs, key.String(clipped(destination)), semconv.MessagingDestinationName(clipped(after(destination, separator))))
	}
	single, isBatch := strings.CutSuffix(operation, "Batch")
	for _, list := range [...]string{"Entries", "PublishBatchRequestEntries"} {
		if entries := fieldOf(input, list); isBatch && entries.Kind() == reflect.Slice {
			attrs = append(attrs, semconv.MessagingBatchMessageCount(entries.Len()))
		}
	}
	operated := func(name string, kind attribute.KeyValue) {
		attrs = append(attrs, semconv.MessagingOperationName(name), kind)
	}
	switch single {
	case "SendMessage":
		operated("send", semconv.MessagingOperationTypeSend)
		return attrs, trace.SpanKindProducer
	case "Publish":
		operated("publish", semconv.MessagingOperationTypeSend)
		return attrs, trace.SpanKindProducer
	case "ReceiveMessage":
		operated("receive", semconv.MessagingOperationTypeReceive)
	case "DeleteMessage":
		operated("delete", semconv.MessagingOperationTypeSettle)
	case "ChangeMessageVisibility":
		operated("change_visibility", semconv.MessagingOperationTypeSettle)
	}
	return attrs, trace.SpanKindClient
}

// after returns what follows the last separator.
func after(text, separator string) string { return text[strings.LastIndex(text, separator)+1:] }

// functionName returns the name of a function without its account, region and version.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func functionName(name string) string {
	if _, rest, ok := strings.Cut(":"+name, ":function:"); ok {
		name = rest
	}
	name, _, _ = strings.Cut(name, ":")
	return name
}

// mostTables bounds the names of tables: no request of DynamoDB has more items.
const mostTables = 100

// tablesOf returns the tables of a request of DynamoDB.
func tablesOf(input any) []string {
	if name := member(input, "TableName"); name != "" {
		return []string{clipped(name)}
	}
	tables := map[string]bool{}
	if items := fieldOf(input, "RequestItems"); items.Kind() == reflect.Map && items.Type().Key().Kind() == reflect.String { // BatchGetItem, BatchWriteItem
		for names := items.MapRange(); names.Next() && len(tables) < mostTables; {
			tables[clipped(names.Key().String())] = true
		}
	}
	if items := fieldOf(input, "TransactItems"); items.Kind() == reflect.Slice {
		for i := 0; i < items.Len() && len(tables) < mostTables; i++ {
			for _, action := range [...]string{"Get", "Put", "Update", "Delete", "ConditionCheck"} {
				if name := textOf(within(within(items.Index(i), action), "TableName")); name != "" {
					tables[clipped(name)] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(tables))
}

// The input of a call is a pointer to a struct of a package that this one must not
// link, so its few members of interest are read by their names.

// member returns a member that is a text, or "".
func member(input any, name string) string { return textOf(fieldOf(input, name)) }

func fieldOf(input any, name string) reflect.Value { return within(reflect.ValueOf(input), name) }

// within returns a member of a struct or of a pointer to one, the zero Value without it.
func within(v reflect.Value, name string) reflect.Value {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return v.FieldByName(name)
}

func textOf(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.String {
		return ""
	}
	return v.String()
}
