package main

import (
	"testing"

	"github.com/lambdarmor/lambdarmor/idempotency"
)

func TestAnOrderIsBookedOnce(t *testing.T) {
	books := &memory{}
	s := newShop(books, idempotency.NewMemoryStore())
	for range 3 {
		if err := s.book(t.Context(), order{ID: "o-1", Customer: "c-42", SKU: "KB-101", Quantity: 2}); err != nil {
			t.Fatal(err)
		}
	}
	want := booking{order: order{ID: "o-1", Customer: "c-42", SKU: "KB-101", Quantity: 2}, Cents: 17900}
	if len(books.bookings) != 1 || books.bookings[0] != want {
		t.Errorf("got %+v, want %+v once", books.bookings, want)
	}
}
