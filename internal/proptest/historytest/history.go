package historytest

import (
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// history has the steps of the processes and the answers.
type history struct {
	start     time.Time
	processes int

	mu    sync.Mutex // guards what follows
	ops   []porcupine.Operation
	open  []int          // of those in ops that may still be taken
	count map[string]int // what has been seen
}

func newHistory(processes int) *history {
	return &history{start: time.Now(), processes: processes, count: make(map[string]int)}
}

// taking is a step that a process has sent and that is not answered yet.
type taking struct {
	h       *history
	process int
	proc    *Process
	sys     *System
	step    step
	record  idempotency.Record
	sent    time.Time
	gaveUp  time.Time
}

// input is the model's input for a step that a server took between two times.
func (t *taking) input(from, end time.Time) *input {
	in := &input{step: t.step, record: t.record}
	if t.sys.ServerClock {
		// The server takes the time that is left, by the clock of the process, from
		// when it gets it.
		way := int64(end.Sub(t.sent))
		in.judged = span{t.sent.UnixNano(), end.UnixNano()}
		in.lease.from = t.record.Lease.Add(-t.proc.Skew).UnixNano()
		in.expiry.from = t.record.Expires.Add(-t.proc.Skew).UnixNano()
		in.lease.to, in.expiry.to = in.lease.from+way, in.expiry.from+way
	} else {
		if !t.proc.here { // it reads its clock before it sends the step
			from = t.sent
			if !t.gaveUp.IsZero() {
				end = t.gaveUp
			}
		}
		in.judged = span{from.Add(t.proc.Skew).UnixNano(), end.Add(t.proc.Skew).UnixNano()}
		in.lease = span{t.record.Lease.UnixNano(), t.record.Lease.UnixNano()}
		in.expiry = span{t.record.Expires.UnixNano(), t.record.Expires.UnixNano()}
	}
	in.expiry.to += int64(t.sys.ExpiryGrain)
	return in
}

// add records a step that was taken between two times.
func (t *taking) add(client int, from, to time.Time, a *answer) {
	t.h.mu.Lock()
	defer t.h.mu.Unlock()
	t.h.ops = append(t.h.ops, porcupine.Operation{
		ClientId: client, Input: t.input(from, to), Output: a,
		Call: int64(from.Sub(t.h.start)), Return: int64(to.Sub(t.h.start)),
	})
}

// answered records the answer.
func (t *taking) answered(a *answer) {
	t.add(t.process, t.sent, time.Now(), a)
	t.h.saw(t.step.String() + " " + a.kind())
	if a.outcome == taken && t.record.Epoch > 1 {
		t.h.saw(t.step.String() + " of a take-over taken")
	}
}

// unanswered records tries that the server has taken.
func (t *taking) unanswered(n int) {
	now := time.Now()
	for range n {
		t.add(t.h.processes+t.process, t.sent, now, &answer{})
		t.h.saw(t.step.String() + " unanswered")
	}
}

// late records a step that the server has taken since from, when its process had
// stopped waiting.
func (t *taking) late(from time.Time) {
	t.add(2*t.h.processes+t.process, from, time.Now(), &answer{})
	t.h.saw(t.step.String() + " late")
}

// neverAnswered records a step without an answer. It may be taken at any time from
// when it was sent until the end of the history.
func (t *taking) neverAnswered() {
	t.h.mu.Lock()
	defer t.h.mu.Unlock()
	t.h.open = append(t.h.open, len(t.h.ops))
	t.h.ops = append(t.h.ops, porcupine.Operation{
		ClientId: 2*t.h.processes + t.process, Input: t.input(t.sent, t.sent.Add(stepTimeout*2)), Output: &answer{}, Call: int64(t.sent.Sub(t.h.start)),
	})
}

// operations returns the history once all processes have ended.
func (h *history) operations() []porcupine.Operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	end := int64(time.Since(h.start)) + 1
	for _, i := range h.open {
		h.ops[i].Return = end
	}
	return h.ops
}

func (h *history) saw(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count[what]++
}

// missing returns the required kinds of steps that no history has.
func missing(count map[string]int) (none []string) {
	for _, what := range []string{
		"claim taken", "claim held INPROGRESS", "claim held ABANDONED", "claim held COMPLETED",
		"claim of a take-over taken", "complete of a take-over taken", "release of a take-over taken",
		"claim given up", "complete taken", "complete lost", "release taken", "release lost",
		"claim unanswered", "complete unanswered", "release unanswered", "claim late", "complete late", "release late",
	} {
		if count[what] == 0 {
			none = append(none, what)
		}
	}
	return none
}

// kind names an answer for the count.
func (a *answer) kind() string {
	if a.outcome == held {
		return "held " + string(a.holder.Status)
	}
	return a.String()
}
