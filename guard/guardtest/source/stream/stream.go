package stream

import (
	"cmp"
	"crypto/md5" // Kinesis maps a key to a shard by it
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/internal/ids"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/book"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/timeline"
)

// A Type is a service whose streams Lambda reads.
type Type string

const (
	Kinesis  Type = "kinesis"  // a Kinesis data stream
	DynamoDB Type = "dynamodb" // the stream of a DynamoDB table
	Kafka    Type = "kafka"    // a topic of Amazon MSK
)

// A StartingPosition is where a mapping begins to read a stream.
type StartingPosition string

const (
	TrimHorizon StartingPosition = "TRIM_HORIZON" // the oldest record that the stream has
	Latest      StartingPosition = "LATEST"       // the first record put after the mapping has started
	AtTimestamp StartingPosition = "AT_TIMESTAMP" // the first record put at a time or later
)

// Config describes a stream and its event source mapping, with names like those
// of CreateEventSourceMapping. The zero value is a Kinesis stream of one shard with
// Lambda's defaults: a batch that fails is retried until its records expire.
//
// See https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html,
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html and
// https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
type Config struct {
	// Type of the stream; [Kinesis] when empty.
	Type Type

	// Name of the stream, the table or the topic; "stream" when empty.
	Name string

	// Shards of the stream, or partitions of the topic; 1 when 0. They are never split
	// or merged.
	Shards int

	// BatchSize is how many records an invocation has at most, up to 10 000; 100
	// when 0. A batch is smaller when its payload would be over 6 MB.
	BatchSize int

	// BatchWindow is how long a batch that is not full waits for more
	// records, up to 5 minutes; not at all when 0.
	BatchWindow time.Duration

	// ParallelizationFactor is how many batches of one shard are processed at once,
	// from 1 to 10; 1 when 0. Records of one key stay in order. A topic has none.
	ParallelizationFactor int

	// StartingPosition of the mapping, which starts with the first [Stream.Drain] or
	// [Stream.Run]; [TrimHorizon] when empty. StartingTimestamp is for AtTimestamp,
	// which a DynamoDB stream does not have.
	StartingPosition  StartingPosition
	StartingTimestamp time.Time

	// ReportBatchItemFailures has the function's answer read. Without it a batch is
	// done when the invocation succeeds. The answer is ignored.
	ReportBatchItemFailures bool

	// BisectBatchOnFunctionError splits a batch that failed in two, and retries the
	// halves one after the other. A split is no retry.
	BisectBatchOnFunctionError bool

	// MaximumRetryAttempts is how often a batch is delivered again, up to 10 000;
	// without end when nil, and ten times for a topic with a destination.
	MaximumRetryAttempts *int

	// MaximumRecordAge is the age from which a record is not delivered any more, from
	// one minute to seven days; without end when 0.
	MaximumRecordAge time.Duration

	// Retention is the age at which a record leaves the stream, and is lost if it was
	// not handled; 24 hours when 0, and seven days for a topic.
	Retention time.Duration

	// Filter is the mapping's FilterCriteria, for which see package pattern. It decides
	// about each record before that gets into a batch; nil takes all.
	Filter source.Filter

	// OnFailure is the destination of messages about records that Lambda discards, a
	// queue, a topic or a bucket. A message says where the records are, without the
	// records themselves. An object in a bucket has the payload of the invocation
	// besides. It takes one message at a time, and must not wait for the stream. Without
	// a destination, or if it fails, the records are dropped.
	// See https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
	OnFailure source.Target

	// CountOnly has the ledger forget records that are done or filtered once they are
	// counted, for a stream that runs for long.
	CountOnly bool

	// OnBatch is called after each invocation, concurrently when there are several.
	OnBatch func(source.BatchReport)

	// FunctionARN is what the message to the destination names; that of a function
	// "function" when empty.
	FunctionARN string

	// Clock of the stream; the real time when nil.
	Clock *source.Clock
}

// The limits of a record. A Kinesis record had 1 MiB until October 2025.
// See https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecord.html
const (
	maxKey  = 256
	maxData = 10 << 20
)

func (c Config) withDefaults() Config {
	c.Type = cmp.Or(c.Type, Kinesis)
	c.Name = cmp.Or(c.Name, "stream")
	c.Shards = cmp.Or(c.Shards, 1)
	c.BatchSize = cmp.Or(c.BatchSize, 100)
	c.ParallelizationFactor = cmp.Or(c.ParallelizationFactor, 1)
	c.StartingPosition = cmp.Or(c.StartingPosition, TrimHorizon)
	c.FunctionARN = cmp.Or(c.FunctionARN, "arn:aws:lambda:us-east-1:"+guardtest.AccountID+":function:function")
	retention := 24 * time.Hour
	if c.Type == Kafka {
		retention = 7 * 24 * time.Hour // log.retention.hours of https://kafka.apache.org/documentation/
		if c.MaximumRetryAttempts == nil && c.hasDestination() {
			// https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure-destination.html
			c.MaximumRetryAttempts = new(10)
		}
	}
	c.Retention = cmp.Or(c.Retention, retention)
	return c
}

