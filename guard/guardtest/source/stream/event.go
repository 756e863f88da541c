package stream

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/wire"
)

// A record is a record of a stream, as the function gets it.
type record struct {
	id       string // in the ledger: its sequence number, or "orders-0-7" in a topic
	sequence string // its sequence number or offset
	key      string
	shard    int
	at       time.Time
	event    []byte // JSON
}

// PutChange adds a change of an item to the stream of a DynamoDB table and returns its
// sequence number, its id in the ledger. Of the change it needs Keys, and the images that
// the function reads. An empty EventName becomes INSERT without an OldImage, REMOVE without
// a NewImage, and MODIFY with both. Other empty fields are set.
//
// It panics if the stream is of another service, or if the change has no Keys.
func (s *Stream) PutChange(change events.DynamoDBEventRecord) (id string) {
	switch {
	case s.cfg.Type != DynamoDB:
		panic("stream: PutChange is for a DynamoDB stream; Kinesis and Kafka have Put")
	case len(change.Change.Keys) == 0:
		panic("stream: PutChange: a change has the Keys of its item")
	}
	key := wire.Marshal(change.Change.Keys) // with the names in order
	return s.add(string(key), func(place place) *record { return dynamoRecord(s.cfg.arn(), place, change) })
}

// Sequence numbers of Kinesis have 56 digits, those of DynamoDB 25. They rise within a
// shard, and no two records of a stream share one here.
const (
	kinesisSequence = "49590338271490256608559692538361571095921575%012d"
	dynamoSequence  = "4421584500000%012d"
)

type kinesisEvent struct {
	Kinesis           kinesisData `json:"kinesis"`
	EventSource       string      `json:"eventSource"`
	EventVersion      string      `json:"eventVersion"`
	EventID           string      `json:"eventID"`
	EventName         string      `json:"eventName"`
	InvokeIdentityArn string      `json:"invokeIdentityArn"`
	AwsRegion         string      `json:"awsRegion"`
	EventSourceARN    string      `json:"eventSourceARN"`
}

type kinesisData struct {
	SchemaVersion  string          `json:"kinesisSchemaVersion"`
	PartitionKey   string          `json:"partitionKey"`
	SequenceNumber string          `json:"sequenceNumber"`
	Data           []byte          `json:"data"`                        // base64
	Arrival        json.RawMessage `json:"approximateArrivalTimestamp"` // seconds, with milliseconds
}

// kinesisRecord follows https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
func kinesisRecord(arn string, place place, key string, data []byte) *record {
	sequence := fmt.Sprintf(kinesisSequence, place.number+1)
	shard := Config{Type: Kinesis}.shardID(place.shard)
	ms := place.at.UnixMilli()
	event := kinesisEvent{
		Kinesis: kinesisData{
			SchemaVersion:  "1.0",
			PartitionKey:   key,
			SequenceNumber: sequence,
			Data:           data,
			Arrival:        strconv.AppendFloat(nil, float64(ms)/1000, 'f', -1, 64),
		},
		EventSource:       "aws:kinesis",
		EventVersion:      "1.0",
		EventID:           shard + ":" + sequence,
		EventName:         "aws:kinesis:record",
		InvokeIdentityArn: "arn:aws:iam::" + guardtest.AccountID + ":role/function",
		AwsRegion:         "us-east-1",
		EventSourceARN:    arn,
	}
	return &record{id: sequence, sequence: sequence, event: wire.Marshal(event)}
}

// dynamoRecord follows https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
func dynamoRecord(arn string, place place, e events.DynamoDBEventRecord) *record {
	sequence := fmt.Sprintf(dynamoSequence, place.number+1)
	c := &e.Change
	if e.EventName == "" {
		switch {
		case c.OldImage == nil:
			e.EventName = string(events.DynamoDBOperationTypeInsert)
		case c.NewImage == nil:
			e.EventName = string(events.DynamoDBOperationTypeRemove)
		default:
			e.EventName = string(events.DynamoDBOperationTypeModify)
		}
	}
	e.EventID = cmp.Or(e.EventID, fmt.Sprintf("%032x", place.number+1))
	e.EventVersion = cmp.Or(e.EventVersion, "1.1")
	c.StreamViewType = cmp.Or(c.StreamViewType, string(events.DynamoDBStreamViewTypeNewAndOldImages))
	c.SizeBytes = cmp.Or(c.SizeBytes, int64(len(wire.Marshal(c.Keys))+len(wire.Marshal(c.NewImage))+len(wire.Marshal(c.OldImage)))) // about
	e.EventSource, e.AWSRegion, e.EventSourceArn = "aws:dynamodb", "us-east-1", arn
	c.SequenceNumber = sequence
	c.ApproximateCreationDateTime = events.SecondsEpochTime{Time: place.at}
	return &record{id: sequence, sequence: sequence, event: wire.Marshal(e)}
}

type kafkaEvent struct {
	Topic         string            `json:"topic"`
	Partition     int               `json:"partition"`
	Offset        int64             `json:"offset"`
	Timestamp     int64             `json:"timestamp"` // milliseconds
	TimestampType string            `json:"timestampType"`
	Key           []byte            `json:"key,omitempty"` // base64
	Value         []byte            `json:"value"`         // base64
	Headers       []json.RawMessage `json:"headers"`
}

// kafkaRecord follows https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html
func kafkaRecord(topic string, place place, key string, value []byte) *record {
	offset := strconv.FormatInt(place.offset, 10)
	event := kafkaEvent{
		Topic:         topic,
		Partition:     place.shard,
		Offset:        place.offset,
		Timestamp:     place.at.UnixMilli(),
		TimestampType: "CREATE_TIME",
		Key:           []byte(key),
		Value:         value,
		Headers:       []json.RawMessage{},
	}
	return &record{id: fmt.Sprintf("%s-%d-%s", topic, place.shard, offset), sequence: offset, event: wire.Marshal(event)}
}

// payload is the event of an invocation with these records. Those of a topic are listed by
// partition.
func (c Config) payload(records []*record) []byte {
	var b bytes.Buffer
	if c.Type != Kafka {
		b.WriteString(`{"Records":`)
		writeList(&b, records)
		b.WriteString("}")
		return b.Bytes()
	}
	fmt.Fprintf(&b, `{"eventSource":"aws:kafka","eventSourceArn":%q,"bootstrapServers":%q,"records":{`, c.arn(), bootstrapServers)
	partitions := map[int][]*record{}
	for _, r := range records {
		partitions[r.shard] = append(partitions[r.shard], r)
	}
	for i, partition := range slices.Sorted(maps.Keys(partitions)) {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, "%s:", wire.Marshal(c.shardID(partition)))
		writeList(&b, partitions[partition])
	}
	b.WriteString("}}")
	return b.Bytes()
}

const bootstrapServers = "b-1.shop.a1bcde.c1.kafka.us-east-1.amazonaws.com:9092"

func writeList(b *bytes.Buffer, records []*record) {
	b.WriteString("[")
	for i, r := range records {
		if i > 0 {
			b.WriteString(",")
		}
		b.Write(r.event)
	}
	b.WriteString("]")
}
