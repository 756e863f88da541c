package webhook_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/webhook"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// vault is a source with the current value of one secret and the one before.
type vault struct {
	mu       sync.Mutex
	versions []string
	down     bool
	restless bool   // each fetch finds another value
	held     func() // holds the next fetch up
	fetches  atomic.Int64
}

func (v *vault) rotate(value string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.versions = append(v.versions, value)
}

func (v *vault) Fetch(_ context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	n := v.fetches.Add(1)
	v.mu.Lock()
	defer v.mu.Unlock()
	if held := v.held; held != nil {
		v.held = nil
		held()
	}
	if v.restless {
		v.versions = append(v.versions, fmt.Sprint("k", n))
	}
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

func TestAKeyIsRefusedAfterTwoChanges(t *testing.T) {
	v := &vault{versions: []string{"k1"}}
	now := time.Unix(slackTime, 0)
	layer := webhook.HMAC(webhook.HMACConfig{Signature: "X-Hub-Signature-256", Prefix: "sha256=", Timestamp: "X-Time", Content: "{timestamp}.{body}"},
		webhook.Secret(secrets.New(v), "hook"), webhook.Clock(func() time.Time { return now }))
	accepts := func(key string, want bool) {
		t.Helper()
		at := strconv.FormatInt(now.Unix(), 10)
		got, err := receive(layer, delivery{body: "b", headers: []string{"X-Time", at, "X-Hub-Signature-256", "sha256=" + hex.EncodeToString(mac256(key, at+".b"))}})
		if got.called != want {
			t.Errorf("key %s: called %v, %v", key, got.called, err)
		}
	}
	accepts("k1", true)
	for _, key := range []string{"k2", "k3"} {
		v.rotate(key)
		now = now.Add(10 * time.Second)
		accepts(key, true)
		accepts("k1", key == "k2")
	}
}

func TestForgedDeliveriesWearNothingOut(t *testing.T) {
	// A source that has a new value each time would be asked for each of them.
	v := &vault{restless: true}
	now := time.Unix(slackTime, 0)
	layer := webhook.HMAC(slack, webhook.Secret(secrets.New(v), "hook"), webhook.Clock(func() time.Time { return now }))
	forged := func(when string, fetches int64) {
		t.Helper()
		for range 20 {
			before := v.fetches.Load()
			got, err := receive(layer, delivery{headers: []string{
				"X-Slack-Signature", "v0=" + strings.Repeat("0", 64), "X-Slack-Request-Timestamp", strconv.Itoa(slackTime),
			}})
			if got.called || guard.Public(err).Code != "webhook_signature_invalid" {
				t.Fatalf("called %v, %v", got.called, err)
			}
			if v.fetches.Load() > before {
				fetches--
			}
		}
		if fetches != 0 {
			t.Errorf("%s: %d more deliveries than expected fetched keys", when, -fetches)
		}
	}
	forged("at first", 1)
	now = now.Add(10*time.Second - 1)
	forged("within 10 seconds", 0)
	now = now.Add(1)
	forged("after 10 seconds", 1)
	now = now.Add(-time.Minute)
	forged("when the clock was set back", 1)
}

// Who waits for another's fetch of the keys does so as long as it has time.
func TestWhoFindsTheKeysBeingFetchedHasAContextOfItsOwn(t *testing.T) {
	v := &vault{versions: []string{"k1"}}
	layer := webhook.GitHub(webhook.Secret(secrets.New(v, secrets.FetchTimeout(time.Hour)), "hook"))
	if got, err := receive(layer, githubDelivery("k1")); !got.called {
		t.Fatal(err)
	}
	asked, release := make(chan struct{}), make(chan struct{})
	v.held = func() { close(asked); <-release }
	first := make(chan error)
	go func() {
		_, err := receive(layer, githubDelivery("forged"))
		first <- err
	}()
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, nil }), layer)
	if _, err := h.Invoke(ctx, githubDelivery("forged").event()); guard.Public(err).Code != "webhook_signature_invalid" {
		t.Errorf("who has no time: got %v, want the end of its context", err)
	}
	close(release)
	if err := <-first; guard.Public(err).Code != "webhook_signature_invalid" {
		t.Errorf("who fetches: got %v, want a delivery", err)
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
		t.Errorf("a forged delivery while the source is down: got %v, want a refusal", err)
	}
	if got, err := receive(layer, githubDelivery("k1")); !got.called {
		t.Errorf("a good one while it is down: got %v, want a delivery", err)
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
