package main

import (
	"context"
	"fmt"

	"github.com/lambdarmor/lambdarmor/authorizer/webhook"
	"github.com/lambdarmor/lambdarmor/guard"
)

// report is what we read of the provider's message. Members that are not listed here
// are ignored, as the provider may add some.
type report struct {
	Type string  `json:"type"`
	Data payment `json:"data"`
}

type payment struct {
	Invoice  string `json:"invoice"`
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// entry is a payment in our books.
type entry struct {
	ID string `json:"id"` // of the delivery that reported it
	payment
}

// receipt is what the provider gets back. It reads no more than the status.
type receipt struct {
	Status string `json:"status"`
	Entry  string `json:"entry,omitempty"`
}

// books takes reports. Its methods are plain functions.
type books struct {
	ledger ledger
}

// receive books a payment that was made. It accepts and ignores any other report: the
// provider would repeat a refused one for days.
func (b *books) receive(ctx context.Context, in report) (receipt, error) {
	if in.Type != "payment.succeeded" {
		return receipt{Status: "ignored"}, nil
	}
	if in.Data.Invoice == "" || in.Data.Amount == "" || in.Data.Currency == "" {
		return receipt{}, guard.Errorf(guard.Unprocessable, "payment_incomplete", "A payment has an invoice, an amount and a currency.")
	}
	id, err := webhook.DeliveryID(ctx, nil)
	if err != nil {
		return receipt{}, err
	}
	e := entry{ID: id, payment: in.Data}
	if err := b.ledger.add(ctx, e); err != nil {
		return receipt{}, fmt.Errorf("book the payment: %w", err)
	}
	return receipt{Status: "booked", Entry: e.ID}, nil
}
