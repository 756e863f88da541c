package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// purchase is what we read of the message that Sales publishes. Members that are not
// listed here are ignored, as Sales may add some.
type purchase struct {
	Type     string `json:"type"`
	ID       string `json:"id"`
	Customer string `json:"customer"`
	Cents    int64  `json:"cents"`
}

// entry is what the customer has earned.
type entry struct {
	Purchase string
	Customer string
	Points   int64
}

// result is what the function answers. Nobody waits for it: it is in the record of an
// on-success destination.
type result struct {
	Booked int `json:"booked"`
}

// loyalty books points.
type loyalty struct {
	ledger  ledger
	booking idempotency.Operation
}

// ingest books the points of the purchase in a notification. SNS sends one at a time.
func (l *loyalty) ingest(ctx context.Context, in events.SNSEvent) (result, error) {
	var out result
	for _, record := range in.Records {
		var p purchase
		if err := guard.EventOf(ctx, []byte(record.SNS.Message)).Decode(&p); err != nil {
			return out, err
		}
		if p.Type != "purchase.completed" {
			continue
		}
		if err := l.book(ctx, p); err != nil {
			return out, err
		}
		out.Booked++
	}
	return out, nil
}

// book books a purchase once: also if SNS delivers it twice, if Sales publishes it
// twice, or if it is run again from the dead letters. The key is the purchase's own id:
// each time that it is published it has another message id.
func (l *loyalty) book(ctx context.Context, p purchase) error {
	if p.ID == "" || p.Customer == "" || p.Cents < 0 {
		return guard.Errorf(guard.Invalid, "bad_purchase", "A purchase has an id, a customer, and an amount that is not negative.")
	}
	_, err := idempotency.Do(ctx, l.booking, p.ID, p, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, l.ledger.add(ctx, entry{Purchase: p.ID, Customer: p.Customer, Points: p.Cents / 100})
	})
	return err
}
