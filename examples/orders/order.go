package main

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// orderRequest is what a customer sends.
type orderRequest struct {
	Customer string `json:"customer"`
	Items    []item `json:"items"`
	Note     string `json:"note,omitempty"`
}

type item struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// order is what we keep.
type order struct {
	ID       string `json:"id"`
	Customer string `json:"customer"`
	Items    []item `json:"items"`
	Note     string `json:"note,omitempty"`
	Status   string `json:"status"`
	Total    money  `json:"total"`
}

// receipt is what the customer gets back.
type receipt struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Total  money  `json:"total"`
}

// money is an amount in decimal notation: clients that read JSON numbers as floats
// would round it.
type money struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

func euros(cents int64) money {
	return money{Amount: fmt.Sprintf("%d.%02d", cents/100, cents%100), Currency: "EUR"}
}

// shop takes orders. Its methods are plain functions: they use nothing of Lambda
// and little of HTTP.
type shop struct {
	prices map[string]int64 // SKU → cents
	orders orderStore
}

// catalogue stands for the product service of a real shop.
func catalogue() map[string]int64 {
	return map[string]int64{"KB-101": 8950, "MS-200": 3900, "CB-300": 1250}
}

// place accepts an order of items in the catalogue.
func (s *shop) place(ctx context.Context, in orderRequest) (httpapi.Reply[receipt], error) {
	total, err := s.total(in.Items)
	if err != nil {
		return httpapi.Reply[receipt]{}, err
	}
	o := order{
		ID:       rand.Text(),
		Customer: in.Customer,
		Items:    in.Items,
		Note:     in.Note,
		Status:   "accepted",
		Total:    euros(total),
	}
	if err := s.orders.put(ctx, o); err != nil {
		return httpapi.Reply[receipt]{}, fmt.Errorf("place the order: %w", err)
	}
	return httpapi.Created("/orders/"+o.ID, receipt{ID: o.ID, Status: o.Status, Total: o.Total}), nil
}

// total is the price of the items in cents. The error names each item that the
// catalogue does not hold.
func (s *shop) total(items []item) (int64, error) {
	var total int64
	var unknown []guard.Violation
	for i, it := range items {
		price, ok := s.prices[it.SKU]
		if !ok {
			unknown = append(unknown, guard.Violation{
				Pointer: fmt.Sprintf("/items/%d/sku", i),
				Detail:  "is not in the catalogue",
			})
		}
		total += price * it.Quantity
	}
	if len(unknown) > 0 {
		e := guard.Errorf(guard.Unprocessable, "unknown_sku", "The catalogue does not hold all of the items.")
		e.Violations = unknown
		return 0, e
	}
	return total, nil
}

// get looks an order up.
func (s *shop) get(ctx context.Context, _ struct{}) (order, error) {
	req, _ := httpapi.RequestFrom(ctx)
	o, found, err := s.orders.get(ctx, req.PathValue("id"))
	if err != nil {
		return order{}, fmt.Errorf("look up the order: %w", err)
	}
	if !found {
		return order{}, guard.Errorf(guard.NotFound, "order_not_found", "There is no order of this id.")
	}
	return o, nil
}
