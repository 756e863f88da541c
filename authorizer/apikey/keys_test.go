package apikey_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/apikey"
	"github.com/lambdarmor/lambdarmor/secrets"
)

const key1, key2, key3 = "k1-0123456789abcdef0123456789", "k2-0123456789abcdef0123456789", "k3-0123456789abcdef0123456789"

func TestKeysAreKeptHashed(t *testing.T) {
	pepper := []byte("sixteen bytes or more")
	if got := apikey.Hash("abc"); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" { // FIPS 180-2, B.1
		t.Errorf("SHA-256: %s", got)
	}
	if got := apikey.PepperedHash([]byte("Jefe"), "what do ya want for nothing?"); got != "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" { // RFC 4231, 4.3
		t.Errorf("HMAC-SHA-256: %s", got)
	}
	for name, keys := range map[string]authorizer.Verifier{
		"plain": apikey.Hashed(map[string]authorizer.Grant{
			apikey.Hash(key1):                  {Principal: "shop", Scopes: []string{"orders:write"}},
			strings.ToUpper(apikey.Hash(key2)): {Principal: "till"},
			apikey.Hash(key3):                  {Principal: "ended", Expires: longAgo},
		}),
		"peppered": apikey.Peppered(pepper, map[string]authorizer.Grant{
			apikey.PepperedHash(pepper, key1): {Principal: "shop", Scopes: []string{"orders:write"}},
			apikey.PepperedHash(pepper, key2): {Principal: "till"},
			apikey.PepperedHash(pepper, key3): {Principal: "ended", Expires: longAgo},
		}),
	} {
		for key, want := range map[string]string{
			key1: "shop", key2: "till", key3: "", key1 + "," + key1: "", key1 + " ": "", "x": "", "-": "", strings.Repeat("k", 2000): "",
			apikey.Hash(key1): "", apikey.PepperedHash(pepper, key1): "",
		} {
			got, log := withKey(t, keys, key)
			if (got == allow) != (want != "") || log.text("principal") != want {
				t.Errorf("%s: %.40s: %s, %v", name, key, got, log)
			}
		}
	}
	long := strings.Repeat("00", 33)
	for want, f := range map[string]func(){
		"is not the hexadecimal of 32 bytes": func() { apikey.Hashed(map[string]authorizer.Grant{long: {Principal: "a"}}) },
		"not the hexadecimal":                func() { apikey.Hashed(map[string]authorizer.Grant{key1: {Principal: "a"}}) },
		"without a principal":                func() { apikey.Hashed(map[string]authorizer.Grant{apikey.Hash(key1): {}}) },
		"less than 16 bytes":                 func() { apikey.Peppered(pepper[:15], nil) },
		"Secrets without a cache":            func() { apikey.Secrets(nil, nil) },
		"with an empty name":                 func() { apikey.Secrets(secrets.New(&vault{}), map[string]authorizer.Grant{"": {Principal: "a"}}) },
		`Secrets: "a": authorizer:`:          func() { apikey.Secrets(secrets.New(&vault{}), map[string]authorizer.Grant{"a": {}}) },
	} {
		mustPanic(t, want, want, f)
	}
	mustPanic(t, "twice", "is there twice", func() {
		apikey.Hashed(map[string]authorizer.Grant{apikey.Hash(key1): {Principal: "a"}, strings.ToUpper(apikey.Hash(key1)): {Principal: "b"}})
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
	fresh := func() authorizer.Verifier {
		return apikey.Secrets(secrets.New(v), map[string]authorizer.Grant{"shop/key": {Principal: "shop"}, "till/key": {Principal: "till"}})
	}
	must := func(stage string, keys authorizer.Verifier, accepted, refused []string) {
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
	keys := apikey.Secrets(secrets.New(v), map[string]authorizer.Grant{"shop/key": {Principal: "shop"}})
	if got, log := withKey(t, keys, key1); got != broken || log.code() != "secret_unavailable" {
		t.Errorf("%s, %v", got, log)
	}
}

func TestKeysAreFoundConcurrently(t *testing.T) {
	v := &vault{values: map[secrets.Ref]string{}}
	v.rotate("shop/key", key1)
	sets := []authorizer.Verifier{
		apikey.Secrets(secrets.New(v), map[string]authorizer.Grant{"shop/key": {Principal: "shop"}}),
		apikey.Hashed(map[string]authorizer.Grant{apikey.Hash(key1): {Principal: "shop"}}),
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				for _, set := range sets {
					if g, err := set.Verify(ctx, key1); err != nil || g.Principal != "shop" {
						t.Errorf("%v, %v", g, err)
					}
				}
			}
		})
	}
	wg.Wait()
}

// What is handed over is not looked at again.
func TestKeysAreCopied(t *testing.T) {
	k := authorizer.Grant{Principal: "alice", Scopes: []string{"read"}, Groups: []string{"g"}, Context: map[string]any{"plan": "free"}}
	set := apikey.Hashed(map[string]authorizer.Grant{apikey.Hash("k"): k})
	k.Scopes[0], k.Groups[0], k.Context["plan"] = "admin", "admins", "paid"
	g, err := set.Verify(t.Context(), "k")
	if err != nil || g.Scopes[0] != "read" || g.Groups[0] != "g" || g.Context["plan"] != "free" {
		t.Errorf("%+v, %v", g, err)
	}
}
