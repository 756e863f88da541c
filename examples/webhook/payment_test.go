package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/webhook"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// receiveSigned has the books receive a report in a delivery that is signed. The
// scheme does not matter to them, so it is the one that is signed most simply.
func receiveSigned(t *testing.T, b *books, in report) (out receipt, err error) {
	t.Helper()
	const key, body = "key", "{}"
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(body))
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		out, err = b.receive(ctx, in)
		return nil, nil
	}), webhook.GitHub(webhook.KeysFunc(func(context.Context) ([]string, error) { return []string{key}, nil })))
	if _, refused := h.Invoke(t.Context(), sample.HTTP("POST", "/payments").JSON(body).
		Header("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil))).Bytes()); refused != nil {
		t.Fatal(refused)
	}
	return out, err
}

func TestReceive(t *testing.T) {
	paid := payment{Invoice: "inv-7", Amount: "179.00", Currency: "EUR"}
	for name, c := range map[string]struct {
		report
		want   receipt
		code   string
		booked int
	}{
		"a payment": {
			report: report{Type: "payment.succeeded", Data: paid},
			want:   receipt{Status: "booked"},
			booked: 1,
		},
		"a failed payment": {report: report{Type: "payment.failed", Data: paid}, want: receipt{Status: "ignored"}},
		"something new": {
			report: report{Type: "refund.created", Data: payment{}},
			want:   receipt{Status: "ignored"},
		},
		"a payment of no amount": {
			report: report{
				Type: "payment.succeeded",
				Data: payment{Invoice: "inv-7", Currency: "EUR"},
			},
			want: receipt{},
			code: "payment_incomplete",
		},
	} {
		t.Run(name, func(t *testing.T) {
			kept := &memory{}
			got, err := receiveSigned(t, &books{ledger: kept}, c.report)
			if len(kept.entries) == 1 {
				c.want.Entry = kept.entries[0].ID
			}
			if got != c.want || err == nil && c.code != "" || err != nil && guard.Public(err).Code != c.code {
				t.Errorf("got %+v, %v", got, err)
			}
			if len(kept.entries) != c.booked || c.booked == 1 && (got.Entry == "" || kept.entries[0].payment != paid) {
				t.Errorf("booked %+v", kept.entries)
			}
		})
	}
}

type full struct{}

var errFull = errors.New("full")

func (full) add(context.Context, entry) error { return errFull }

func TestWhatCannotBeBookedIsSentAgain(t *testing.T) {
	_, err := receiveSigned(t, &books{ledger: full{}}, report{Type: "payment.succeeded", Data: payment{
		Invoice:  "inv-7",
		Amount:   "1.00",
		Currency: "EUR",
	}})
	if !errors.Is(err, errFull) || !guard.KindOf(err).Retryable() {
		t.Errorf("got %v", err)
	}
}

func TestWhatNobodyHasSignedIsNotBooked(t *testing.T) {
	kept := &memory{}
	got, err := (&books{ledger: kept}).receive(t.Context(), report{
		Type: "payment.succeeded",
		Data: payment{
			Invoice:  "inv-7",
			Amount:   "1.00",
			Currency: "EUR",
		},
	})
	if err == nil || len(kept.entries) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// The path is not signed: behind a function URL, which has no routes, whoever has
// seen a delivery could send it to another spelling of it.
func TestADeliveryIsBookedOnceHoweverItsPathIsSpelled(t *testing.T) {
	kept, key := &memory{}, strings.Repeat("k", 32)
	h := receiver(logging.New(io.Discard), &services{
		books: &books{ledger: kept}, deliveries: idempotency.NewMemoryStore(),
		signingKeys: webhook.KeysFunc(func(context.Context) ([]string, error) {
			return []string{"whsec_" + base64.StdEncoding.EncodeToString([]byte(key))}, nil
		}),
	})
	at := fmt.Sprint(time.Now().Unix())
	signature := provider{key: []byte(key)}.sign("msg_1", at, paid)
	for _, path := range []string{"/payments", "/%70ayments", "/%70%61yments"} {
		if _, err := h.Invoke(t.Context(), sample.HTTP("POST", path).FunctionURL().JSON(paid).
			Header("webhook-id", "msg_1").Header("webhook-timestamp", at).Header("webhook-signature", signature).Bytes()); err != nil {
			t.Fatal(err)
		}
		if len(kept.entries) != 1 {
			t.Fatalf("%s: booked %+v", path, kept.entries)
		}
	}
}
