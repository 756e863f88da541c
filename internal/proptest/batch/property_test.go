package batch_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"pgregory.net/rapid"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/internal/counttest"
)

// record is a record of a random batch, and what its function does.
type record struct {
	index   int
	id      string // not always its own
	group   string // of a FIFO queue; the partition key, the item, the partition
	fifo    bool
	attempt int    // as SQS has it
	does    string // of outcomes
	sink    string // what the sink does with it: "ok", "error" or "panic"
	yields  int    // how often it lets others run
}

// world is a random batch with its options, and what happens to it.
type world struct {
	source      source
	records     []record
	concurrency int
	continues   bool
	hasSink     bool
	maxReceives int
	retryLater  bool
	backoff     time.Duration
	failWhole   bool
	failAll     bool

	mu      sync.Mutex
	running map[string]bool // lanes
	atOnce  int
	most    int
	started []int // indexes, in the order of their starts
	letters map[int]int
	refused map[int]int
	delays  map[int]time.Duration
	broken  []string
	counts  map[string]int
}

const asked = 20 * time.Second // by an error with RetryAfter

func drawWorld(t *rapid.T) *world {
	w := &world{
		source:      rapid.SampledFrom(sources).Draw(t, "source"),
		concurrency: rapid.IntRange(1, 8).Draw(t, "concurrency"),
		hasSink:     rapid.Bool().Draw(t, "sink"),
		failWhole:   rapid.IntRange(0, 9).Draw(t, "failWhole") == 0,
		failAll:     rapid.IntRange(0, 4).Draw(t, "failWhenAllFail") == 0,
		running:     map[string]bool{}, letters: map[int]int{}, refused: map[int]int{}, delays: map[int]time.Duration{},
	}
	if w.source.isSQS {
		if w.hasSink {
			w.maxReceives = rapid.IntRange(0, 3).Draw(t, "maxReceives")
		}
		w.retryLater = rapid.Bool().Draw(t, "retryLater")
		w.backoff = time.Duration(rapid.IntRange(0, 1).Draw(t, "backoff")) * time.Second
	} else {
		w.continues = rapid.Bool().Draw(t, "continues")
	}
	does := []string{"nil", "nil", "error", "panic", "poison", "later"}
	if w.concurrency == 1 {
		does = append(does, "cancel")
	}
	twice := rapid.IntRange(0, 4).Draw(t, "idsTwice") == 0
	for i := range rapid.IntRange(0, 12).Draw(t, "records") {
		r := record{
			id: strconv.Itoa(100 + i), group: strconv.Itoa(rapid.IntRange(0, 3).Draw(t, "group")), fifo: rapid.Bool().Draw(t, "fifo"),
			attempt: rapid.IntRange(0, 6).Draw(t, "attempt"), does: rapid.SampledFrom(does).Draw(t, "does"),
			sink: rapid.SampledFrom([]string{"ok", "ok", "error", "panic"}).Draw(t, "sinkDoes"), yields: rapid.IntRange(0, 20).Draw(t, "yields"),
		}
		if twice {
			r.id = strconv.Itoa(100 + i/2)
		}
		w.records = append(w.records, r)
	}
	if w.source.name == "Kafka" { // the event has one partition after the other
		slices.SortStableFunc(w.records, func(a, b record) int { return cmp.Compare(a.group, b.group) })
	}
	for i := range w.records {
		w.records[i].index = i
	}
	return w
}

// lane is what must run in order.
func (w *world) lane(r record) string {
	if w.source.isSQS && !r.fifo {
		return fmt.Sprint("message ", r.index)
	}
	return "group " + r.group
}

// shard is what a stream continues from its first failure in.
func (w *world) shard(r record) string {
	if w.source.name == "Kafka" {
		return r.group
	}
	return ""
}

func (w *world) options() []batch.Option {
	opts := []batch.Option{batch.Concurrency(w.concurrency)}
	add := func(wanted bool, opt func() batch.Option) {
		if wanted {
			opts = append(opts, opt())
		}
	}
	add(w.continues, batch.ContinueAfterFailure)
	add(w.hasSink, func() batch.Option { return batch.DeadLetters(batch.SinkFunc(w.bury)) })
	add(w.maxReceives > 0, func() batch.Option { return batch.MaxReceives(w.maxReceives) })
	add(w.retryLater, func() batch.Option { return batch.RetryLater(w, func(int) time.Duration { return w.backoff }) })
	add(w.failWhole, batch.FailWhole)
	add(w.failAll, batch.FailWhenAllFail)
	return opts
}

