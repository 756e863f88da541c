package main

import (
	"context"
	"fmt"
	"regexp"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// movement is a change of what the shop has of an article.
type movement struct {
	ID        string `json:"id"` // the warehouse's own, for a movement that it reports twice
	Warehouse string `json:"warehouse"`
	SKU       string `json:"sku"`
	Pieces    int    `json:"pieces"` // negative when they leave
}

var skuForm = regexp.MustCompile(`^[A-Z]{2}-\d{3}$`)

// check returns an error of a kind that no retry can change.
func (m movement) check() error {
	e := guard.Errorf(guard.Unprocessable, "movement_invalid", "The movement cannot be booked.")
	if m.ID == "" {
		e.Violations = append(e.Violations, guard.Violation{Pointer: "/id", Detail: "must not be empty"})
	}
	if !skuForm.MatchString(m.SKU) {
		e.Violations = append(e.Violations, guard.Violation{Pointer: "/sku", Detail: "must have the form AB-123"})
	}
	if m.Pieces == 0 {
		e.Violations = append(e.Violations, guard.Violation{Pointer: "/pieces", Detail: "must not be 0"})
	}
	if len(e.Violations) > 0 {
		return e
	}
	return nil
}

// warehouse books movements. Its methods are plain functions.
type warehouse struct {
	booking idempotency.Operation
	stock   stock
}

// book changes the stock once for each movement: Lambda delivers a record again when
// another one of its batch has failed, and a sender may send twice.
func (w *warehouse) book(ctx context.Context, m movement) error {
	if err := m.check(); err != nil {
		return err
	}
	_, err := idempotency.Do(ctx, w.booking, m.ID, m, func(ctx context.Context) (struct{}, error) {
		if err := w.stock.add(ctx, m.SKU, m.Pieces); err != nil {
			return struct{}{}, fmt.Errorf("change the stock: %w", err)
		}
		return struct{}{}, nil
	})
	return err
}
