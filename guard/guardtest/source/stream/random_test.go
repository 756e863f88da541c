package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/stream"
)

// A capricious function fails, reports and answers at random. It knows which records it
// has done with by Lambda's rules.
type capricious struct {
	reports bool // ReportBatchItemFailures

	mu     sync.Mutex
	random *rand.Rand
	done   map[string]bool
}

func (c *capricious) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	var event events.KinesisEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(event.Records)
	first, answer, err := n, `{"batchItemFailures":[]}`, error(nil)
	switch c.random.IntN(6) {
	case 0:
		first, err = 0, errors.New("no")
	case 1:
		first, answer = 0, `{"batchItemFailures":[{"itemIdentifier":""}]}`
	case 2, 3:
		var items []string
		for range 1 + c.random.IntN(3) {
			i := c.random.IntN(n)
			first = min(first, i)
			items = append(items, fmt.Sprintf(`{"itemIdentifier":%q}`, event.Records[i].Kinesis.SequenceNumber))
		}
		answer = `{"batchItemFailures":[` + strings.Join(items, ",") + `]}`
	}
	if err == nil && !c.reports {
		first = n // the answer is ignored
	}
	for _, r := range event.Records[:first] {
		id := r.Kinesis.SequenceNumber
		if c.done[id] {
			return nil, fmt.Errorf("record %s came again after it was done", id)
		}
		c.done[id] = true
	}
	return []byte(answer), err
}

// For any configuration and any answers each record is done by the rules, or is in exactly
// one message to the destination, and none overtakes another.
func TestTheLedgerBalancesForRandomFunctions(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 7))
		fn := &capricious{reports: random.IntN(4) > 0, random: rand.New(rand.NewPCG(seed, 8)), done: map[string]bool{}}
		discarded := map[string]int{}
		cfg := stream.Config{
			Shards:                     1 + random.IntN(4),
			ParallelizationFactor:      1 + random.IntN(3),
			BatchSize:                  1 + random.IntN(20),
			BatchWindow:                time.Duration(random.IntN(3)) * time.Second,
			ReportBatchItemFailures:    fn.reports,
			BisectBatchOnFunctionError: random.IntN(2) == 0,
			MaximumRetryAttempts:       new(random.IntN(4)),
			OnFailure: toBucket(func(object []byte) {
				var o struct{ Payload events.KinesisEvent }
				if err := json.Unmarshal(object, &o); err != nil {
					t.Error(err)
				}
				for _, r := range o.Payload.Records {
					discarded[r.Kinesis.SequenceNumber]++
				}
			}),
			Clock: source.NewClock(began),
		}
		if random.IntN(3) == 0 {
			cfg.MaximumRecordAge = time.Minute
		}
		s := stream.New(guardtest.NewInProcess(fn, guardtest.Config{}), cfg)
		var ids []string
		for i := range 1 + random.IntN(150) {
			ids = append(ids, s.Put(fmt.Sprintf("key-%d", random.IntN(12)), fmt.Append(nil, i)))
			if random.IntN(10) == 0 {
				cfg.Clock.Advance(time.Duration(random.IntN(20)) * time.Second)
			}
		}
		drainStream(t, s)
		if err := s.Ledger().Check(); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		for _, id := range ids {
			entry, _ := s.Ledger().Entry(id)
			want := source.DeadLettered
			if fn.done[id] {
				want = source.Done
			}
			if entry.Outcome != want || (discarded[id] == 1) != (want == source.DeadLettered) {
				t.Errorf("seed %d: record %s is %s and in %d messages, want it %s", seed, id, entry.Outcome, discarded[id], want)
			}
		}
	}
}

// A second Drain waits for the first, and ends with its own context.
func TestOnlyOneDrainIsUnderWay(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	fn := handlerFunc(func(context.Context, []byte) ([]byte, error) {
		close(entered)
		<-leave
		return nil, nil
	})
	s := stream.New(guardtest.NewInProcess(fn, guardtest.Config{Timeout: patient}), stream.Config{Clock: source.NewClock(began)})
	s.Put("k", []byte("0"))
	first := make(chan error, 1)
	go func() { first <- s.Drain(t.Context()) }()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Drain(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of its context", err)
	}
	close(leave)
	if err := <-first; err != nil {
		t.Errorf("the first: %v", err)
	}
	if err := s.Drain(t.Context()); err != nil {
		t.Errorf("an empty stream: %v", err)
	}
}
