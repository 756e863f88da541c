package stream

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/wire"
)

// A verdict is what has to come again of a batch.
type verdict struct {
	whole  bool            // all of it
	failed map[string]bool // ids that the answer names
}

// readAnswer applies the rules of ReportBatchItemFailures, which [wire.Failures] has.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
// leaves open what is success besides. The answers "" and [] are, and an identifier that is
// no text, or none of the batch, fails the whole batch. This was recorded at AWS, for
// Kinesis and DynamoDB, in
// https://github.com/localstack/localstack/tree/main/tests/aws/services/lambda_/event_source_mapping.
// Of an answer that is another text or list, or no JSON, no public source says anything for
// streams: here it fails the whole batch, as for a queue.
func (c Config) readAnswer(payload []byte, batch []*record) (verdict, error) {
	switch text := bytes.TrimSpace(payload); string(text) {
	case `""`, "[]":
		return verdict{}, nil
	}
	ids := make(map[string]bool, len(batch))
	for _, r := range batch {
		ids[r.id] = true
	}
	idOf := wire.TextID
	if c.Type == Kafka {
		idOf = kafkaID
	}
	failed, err := wire.Failures(payload, idOf, func(id string) bool { return ids[id] })
	if err != nil {
		return verdict{whole: true}, fmt.Errorf("stream: %w", err)
	}
	return verdict{failed: failed}, nil
}

// kafkaID is the id of the record that an identifier names, or "" if it is of another form
// than {"partition":"orders-0","offset":7}.
//
// That form is of https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
// and of https://github.com/aws-powertools/powertools-lambda-python/pull/7941. Middy
// sends a text "orders-0-7" (https://middy.js.org/docs/middlewares/event-batch-response).
func kafkaID(identifier json.RawMessage) string {
	// Names are compared exactly, so not by decoding into a struct.
	var at map[string]json.RawMessage
	var partition string
	var offset *int64
	if json.Unmarshal(identifier, &at) != nil || json.Unmarshal(at["partition"], &partition) != nil ||
		json.Unmarshal(at["offset"], &offset) != nil || offset == nil {
		return ""
	}
	return fmt.Sprintf("%s-%d", partition, *offset)
}

// rest splits a batch into the records that are done and those that come again. Of each
// shard the latter are all from the lowest failed one on: "Lambda uses the record with the lowest sequence number as the
// checkpoint". A topic has a checkpoint for each partition.
func (v verdict) rest(batch []*record) (done, again []*record) {
	stopped := map[int]bool{} // shards
	for _, r := range batch {
		if stopped[r.shard] = stopped[r.shard] || v.whole || v.failed[r.id]; stopped[r.shard] {
			again = append(again, r)
		} else {
			done = append(done, r)
		}
	}
	return done, again
}
