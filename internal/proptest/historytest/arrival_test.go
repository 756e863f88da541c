package historytest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
)

// A store in this process reads its clock when a step arrives, however long that
// was on its way: a claim that finds an expired record then has the key.
func TestStepThatArrivesLateIsJudgedThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := simpleSystem(none)
		h := newHistory(len(sys.Processes))
		claiming := func(process int, owner string, lasts time.Duration) *taking {
			now := time.Now().Round(0)
			return &taking{h: h, process: process, proc: &sys.Processes[process], sys: &sys, sent: now, record: idempotency.Record{
				Key: "k", Owner: owner, Epoch: 1, Status: idempotency.InProgress, Lease: now.Add(time.Hour), Expires: now.Add(lasts),
			}}
		}
		ask := func(ctx context.Context, s *taking) answer {
			p := &player{Process: s.proc}
			return p.ask(ctx, claim, s.record)
		}

		first := claiming(0, "first", time.Second)
		taken := ask(t.Context(), first)
		first.answered(&taken)

		late := claiming(1, "late", time.Hour)
		ctx, giveUp := context.WithCancel(t.Context())
		deliver := late.proc.Network.Hold(giveUp)
		if got := ask(ctx, late); got.outcome != unknown {
			t.Fatalf("a step that is kept is %v", got)
		}
		late.gaveUp = time.Now()
		time.Sleep(time.Minute)
		from := time.Now()
		if err := deliver(); err != nil {
			t.Fatal(err)
		}
		late.late(from)

		last := claiming(2, "last", time.Hour)
		got := ask(t.Context(), last)
		last.answered(&got)
		if got.outcome != held || got.holder.Owner != "late" {
			t.Fatalf("the last claim is %v", &got)
		}
		if ops := h.operations(); !explained(t, ops) {
			t.Errorf("not explained:\n%s", unexplained(t, ops))
		}
	})
}
