package historytest

import (
	"fmt"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// slack is what the model leaves to stores that round times to the millisecond,
// up or down.
const slack = 2 * time.Millisecond

// span is a time that is known to lie between two, in nanoseconds since 1970.
type span struct{ from, to int64 }

// mayBefore reports whether s may be before w.
func (s span) mayBefore(w span) bool { return s.from <= w.to+int64(slack) }

// mayAfter reports whether s may be after w.
func (s span) mayAfter(w span) bool { return s.to >= w.from-int64(slack) }

// state is what a store has of one key. The zero value is nothing.
type state struct {
	there, completed, noResult bool
	owner, fingerprint, result string
	epoch                      int64
	written                    times // as its holder has written them
	lease, expires             span  // when they end by the clock that judges
}

type times struct{ lease, expires int64 }

type step uint8

const (
	claim step = iota
	complete
	release
)

func (s step) String() string { return [...]string{"claim", "complete", "release"}[s] }

// input is a step that an attempt has taken.
type input struct {
	step   step
	record idempotency.Record
	judged span // what the clock that judges may have shown
	lease  span // when the record's ends, by that clock
	expiry span
}

// outcome is the result of a step.
type outcome uint8

const (
	unknown outcome = iota // without an answer
	taken
	held
	lost
)

// answer is the answer to a step that a process got.
type answer struct {
	outcome outcome
	holder  idempotency.Record // where it is held
}

// branch is one of the ways that a step may go.
type branch struct {
	answer
	after state
}

// branches returns all the ways in which a store may take the step.
func (in *input) branches(s state) []branch {
	var all []branch
	expired := s.there && s.expires.mayBefore(in.judged)
	if !s.there || expired {
		all = append(all, in.absent()...)
	}
	// A store may settle an expired record that is still there, but must not treat
	// it as held.
	if s.there && (in.step != claim || s.expires.mayAfter(in.judged)) {
		all = append(all, in.present(s)...)
	}
	return all
}

// absent is how the step may go where there is no record, or not any more.
func (in *input) absent() []branch {
	switch in.step {
	case claim:
		return []branch{{answer{outcome: taken}, in.claimed()}}
	case complete:
		return []branch{{answer{outcome: lost}, state{}}}
	default:
		return []branch{{answer{outcome: taken}, state{}}, {answer{outcome: lost}, state{}}}
	}
}

// present is how it may go where there is one.
func (in *input) present(s state) (all []branch) {
	ours := s.owner == in.record.Owner && s.epoch == in.record.Epoch
	switch {
	case in.step == complete && ours:
		s.completed = true
		s.result, s.noResult = string(in.record.Result), in.record.NoResult
		s.expires, s.written.expires = in.expiry, in.record.Expires.UnixNano()
		return append(all, branch{answer{outcome: taken}, s})
	case in.step == release && ours && !s.completed && s.epoch == 1:
		return append(all, branch{answer{outcome: taken}, state{}})
	case in.step == release && ours && !s.completed:
		return append(all, branch{answer{outcome: taken}, s.abandoned()})
	case in.step == release && s.owner == "" && s.epoch == in.record.Epoch: // released before
		return append(all, branch{answer{outcome: taken}, s}, branch{answer{outcome: lost}, s})
	case in.step != claim:
		return append(all, branch{answer{outcome: lost}, s})
	case s.completed:
		return append(all, branch{answer{held, s.record(idempotency.Completed)}, s})
	case ours:
		return append(all, branch{answer{outcome: taken}, s})
	}
	if s.lease.mayAfter(in.judged) {
		all = append(all, branch{answer{held, s.record(idempotency.InProgress)}, s})
	}
	if s.lease.mayBefore(in.judged) {
		if in.record.Epoch == s.epoch+1 && in.record.Fingerprint == s.fingerprint {
			all = append(all, branch{answer{outcome: taken}, in.claimed()})
		} else {
			all = append(all, branch{answer{held, s.record(idempotency.Abandoned)}, s})
		}
	}
	return all
}

func (in *input) claimed() state {
	return state{
		there: true, owner: in.record.Owner, epoch: in.record.Epoch, fingerprint: in.record.Fingerprint,
		written: times{in.record.Lease.UnixNano(), in.record.Expires.UnixNano()},
		lease:   in.lease, expires: in.expiry,
	}
}

// abandoned is a take-over that was released: nobody has it, and the count of
// attempts goes on.
func (s state) abandoned() state {
	s.owner, s.written.lease, s.lease = "", 0, span{}
	return s
}

func (s *state) record(status idempotency.Status) idempotency.Record {
	return idempotency.Record{
		Owner: s.owner, Epoch: s.epoch, Status: status, Fingerprint: s.fingerprint, Result: []byte(s.result), NoResult: s.noResult,
		Lease: time.Unix(0, s.written.lease), Expires: time.Unix(0, s.written.expires),
	}
}

// is reports whether a is the answer that a process got, if it got one.
func (a *answer) is(got *answer) bool {
	if got.outcome != held || a.outcome != held {
		return got.outcome == unknown || got.outcome == a.outcome
	}
	x, y := &a.holder, &got.holder
	return x.Owner == y.Owner && x.Epoch == y.Epoch && x.Status == y.Status && x.Fingerprint == y.Fingerprint &&
		string(x.Result) == string(y.Result) && x.NoResult == y.NoResult && x.Expires.Sub(y.Expires).Abs() <= time.Second &&
		(x.Status == idempotency.Completed || x.Lease.Sub(y.Lease).Abs() <= slack)
}

// model is the contract of [idempotency.Store], for porcupine.
var model = (&porcupine.NondeterministicModel{
	Partition: byKey,
	Init:      func() []any { return []any{state{}} },
	Step: func(before, asked, got any) (after []any) {
		in, out := asked.(*input), got.(*answer)
		for _, b := range in.branches(before.(state)) {
			if b.is(out) {
				after = append(after, b.after)
			}
		}
		return after
	},
	DescribeOperation: func(asked, got any) string { return asked.(*input).String() + " → " + got.(*answer).String() },
	DescribeState:     func(s any) string { return s.(state).String() },
}).ToModel()

func byKey(history []porcupine.Operation) (parts [][]porcupine.Operation) {
	index := make(map[string]int)
	for _, op := range history {
		key := op.Input.(*input).record.Key
		i, ok := index[key]
		if !ok {
			i = len(parts)
			index[key] = i
			parts = append(parts, nil)
		}
		parts[i] = append(parts[i], op)
	}
	return parts
}

func (in *input) String() string {
	text := fmt.Sprintf("%s %s/%d", in.step, in.record.Owner, in.record.Epoch)
	if in.step == claim {
		text += fmt.Sprintf(" (lease %+v, expiry %+v from then)",
			time.Duration(in.lease.from-in.judged.from).Round(time.Millisecond), time.Duration(in.expiry.from-in.judged.from).Round(time.Millisecond))
	}
	return text
}

func (a *answer) String() string {
	switch a.outcome {
	case taken:
		return "taken"
	case lost:
		return "lost"
	case held:
		return fmt.Sprintf("held by %s/%d, %s", a.holder.Owner, a.holder.Epoch, a.holder.Status)
	default:
		return "?"
	}
}

func (s state) String() string {
	switch {
	case !s.there:
		return "nothing"
	case s.completed:
		return fmt.Sprintf("%s/%d completed", s.owner, s.epoch)
	default:
		return fmt.Sprintf("%s/%d in progress", s.owner, s.epoch)
	}
}
