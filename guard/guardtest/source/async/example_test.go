package async_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/async"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

// A function that fails twice succeeds three minutes after the event was sent. No time
// passes in the test: Drain moves the clock.
func ExampleQueue() {
	tries := 0
	book := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		if tries++; tries < 3 {
			return nil, errors.New("the ledger does not answer")
		}
		return nil, nil
	})
	points := async.New(guardtest.NewInProcess(book, guardtest.Config{}), async.Config{})
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
func ExampleQueue_deadLetters() {
	refuse := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		return nil, errors.New("no such customer")
	})
	clock := source.NewClock(time.Now())
	dead := queue.New(nil, queue.Config{Name: "points-dead", Clock: clock})
	points := async.New(guardtest.NewInProcess(refuse, guardtest.Config{}), async.Config{
		DeadLetters: dead.Target(),
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

// Lambda may deliver an event twice though no error occurred. A function that counts both is
// not idempotent.
func ExampleQueue_Duplicate() {
	booked := map[string]int{}
	book := guard.HandlerFunc(func(_ context.Context, payload []byte) ([]byte, error) {
		booked[string(payload)]++
		return nil, nil
	})
	points := async.New(guardtest.NewInProcess(book, guardtest.Config{}), async.Config{})
	id, err := points.Invoke([]byte(`{"points":120}`))
	if err == nil {
		err = points.Duplicate(id)
	}
	if err == nil {
		err = points.Drain(context.Background())
	}
	fmt.Println(booked, err)
	// Output: map[{"points":120}:2] <nil>
}
