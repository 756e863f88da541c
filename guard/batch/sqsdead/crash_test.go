package sqsdead_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/batch/sqsdead"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	lambda "github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	lambdaqueue "github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

// The process dies after SQS has taken a letter, before Lambda has the answer: the
// record comes again, and its letter is there twice, with one id. It is never lost.
func TestALetterWhoseAnswerIsLostIsThereTwice(t *testing.T) {
	client := awstest.SQS(servers.Moto(t).URL())
	for _, suffix := range []string{"", ".fifo"} {
		url := awstest.Queue(t, client, suffix, nil)
		sink := sqsdead.New(client, url)
		invocations := 0
		handler := batch.SQS(func(context.Context, events.SQSMessage) error {
			return guard.Errorf(guard.Invalid, "never", "Never.")
		}, batch.DeadLetters(sink))
		fn := guardtest.NewInProcess(guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			answer, err := handler.Invoke(ctx, payload)
			if invocations++; invocations == 1 {
				return nil, errors.New("the process has ended")
			}
			return answer, err
		}), guardtest.Config{})
		orders := lambdaqueue.New(fn, lambdaqueue.Config{Name: "orders", Clock: lambda.NewClock(time.Now()), Mapping: lambdaqueue.Mapping{BatchSize: 10, ReportBatchItemFailures: true}})
		want := map[string]int{}
		for i := range 3 {
			id, err := orders.Send(lambdaqueue.Message{Body: fmt.Sprint(i)})
			if err != nil {
				t.Fatal(err)
			}
			want[id] = 2
		}
		if err := orders.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := orders.Ledger().Check(); err != nil {
			t.Error(err)
		}
		got := map[string]int{}
		for _, m := range awstest.Receive(t, client, url) {
			l, ok, err := sqsdead.Letter(m)
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			got[l.ID]++
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("a queue%s: got %v, want each twice: %v", suffix, got, want)
		}
	}
}