// run is the function of the batch.
func (w *world) run(cancel context.CancelFunc, index int) error {
	r := w.records[index]
	w.mu.Lock()
	if w.running[w.lane(r)] {
		w.broken = append(w.broken, fmt.Sprintf("record %d runs beside another one of its lane", index))
	}
	w.running[w.lane(r)] = true
	w.started = append(w.started, index)
	w.atOnce++
	w.most = max(w.most, w.atOnce)
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.running[w.lane(r)] = false
		w.atOnce--
	}()
	for range r.yields {
		runtime.Gosched()
	}
	switch r.does {
	case "error":
		return guard.Reason("no database")
	case "panic":
		panic("at the disco")
	case "poison":
		return guard.Errorf(guard.Invalid, "bad_order", "The order is wrong.")
	case "later":
		return &guard.Error{Kind: guard.Unavailable, RetryAfter: asked}
	case "cancel":
		cancel()
	}
	return nil
}

func (w *world) bury(_ context.Context, l batch.DeadLetter) error {
	index, err := w.source.index(l.Record)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil || index < 0 || index >= len(w.records) {
		w.broken = append(w.broken, fmt.Sprintf("the letter %s is of no record: %v", l.Record, err))
		return nil
	}
	r := w.records[index]
	want := "bad_order"
	switch {
	case w.isOver(r):
		want = "too_many_receives"
	case r.does == "later":
		want = "unavailable"
	case r.does != "poison":
		want = "internal"
	}
	if l.Code != want && (r.does != "panic" || l.Code != "panic") {
		w.broken = append(w.broken, fmt.Sprintf("the letter about %+v has the code %s, want %s", r, l.Code, want))
	}
	if r.sink == "ok" {
		w.letters[index]++
		return nil
	}
	w.refused[index]++
	if r.sink == "panic" {
		panic("in the sink")
	}
	return guard.Reason("no sink")
}

func (w *world) Delay(_ context.Context, m events.SQSMessage, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, twice := w.delays[number(m.Body)]; twice {
		w.broken = append(w.broken, "message "+m.Body+" is delayed twice")
	}
	w.delays[number(m.Body)] = d
	return nil
}

// fate is what becomes of a record that is reached.
type fate struct {
	runs  bool // its function
	given bool // up, to the sink
	done  bool
	delay time.Duration
}

// isOver reports whether a record is given up without a run. Of a lane the first one
// is, and one more with each further receive.
func (w *world) isOver(r record) bool {
	place := 0
	for _, before := range w.records[:r.index] {
		if w.lane(before) == w.lane(r) {
			place++
		}
	}
	return w.maxReceives > 0 && r.attempt-w.maxReceives > place
}

func (w *world) fate(r record) fate {
	over := w.isOver(r)
	f := fate{runs: !over}
	if !over && (r.does == "nil" || r.does == "cancel") {
		f.done = true
		return f
	}
	last := w.maxReceives > 0 && r.attempt >= w.maxReceives
	f.given = w.hasSink && (over || last || r.does == "poison")
	f.done = f.given && r.sink == "ok"
	if w.retryLater && !f.done {
		f.delay = w.backoff
		if r.does == "later" && !over {
			f.delay = asked
		}
	}
	return f
}

// expectation is what must happen to each record. Of a stream with several workers,
// records behind the first failure may have run or not.
type expectation struct {
	reached []string // "yes", "no" or "maybe", by index
	listed  []string
}

func (w *world) expect() expectation {
	var e expectation
	stopped, first := map[string]bool{}, map[string]bool{}
	cancelled := false
	undone := make([]bool, len(w.records))
	for i, r := range w.records {
		lane, shard := w.lane(r), w.shard(r)
		reached := "yes"
		switch {
		case cancelled, stopped[lane]:
			reached = "no"
		case !w.source.isSQS && !w.continues && first[shard]:
			reached = "no"
			if w.concurrency > 1 {
				reached = "maybe"
			}
		}
		e.reached = append(e.reached, reached)
		f := w.fate(r)
		undone[i] = reached == "no" || !f.done
		if undone[i] {
			stopped[lane], first[shard] = true, true
		}
		cancelled = cancelled || reached == "yes" && f.runs && r.does == "cancel"
	}
	seen := map[string]bool{}
	for i, r := range w.records {
		id := w.source.identifier(r)
		if !undone[i] || seen[id] || w.source.fromFirst() && !w.continues && len(e.listed) > 0 {
			continue
		}
		seen[id] = true
		e.listed = append(e.listed, id)
	}
	return e
}

