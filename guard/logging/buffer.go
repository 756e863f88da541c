package logging

import (
	"encoding/json"
	"log/slog"
	"slices"
	"sync"

	"github.com/lambdarmor/lambdarmor/internal/invocation"
)

// buffer keeps the records of one invocation until it is known whether it fails.
type buffer struct {
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

func bufferOf(inv *invocation.Invocation) *buffer {
	return inv.Log.Get(func() any { return new(buffer) }).(*buffer)
}

// add keeps a record, and drops the oldest ones that are then over the limit.
func (b *buffer) add(kept keptRecord, limit int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.records = append(b.records, kept)
	b.size += kept.size
	drop := 0
	for ; b.size > limit && drop < len(b.records); drop++ {
		b.size -= b.records[drop].size
	}
	b.records = slices.Delete(b.records, 0, drop)
	b.dropped += drop
}

// take empties the buffer. It also returns how many records were dropped.
func (b *buffer) take() (records []keptRecord, dropped int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	records, dropped = b.records, b.dropped
	b.records, b.size, b.dropped = nil, 0, 0
	return records, dropped
}

// recordSize is about as many bytes as the record will take in the log.
func recordSize(r slog.Record) int {
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
