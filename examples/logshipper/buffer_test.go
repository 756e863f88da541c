package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// clocked is a buffer whose clock is set by hand.
type clocked struct {
	*buffer
	time time.Time
}

func newClocked(s settings) *clocked {
	c := &clocked{newBuffer(s, "orders"), time.Date(2026, 12, 1, 13, 59, 59, 0, time.UTC)}
	c.now = func() time.Time { return c.time }
	return c
}

func usual() settings {
	return settings{bucket: "b", prefix: "logs/", age: defaultAge, object: defaultObject, memory: defaultMemory}
}

// at is a record that Lambda made at a time.
func at(text string, r record) record {
	r.Time, _ = time.Parse(time.RFC3339, text)
	return r
}

func TestAKeySaysFunctionHourAndInvocation(t *testing.T) {
	start, report := of("platform.start", "r-1"), of("platform.report", "r-1")
	for _, tt := range []struct {
		name    string
		batch   []record
		request string // in the key
	}{
		{"a whole invocation", []record{start, said("a"), report}, "-r-1"},
		{"the end of one", []record{said("a"), report}, "-r-1"},
		{"several", []record{start, report, of("platform.start", "r-2"), of("platform.report", "r-2")}, "-r-1"},
		{"the Logs API", []record{of("platform.logsSubscription", ""), of("platform.start", "r-1"), said("a"), of("platform.end", "r-1")}, "-r-1"},
		{"none", []record{said("a")}, ""},
		{"one that the function made up", []record{{Type: "function", Raw: json.RawMessage(`{"requestId":"r-9"}`)}, start}, "-r-1"},
		{"one that is no part of a key", []record{of("platform.start", "../r/1"), start}, "-r-1"},
		{"a record that is text", []record{{Type: "platform.fault", Raw: json.RawMessage(`"out of memory"`)}, start}, "-r-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newClocked(usual())
			tt.batch[0] = at("2026-12-01T13:59:58.07Z", tt.batch[0])
			must(t, b.take(t.Context(), tt.batch))
			b.sealAll()
			got := b.next()
			want := `^logs/orders/2026-12-01/13/135958\.070Z-000001-[A-Z2-7]{26}` + tt.request + `\.ndjson\.gz$`
			if !regexp.MustCompile(want).MatchString(got.key) {
				t.Errorf("got %s, want %s", got.key, want)
			}
			if lines := linesOf(t, got.body); len(lines) != len(tt.batch) || lines[0].Time != "2026-12-01T13:59:58.070Z" {
				t.Errorf("got %v, want the records of %v", lines, tt.batch)
			}
		})
	}
}

func TestTheNextObjectOfALongInvocationHasItsIDToo(t *testing.T) {
	s := usual()
	s.object = 64 << 10
	b := newClocked(s)
	must(t, b.take(t.Context(), []record{of("platform.start", "r-1")}))
	for range 200 {
		must(t, b.take(t.Context(), []record{said(randomText(1 << 10))}))
	}
	b.sealAll()
	var keys []string
	for o := b.next(); o != nil; o = b.next() {
		keys = append(keys, o.key)
		b.stored()
	}
	if len(keys) < 3 || !slices.IsSorted(keys) {
		t.Errorf("got %q, want some, sorted", keys)
	}
	for _, key := range keys {
		if !strings.HasSuffix(key, "-r-1.ndjson.gz") {
			t.Errorf("got %s, want it to name r-1", key)
		}
	}
}

func TestALineIsTheRecordAsLambdaSentIt(t *testing.T) {
	b := newClocked(usual())
	must(t, b.take(t.Context(), []record{
		{Type: "function", Raw: json.RawMessage("{\n  \"level\": \"INFO\",\n \"text\": \"<a>\\n\"}")},
	}))
	b.sealAll()
	lines := linesOf(t, b.next().body)
	if len(lines) != 1 || string(lines[0].Record) != `{"level":"INFO","text":"<a>\n"}` {
		t.Errorf("got %s", lines[0].Record)
	}
}

func TestAnObjectIsSealedBySizeOrAge(t *testing.T) {
	small, perBatch := usual(), usual()
	small.object = 64 << 10
	perBatch.age = 0
	for _, tt := range []struct {
		name     string
		settings settings
		batch    []record
		later    time.Duration // then the clock is looked at
		want     int
	}{
		{"young and small", usual(), []record{said("a")}, 59 * time.Second, 0},
		{"old", usual(), []record{said("a")}, time.Minute, 1},
		{"the clock went back", usual(), []record{said("a")}, -time.Hour, 1},
		{"the clock is corrected", usual(), []record{said("a")}, -time.Second, 0},
		{"large", small, []record{said(strings.Repeat("a", 64<<10)), said("b")}, 0, 1},
		{"at once", perBatch, []record{of("platform.start", "r-1"), said("a")}, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newClocked(tt.settings)
			must(t, b.take(t.Context(), tt.batch))
			b.time = b.time.Add(tt.later)
			wait := b.due()
			if len(b.waiting) != tt.want || wait <= 0 {
				t.Errorf("got %d objects, and the next look in %v; want %d", len(b.waiting), wait, tt.want)
			}
		})
	}
}

