package authorizer_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

func withKey(t *testing.T, keys authorizer.KeySet, key string) (outcome, record) {
	t.Helper()
	event := sampleOf("").Set("/headers/x-api-key", key).Set("/identitySource", []string{key})
	out, log, err := ask(t, authorizer.Simple(authorizer.APIKey("X-Api-Key", keys)), event)
	if strings.Contains(fmt.Sprint(log), key) && len(key) > 3 {
		t.Errorf("the key is in the log: %v", log)
	}
	return outcomeOf(t, out, err, ""), log
}

const key1, key2, key3 = "k1-0123456789abcdef0123456789", "k2-0123456789abcdef0123456789", "k3-0123456789abcdef0123456789"

func TestKeysAreKeptHashed(t *testing.T) {
	pepper := []byte("sixteen bytes or more")
	if got := authorizer.HashKey("abc"); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" { // FIPS 180-2, B.1
		t.Errorf("SHA-256: %s", got)
	}
	if got := authorizer.PepperKey([]byte("Jefe"), "what do ya want for nothing?"); got != "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" { // RFC 4231, 4.3
		t.Errorf("HMAC-SHA-256: %s", got)
	}
	for name, keys := range map[string]authorizer.KeySet{
		"plain": authorizer.Keys(
			authorizer.Key{Hash: authorizer.HashKey(key1), Principal: "shop", Scopes: []string{"orders:write"}},
			authorizer.Key{Hash: strings.ToUpper(authorizer.HashKey(key2)), Principal: "till"},
			authorizer.Key{Hash: authorizer.HashKey(key3), Principal: "ended", Expires: longAgo},
		),
		"peppered": authorizer.PepperedKeys(pepper,
			authorizer.Key{Hash: authorizer.PepperKey(pepper, key1), Principal: "shop", Scopes: []string{"orders:write"}},
			authorizer.Key{Hash: authorizer.PepperKey(pepper, key2), Principal: "till"},
			authorizer.Key{Hash: authorizer.PepperKey(pepper, key3), Principal: "ended", Expires: longAgo},
		),
	} {
		for key, want := range map[string]string{
			key1: "shop", key2: "till", key3: "", key1 + "," + key1: "", key1 + " ": "", "x": "", "-": "", strings.Repeat("k", 2000): "",
			authorizer.HashKey(key1): "", authorizer.PepperKey(pepper, key1): "",
		} {
			got, log := withKey(t, keys, key)
			if (got == allow) != (want != "") || log.text("principal") != want {
				t.Errorf("%s: %.40s: %s, %v", name, key, got, log)
			}
		}
	}
	mustPanic(t, "twice", "is there twice", func() {
		authorizer.Keys(authorizer.Key{Hash: authorizer.HashKey(key1), Principal: "a"}, authorizer.Key{Hash: authorizer.HashKey(key1), Principal: "b"})
	})
}

// vault is a source of secrets.
type vault struct {
	mu     sync.Mutex
	values map[secrets.Ref]string
	err    error
	asked  int // how often
}

func (v *vault) Fetch(_ context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	if v.err != nil {
		return nil, v.err
	}
	out := make([]secrets.Value, len(refs))
	for i, ref := range refs {
		text, ok := v.values[ref]
		if !ok {
			out[i].Err = secrets.ErrNotFound
		}
		out[i].Data, out[i].Version = []byte(text), text
	}
	return out, nil
}

func (v *vault) rotate(name, key string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if before, ok := v.values[secrets.Ref{Name: name}]; ok {
		v.values[secrets.Ref{Name: name, Stage: "AWSPREVIOUS"}] = before
	}
	v.values[secrets.Ref{Name: name}] = key
}

