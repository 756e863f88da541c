package telemetry

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
)

// A subscriber buffers the records of one subscription, and delivers them in batches
// and in their order. A batch that fails is delivered again until it succeeds.
//
// Beside the batch on its way it holds twice what it may buffer. Records beyond are
// dropped, and counted in a record of their own.
type subscriber struct {
	name     string
	api      API
	schema   string
	types    []string
	maxItems int
	maxBytes int
	timeout  time.Duration
	to       destination
	wake     chan struct{} // has a value after a change

	mu      sync.Mutex
	waiting []record
	size    int // of waiting, in bytes
	dropped counts
	flushed []chan struct{} // closed when everything is delivered
}

const (
	firstBackoff = 50 * time.Millisecond
	lastBackoff  = time.Second
)

func (s *subscriber) add(r record) {
	if !s.takes(r.kind) {
		return
	}
	if r.text != nil && (s.api == LogsAPI || s.schema < "2022-12-13") {
		r.json = r.text
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) >= 2*s.maxItems || s.size+len(r.json) > 2*s.maxBytes {
		s.dropped.add(counts{1, len(r.json)})
	} else {
		s.append(r)
	}
	s.changed()
}

// drop counts records of a type that were lost before they came here.
func (s *subscriber) drop(kind string, lost counts) {
	if s.takes(kind) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.dropped.add(lost)
	}
}

func (s *subscriber) takes(kind string) bool {
	return slices.Contains(s.types, category(kind)) && s.knows(kind)
}

// knows reports whether the subscription's schema has the type of record.
func (s *subscriber) knows(kind string) bool {
	switch kind {
	case "platform.end", "platform.fault", "platform.logsSubscription":
		return s.api == LogsAPI
	case "platform.runtimeDone":
		return s.api == TelemetryAPI || s.schema == "2021-03-18"
	case "platform.telemetrySubscription":
		return s.api == TelemetryAPI
	}
	return s.api == TelemetryAPI || !strings.HasPrefix(kind, "platform.init") && !strings.HasPrefix(kind, "platform.restore")
}

func (s *subscriber) append(r record) {
	s.waiting = append(s.waiting, r)
	s.size += len(r.json)
}

func (s *subscriber) changed() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *subscriber) flush() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	done := make(chan struct{})
	s.flushed = append(s.flushed, done)
	s.changed()
	return done
}

// run delivers until ctx ends.
func (s *subscriber) run(ctx context.Context) {
	defer s.to.close()
	for {
		batch := s.next(ctx)
		if len(batch) == 0 {
			return
		}
		for wait := firstBackoff; s.to.send(ctx, batch) != nil; wait = min(2*wait, lastBackoff) {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return
			}
		}
	}
}

// next waits for a batch that is due: full, old enough or to be flushed. It is empty
// when ctx has ended.
func (s *subscriber) next(ctx context.Context) []record {
	for {
		batch, due := s.take()
		if len(batch) > 0 {
			return batch
		}
		timer := time.NewTimer(due)
		select {
		case <-s.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return nil
		}
	}
}

// take returns a batch, or how long it is until one is due.
func (s *subscriber) take() (batch []record, due time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		s.reportDropped()
	}
	if len(s.waiting) == 0 {
		for _, done := range s.flushed {
			close(done)
		}
		s.flushed = nil
		return nil, time.Hour // or the next record
	}
	due = s.timeout - time.Since(s.waiting[0].at)
	if due > 0 && len(s.waiting) < s.maxItems && s.size < s.maxBytes && len(s.flushed) == 0 {
		return nil, due
	}
	n, size := 0, 0
	for n < min(len(s.waiting), s.maxItems) && (n == 0 || size+len(s.waiting[n].json) <= s.maxBytes) {
		size += len(s.waiting[n].json)
		n++
	}
	batch = slices.Clone(s.waiting[:n])
	s.waiting = slices.Delete(s.waiting, 0, n)
	s.size -= size
	s.reportDropped()
	return batch, 0
}

// reportDropped adds a record of what was dropped, now that there is room for it.
func (s *subscriber) reportDropped() {
	if s.dropped.records == 0 {
		return
	}
	if slices.Contains(s.types, platform) {
		now := time.Now()
		encoded, _ := json.Marshal(map[string]any{
			"time": Time(now),
			"type": "platform.logsDropped",
			"record": map[string]any{
				"droppedRecords": s.dropped.records,
				"droppedBytes":   s.dropped.bytes,
				"reason":         "Some logs were dropped because the downstream consumer is slower than the logs production rate",
			},
		})
		s.append(record{kind: "platform.logsDropped", json: encoded, at: now})
	}
	s.dropped = counts{}
}
