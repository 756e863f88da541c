package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
)

// Types of records besides those of the platform, which begin with "platform.".
const (
	Function  = "function"
	Extension = "extension"
)

const platform = "platform"

// A Stream takes the records of an environment. Until [Stream.EndInit] it takes
// subscriptions, each of which gets the records from the beginning on. The zero value
// is ready.
type Stream struct {
	Managed bool // in managed instances only the newest schema is accepted
	Objects bool // a line that is a JSON object is one in its record, by the schemas from 2022-12-13 on

	mu          sync.Mutex
	early       []record // of INIT, for who subscribes yet
	earlySize   int
	earlyLost   map[string]counts // beyond these, by type
	initialised bool
	subscribers []*subscriber
	running     sync.WaitGroup
	close       []context.CancelFunc
}

// A record is one event, encoded.
type record struct {
	kind string
	json []byte
	text []byte // if it has an object: with its text instead, for older schemas
	at   time.Time
}

// Counts are of records.
type counts struct{ records, bytes int }

func (c *counts) add(more counts) { c.records, c.bytes = c.records+more.records, c.bytes+more.bytes }

// Publish adds a record, whose value is encoded as JSON. It does not wait for the
// subscribers.
func (s *Stream) Publish(kind string, value any) {
	if !s.heard() {
		return
	}
	s.add(newRecord(kind, value))
}

func newRecord(kind string, value any) record {
	now := time.Now()
	encoded, err := json.Marshal(struct {
		Time   string `json:"time"`
		Type   string `json:"type"`
		Record any    `json:"record"`
	}{Time(now), kind, value})
	if err != nil {
		panic("guardtest: a record that is no JSON: " + err.Error())
	}
	return record{kind: kind, json: encoded, at: now}
}

func (s *Stream) add(r record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.initialised:
	case s.earlySize < mostBytes:
		s.early = append(s.early, r)
		s.earlySize += len(r.json)
	default:
		if s.earlyLost == nil {
			s.earlyLost = map[string]counts{}
		}
		lost := s.earlyLost[r.kind]
		lost.add(counts{1, len(r.json)})
		s.earlyLost[r.kind] = lost
	}
	for _, sub := range s.subscribers {
		sub.add(r)
	}
}

// heard reports whether a record has a subscriber, or may get one.
func (s *Stream) heard() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.initialised || len(s.subscribers) > 0
}

// Line adds what a program has written, as a record of the kind for each line.
func (s *Stream) Line(kind string, output []byte) {
	if !s.heard() {
		return
	}
	for line := range bytes.Lines(output) {
		line = bytes.TrimRight(line, "\r\n")
		if s.Objects && json.Valid(line) && bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte("{")) {
			r := newRecord(kind, json.RawMessage(line))
			r.text = newRecord(kind, string(line)).json
			s.add(r)
		} else {
			s.add(newRecord(kind, string(line)))
		}
	}
}

// subscribe adds a subscriber, if there is none of the name, and gives it the records
// so far. It returns the subscriber of the name, or nil when it is too late.
func (s *Stream) subscribe(sub *subscriber) *subscriber {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.subscribers, func(other *subscriber) bool { return other.name == sub.name }); i >= 0 {
		return s.subscribers[i]
	}
	if s.initialised {
		return nil
	}
	for _, r := range s.early {
		sub.add(r)
	}
	for kind, lost := range s.earlyLost {
		sub.drop(kind, lost)
	}
	s.subscribers = append(s.subscribers, sub)
	ctx, cancel := context.WithCancel(context.Background())
	s.close = append(s.close, cancel)
	s.running.Go(func() { sub.run(ctx) })
	return sub
}

// EndInit ends the time in which extensions can subscribe.
func (s *Stream) EndInit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.initialised, s.early = true, nil
}

// Flush delivers what is buffered. It returns when that is done or ctx ends.
func (s *Stream) Flush(ctx context.Context) {
	s.mu.Lock()
	subscribers := slices.Clone(s.subscribers)
	s.mu.Unlock()
	for _, sub := range subscribers {
		select {
		case <-sub.flush():
		case <-ctx.Done():
			return
		}
	}
}

// Close ends the delivery. What is not delivered is lost.
func (s *Stream) Close() {
	s.EndInit()
	for _, cancel := range s.close {
		cancel()
	}
	s.running.Wait()
}

// Time returns a time as records have it.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// category returns the stream to which a type of record belongs.
func category(kind string) string {
	if strings.HasPrefix(kind, platform) {
		return platform
	}
	return kind
}
