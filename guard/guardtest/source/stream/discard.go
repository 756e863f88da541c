package stream

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/wire"
)

// Why records are discarded, in the words of the message to the destination. Those for
// retries and age were recorded at AWS, see [Config.readAnswer]; for Kafka one AWS
// page has RetriesExhausted (kafka-on-failure-destination), another the one here
// (kafka-on-failure).
const (
	conditionRetries  = "RetryAttemptsExhausted"
	conditionAge      = "RecordAgeExceeded"
	conditionTooLarge = "MaximumPayloadSizeExceeded"
)

// dropOld returns the batch without the records that are too old to be delivered. The
// rest of a batch is another one.
func (s *Stream) dropOld(b *batch) *batch {
	now := s.clock.Now()
	aged, kept := &batch{invocations: b.invocations + 1}, &batch{} // the attempt that found it counts at AWS
	for _, r := range b.records {
		switch age := now.Sub(r.at); {
		case age >= s.cfg.Retention:
			s.ledger.Settle(r.id, source.Expired, "older than the stream's retention", now)
		case s.cfg.MaximumRecordAge > 0 && age >= s.cfg.MaximumRecordAge:
			aged.records = append(aged.records, r)
		default:
			kept.records = append(kept.records, r)
		}
	}
	if len(aged.records) > 0 {
		s.discard(aged, conditionAge, nil)
	}
	if len(kept.records) == len(b.records) {
		return b
	}
	return kept
}

// A response is that of the last invocation of a batch.
type response struct {
	requestID string
	failed    bool // the function, and not only records
}

// discard sends a message about records to the destination, or drops them when there is
// none. Lambda may put several batches into one message; here each has its own.
func (s *Stream) discard(b *batch, condition string, answered *response) {
	now := s.clock.Now()
	outcome, reason := source.Dropped, condition
	if s.cfg.hasDestination() {
		outcome = source.DeadLettered
		if err := s.send(b, s.cfg.failureMessage(b, condition, answered, now), now); err != nil {
			outcome, reason = source.Dropped, fmt.Sprintf("%s, and the destination failed: %v", condition, err)
		}
	}
	for _, r := range b.records {
		s.ledger.Settle(r.id, outcome, reason, now)
	}
}

func (s *Stream) send(b *batch, message *failureMessage, now time.Time) error {
	s.destination.Lock()
	defer s.destination.Unlock()
	letter := source.Letter{}
	if s.cfg.OnFailure.Service() == "s3" {
		message.Payload = s.cfg.payload(b.records)
		letter.Key = fmt.Sprintf("aws/lambda/%s/%s/%s-%s", s.id, s.cfg.shardID(b.records[0].shard),
			now.UTC().Format("2006/01/02/2006-01-02T15.04.05"), ids.UUID())
	}
	letter.Body = string(wire.Marshal(message))
	return s.cfg.OnFailure.Send(letter)
}

// A failureMessage follows https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html,
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html and
// https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure.html
type failureMessage struct {
	RequestContext  wire.RequestContext `json:"requestContext"`
	ResponseContext *responseContext    `json:"responseContext,omitempty"`
	Version         string              `json:"version"`
	Timestamp       string              `json:"timestamp"`

	Kinesis  *shardBatch `json:"KinesisBatchInfo,omitempty"`
	DynamoDB *shardBatch `json:"DDBStreamBatchInfo,omitempty"`
	Kafka    *kafkaBatch `json:"KafkaBatchInfo,omitempty"`

	Payload json.RawMessage `json:"payload,omitempty"`
}

type responseContext struct {
	StatusCode      int     `json:"statusCode"`
	ExecutedVersion string  `json:"executedVersion"`
	FunctionError   *string `json:"functionError"` // null when only records failed
}

type shardBatch struct {
	ShardID      string `json:"shardId"`
	Start        string `json:"startSequenceNumber"`
	End          string `json:"endSequenceNumber"`
	FirstArrival string `json:"approximateArrivalOfFirstRecord"`
	LastArrival  string `json:"approximateArrivalOfLastRecord"`
	BatchSize    int    `json:"batchSize"`
	StreamARN    string `json:"streamArn"`
}

type kafkaBatch struct {
	BatchSize        int                        `json:"batchSize"`
	EventSourceARN   string                     `json:"eventSourceArn"`
	BootstrapServers string                     `json:"bootstrapServers"`
	PayloadSize      int                        `json:"payloadSize"`
	RecordsInfo      map[string]*partitionBatch `json:"recordsInfo"`
}

type partitionBatch struct {
	FirstOffset    string `json:"firstRecordOffset"`
	LastOffset     string `json:"lastRecordOffset"`
	FirstTimestamp string `json:"firstRecordTimestamp"`
	LastTimestamp  string `json:"lastRecordTimestamp"`
}

func (c Config) failureMessage(b *batch, condition string, answered *response, now time.Time) *failureMessage {
	m := &failureMessage{
		RequestContext: wire.RequestContext{
			RequestID: ids.UUID(), FunctionARN: c.FunctionARN, Condition: condition, ApproximateInvokeCount: b.invocations,
		},
		Version:   "1.0",
		Timestamp: milliseconds(now),
	}
	if answered != nil {
		m.RequestContext.RequestID = answered.requestID
		m.ResponseContext = &responseContext{StatusCode: 200, ExecutedVersion: "$LATEST"}
		if answered.failed {
			m.ResponseContext.FunctionError = new("Unhandled")
		}
	}
	switch c.Type {
	case Kafka:
		m.Kafka = c.kafkaBatch(b)
	case DynamoDB:
		m.DynamoDB = c.shardBatch(b, func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") })
	default:
		m.Kinesis = c.shardBatch(b, milliseconds)
	}
	return m
}

func (c Config) shardBatch(b *batch, format func(time.Time) string) *shardBatch {
	first, last := b.records[0], b.records[len(b.records)-1]
	return &shardBatch{
		ShardID:      c.shardID(first.shard),
		Start:        first.sequence,
		End:          last.sequence,
		FirstArrival: format(first.at),
		LastArrival:  format(last.at),
		BatchSize:    len(b.records),
		StreamARN:    c.arn(),
	}
}

func (c Config) kafkaBatch(b *batch) *kafkaBatch {
	info := &kafkaBatch{
		BatchSize:        len(b.records),
		EventSourceARN:   c.arn(),
		BootstrapServers: bootstrapServers,
		PayloadSize:      len(c.payload(b.records)),
		RecordsInfo:      map[string]*partitionBatch{},
	}
	for _, r := range b.records {
		partition := info.RecordsInfo[c.shardID(r.shard)]
		if partition == nil {
			partition = &partitionBatch{FirstOffset: r.sequence, FirstTimestamp: milliseconds(r.at)}
			info.RecordsInfo[c.shardID(r.shard)] = partition
		}
		partition.LastOffset, partition.LastTimestamp = r.sequence, milliseconds(r.at)
	}
	return info
}

func milliseconds(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
