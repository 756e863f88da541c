package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

func codeOf(err error) string {
	var e *guard.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// told holds what a caller was told to all that is known.
func (o *operation) told(answer string, err error) {
	w := o.world
	w.mu.Lock()
	defer w.mu.Unlock()
	o.result = err
	if o.dead {
		return
	}
	s := o.of
	if err != nil {
		w.note(o, "gets %v", err)
		o.refused(err)
		return
	}
	mark := markIn(answer)
	w.note(o, "is told %s, a replay: %t", mark, o.replayed)
	if mark == "" {
		if !strings.HasPrefix(answer, `{"statusCode":5`) { // which is no success
			w.violated(o, "is answered with %s", answer)
		}
		return
	}
	if !strings.HasSuffix(mark, fmt.Sprintf(" %s %s %s)", o.caller, o.payload, s.name)) {
		w.violated(o, "asks for %s of %s as %s, and is answered with %s", o.payload, s.name, o.caller, mark)
		return
	}
	w.saw("success")
	switch {
	case o.lost:
		w.violated(o, "has lost its key and reports a success")
	case o.replayed:
		o.repeats(answer, mark)
	case o.staged:
		w.confirm(o, mark)
		if o.unsaved != nil {
			w.violated(o, "reports a success of which the store has not said so: %v", o.unsaved)
		}
	case o.completed:
	default: // the store was silent
		w.saw("not confirmed")
		s.told = append(s.told, mark)
		if o.unsaved == nil || !o.settled.Before(o.lease) {
			w.violated(o, "reports a success that the store has not confirmed (%v), %v after its lease", o.unsaved, o.settled.Sub(o.lease))
		}
	}
}

// repeats holds replays to the first one.
func (o *operation) repeats(answer, mark string) {
	w, s := o.world, o.of
	w.saw("replay")
	if o.claims == 0 {
		w.saw("local replay")
	}
	w.confirm(o, mark)
	if !s.http {
		return
	}
	if strings.Contains(answer, "session=") || !strings.Contains(strings.ToLower(answer), "idempotent-replayed") {
		w.violated(o, "is answered with a replay %s", answer)
	}
	if s.replay == "" {
		s.replay = answer
	}
	if s.replay != answer {
		w.violated(o, "is answered with %s, and others with %s", answer, s.replay)
	}
}

func (o *operation) refused(err error) {
	w := o.world
	switch codeOf(err) {
	case "idempotency_key_reused":
		w.saw("reused")
	case "idempotency_outcome_unknown":
		if w.variant.policy == refuses && !o.begun {
			w.saw("unknown and refused")
		}
	case "idempotency_lease_lost":
		w.saw("lost to another")
	}
	if errors.Is(err, idempotency.ErrNotCommitted) || o.staged && errors.Is(err, idempotency.ErrLost) {
		w.saw("not committed")
		o.of.denied = append(o.of.denied, o)
	}
}

// checkEnd holds what there is in the end to what was told.
func (w *world) checkEnd(ctx context.Context, first, second map[*subject]*operation) {
	for s, last := range second {
		w.mu.Lock()
		conclusive := first[s].isConclusive() && last.isConclusive()
		if conclusive {
			w.checkAnswers(s, first[s], last)
		}
		w.mu.Unlock()
		if conclusive && w.variant.staged {
			w.checkStaged(ctx, s, last)
		}
	}
}

// isConclusive reports whether the store has answered in time. On a machine that
// stands still for a while it may not.
func (o *operation) isConclusive() bool {
	return o.unsaved == nil && guard.KindOf(o.result) != guard.Unavailable
}

func (w *world) checkAnswers(s *subject, first, last *operation) {
	stuck := func(o *operation) bool {
		return w.variant.policy == refuses && codeOf(o.result) == "idempotency_outcome_unknown"
	}
	switch {
	case first.result == nil && last.result == nil:
	case stuck(first) && last.result == nil: // its completion was among what came late
	case stuck(first) && stuck(last) && s.confirmed == "":
	default:
		w.violated(last, "gets %v in the end, after %v", last.result, first.result)
	}
	for _, mark := range s.told {
		if w.isExact() && s.confirmed != "" && mark != s.confirmed {
			w.violated(last, "has the answer %s, and %s was told", s.confirmed, mark)
		}
	}
	if !w.variant.staged && s.confirmed != "" && !s.isRefusal() && !slices.Contains(s.charged, w.maker(s, s.confirmed)) {
		w.violated(last, "has the answer %s, and not its effect", s.confirmed)
	}
}

// isRefusal reports whether the answer is an error that is kept: there is to be
// no effect.
func (s *subject) isRefusal() bool { return strings.Contains(s.replay, "refused") }

// checkStaged holds the effect of a key to its answer.
func (w *world) checkStaged(ctx context.Context, s *subject, op *operation) {
	out, err := w.direct.GetItem(ctx, &dynamodb.GetItemInput{TableName: &w.effects, Key: id(w.name + s.name), ConsistentRead: aws.Bool(true)})
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.violated(op, "has effects that cannot be read: %v", err)
		return
	}
	n, marks := "0", []string(nil)
	if v, ok := out.Item["n"].(*types.AttributeValueMemberN); ok {
		n = v.Value
	}
	if v, ok := out.Item["marks"].(*types.AttributeValueMemberSS); ok {
		marks = v.Value
	}
	want := []string{s.confirmed}
	if s.confirmed == "" || s.isRefusal() {
		want = nil
	}
	if n != fmt.Sprint(len(want)) || !slices.Equal(marks, want) {
		w.violated(op, "has the effects %v, %s in all, and the answer is %s", marks, n, s.confirmed)
	}
	for _, o := range s.denied {
		if slices.Contains(marks, o.mark()) && !o.lateClaim {
			w.violated(o, "has an effect, and was told that it has none")
		}
	}
}
