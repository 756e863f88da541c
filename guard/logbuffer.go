package guard

import (
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"sync"
)

// logBuffer keeps records of one invocation for as long as it may still fail.
type logBuffer struct {
	mu      sync.Mutex // guards all below
	records []keptRecord
	size    int
	dropped int
}

type keptRecord struct {
	handler slog.Handler // that the record was composed for
	record  slog.Record
	size    int
}

// add keeps a record, and drops the oldest ones that are then over the limit.
func (b *logBuffer) add(kept keptRecord, limit int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.records = append(b.records, kept)
	b.size += kept.size
	drop := 0
	for b.size > limit && drop < len(b.records) {
		b.size -= b.records[drop].size
		drop++
	}
	if drop > 0 {
		b.dropped += drop
		n := copy(b.records, b.records[drop:])
		clear(b.records[n:])
		b.records = b.records[:n]
	}
}

// take empties the buffer, and tells how many records it has dropped.
func (b *logBuffer) take() (records []keptRecord, dropped int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	records, dropped = b.records, b.dropped
	b.records, b.size, b.dropped = nil, 0, 0
	return records, dropped
}

// sizeOf is about as many bytes as the record will take in the log.
func sizeOf(r slog.Record) int {
	n := len(r.Message) + 64
	r.Attrs(func(a slog.Attr) bool {
		n += attrSize(a)
		return true
	})
	return n
}

func attrSize(a slog.Attr) int {
	n := len(a.Key) + 6
	switch a.Value.Kind() {
	case slog.KindString:
		n += len(a.Value.String())
	case slog.KindGroup:
		for _, inner := range a.Value.Group() {
			n += attrSize(inner)
		}
	case slog.KindAny:
		if text, ok := a.Value.Any().(json.RawMessage); ok { // what the redactor makes of it
			n += len(text)
		}
	default:
		n += len(a.Value.String())
	}
	return n
}

// sampled decides, once, whether the invocation is one that writes all levels.
func (inv *invocation) sampled(share float64) bool {
	if share == 0 {
		return false
	}
	inv.sampling.Do(func() { inv.sampledIn = rand.Float64() < share })
	return inv.sampledIn
}
