package source_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
)

// A function that fails twice succeeds three minutes after the event was sent. No time
// passes in the test: Drain moves the clock.
func ExampleAsync() {
	tries := 0
	book := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		if tries++; tries < 3 {
			return nil, errors.New("the ledger does not answer")
		}
		return nil, nil
	})
	points := source.NewAsync(guardtest.NewInProcess(book, guardtest.Config{}), source.AsyncConfig{})
	id, err := points.Invoke([]byte(`{"points":120}`))
	if err == nil {
		err = points.Drain(context.Background())
	}
	if err == nil {
		err = points.Ledger().Check()
	}
	e, _ := points.Ledger().Entry(id)
	for _, d := range e.Deliveries {
		fmt.Printf("after %s: %q\n", d.At.Sub(e.Sent), d.Failure)
	}
	fmt.Println(e.Outcome, err)
	// Output:
	// after 0s: "errorString"
	// after 1m0s: "errorString"
	// after 3m0s: ""
	// done <nil>
}

// What fails for good is in the dead-letter queue, as Lambda puts it there.
func ExampleAsync_deadLetters() {
	refuse := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		return nil, errors.New("no such customer")
	})
	clock := source.NewClock(time.Now())
	dead := source.NewQueue(nil, source.QueueConfig{Name: "points-dead", Clock: clock})
	points := source.NewAsync(guardtest.NewInProcess(refuse, guardtest.Config{}), source.AsyncConfig{
		DeadLetters: source.ToQueue(dead),
		Clock:       clock,
	})
	if _, err := points.Invoke([]byte(`{"points":120}`)); err != nil {
		fmt.Println(err)
	}
	if err := points.Drain(context.Background()); err != nil {
		fmt.Println(err)
	}
	for _, m := range dead.Messages() {
		fmt.Println(m.Body, m.MessageAttributes["ErrorCode"].String, m.MessageAttributes["ErrorMessage"].String)
	}
	// Output:
	// {"points":120} 200 no such customer
}
