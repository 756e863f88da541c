package exampletest_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

const paid = `{"type":"payment.succeeded","data":{"invoice":"inv-7","amount":"179.00","currency":"EUR"}}`

func newSigningKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	return "whsec_" + base64.StdEncoding.EncodeToString(key)
}

func deliver(t *testing.T, url, key, id string) (*http.Response, string) {
	t.Helper()
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(key, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	at := fmt.Sprint(time.Now().Unix())
	m := hmac.New(sha256.New, secret)
	fmt.Fprintf(m, "%s.%s.%s", id, at, paid)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/payments", strings.NewReader(paid))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "webhook-id": id, "webhook-timestamp": at,
		"webhook-signature": "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil)),
	} {
		req.Header.Set(name, value)
	}
	return do(t, req)
}

// 64 deliveries, each sent twice at once, while the signing key is rotated: the
// provider signs with the new key from the moment on that it is there.
func TestWebhookBooksEachDeliveryOnceWhileItsKeyIsRotated(t *testing.T) {
	t.Parallel()
	c := connect(t)
	vault, vaultEnv := secretStore(t)
	payments, keys, secret := "payments-"+rand.Text(), "keys-"+rand.Text(), "provider/"+rand.Text()
	c.makeTable(t, payments)
	c.makeTable(t, keys)
	before, after := newSigningKey(), newSigningKey()
	if _, err := vault.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &secret, SecretString: &before}); err != nil {
		t.Fatal(err)
	}
	url := deploy(t, "webhook", append(c.env, vaultEnv, "PAYMENTS_TABLE="+payments, "IDEMPOTENCY_TABLE="+keys, "WEBHOOK_SECRET="+secret))

	var mu sync.Mutex
	effects := map[string]int{}
	deliverAll := func(key string, from, to int) {
		t.Helper()
		var all sync.WaitGroup
		for i := from; i < to; i++ {
			for range 2 {
				all.Go(func() {
					id := fmt.Sprintf("msg_%d", i)
					switch res, body := deliver(t, url, key, id); {
					case res.StatusCode == http.StatusOK && res.Header.Get("Idempotent-Replayed") == "":
						mu.Lock()
						effects[id]++
						mu.Unlock()
					case res.StatusCode != http.StatusOK && res.StatusCode != http.StatusConflict: // the other is under way
						t.Errorf("%s: %d %s", id, res.StatusCode, body)
					}
				})
			}
		}
		all.Wait()
	}
	deliverAll(before, 0, 32)
	if _, err := vault.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &secret, SecretString: &after}); err != nil {
		t.Fatal(err)
	}
	deliverAll(after, 32, 64)
	deliverAll(before, 0, 32) // those that were signed before, once more

	for id, times := range effects {
		if times != 1 {
			t.Errorf("%s took effect %d times", id, times)
		}
	}
	if n := len(c.items(t, payments)); len(effects) != 64 || n != 64 {
		t.Errorf("of 64 deliveries %d took effect, and %d are booked", len(effects), n)
	}
	if res, body := deliver(t, url, newSigningKey(), "msg_99"); res.StatusCode != 401 {
		t.Errorf("a forged delivery: %d %s", res.StatusCode, body)
	}
}
