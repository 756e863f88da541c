package batch

import (
	"container/heap"
	"context"
	"encoding/json"
	"runtime"
	"sync"

	"github.com/lambdarmor/lambdarmor/guard"
)

// batch is one event that is being handled.
type batch[R Record] struct {
	*handler[R]
	ev    *guard.Event
	items []*item[R]

	rawOnce sync.Once
	raws    []json.RawMessage
	rawErr  error

	mu           sync.Mutex // guards all below
	free         lanes[R]   // that no worker has
	failed       map[string]bool
	first        map[string]int // the first failure of a shard, by index
	deadLettered int
}

// lane is a list of records that run one after the other.
type lane[R Record] []*item[R]

// lanes is a heap: the lane whose next record came first in the event is on top.
type lanes[R Record] []lane[R]

func (l lanes[R]) Len() int           { return len(l) }
func (l lanes[R]) Less(i, j int) bool { return l[i][0].index < l[j][0].index }
func (l lanes[R]) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *lanes[R]) Push(x any)        { *l = append(*l, x.(lane[R])) }

func (l *lanes[R]) Pop() any {
	last := (*l)[len(*l)-1]
	*l = (*l)[:len(*l)-1]
	return last
}

// run runs the records, and returns when no record runs any more.
func (b *batch[R]) run(ctx context.Context) {
	b.failed, b.first = map[string]bool{}, map[string]int{}
	byName := map[string]int{}
	for _, it := range b.items {
		i, known := byName[it.lane]
		if !known {
			i = len(b.free)
			byName[it.lane] = i
			b.free = append(b.free, nil)
		}
		it.place = len(b.free[i])
		b.free[i] = append(b.free[i], it)
	}
	heap.Init(&b.free)
	workers := min(b.concurrency, len(b.free))
	if workers <= 1 {
		b.work(ctx)
		return
	}
	var wg sync.WaitGroup
	exited := make([]bool, workers) // by runtime.Goexit
	for i := range workers {
		exited[i] = true
		wg.Go(func() {
			b.work(ctx)
			exited[i] = false
		})
	}
	wg.Wait()
	for _, e := range exited {
		if e {
			runtime.Goexit() // as it would have been without Concurrency
		}
	}
}

// work runs the next record of a free lane until there is none. A worker that
// finds none can end: a lane is taken again by the worker that has freed it.
func (b *batch[R]) work(ctx context.Context) {
	for {
		l := b.take()
		if l == nil {
			return
		}
		if it := l[0]; b.mayRun(it) {
			b.runItem(ctx, it)
			b.finish(it)
		}
		b.put(l[1:])
	}
}

func (b *batch[R]) take() lane[R] {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.free) == 0 {
		return nil
	}
	return heap.Pop(&b.free).(lane[R])
}

func (b *batch[R]) put(l lane[R]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(l) > 0 {
		heap.Push(&b.free, l)
	}
}

// mayRun reports whether no failure stands before a record.
func (b *batch[R]) mayRun(it *item[R]) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed[it.lane] {
		return false
	}
	first, failed := b.first[it.shard]
	return b.isSQS() || b.continues || !failed || it.index < first
}

// finish notes a failure.
func (b *batch[R]) finish(it *item[R]) {
	if it.done {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed[it.lane] = true
	if first, failed := b.first[it.shard]; !failed || it.index < first {
		b.first[it.shard] = it.index
	}
}

// counts are the records of one batch. Those that are neither failed nor notStarted
// are done. A stream may deliver some of them again, see [Kinesis].
type counts struct {
	records      int // in the event
	failed       int // ran, or were given up, and come again
	deadLettered int // are with the sink, and so are done
	notStarted   int // had no time left, or follow one that failed
}

// count counts after the run.
func (b *batch[R]) count() counts {
	c := counts{records: len(b.items), deadLettered: b.deadLettered}
	for _, it := range b.items {
		switch {
		case it.done:
		case it.started:
			c.failed++
		default:
			c.notStarted++
		}
	}
	return c
}

// failure is one entry of the answer.
type failure struct {
	ItemIdentifier any `json:"itemIdentifier"`
}

// answer returns the list of all that is not done. For a stream that has stopped, it
// has the first one, if Lambda continues from there.
func (b *batch[R]) answer() ([]byte, error) {
	var out struct {
		Failures []failure `json:"batchItemFailures"`
	}
	out.Failures = []failure{} // null would mean success as well, but is no list
	listed := map[any]bool{}
	for _, it := range b.items {
		if it.done || listed[it.identifier] {
			continue
		}
		out.Failures = append(out.Failures, failure{it.identifier})
		listed[it.identifier] = true
		if b.fromFirst() && !b.continues {
			break // these have one shard
		}
	}
	return json.Marshal(out)
}
