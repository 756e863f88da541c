package main

import (
	"context"
	"errors"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
)

func TestReceive(t *testing.T) {
	paid := payment{Invoice: "inv-7", Amount: "179.00", Currency: "EUR"}
	for name, c := range map[string]struct {
		report
		want   receipt
		code   string
		booked int
	}{
		"a payment":              {report{"payment.succeeded", paid}, receipt{Status: "booked"}, "", 1},
		"a failed payment":       {report{"payment.failed", paid}, receipt{Status: "ignored"}, "", 0},
		"something new":          {report{"refund.created", payment{}}, receipt{Status: "ignored"}, "", 0},
		"a payment of no amount": {report{"payment.succeeded", payment{Invoice: "inv-7", Currency: "EUR"}}, receipt{}, "payment_incomplete", 0},
	} {
		t.Run(name, func(t *testing.T) {
			kept := &memory{}
			got, err := (&books{ledger: kept}).receive(t.Context(), c.report)
			if got != c.want || err == nil && c.code != "" || err != nil && guard.Public(err).Code != c.code {
				t.Errorf("got %+v, %v", got, err)
			}
			if len(kept.entries) != c.booked {
				t.Errorf("booked %+v", kept.entries)
			}
		})
	}
}

type full struct{}

var errFull = errors.New("full")

func (full) add(context.Context, entry) error { return errFull }

func TestWhatCannotBeBookedIsSentAgain(t *testing.T) {
	_, err := (&books{ledger: full{}}).receive(t.Context(), report{"payment.succeeded", payment{"inv-7", "1.00", "EUR"}})
	if !errors.Is(err, errFull) || !guard.KindOf(err).Retryable() {
		t.Errorf("got %v", err)
	}
}