func (c Config) hasDestination() bool { return c.OnFailure.ARN() != "" }

// check returns what Lambda would refuse.
func (c Config) check() error {
	switch {
	case c.Type != Kinesis && c.Type != DynamoDB && c.Type != Kafka:
		return fmt.Errorf("there is no Type %q", c.Type)
	case c.Shards < 1:
		return fmt.Errorf("%d Shards are not at least 1", c.Shards)
	case c.BatchSize < 1 || c.BatchSize > 10_000:
		return fmt.Errorf("a BatchSize of %d is not from 1 to 10000", c.BatchSize)
	case c.BatchWindow < 0 || c.BatchWindow > 5*time.Minute:
		return fmt.Errorf("a BatchWindow of %s is not from 0 to 5m", c.BatchWindow)
	case c.ParallelizationFactor < 1 || c.ParallelizationFactor > 10:
		return fmt.Errorf("a ParallelizationFactor of %d is not from 1 to 10", c.ParallelizationFactor)
	case c.Type == Kafka && c.ParallelizationFactor != 1:
		return errors.New("a topic has no ParallelizationFactor")
	case c.MaximumRetryAttempts != nil && (*c.MaximumRetryAttempts < 0 || *c.MaximumRetryAttempts > 10_000):
		return fmt.Errorf("a MaximumRetryAttempts of %d is not from 0 to 10000; nil is without end", *c.MaximumRetryAttempts)
	case c.MaximumRecordAge != 0 && (c.MaximumRecordAge < time.Minute || c.MaximumRecordAge > 7*24*time.Hour):
		return fmt.Errorf("a MaximumRecordAge of %s is not from 1m to 168h; 0 is without end", c.MaximumRecordAge)
	case c.Retention < 0:
		return fmt.Errorf("a Retention of %s is negative", c.Retention)
	case c.hasDestination() && !slices.Contains([]string{"sqs", "sns", "s3"}, c.OnFailure.Service()):
		return errors.New("the destination of a mapping is a queue, a topic or a bucket")
	}
	switch c.StartingPosition {
	case TrimHorizon, Latest:
		return nil
	case AtTimestamp:
		if c.Type == DynamoDB || c.StartingTimestamp.IsZero() {
			return errors.New("the position AT_TIMESTAMP needs a StartingTimestamp, and is not for a DynamoDB stream")
		}
		return nil
	default:
		return fmt.Errorf("there is no StartingPosition %q", c.StartingPosition)
	}
}

// A Stream is a Kinesis stream, the stream of a DynamoDB table or a Kafka topic, with
// the event source mapping that has Lambda read it. It is safe for concurrent use.
//
//   - The records of a shard are delivered in order. Shards are processed side by side.
//   - A batch that fails holds its shard until it is done or discarded.
//   - A message about discarded records goes to the destination of the mapping.
//
// The pause before a retry is half a second and doubles up to a minute. AWS publishes no
// pauses; these agree with a recording.
//
// Not emulated are tumbling windows, resharding, aggregated records of the Kinesis
// Producer Library, and enhanced fan-out.
//
// See https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html,
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html and
// https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html
type Stream struct {
	fn     guardtest.Invoker
	cfg    Config
	clock  *timeline.Timeline
	ledger *book.Book
	polled chan struct{} // holds a token while Drain or Run is under way

	id          string     // of the mapping
	destination sync.Mutex // held while it takes a message

	mu      sync.Mutex
	put     int64   // records so far
	offsets []int64 // by shard
	started bool    // the mapping has begun to read
	lanes   []*lane
}

// New returns a stream that calls fn. It panics if Lambda would refuse the
// configuration.
func New(fn guardtest.Invoker, cfg Config) *Stream {
	if fn == nil {
		panic("stream: New needs a function")
	}
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		panic("stream: New: " + err.Error())
	}
	s := &Stream{
		fn:      fn,
		cfg:     cfg,
		clock:   timeline.Real(),
		ledger:  book.New(cfg.CountOnly),
		polled:  make(chan struct{}, 1),
		id:      ids.UUID(),
		offsets: make([]int64, cfg.Shards),
	}
	if cfg.Clock != nil {
		s.clock = (*timeline.Timeline)(cfg.Clock)
	}
	for range cfg.laneCount() {
		s.lanes = append(s.lanes, &lane{})
	}
	return s
}

