package main

import (
	"context"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// order is what comes by the queue. The sender chooses the id.
type order struct {
	ID       string `json:"id"`
	Customer string `json:"customer"`
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// booking is an order as it is kept.
type booking struct {
	order
	Cents int64
}

// shop books orders.
type shop struct {
	prices  map[string]int64 // SKU → cents
	ledger  ledger
	booking idempotency.Operation
}

// catalogue stands for the product service of a real shop.
func catalogue() map[string]int64 {
	return map[string]int64{"KB-101": 8950, "MS-200": 3900, "CB-300": 1250}
}

// book books an order once, however often its message comes and however many
// messages the sender makes of it. Another order with the same id can never be
// booked.
func (s *shop) book(ctx context.Context, o order) error {
	if o.ID == "" || o.Customer == "" || o.Quantity < 1 || o.Quantity > 99 {
		return guard.Errorf(guard.Invalid, "bad_order", "An order has an id, a customer, and a quantity of 1 to 99.")
	}
	price, ok := s.prices[o.SKU]
	if !ok {
		return guard.Errorf(guard.Unprocessable, "unknown_sku", "The catalogue does not hold the item.")
	}
	_, err := idempotency.Do(ctx, s.booking, o.ID, o, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.ledger.add(ctx, booking{order: o, Cents: price * o.Quantity})
	})
	return err
}
