package webhook_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer/webhook"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// vault is a source with the current value of one secret and the one before.
type vault struct {
	mu       sync.Mutex
	versions []string
	down     bool
	fetches  atomic.Int64
}

func (v *vault) rotate(value string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.versions = append(v.versions, value)
}

func (v *vault) Fetch(_ context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	v.fetches.Add(1)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.down {
		return nil, secrets.ErrUnavailable
	}
	values := make([]secrets.Value, len(refs))
	for i, ref := range refs {
		n := len(v.versions) - 1
		if ref.Stage == "AWSPREVIOUS" {
			n--
		}
		if n < 0 {
			values[i].Err = secrets.ErrNotFound
			continue
		}
		values[i] = secrets.Value{Data: []byte(v.versions[n]), Version: v.versions[n]}
	}
	return values, nil
}

func githubDelivery(key string) delivery {
	return delivery{body: "b", headers: []string{"X-Hub-Signature-256", "sha256=" + hex.EncodeToString(mac256(key, "b"))}}
}

func TestKeysAreTheCurrentAndThePreviousValue(t *testing.T) {
	v := &vault{versions: []string{"k1"}}
	layer := webhook.GitHub(webhook.Secret(secrets.New(v), "hook"))
	accepts := func(key string, want bool) {
		t.Helper()
		if got, err := receive(layer, githubDelivery(key)); got.called != want {
			t.Errorf("key %s: called %v, %v", key, got.called, err)
		}
	}
	accepts("k1", true)
	v.rotate("k2")
	accepts("k1", true)
	// A sender that changes at once finds it known.
	const senders = 64
	var all sync.WaitGroup
	for range senders {
		all.Go(func() { accepts("k2", true) })
	}
	all.Wait()
	accepts("k1", true)
	accepts("k0", false)
}

func TestForgedDeliveriesWearNothingOut(t *testing.T) {
	v := &vault{versions: []string{"k1", "k2"}}
	layer := webhook.GitHub(webhook.Secret(secrets.New(v), "hook"))
	for range 200 {
		if got, err := receive(layer, githubDelivery("forged")); got.called || guard.Public(err).Code != "webhook_signature_invalid" {
			t.Fatalf("called %v, %v", got.called, err)
		}
	}
	// Two at first and for the only renewal in 10 seconds; more if it takes longer.
	if n := v.fetches.Load(); n > 20 {
		t.Errorf("%d fetches for 200 forged deliveries", n)
	}
}

func TestASourceThatIsDownIsNotTheSendersFault(t *testing.T) {
	v := &vault{down: true}
	layer := webhook.GitHub(webhook.Secret(secrets.New(v), "hook"))
	_, err := receive(layer, githubDelivery("k1"))
	if kind := guard.KindOf(err); kind.Status() != http.StatusServiceUnavailable {
		t.Errorf("%v", err)
	}

	v = &vault{versions: []string{"k1"}}
	layer = webhook.GitHub(webhook.Secret(secrets.New(v), "hook"))
	if got, err := receive(layer, githubDelivery("k1")); !got.called {
		t.Fatal(err)
	}
	v.mu.Lock()
	v.down = true
	v.mu.Unlock()
	if _, err := receive(layer, githubDelivery("forged")); guard.KindOf(err) != guard.Unauthenticated {
		t.Errorf("a forged delivery while the source is down: %v", err)
	}
	if got, err := receive(layer, githubDelivery("k1")); !got.called {
		t.Errorf("a good one while it is down: %v", err)
	}
}

// A key that no sender can have signed with would refuse everything that they
// send, as their fault.
func TestAKeyThatIsSeenToBeWrongIsOurFault(t *testing.T) {
	for name, layer := range map[string]guard.Middleware{
		"github, from a file with a line break": webhook.GitHub(fixed(githubKey + "\n")),
		"stripe, from a file with a line break": webhook.Stripe(fixed(stripeKey+"\r\n"), at(stripeTime)),
		"stripe, an API key":                    webhook.Stripe(fixed("sk_test_AAAA"), at(stripeTime)),
		"stripe, in the console's JSON":         webhook.Stripe(fixed(`{"key":"`+stripeKey+`"}`), at(stripeTime)),
	} {
		_, err := receive(layer, delivery{body: githubBody, headers: []string{
			"X-Hub-Signature-256", githubSign, "Stripe-Signature", fmt.Sprintf("t=%d,v1=%064d", stripeTime, 0),
		}})
		if e := guard.Public(err); e.Kind != guard.Internal || e.Code != "webhook_key_malformed" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