func TestABatchThatComesAgainIsTakenOnce(t *testing.T) {
	b := newClocked(usual())
	first, second := []record{said("a"), said("b")}, []record{said("c")}
	for _, batch := range [][]record{first, first, second, second, first, nil} {
		must(t, b.take(t.Context(), batch))
	}
	b.sealAll()
	if got := b.next().records; got != 5 {
		t.Errorf("got %d records, want 5: only a batch that equals the one before is a repetition", got)
	}
}

func TestABatchIsTakenWholeOrNotAtAll(t *testing.T) {
	b := newClocked(usual())
	bad := []record{said("a"), {Type: "function", Raw: json.RawMessage(`{`)}}
	if err := b.take(t.Context(), bad); err == nil {
		t.Fatal("got no error")
	}
	b.sealAll()
	if o := b.next(); o != nil {
		t.Errorf("got %v, want none", linesOf(t, o.body))
	}
}

func TestWhatIsNotKeptIsNotStored(t *testing.T) {
	b := newClocked(usual())
	b.keep = func(r record) bool { return r.Type == "function" }
	must(t, b.take(t.Context(), []record{of("platform.start", "r-1"), said("a")}))
	b.sealAll()
	if lines := linesOf(t, b.next().body); len(lines) != 1 || lines[0].Type != "function" {
		t.Errorf("got %v", lines)
	}
}

func TestTheOldestIsDroppedAndCountedInTheNextObject(t *testing.T) {
	s := usual()
	s.object, s.memory = 64<<10, 128<<10
	b := newClocked(s)
	taken := 0
	for range 600 {
		must(t, b.take(t.Context(), []record{said(fmt.Sprint(taken, randomText(1<<10)))}))
		taken++
		if b.size > s.memory {
			t.Fatalf("got %d bytes, want at most %d", b.size, s.memory)
		}
	}
	if left, _ := b.left(); left.records != taken {
		t.Errorf("got %d records in all, want %d", left.records, taken)
	}
	b.sealAll()
	stored, lost := 0, 0
	var last line
	for o := b.next(); o != nil; o = b.next() {
		for _, l := range linesOf(t, o.body) {
			if l.Type == "function" {
				stored++
				continue
			}
			var record struct{ DroppedRecords, DroppedBytes int }
			must(t, json.Unmarshal(l.Record, &record))
			if record.DroppedBytes < record.DroppedRecords<<10 {
				t.Errorf("got %s, want the bytes of that many records", l.Record)
			}
			lost, last = lost+record.DroppedRecords, l
		}
		b.stored()
	}
	if stored+lost != taken || lost == 0 || last.Type != "logshipper.logsDropped" {
		t.Errorf("got %d stored and %d dropped (%s), want %d in all", stored, lost, last.Type, taken)
	}
}

// What Lambda has dropped stays counted when the record of it is dropped.
func TestADroppedCountIsCounted(t *testing.T) {
	s := usual()
	s.age, s.object, s.memory = 0, 64<<10, 128<<10
	b := newClocked(s)
	must(t, b.take(t.Context(), []record{{Type: "platform.logsDropped", Raw: json.RawMessage(`{"reason":"r","droppedRecords":40,"droppedBytes":4000}`)}}))
	for i := range 399 {
		must(t, b.take(t.Context(), []record{said(fmt.Sprint(i))}))
	}
	if left, _ := b.left(); left.records != 439 || len(b.waiting) == 400 {
		t.Errorf("got %d records in %d objects, want 439 in fewer than 400", left.records, len(b.waiting))
	}
}

func TestWhatWasDroppedLastIsSaidAtTheEnd(t *testing.T) {
	s := usual()
	s.age, s.object, s.memory = 0, 64<<10, 128<<10
	b := newClocked(s)
	for i := range 400 {
		must(t, b.take(t.Context(), []record{said(fmt.Sprint(i))}))
	}
	for b.next() != nil {
		b.stored()
	}
	b.sealAll()
	if o := b.next(); o == nil || o.records != 0 || o.dropped.records == 0 {
		t.Errorf("got %+v, want an object that says how much was dropped", o)
	}
}

// An object for each invocation is small: it takes more than its body.
func TestManySmallObjectsAreBoundedToo(t *testing.T) {
	s := usual()
	s.age, s.object, s.memory = 0, 64<<10, 128<<10
	b := newClocked(s)
	for i := range 400 {
		must(t, b.take(t.Context(), []record{of("platform.report", fmt.Sprint("r-", i))}))
	}
	if n := len(b.waiting); n > s.memory/512 {
		t.Errorf("%d objects wait, want at most %d", n, s.memory/512)
	}
	if left, _ := b.left(); left.records != 400 {
		t.Errorf("got %d records in all, want 400", left.records)
	}
}

// Two environments begin alike, and so do the copies of a snapshot.
func TestNoTwoObjectsHaveOneKey(t *testing.T) {
	const environments = 50
	keys := map[string]bool{}
	r := said("a")
	for range environments {
		b := newClocked(usual())
		must(t, b.take(t.Context(), []record{r}))
		b.sealAll()
		keys[b.next().key] = true
	}
	if len(keys) != environments {
		t.Errorf("got %d keys of %d environments", len(keys), environments)
	}
}
