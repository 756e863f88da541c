package apikey_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/apikey"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

func (v *vault) fails(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.err = err
}

func (v *vault) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.asked
}

// keyFile is a secret that JSON reads.
func keyFile(entries ...map[string]any) string {
	text, err := json.Marshal(map[string]any{"keys": entries})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// newKeySets makes both kinds of sets, over one secret in which shop has a key.
// store puts another key in its place.
func newKeySets() map[string]func() (keys authorizer.Verifier, v *vault, store func(key string)) {
	return map[string]func() (authorizer.Verifier, *vault, func(string)){
		"Secrets": func() (authorizer.Verifier, *vault, func(string)) {
			v := &vault{values: map[secrets.Ref]string{}}
			v.rotate("keys", key1)
			return apikey.Secrets(secrets.New(v), map[string]authorizer.Grant{"keys": {Principal: "shop"}}), v,
				func(key string) { v.rotate("keys", key) }
		},
		"JSON": func() (authorizer.Verifier, *vault, func(string)) {
			v := &vault{values: map[secrets.Ref]string{}}
			store := func(key string) { v.rotate("keys", keyFile(map[string]any{"key": key, "principal": "shop"})) }
			store(key1)
			return apikey.JSON(secrets.New(v), "keys"), v, store
		},
	}
}

func TestAKeyThatWasStoredJustNowIsKnownBeforeTheTTLIsOver(t *testing.T) {
	for name, of := range newKeySets() {
		keys, v, store := of()
		expect := func(when, key string, want outcome) {
			t.Helper()
			if got, log := withKey(t, keys, key); got != want {
				t.Errorf("%s, %s: got %s, want %s: %v", name, when, got, want, log)
			}
		}
		expect("before", key1, allow)
		store(key2)
		expect("the new key", key2, allow)
		expect("the one before", key1, allow)
		asked := v.count()
		expect("again", key2, allow)
		if got := v.count(); got != asked {
			t.Errorf("%s: %d fetches for known keys", name, got-asked)
		}
		store(key3)
		expect("after two changes, the new one", key3, allow)
		expect("after two changes, the one before the last", key1, deny)
	}
}

func TestKeysThatNobodyHasWearNothingOut(t *testing.T) {
	for name, of := range newKeySets() {
		synctest.Test(t, func(t *testing.T) { wearNothingOut(t, name, of) })
	}
}

func wearNothingOut(t *testing.T, name string, of func() (keys authorizer.Verifier, v *vault, store func(key string))) {
	keys, v, store := of()
	if got, log := withKey(t, keys, key1); got != allow {
		t.Fatalf("%s: %v", name, log)
	}
	start, denied := v.count(), 0
	for i := range 100 {
		got, log := withKey(t, keys, fmt.Sprintf("junk-%016d", i))
		switch {
		case got == deny && log.code() == "api_key_unknown":
			denied++
		case got != broken || log.code() != "api_keys_unavailable":
			t.Errorf("%s: junk: got %s, %v", name, got, log)
		}
	}
	// Within a second the cache takes a value that was fetched anew for right.
	if got := v.count() - start; denied != 5 || got > 2*5 {
		t.Errorf("%s: of 100 junk keys %d were looked for, want 5, in %d fetches", name, denied, got)
	}

	// That junk has used the limit up makes nobody else's key a bad one.
	store(key2)
	_, err := keys.Verify(t.Context(), key2)
	if e := guard.Public(err); e.Kind != guard.Unavailable || e.RetryAfter != 10*time.Second {
		t.Errorf("%s: a new key within the limit: got %v, again after %v; want not judged for 10s", name, err, e.RetryAfter)
	}
	if got, log := withKey(t, keys, key1); got != allow {
		t.Errorf("%s: a known key: got %s, %v", name, got, log)
	}
	time.Sleep(10 * time.Second)
	if g, err := keys.Verify(t.Context(), key2); g == nil || err != nil {
		t.Errorf("%s: a new key after 10s: got %v, %v", name, g, err)
	}

	// What cannot be a key is not looked for.
	asked := v.count()
	time.Sleep(time.Minute)
	if got, log := withKey(t, keys, "short"); got != deny || v.count() != asked {
		t.Errorf("%s: a short key: got %s after %d fetches, %v", name, got, v.count()-asked, log)
	}
}

// Only the source knows whether a key is a new one.
func TestAnUnknownKeyIsNotDeniedWhileItsSecretCannotBeFetched(t *testing.T) {
	for name, of := range newKeySets() {
		keys, v, store := of()
		if got, log := withKey(t, keys, key1); got != allow {
			t.Fatalf("%s: %v", name, log)
		}
		store(key2)
		v.fails(secrets.ErrUnavailable)
		if got, log := withKey(t, keys, key2); got != broken || log.code() != "api_keys_unavailable" {
			t.Errorf("%s: got %s, %v; want no denial", name, got, log)
		}
		if got, log := withKey(t, keys, key1); got != allow {
			t.Errorf("%s: a known key: got %s, %v", name, got, log)
		}
	}
}

func TestASecretHasManyKeys(t *testing.T) {
	v := &vault{values: map[secrets.Ref]string{}}
	v.rotate("keys", keyFile(
		map[string]any{
			"key": key1, "principal": "shop", "scopes": []string{"orders:write", "orders:read"}, "groups": []string{"stores"},
			"context": map[string]any{"plan": "free", "limit": 3, "beta": true}, "expires": "2127-01-31T00:00:00Z", "usageKey": "plan-1",
		},
		map[string]any{"key": key2, "principal": "till"},
		map[string]any{"key": key3, "principal": "ended", "expires": "2020-01-31T00:00:00Z"},
	))
	keys := apikey.JSON(secrets.New(v), "keys")
	g, err := keys.Verify(t.Context(), key1)
	want := authorizer.Grant{
		Principal: "shop", Scopes: []string{"orders:write", "orders:read"}, Groups: []string{"stores"}, UsageKey: "plan-1",
		Context: map[string]any{"plan": "free", "limit": 3.0, "beta": true}, Expires: time.Date(2127, 1, 31, 0, 0, 0, 0, time.UTC),
	}
	if err != nil || !reflect.DeepEqual(*g, want) {
		t.Errorf("got %+v, %v; want %+v", g, err, want)
	}
	for _, tt := range []struct {
		key  string
		want outcome
		code string
	}{
		{key: key1, want: allow},
		{key: key2, want: allow},
		{key: key3, want: deny, code: "credential_expired"},
		{key: key1 + "x", want: deny, code: "api_key_unknown"},
		{key: "shop", want: deny, code: "api_key_unknown"},
	} {
		if got, log := withKey(t, keys, tt.key); got != tt.want || log.code() != tt.code {
			t.Errorf("%s: got %s, want %s with %q: %v", tt.key, got, tt.want, tt.code, log)
		}
	}
}

func TestOfTwoValuesOfASecretTheCurrentOneCounts(t *testing.T) {
	entry := func(key, principal string, more ...string) map[string]any {
		e := map[string]any{"key": key, "principal": principal}
		if len(more) > 0 {
			e["expires"] = more[0]
		}
		return e
	}
	v := &vault{values: map[secrets.Ref]string{}}
	v.rotate("keys", keyFile(entry(key1, "old name"), entry(key2, "taken out"), entry(key3, "leaked")))
	v.rotate("keys", keyFile(entry(key3, "leaked", "2020-01-31T00:00:00Z"), entry(key1, "new name")))
	keys := apikey.JSON(secrets.New(v), "keys")
	for _, tt := range []struct {
		name, key string
		want      outcome
		principal string
	}{
		{name: "in both", key: key1, want: allow, principal: "new name"},
		{name: "taken out", key: key2, want: allow, principal: "taken out"},
		{name: "ended", key: key3, want: deny},
	} {
		if got, log := withKey(t, keys, tt.key); got != tt.want || log.text("principal") != tt.principal {
			t.Errorf("%s: got %s, want %s of %q: %v", tt.name, got, tt.want, tt.principal, log)
		}
	}
	v.rotate("keys", keyFile(entry(key1, "new name")))
	keys = apikey.JSON(secrets.New(v), "keys")
	if got, log := withKey(t, keys, key2); got != deny {
		t.Errorf("taken out, after two changes: got %s, %v", got, log)
	}

	// A previous value that is malformed was replaced for that.
	v.rotate("keys", "[]")
	v.rotate("keys", keyFile(entry(key2, "till")))
	if got, log := withKey(t, apikey.JSON(secrets.New(v), "keys"), key2); got != allow {
		t.Errorf("after a malformed value: got %s, %v", got, log)
	}
}

func TestASecretThatIsNoListOfKeysDeniesNobody(t *testing.T) {
	const good = `{"key":"` + key1 + `","principal":"shop"}`
	for name, text := range map[string]string{
		"nothing":                    ``,
		"a key":                      key1,
		"a list":                     `[` + good + `]`,
		"no keys":                    `{}`,
		"null":                       `{"keys":null}`,
		"a null among them":          `{"keys":[` + good + `,null]}`,
		"more than one value":        `{"keys":[` + good + `]}{}`,
		"members twice":              `{"keys":[` + good + `],"keys":[]}`,
		"a member in another case":   `{"keys":[{"Key":"` + key1 + `","principal":"shop"}]}`,
		"a member that there is not": `{"keys":[{"key":"` + key1 + `","principal":"shop","expiry":"2020-01-01T00:00:00Z"}]}`,
		"one beside the keys":        `{"keys":[` + good + `],"version":1}`,
		"no principal":               `{"keys":[{"key":"` + key1 + `"}]}`,
		"no key":                     `{"keys":[{"principal":"shop"}]}`,
		"a key that can be guessed":  `{"keys":[` + good + `,{"key":"0123456789abcde","principal":"shop"}]}`,
		"a key twice":                `{"keys":[` + good + `,` + good + `]}`,
		"a scope that is none":       `{"keys":[{"key":"` + key1 + `","principal":"shop","scopes":["a b"]}]}`,
		"scopes in one string":       `{"keys":[{"key":"` + key1 + `","principal":"shop","scopes":"a b"}]}`,
		"an object in the context":   `{"keys":[{"key":"` + key1 + `","principal":"shop","context":{"a":{}}}]}`,
		"a number that is rounded":   `{"keys":[{"key":"` + key1 + `","principal":"shop","context":{"a":9007199254740993}}]}`,
		"a day":                      `{"keys":[{"key":"` + key1 + `","principal":"shop","expires":"2020-01-01"}]}`,
		"a line break":               `{"keys":[{"key":"` + key1 + `","principal":"shop\nX: 1"}]}`,
		"a key as a name":            `{"keys":[{"` + key1 + `":"shop"}]}`,
	} {
		v := &vault{values: map[secrets.Ref]string{{Name: "keys"}: text}}
		keys := apikey.JSON(secrets.New(v), "keys")
		for _, key := range []string{key1, key2} {
			got, log := withKey(t, keys, key)
			if got != broken || log.code() != "api_key_malformed" {
				t.Errorf("%s: got %s, %v; want a failure", name, got, log)
			}
			if strings.Contains(fmt.Sprint(log), key1) {
				t.Errorf("%s: a key is in the log: %v", name, log)
			}
			if _, err := keys.Verify(t.Context(), key); err == nil || text != "" && strings.Contains(err.Error(), key1) {
				t.Errorf("%s: got %v, want an error without the key", name, err)
			}
		}
	}
	v := &vault{values: map[secrets.Ref]string{{Name: "keys"}: `{"keys":[]}`}}
	if got, log := withKey(t, apikey.JSON(secrets.New(v), "keys"), key1); got != deny {
		t.Errorf("a list of nobody: got %s, %v", got, log)
	}
	mustPanic(t, "no cache", "without a cache or a name", func() { apikey.JSON(nil, "keys") })
	mustPanic(t, "no name", "without a cache or a name", func() { apikey.JSON(secrets.New(v), "") })
}

// A key that has moved to another secret is what that secret says.
func TestACurrentKeyGoesBeforeThePreviousOneOfAnotherSecret(t *testing.T) {
	v := &vault{values: map[secrets.Ref]string{}}
	v.rotate("reader", key1)
	v.rotate("writer", key2)
	v.rotate("reader", key2)
	v.rotate("writer", key3)
	keys := apikey.Secrets(secrets.New(v), map[string]authorizer.Grant{"reader": {Principal: "reads"}, "writer": {Principal: "writes"}})
	for key, want := range map[string]string{key1: "reads", key2: "reads", key3: "writes"} {
		g, err := keys.Verify(t.Context(), key)
		if err != nil || g.Principal != want {
			t.Errorf("got %+v, %v, want the grant of %s", g, err, want)
		}
	}
}