// Order holds in each lane, nothing runs behind a failure of its lane, what is not
// done is listed and nothing else, and a record is with the sink exactly if the
// sink took it.
func TestBatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		h := w.source.handler(func(_ context.Context, index int) error { return w.run(cancel, index) }, w.options()...)
		out, err := counttest.Handler(h, &w.counts).Invoke(ctx, w.source.payload(w.records))
		for _, b := range w.broken {
			t.Error(b)
		}
		if w.most > w.concurrency {
			t.Errorf("got %d records at once, want at most %d", w.most, w.concurrency)
		}
		want := w.expect()
		w.checkOrder(t)
		undone := w.checkRecords(t, want)
		if w.failWhole && undone > 0 || w.failAll && undone == len(w.records) && undone > 0 {
			if guard.Public(err).Code != "batch_failed" || out != nil {
				t.Errorf("got %s and error %v, want batch_failed for %d of %d records", out, err, undone, len(w.records))
			}
			return
		}
		if err != nil {
			t.Fatalf("got %v, want an answer", err)
		}
		if got := identifiers(t, out); !slices.Equal(got, want.listed) {
			t.Errorf("got the failures %v, want %v", got, want.listed)
		}
	})
}

// checkOrder checks that the records of a lane started in their order, and with one
// worker all of them did.
func (w *world) checkOrder(t *rapid.T) {
	last := map[string]int{}
	for _, index := range w.started {
		lane := w.lane(w.records[index])
		if w.concurrency == 1 {
			lane = "all"
		}
		if before, ran := last[lane]; ran && before >= index {
			t.Errorf("got record %d of lane %s after record %d, want the order of the event", index, lane, before)
		}
		last[lane] = index
	}
}

// checkRecords compares what happened to each record, and the counts. It returns
// how many are not done.
func (w *world) checkRecords(t *rapid.T, want expectation) (undone int) {
	counts := map[string]int{}
	count := func(name string, n int) {
		if n > 0 {
			counts[name] += n
		}
	}
	count(layer.Records, len(w.records))
	for i, r := range w.records {
		ran, sent := 0, w.letters[i]+w.refused[i]
		for _, index := range w.started {
			if index == i {
				ran++
			}
		}
		f := w.fate(r)
		reached := want.reached[i]
		if reached == "maybe" {
			reached = "no"
			if ran > 0 || sent > 0 {
				reached = "yes"
			}
		}
		if reached == "no" {
			f = fate{}
		}
		delay, delayed := w.delays[i]
		switch {
		case ran != btoi(f.runs):
			t.Errorf("got %d runs of record %+v, want %d", ran, r, btoi(f.runs))
		case sent != btoi(f.given):
			t.Errorf("got %d letters about record %+v, want %d", sent, r, btoi(f.given))
		case w.letters[i] != btoi(f.given && f.done):
			t.Errorf("got %d letters that are stored about %+v, want %d", w.letters[i], r, btoi(f.given && f.done))
		case delayed != (f.delay > 0), delay < f.delay, delay > f.delay+f.delay/10:
			t.Errorf("got a delay of %v for record %+v, want %v and up to a tenth more", delay, r, f.delay)
		}
		count(layer.RecordsDeadLettered, w.letters[i])
		switch {
		case f.done:
		case reached == "no":
			count(layer.RecordsNotStarted, 1)
		default:
			count(layer.RecordsFailed, 1)
		}
	}
	if !maps.Equal(w.counts, counts) {
		t.Errorf("got the counts %v, want %v", w.counts, counts)
	}
	return counts[layer.RecordsFailed] + counts[layer.RecordsNotStarted]
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// identifiers returns what an answer lists.
func identifiers(t *rapid.T, out []byte) []string {
	var answer struct {
		Failures []struct {
			ID json.RawMessage `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(out, &answer); err != nil || answer.Failures == nil {
		t.Fatalf("got %s, want a list of failures: %v", out, err)
	}
	var ids []string
	for _, f := range answer.Failures {
		ids = append(ids, string(f.ID))
	}
	return ids
}
