package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

// binary is the function as it is deployed, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(guardtest.Main(m, ".", &binary)) }

// provider is who sends deliveries.
type provider struct {
	api *gateway.Server
	key []byte
}

var signingKey = regexp.MustCompile(`signing key of this run: whsec_(\S+)`)

// deploy runs the binary as Lambda would, behind an HTTP API, and reads the key
// that it made for itself.
func deploy(t *testing.T) provider {
	t.Helper()
	fn := guardtest.Start(t, binary, guardtest.Config{Concurrency: 16, Env: []string{"AWS_SAM_LOCAL=true"}})
	p := provider{api: gateway.Start(t, fn, gateway.HTTPAPIConfig{Routes: []string{"POST /payments"}})}
	if a := p.send("msg_0", "1", "v1,", ""); a.Status != http.StatusUnauthorized {
		t.Fatalf("an unsigned delivery: %+v", a)
	}
	if err := fn.WaitLog(t.Context(), "signing key of this run: "); err != nil {
		t.Fatal(err)
	}
	found := signingKey.FindStringSubmatch(fn.Log())
	if found == nil {
		t.Fatalf("no key in %s", fn.Log())
	}
	key, err := base64.StdEncoding.DecodeString(found[1])
	if err != nil {
		t.Fatal(err)
	}
	p.key = key
	return p
}

func (p provider) sign(id, at, body string) string {
	m := hmac.New(sha256.New, p.key)
	fmt.Fprintf(m, "%s.%s.%s", id, at, body)
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func replayed(a gateway.Answer) bool { return a.Header.Get("Idempotent-Replayed") == "true" }

func (p provider) deliver(id, body string) gateway.Answer {
	at := fmt.Sprint(time.Now().Unix())
	return p.send(id, at, p.sign(id, at, body), body)
}

func (p provider) send(id, at, signature, body string) gateway.Answer {
	return p.api.Do("POST", "/payments", body, "Content-Type", "application/json",
		"webhook-id", id, "webhook-timestamp", at, "webhook-signature", signature)
}

const paid = `{"type":"payment.succeeded","id":"unread","data":{"invoice":"inv-7","amount":"179.00","currency":"EUR"}}`

func TestADeliveryIsBookedOnce(t *testing.T) {
	p := deploy(t)
	first := p.deliver("msg_1", paid)
	if first.Status != 200 || replayed(first) || first.Body != `{"status":"booked","entry":"msg_1"}` {
		t.Fatalf("%+v", first)
	}
	if again := p.deliver("msg_1", paid); again.Status != 200 || !replayed(again) || again.Body != first.Body {
		t.Errorf("sent again: %+v", again)
	}
	if other := p.deliver("msg_1", strings.Replace(paid, "179", "180", 1)); other.Status != 422 {
		t.Errorf("another report under the same id: %+v", other)
	}
	if next := p.deliver("msg_2", paid); next.Status != 200 || replayed(next) {
		t.Errorf("the next delivery: %+v", next)
	}
}

func TestManyAtOnceAreBookedOnce(t *testing.T) {
	p := deploy(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	booked := 0
	for range 32 {
		all.Go(func() {
			switch a := p.deliver("msg_1", paid); {
			case a.Status == http.StatusOK && !replayed(a):
				mu.Lock()
				booked++
				mu.Unlock()
			case a.Status != http.StatusOK && a.Status != http.StatusConflict:
				t.Errorf("%+v", a)
			}
		})
	}
	all.Wait()
	if booked != 1 {
		t.Errorf("booked %d times", booked)
	}
}

func TestWhatTheProviderHasNotSignedIsRefused(t *testing.T) {
	p := deploy(t)
	now := time.Now().Unix()
	at := fmt.Sprint(now)
	old, soon := fmt.Sprint(now-3600), fmt.Sprint(now+3600)
	for name, c := range map[string]struct{ id, at, signature, body, code string }{
		"edited body":     {id: "msg_1", at: at, signature: p.sign("msg_1", at, paid), body: strings.Replace(paid, "179", "1", 1), code: "webhook_signature_invalid"},
		"edited id":       {id: "msg_2", at: at, signature: p.sign("msg_1", at, paid), body: paid, code: "webhook_signature_invalid"},
		"an hour old":     {id: "msg_1", at: old, signature: p.sign("msg_1", old, paid), body: paid, code: "webhook_timestamp_out_of_range"},
		"an hour ahead":   {id: "msg_1", at: soon, signature: p.sign("msg_1", soon, paid), body: paid, code: "webhook_timestamp_out_of_range"},
		"another's key":   {id: "msg_1", at: at, signature: provider{key: []byte("k")}.sign("msg_1", at, paid), body: paid, code: "webhook_signature_invalid"},
		"no signature":    {id: "msg_1", at: at, body: paid, code: "webhook_signature_missing"},
		"not base64":      {id: "msg_1", at: at, signature: "v1,%%%", body: paid, code: "webhook_signature_malformed"},
		"an empty body":   {id: "msg_1", at: at, signature: p.sign("msg_1", at, paid), code: "webhook_signature_invalid"},
		"a body appended": {id: "msg_1", at: at, signature: p.sign("msg_1", at, paid), body: paid + "\n", code: "webhook_signature_invalid"},
	} {
		a := p.send(c.id, c.at, c.signature, c.body)
		if a.Status != http.StatusUnauthorized || !strings.Contains(a.Body, `"code":"`+c.code+`"`) || a.Header.Get("Www-Authenticate") != "Webhook-Signature" {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if a := p.deliver("msg_1", paid); replayed(a) {
		t.Error("a refused delivery took effect")
	}
}

func TestWhatIsSignedMustMakeSense(t *testing.T) {
	p := deploy(t)
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"not JSON":          {body: "paid", status: 400},
		"a member twice":    {body: `{"type":"payment.succeeded","type":"x"}`, status: 400},
		"a case variant":    {body: `{"Type":"payment.succeeded"}`, status: 400},
		"an incomplete one": {body: `{"type":"payment.succeeded"}`, status: 422},
		"of another type":   {body: `{"type":"customer.created"}`, status: 200},
		"over 64 KiB":       {body: `{"type":"` + strings.Repeat("x", 64<<10) + `"}`, status: 413},
	} {
		if a := p.deliver(strings.ReplaceAll(name, " ", "_"), c.body); a.Status != c.status {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestNothingMissingAtTheStart(t *testing.T) {
	for missing, env := range map[string][]string{
		"PAYMENTS_TABLE":    {},
		"IDEMPOTENCY_TABLE": {"AWS_SAM_LOCAL=true", "PAYMENTS_TABLE=payments"},
		"WEBHOOK_SECRET":    {"PAYMENTS_TABLE=payments", "IDEMPOTENCY_TABLE=keys"},
	} {
		fn := guardtest.Start(t, binary, guardtest.Config{Env: env})
		if _, err := fn.Invoke(t.Context(), []byte(`{}`)); err == nil {
			t.Fatalf("the function started without %s", missing)
		}
		if err := fn.WaitLog(t.Context(), missing+" is not set"); err != nil {
			t.Error(err)
		}
	}
}