func TestARotationOfAKeyLocksNobodyOut(t *testing.T) {
	v := &vault{values: map[secrets.Ref]string{}}
	v.rotate("shop/key", key1)
	v.rotate("till/key", "t1-0123456789abcdef")
	fresh := func() authorizer.KeySet {
		return authorizer.SecretKeys(secrets.New(v), map[string]authorizer.Key{"shop/key": {Principal: "shop"}, "till/key": {Principal: "till"}})
	}
	must := func(stage string, keys authorizer.KeySet, accepted, refused []string) {
		t.Helper()
		for _, key := range accepted {
			if got, log := withKey(t, keys, key); got != allow || log.text("principal") != "shop" {
				t.Errorf("%s: %s is refused: %v", stage, key, log)
			}
		}
		for _, key := range refused {
			if got, log := withKey(t, keys, key); got != deny || log.code() != "api_key_unknown" {
				t.Errorf("%s: %s: %s, %v", stage, key, got, log)
			}
		}
	}
	old := fresh()
	must("before", old, []string{key1}, []string{key2, key3})
	v.rotate("shop/key", key2)
	must("in a process of before", old, []string{key1}, nil)
	must("during", fresh(), []string{key1, key2}, []string{key3})
	v.rotate("shop/key", key3)
	must("after", fresh(), []string{key2, key3}, []string{key1})

	v.rotate("shop/key", "short")
	if got, log := withKey(t, fresh(), "short"); got != broken || log.code() != "api_key_malformed" {
		t.Errorf("a key that can be guessed: %s, %v", got, log)
	}
	if got, log := withKey(t, fresh(), "t1-0123456789abcdef"); got != allow || log.text("principal") != "till" {
		t.Errorf("another's: %s, %v", got, log)
	}
	v.rotate("shop/key", key1)
	must("away from one that can be guessed", fresh(), []string{key1}, []string{"short"})
}

// Without its secrets nobody is refused for good, and nobody allowed.
func TestKeysThatCannotBeReadAreNoDenial(t *testing.T) {
	v := &vault{err: secrets.ErrUnavailable}
	keys := authorizer.SecretKeys(secrets.New(v), map[string]authorizer.Key{"shop/key": {Principal: "shop"}})
	if got, log := withKey(t, keys, key1); got != broken || log.code() != "secret_unavailable" {
		t.Errorf("%s, %v", got, log)
	}
}

func TestKeysAreFoundConcurrently(t *testing.T) {
	v := &vault{values: map[secrets.Ref]string{}}
	v.rotate("shop/key", key1)
	sets := []authorizer.KeySet{
		authorizer.SecretKeys(secrets.New(v), map[string]authorizer.Key{"shop/key": {Principal: "shop"}}),
		authorizer.Keys(authorizer.Key{Hash: authorizer.HashKey(key1), Principal: "shop"}),
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				for _, set := range sets {
					if g, err := set.Find(ctx, key1); err != nil || g.Principal != "shop" {
						t.Errorf("%v, %v", g, err)
					}
				}
			}
		})
	}
	wg.Wait()
}

// A store of somebody's own may be down.
func TestAKeySetThatFailsIsNoDenial(t *testing.T) {
	down := keySetFunc(func(context.Context, string) (*authorizer.Grant, error) {
		return nil, guard.Errorf(guard.Unavailable, "table_down", "")
	})
	if got, log := withKey(t, down, key1); got != broken || log.code() != "table_down" {
		t.Errorf("%s, %v", got, log)
	}
}

// A set of somebody's own may be dear to ask.
func TestWhatIsTooLongForAKeyIsNotLookedUp(t *testing.T) {
	asked := 0
	counts := keySetFunc(func(context.Context, string) (*authorizer.Grant, error) {
		asked++
		return nil, nil
	})
	for _, length := range []int{1 << 10, 1<<10 + 1} {
		if got, log := withKey(t, counts, strings.Repeat("k", length)); got != deny || log.code() != "api_key_unknown" || asked != 1 {
			t.Errorf("%d bytes: %s, %v, asked %d times", length, got, log, asked)
		}
	}
}

type keySetFunc func(context.Context, string) (*authorizer.Grant, error)

func (f keySetFunc) Find(ctx context.Context, key string) (*authorizer.Grant, error) {
	return f(ctx, key)
}

// What is handed over is not looked at again.
func TestKeysAreCopied(t *testing.T) {
	k := authorizer.Key{Hash: authorizer.HashKey("k"), Principal: "alice", Scopes: []string{"read"}, Groups: []string{"g"}, Context: map[string]any{"plan": "free"}}
	set := authorizer.Keys(k)
	k.Scopes[0], k.Groups[0], k.Context["plan"] = "admin", "admins", "paid"
	g, err := set.Find(t.Context(), "k")
	if err != nil || g.Scopes[0] != "read" || g.Groups[0] != "g" || g.Context["plan"] != "free" {
		t.Errorf("%+v, %v", g, err)
	}
}