// laneCount is how many batches are under way at most. One consumer reads all
// partitions of a topic, as Lambda begins.
// https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html
func (c Config) laneCount() int {
	if c.Type == Kafka {
		return 1
	}
	return c.Shards * c.ParallelizationFactor
}

// Ledger returns the record of what became of each record. A group is a shard, or with
// a ParallelizationFactor above 1 a key.
func (s *Stream) Ledger() source.Ledger { return s.ledger.Ledger() }

// Put adds a record and returns its id in the ledger: the sequence number, or for a
// topic "orders-0-7", the partition and the offset. Records of one key come into one
// shard, by the key's MD5 as in Kinesis; a producer of Kafka may choose another partition.
// For a DynamoDB stream see [Stream.PutChange].
//
// It panics if the record cannot be one: a Kinesis key has 1 to 256 characters of UTF-8, and the
// data has at most 10 MiB.
func (s *Stream) Put(key string, data []byte) (id string) {
	switch {
	case s.cfg.Type == DynamoDB:
		panic("stream: Put is for Kinesis and Kafka; a DynamoDB stream has PutChange")
	case s.cfg.Type == Kinesis && (key == "" || len([]rune(key)) > maxKey || !utf8.ValidString(key)):
		panic(fmt.Sprintf("stream: Put: a key has 1 to %d characters of UTF-8", maxKey))
	case len(data) > maxData:
		panic(fmt.Sprintf("stream: Put: the data is over %d bytes", maxData))
	}
	return s.add(key, func(place place) *record {
		if s.cfg.Type == Kafka {
			return kafkaRecord(s.cfg.Name, place, key, data)
		}
		return kinesisRecord(s.cfg.arn(), place, key, data)
	})
}

// A place is where a record stands in its stream.
type place struct {
	shard  int
	number int64 // of the record in the stream
	offset int64 // of the record in the shard
	at     time.Time
}

func (s *Stream) add(key string, build func(place) *record) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shard := shardOf(key, s.cfg.Shards)
	at := s.clock.Now()
	r := build(place{shard: shard, number: s.put, offset: s.offsets[shard], at: at})
	r.key, r.shard, r.at = key, shard, at
	s.put++
	s.offsets[shard]++

	number, group := s.cfg.laneOf(r)
	s.ledger.Sent(r.id, group, at)
	if s.cfg.Filter != nil {
		if ok, err := s.cfg.Filter.Match(r.event); err != nil || !ok {
			s.ledger.Settle(r.id, source.Filtered, "no filter matches", at)
			return r.id
		}
	}
	l := s.lanes[number]
	l.waiting = append(l.waiting, r)
	if l.waiter != nil {
		s.clock.Wake(l.waiter)
	}
	return r.id
}

// laneOf returns the lane of a record, and the group whose order it keeps.
func (c Config) laneOf(r *record) (number int, group string) {
	switch n := c.ParallelizationFactor; {
	case c.Type == Kafka:
		return 0, c.shardID(r.shard)
	case n == 1:
		return r.shard, c.shardID(r.shard)
	default:
		return r.shard*n + int(hash(r.key)%uint64(n)), r.key
	}
}

// shardOf divides the 128 bits of the MD5 evenly among the shards.
// See https://docs.aws.amazon.com/streams/latest/dev/key-concepts.html
func shardOf(key string, shards int) int {
	sum := md5.Sum([]byte(key))
	shard, middle := bits.Mul64(binary.BigEndian.Uint64(sum[:8]), uint64(shards))
	low, _ := bits.Mul64(binary.BigEndian.Uint64(sum[8:]), uint64(shards))
	_, carry := bits.Add64(middle, low, 0)
	return int(shard + carry)
}

// hash places a key within a shard. How Lambda does it is not published.
func hash(key string) uint64 {
	sum := md5.Sum([]byte(key))
	return binary.BigEndian.Uint64(sum[8:])
}

// shardID is in the form of the service; a partition of a topic is "orders-0".
func (c Config) shardID(shard int) string {
	switch c.Type {
	case Kafka:
		return fmt.Sprintf("%s-%d", c.Name, shard)
	case DynamoDB:
		return fmt.Sprintf("shardId-00000001584040590390-%08x", shard)
	default:
		return fmt.Sprintf("shardId-%012d", shard)
	}
}

func (c Config) arn() string {
	prefix := "arn:aws:" + string(c.Type) + ":us-east-1:" + guardtest.AccountID + ":"
	switch c.Type {
	case Kafka:
		return prefix + "cluster/shop/751d2973-a626-431c-9d4e-d7975eb44dd7-2"
	case DynamoDB:
		return prefix + "table/" + c.Name + "/stream/2020-03-01T00:00:00.000"
	default:
		return prefix + "stream/" + c.Name
	}
}
