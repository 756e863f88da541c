package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/stream"
)

// A counter is a function that expects the numbers 0, 1, 2 … of each key, and knows which
// it has handled. Some of them fail at first.
type counter struct {
	failing func(key string, n int) bool

	running, most atomic.Int32
	mu            sync.Mutex
	next          map[string]int // by key: the lowest number that it has not handled
	overtaken     []string
	tried         map[string]bool
}

func newCounter(failing func(key string, n int) bool) *counter {
	return &counter{failing: failing, next: map[string]int{}, tried: map[string]bool{}}
}

func (c *counter) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	running := c.running.Add(1)
	defer c.running.Add(-1)
	for most := c.most.Load(); running > most && !c.most.CompareAndSwap(most, running); most = c.most.Load() {
	}
	var event events.KinesisEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range event.Records {
		var n int
		if err := json.Unmarshal(r.Kinesis.Data, &n); err != nil {
			return nil, err
		}
		key := r.Kinesis.PartitionKey
		if n > c.next[key] {
			c.overtaken = append(c.overtaken, fmt.Sprintf("%s: %d came before %d was done", key, n, c.next[key]))
		}
		if id := fmt.Sprintf("%s/%d", key, n); !c.tried[id] && c.failing(key, n) {
			c.tried[id] = true
			return fmt.Appendf(nil, `{"batchItemFailures":[{"itemIdentifier":%q}]}`, r.Kinesis.SequenceNumber), nil
		}
		c.next[key] = max(c.next[key], n+1)
	}
	return []byte(`{"batchItemFailures":[]}`), nil
}

func TestRecordsOfAKeyStayInOrder(t *testing.T) {
	const keys, each = 40, 100
	for _, tc := range []struct {
		name               string
		shards, factor     int
		atOnce, groupByKey bool
	}{
		{name: "one shard", shards: 1, factor: 1},
		{name: "one shard and ten batches at once", shards: 1, factor: 10, atOnce: true, groupByKey: true},
		{name: "many shards", shards: 16, factor: 1, atOnce: true},
		{name: "many shards and several batches of each at once", shards: 16, factor: 3, atOnce: true, groupByKey: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fails := rand.New(rand.NewPCG(1, 2))
			c := newCounter(func(string, int) bool { return fails.IntN(10) == 0 })
			s := stream.New(guardtest.NewInProcess(c, guardtest.Config{Timeout: patient}), stream.Config{
				Shards:                  tc.shards,
				ParallelizationFactor:   tc.factor,
				BatchSize:               7,
				ReportBatchItemFailures: true,
				Clock:                   source.NewClock(began),
			})
			for n := range each {
				for k := range keys {
					s.Put(fmt.Sprintf("key-%d", k), fmt.Append(nil, n))
				}
			}
			drainStream(t, s)
			if err := s.Ledger().Check(); err != nil {
				t.Error(err)
			}
			if len(c.overtaken) > 0 {
				t.Errorf("%d records overtook another of their key, the first: %s", len(c.overtaken), c.overtaken[0])
			}
			for key, next := range c.next {
				if next != each {
					t.Errorf("%s: %d records were handled, want %d", key, next, each)
				}
			}
			if most := c.most.Load(); !tc.atOnce && most != 1 {
				t.Errorf("%d batches were under way at once, want 1", most)
			}
			if group := s.Ledger().Entries()[0].Group; tc.groupByKey != (group == "key-0") {
				t.Errorf("the group is %q, want a key: %v", group, tc.groupByKey)
			}
		})
	}
}

// Batches of different shards, and of different keys with a ParallelizationFactor, are
// under way at once: each waits here until all are.
func TestBatchesAreUnderWayAtOnce(t *testing.T) {
	for _, tc := range []struct {
		name           string
		shards, factor int
		want           int
	}{
		{name: "by shards", shards: 5, factor: 1, want: 5},
		{name: "by keys", shards: 1, factor: 4, want: 4},
		{name: "by both", shards: 2, factor: 3, want: 6},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var here atomic.Int32
			all := make(chan struct{})
			fn := handlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
				if int(here.Add(1)) == tc.want {
					close(all)
				}
				select {
				case <-all:
					return nil, nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			})
			s := stream.New(guardtest.NewInProcess(fn, guardtest.Config{Timeout: patient}), stream.Config{
				Shards: tc.shards, ParallelizationFactor: tc.factor, Clock: source.NewClock(began),
			})
			for k := range 200 { // enough for each to have a record
				s.Put(fmt.Sprint(k), []byte("0"))
			}
			drainStream(t, s)
			if got := s.Ledger().Counts().Batches; got < tc.want {
				t.Errorf("got %d batches, want at least %d", got, tc.want)
			}
		})
	}
}

type handlerFunc func(context.Context, []byte) ([]byte, error)

func (f handlerFunc) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

func TestAHundredThousandRecords(t *testing.T) {
	const records, keys = 100_000, 1000
	if testing.Short() {
		t.Skip("it takes some seconds; run it without -short")
	}
	var fails atomic.Int64
	c := newCounter(func(key string, n int) bool { return fails.Add(1)%997 == 0 })
	s := stream.New(guardtest.NewInProcess(c, guardtest.Config{Timeout: patient}), stream.Config{
		Shards: 8, ReportBatchItemFailures: true, Clock: source.NewClock(began),
	})
	for i := range records {
		s.Put(fmt.Sprintf("key-%d", i%keys), fmt.Append(nil, i/keys))
	}
	drainStream(t, s)
	if err := s.Ledger().Check(); err != nil {
		t.Error(err)
	}
	if got := s.Ledger().Counts(); got.Done != records || got.Deliveries <= records {
		t.Errorf("got %+v, want %d done and some delivered again", got, records)
	}
	if len(c.overtaken) > 0 {
		t.Errorf("%d records overtook another of their key, the first: %s", len(c.overtaken), c.overtaken[0])
	}
}

// Records are put while others are delivered, and the invocations fail at random.
func TestRecordsArePutWhileTheStreamRuns(t *testing.T) {
	const producers, each = 8, 50
	random := rand.New(rand.NewPCG(3, 4))
	var mu sync.Mutex
	fn := handlerFunc(func(context.Context, []byte) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		if random.IntN(3) == 0 {
			return nil, errors.New("no")
		}
		return nil, nil
	})
	s := stream.New(guardtest.NewInProcess(fn, guardtest.Config{}), stream.Config{
		Shards: 4, ParallelizationFactor: 2, BatchSize: 5, BisectBatchOnFunctionError: true, Clock: source.NewClock(began),
	})
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	ran := make(chan error, 1)
	running, stop := context.WithCancel(ctx)
	go func() { ran <- s.Run(running) }()
	var putting sync.WaitGroup
	for p := range producers {
		putting.Go(func() {
			for range each {
				s.Put(fmt.Sprintf("key-%d", p), []byte("0"))
			}
		})
	}
	putting.Wait()
	if err := s.Ledger().Wait(ctx, func(c source.Counts) bool { return c.Waiting == 0 }); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-ran; err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := s.Ledger().Check(); err != nil {
		t.Error(err)
	}
	if got := s.Ledger().Counts(); got.Done != producers*each {
		t.Errorf("got %+v, want all done", got)
	}
}
