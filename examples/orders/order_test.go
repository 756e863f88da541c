package main

import (
	"context"
	"errors"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
)

func newShop() *shop {
	return &shop{prices: catalogue(), orders: &memory{orders: map[string]order{}}}
}

func TestPlaceAddsUp(t *testing.T) {
	s := newShop()
	got, err := s.place(context.Background(), orderRequest{
		Customer: "c-42",
		Items:    []item{{SKU: "KB-101", Quantity: 2}, {SKU: "CB-300", Quantity: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := (money{Amount: "191.50", Currency: "EUR"}); got.Value.Total != want {
		t.Errorf("total %v, want %v", got.Value.Total, want)
	}
	kept, found, err := s.orders.get(context.Background(), got.Value.ID)
	if err != nil || !found || kept.Customer != "c-42" || kept.Status != "accepted" {
		t.Errorf("kept %+v, found %v, %v", kept, found, err)
	}
}

func TestPlaceNamesEveryUnknownItem(t *testing.T) {
	s := newShop()
	_, err := s.place(context.Background(), orderRequest{
		Customer: "c-42",
		Items:    []item{{SKU: "XX-000", Quantity: 1}, {SKU: "KB-101", Quantity: 1}, {SKU: "YY-000", Quantity: 1}},
	})
	var e *guard.Error
	if !errors.As(err, &e) || e.Code != "unknown_sku" || len(e.Violations) != 2 || e.Violations[1].Pointer != "/items/2/sku" {
		t.Errorf("%+v", err)
	}
	if kept := s.orders.(*memory).orders; len(kept) != 0 {
		t.Errorf("%d orders were kept", len(kept))
	}
}

func TestEuros(t *testing.T) {
	for cents, want := range map[int64]string{0: "0.00", 5: "0.05", 105: "1.05", 895000: "8950.00"} {
		if got := euros(cents).Amount; got != want {
			t.Errorf("%d cents: %s, want %s", cents, got, want)
		}
	}
}
