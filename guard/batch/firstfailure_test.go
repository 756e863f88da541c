package batch_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/batch"
)

// Of two failures the one that comes first in the event stops the stream, in
// whichever order they happen: a key that is still busy goes no further.
func TestTheFirstOfTwoFailuresStopsTheStream(t *testing.T) {
	for _, order := range [][]string{{"1", "4", "2"}, {"4", "1", "2"}} {
		synctest.Test(t, func(t *testing.T) {
			j := &journal{}
			gates := map[string]chan bool{"1": make(chan bool), "2": make(chan bool), "3": make(chan bool, 1), "4": make(chan bool)}
			h := batch.Kinesis(func(_ context.Context, r events.KinesisEventRecord) error {
				<-gates[r.Kinesis.SequenceNumber]
				j.add(r.Kinesis.SequenceNumber)
				return outcome(string(r.Kinesis.Data))
			}, batch.Concurrency(3))
			var got string
			done := make(chan bool)
			go func() {
				defer close(done)
				out, err := h.Invoke(t.Context(), kinesis("a=fail", "b=ok", "b=ok", "c=fail"))
				if err != nil {
					t.Error(err)
				}
				got = listed(out)
			}()
			close(gates["3"]) // which must not run
			for _, number := range order {
				synctest.Wait()
				close(gates[number])
			}
			<-done
			if want := order[0] + " " + order[1] + " " + order[2]; got != "1" || j.String() != want {
				t.Errorf("got the failure %s after the records %s, want 1 after %s", got, j, want)
			}
		})
	}
}
