package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/extension"
)

// buffer holds records until they are stored. It is safe for concurrent use.
//
// It is bounded: when too much waits, the oldest object is dropped, and the next one
// has a record that says how many records were in it.
type buffer struct {
	settings
	function string
	keep     func(record) bool // whether a record is to be stored; nil for all
	now      func() time.Time

	// changed has an element when a draft was begun or sealed.
	changed chan struct{}

	mu      sync.Mutex // guards what follows
	draft   *draft     // nil before the first record
	gzip    *gzip.Writer
	number  int               // of objects sealed
	waiting []*object         // oldest first
	size    int               // of them, in bytes
	sent    bool              // the first may be stored already
	dropped dropped           // and in no object yet
	request string            // that the last record of the platform was about
	last    [sha256.Size]byte // of the last batch
}

func newBuffer(s settings, function string) *buffer {
	// The function waits for the same CPU: speed is worth more than some bytes.
	compressor, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	return &buffer{
		settings: s, function: function, gzip: compressor, changed: make(chan struct{}, 1),
		now: func() time.Time { return time.Now().Round(0) },
	}
}

// take takes a batch of Lambda, all of it or, with an error, nothing. It waits for
// nobody.
//
// Lambda sends a batch again whose acknowledgement is lost. One that equals the batch
// before it is therefore not taken twice. Two different batches do not have the same
// bytes: each record has its time, and a millisecond is too short for two batches.
func (b *buffer) take(_ context.Context, batch []record) error {
	var text bytes.Buffer
	ends := make([]int, len(batch)) // of the lines in text
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	for i, r := range batch {
		if err := enc.Encode(line{r.Time.UTC().Format(millis), r.Type, r.Raw}); err != nil {
			return err
		}
		ends[i] = text.Len()
	}
	id := sha256.Sum256(text.Bytes())

	b.mu.Lock()
	defer b.mu.Unlock()
	if id == b.last {
		return nil
	}
	b.last = id
	begin := 0
	for i, r := range batch {
		if b.keep == nil || b.keep(r) {
			b.append(r, text.Bytes()[begin:ends[i]])
		}
		begin = ends[i]
	}
	b.sealIfDue()
	return nil
}

// append adds a record to the draft, which may be full by it.
func (b *buffer) append(r record, text []byte) {
	if b.draft == nil {
		b.open(r.Time)
	}
	d := b.draft
	d.write(text)
	if lost, ok := r.Platform().(extension.LogsDropped); ok { // is a count itself
		d.dropped.records += int(lost.DroppedRecords)
		d.dropped.bytes += int(lost.DroppedBytes)
	} else {
		d.records++
		d.bytes += len(text)
	}
	if id := requestOf(r); id != "" {
		b.request = id
		if d.request == "" {
			d.request = id
		}
	}
	if d.bytes >= b.object {
		b.seal()
		b.dropOldest()
	}
}

func (b *buffer) open(first time.Time) {
	now := b.now()
	if first.IsZero() {
		first = now
	}
	b.draft = &draft{gzip: b.gzip, first: first, opened: now}
	b.gzip.Reset(&b.draft.body)
	signal(b.changed)
}

// sealIfDue seals the draft when it is old. If the clock went back, its age is unknown.
func (b *buffer) sealIfDue() {
	if b.draft == nil {
		return
	}
	if age := b.now().Sub(b.draft.opened); age >= b.age || age < -time.Second {
		b.seal()
		b.dropOldest()
	}
}

func (b *buffer) seal() {
	d := b.draft
	if d.request == "" { // amid one invocation
		d.request = b.request
	}
	b.number++
	o := d.seal(b.prefix, b.function, b.number, b.dropped, b.now())
	b.draft, b.dropped = nil, dropped{}
	b.waiting = append(b.waiting, o)
	b.size += o.size()
	signal(b.changed)
}

// dropOldest drops objects until the others fit. One that was sent is kept: it may be
// stored, and its records would then be counted as dropped besides.
func (b *buffer) dropOldest() {
	oldest := 0
	if b.sent {
		oldest = 1
	}
	for b.size > b.memory && len(b.waiting) > oldest+1 {
		o := b.waiting[oldest]
		b.dropped.add(o.holds)
		b.size -= o.size()
		b.waiting = slices.Delete(b.waiting, oldest, oldest+1)
	}
}

// due returns how long it is until a draft is old, and seals one that is.
func (b *buffer) due() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealIfDue()
	if b.draft == nil {
		return time.Hour // changed says when there is one
	}
	return b.draft.opened.Add(b.age).Sub(b.now())
}

// next returns the oldest object, which is sent from now on, or nil.
func (b *buffer) next() *object {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		return nil
	}
	b.sent = true
	return b.waiting[0]
}

// stored removes the object that next returned.
func (b *buffer) stored() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.size -= b.waiting[0].size()
	b.waiting, b.sent = slices.Delete(b.waiting, 0, 1), false
}

// sealAll seals what there is, and drops nothing.
func (b *buffer) sealAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.draft == nil && b.dropped.records > 0 {
		b.open(time.Time{})
	}
	if b.draft != nil {
		b.seal()
	}
}

// waits reports whether an object waits.
func (b *buffer) waits() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting) > 0
}

// unanswered says that the object that next returned may be stored, for all that is known.
func (b *buffer) unanswered() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting[0].unanswered = true
}

// left counts what is neither stored nor, if it was dropped, counted in an object that
// is. Of what is unknown an object was sent, and nobody knows whether it is stored.
func (b *buffer) left() (certain, unknown dropped) {
	b.mu.Lock()
	defer b.mu.Unlock()
	certain = b.dropped
	for _, o := range b.waiting {
		if o.unanswered {
			unknown.add(o.holds)
		} else {
			certain.add(o.holds)
		}
	}
	if b.draft != nil {
		certain.add(b.draft.holds)
	}
	return certain, unknown
}
