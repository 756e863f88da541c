package batch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

// Whatever the event is, the answer lists what did not return nil, and nothing
// that is not in the event; or the whole batch fails before anything has run.
//
// SECURITY: The process lives.
func FuzzBatch(f *testing.F) {
	for _, s := range eventSources {
		for name, e := range sample.All() {
			if trigger, _, _ := strings.Cut(name, "/"); trigger == string(s.trigger) {
				f.Add(e.Repeat(4).Bytes())
			}
		}
		for _, row := range badOfEverySource(s) {
			if len(row.event) < 1<<12 {
				f.Add([]byte(row.event))
			}
		}
	}
	for _, row := range badOfOneSource() {
		if len(row.event) < 1<<12 {
			f.Add([]byte(row.event))
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, s := range eventSources {
			checkAnyEvent(t, s, payload, false)
			if s.name != "SQS" {
				checkAnyEvent(t, s, payload, true, batch.ContinueAfterFailure())
			}
		}
	})
}

// fails decides what becomes of a record, so that a record that is there twice
// fails twice.
func fails(id string) bool {
	sum := fnv.New32a()
	sum.Write([]byte(id))
	return sum.Sum32()%3 == 0
}

func checkAnyEvent(t *testing.T, s eventSource, payload []byte, continues bool, opts ...batch.Option) {
	t.Helper()
	calls := map[string]int{}
	h := s.handler(func(ctx context.Context) error {
		info, _ := batch.RecordFrom(ctx)
		calls[info.ID]++
		switch {
		case !fails(info.ID):
			return nil
		case len(info.ID)%2 == 0:
			panic("at the disco")
		default:
			return guard.Reason("no database")
		}
	}, opts...)
	out, err := h.Invoke(t.Context(), bytes.Clone(payload))
	if err != nil {
		var e *guard.Error
		if !errors.As(err, &e) || len(calls) > 0 || out != nil {
			t.Errorf("%s: got %v after calls for %v, want an error with a code, and no call", s.name, err, calls)
		}
		return
	}
	got, err := listedIDs(out)
	if err != nil {
		t.Fatalf("%s: got %s, want a list of failures: %v", s.name, out, err)
	}
	slices.Sort(got)
	shards, err := idsByShard(s, payload)
	if err != nil {
		t.Fatalf("%s: got the answer %s, want an error for an event that encoding/json refuses: %v", s.name, out, err)
	}
	wantCalls, wantListed := map[string]int{}, map[string]bool{}
	for _, ids := range shards {
		stopped := false
		for _, id := range ids {
			switch {
			case s.name == "SQS" || continues: // lanes decide what runs
				wantCalls[id]++
			case !stopped:
				wantCalls[id]++
				if fails(id) {
					wantListed[id], stopped = true, true
				}
			case s.name == "Kafka": // all that is not done
				wantListed[id] = true
			}
		}
	}
	for id, n := range calls {
		if n > wantCalls[id] {
			t.Errorf("%s: got %d calls for the record %q, want at most %d", s.name, n, id, wantCalls[id])
		}
	}
	for id, n := range wantCalls {
		if s.name == "SQS" || continues {
			wantListed[id] = fails(id) || calls[id] < n
		} else if calls[id] != n {
			t.Errorf("%s: got %d calls for the record %q, want %d", s.name, calls[id], id, n)
		}
	}
	maps.DeleteFunc(wantListed, func(_ string, failed bool) bool { return !failed })
	if want := slices.Sorted(maps.Keys(wantListed)); !slices.Equal(got, want) {
		t.Errorf("%s: got the failures %q, want %q", s.name, got, want)
	}
}

// listedIDs returns what an answer lists, as RecordFrom has ids.
func listedIDs(out []byte) ([]string, error) {
	var answer struct {
		Failures []struct {
			ID json.RawMessage `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(out, &answer); err != nil || answer.Failures == nil {
		return nil, errors.Join(guard.Reason("no list"), err)
	}
	var ids []string
	for _, failure := range answer.Failures {
		var id string
		var record struct {
			Partition string
			Offset    json.Number
		}
		if json.Unmarshal(failure.ID, &id) != nil {
			if err := json.Unmarshal(failure.ID, &record); err != nil {
				return nil, err
			}
			id = record.Partition + ":" + record.Offset.String()
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// listed joins what an answer lists; it is "none" if the list is empty.
func listed(out []byte) string {
	ids, err := listedIDs(out)
	switch {
	case err != nil:
		return err.Error()
	case len(ids) == 0:
		return "none"
	default:
		return strings.Join(ids, " ")
	}
}

// idsByShard reads an event once more, by other means.
func idsByShard(s eventSource, payload []byte) ([][]string, error) {
	var event map[string]json.RawMessage
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	type record struct {
		MessageID string `json:"messageId"`
		Kinesis   struct {
			SequenceNumber string `json:"sequenceNumber"`
		} `json:"kinesis"`
		Change struct {
			SequenceNumber string `json:"SequenceNumber"`
		} `json:"dynamodb"`
		Offset json.Number `json:"offset"`
	}
	if s.name == "Kafka" {
		var partitions map[string][]record
		if err := json.Unmarshal(event["records"], &partitions); err != nil {
			return nil, err
		}
		var shards [][]string
		for name, records := range partitions {
			var ids []string
			for _, r := range records {
				ids = append(ids, fmt.Sprintf("%s:%s", name, r.Offset))
			}
			shards = append(shards, ids)
		}
		return shards, nil
	}
	var records []record
	if err := json.Unmarshal(event["Records"], &records); err != nil {
		return nil, err
	}
	var ids []string
	for _, r := range records {
		switch s.name {
		case "SQS":
			ids = append(ids, r.MessageID)
		case "Kinesis":
			ids = append(ids, r.Kinesis.SequenceNumber)
		default:
			ids = append(ids, r.Change.SequenceNumber)
		}
	}
	return [][]string{ids}, nil
}
