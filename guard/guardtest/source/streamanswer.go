package source

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// A verdict is what a function said of its batch.
type verdict struct {
	failed bool            // something has to come again
	whole  bool            // all of it, since the answer does not say what
	from   []*streamRecord // the failed records that it names
}

// readAnswer applies the rules of ReportBatchItemFailures.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html:
//   - An empty or null list, or an empty or null answer, is success.
//   - An identifier that is empty, null or under another name fails the whole batch.
//
// What that page leaves open has been recorded at AWS, for Kinesis and DynamoDB, in
// https://github.com/localstack/localstack/tree/main/tests/aws/services/lambda_/event_source_mapping:
//   - The answers "" and [] are success.
//   - An identifier that is none of the batch, or no text, fails the whole batch.
//
// Of an answer that is another text, another list or no JSON no source says anything for
// streams. Here it fails the whole batch, as for a queue:
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html.
// An object without the list counts as an empty answer.
func (c StreamConfig) readAnswer(payload []byte, batch []*streamRecord) verdict {
	whole := verdict{failed: true, whole: true}
	switch text := bytes.TrimSpace(payload); string(text) {
	case "", "null", `""`, "[]":
		return verdict{}
	}
	var answer map[string]json.RawMessage // not a struct, which would take BatchItemFailures as well
	var items []map[string]json.RawMessage
	if json.Unmarshal(payload, &answer) != nil {
		return whole
	}
	if list, there := answer["batchItemFailures"]; there && json.Unmarshal(list, &items) != nil {
		return whole
	}
	found := verdict{failed: len(items) > 0}
	byID := make(map[string]*streamRecord, len(batch))
	for _, r := range batch {
		byID[r.id] = r
	}
	for _, item := range items {
		r := byID[c.named(item["itemIdentifier"])]
		if r == nil {
			return whole
		}
		found.from = append(found.from, r)
	}
	return found
}

// named returns the id of the record that an identifier names, or "". An identifier is a
// sequence number, or for a topic {"partition":"orders-0","offset":7}.
//
// The form of Kafka is that of https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
// and of https://github.com/aws-powertools/powertools-lambda-python/pull/7941. Middy
// sends a text "orders-0-7" (https://middy.js.org/docs/middlewares/event-batch-response),
// which is no identifier here.
func (c StreamConfig) named(identifier json.RawMessage) string {
	if c.Type != Kafka {
		var sequence string
		_ = json.Unmarshal(identifier, &sequence) // what is no text names nothing
		return sequence
	}
	var at struct {
		Partition string `json:"partition"`
		Offset    *int64 `json:"offset"`
	}
	if json.Unmarshal(identifier, &at) != nil || at.Offset == nil {
		return ""
	}
	return fmt.Sprintf("%s-%d", at.Partition, *at.Offset)
}
