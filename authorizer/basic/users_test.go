package basic_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/basic"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

func argon2id(password string, memory, time uint32, threads uint8) string {
	salt := []byte("0123456789abcdef")
	sum := argon2.IDKey([]byte(password), salt, time, memory, threads, 32)
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", memory, time, threads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

func bcrypted(t *testing.T, password string, cost int) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

// decide asks a check about a request with this header.
func decide(t *testing.T, c authorizer.Check, header string) (g *authorizer.Grant, err error) {
	t.Helper()
	seen := func(ctx context.Context, r *authorizer.Request) (*authorizer.Grant, error) {
		g, err = c(ctx, r)
		return g, err
	}
	event := sample.Of(guard.Authorizer).Set("/headers/authorization", header)
	if _, failure := authorizer.Simple(seen, authorizer.Uncached()).Invoke(t.Context(), event.Bytes()); failure != nil && err == nil {
		t.Fatal(failure)
	}
	return g, err
}

func credentials(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestUsers(t *testing.T) {
	long := strings.Repeat("p", 72)
	check := basic.Users("orders", map[string]basic.User{
		"alice": {Hash: argon2id("correct horse", 7<<10, 1, 1), Scopes: []string{"orders:read"}},
		"bob":   {Hash: bcrypted(t, "battery:staple", 10)},
		"carol": {Hash: bcrypted(t, long, 10)},
		"dave":  {Hash: strings.Replace(bcrypted(t, "tea", 10), "$2a$", "$2y$", 1)}, // as htpasswd writes it
		"дана":  {Hash: argon2id("пароль", 7<<10, 1, 1)},
	})
	for _, tt := range []struct {
		header string
		want   string // principal, or code
	}{
		{header: credentials("alice", "correct horse"), want: "alice"},
		{header: strings.Replace(credentials("alice", "correct horse"), "Basic", "bASIC", 1), want: "alice"},
		{header: strings.Replace(credentials("alice", "correct horse"), " ", "  ", 1), want: "alice"}, // RFC 9110, section 11.4
		{header: credentials("bob", "battery:staple"), want: "bob"},
		{header: credentials("bob", "battery:stapler"), want: "credential_invalid"},
		{header: credentials("carol", long), want: "carol"},
		{header: credentials("dave", "tea"), want: "dave"},
		{header: credentials("дана", "пароль"), want: "дана"},
		{header: credentials("carol", long+"x"), want: "credential_invalid"}, // bcrypt alone would cut it
		{header: credentials("alice", "battery:staple"), want: "credential_invalid"},
		{header: credentials("alice", ""), want: "credential_invalid"},
		{header: credentials("Alice", "correct horse"), want: "credential_invalid"},
		{header: credentials("nobody", "correct horse"), want: "credential_invalid"},
		{header: credentials("", ""), want: "credential_invalid"},
		{want: "credential_missing"},
		{header: "Bearer t0k3n", want: "credential_missing"},
		{header: "Basic", want: "credential_malformed"},
		{header: "Basic alice", want: "credential_malformed"},
		{header: "Basic " + base64.StdEncoding.EncodeToString([]byte("alice")), want: "credential_malformed"},
		{header: "Basic " + base64.StdEncoding.EncodeToString([]byte("alice:a\x00")), want: "credential_malformed"},
		{header: "Basic " + base64.StdEncoding.EncodeToString([]byte("alice:\xff")), want: "credential_malformed"},
		{header: "Basic " + base64.RawStdEncoding.EncodeToString([]byte("alice:correct horse")), want: "credential_malformed"},
		{
			header: credentials("alice", "correct horse") + "," + credentials("alice", "correct horse"),
			want:   "credential_malformed",
		},
		{header: credentials("alice", "correct horse") + "\n", want: "credential_malformed"},
		{
			header: strings.Replace(credentials("alice", "correct horse"), "ZQ==", "ZR==", 1),
			want:   "credential_malformed",
		}, // bits beyond the text
		{header: credentials("alice", strings.Repeat("p", 4<<10)), want: "credential_malformed"},
	} {
		g, err := decide(t, check, tt.header)
		got := guard.Public(err).Code
		if err == nil {
			got = g.Principal
		} else if guard.KindOf(err) != guard.Unauthenticated {
			t.Errorf("%q: got %v, want unauthenticated", tt.header, err)
		}
		if got != tt.want {
			t.Errorf("%.60q: got %s, want %s", tt.header, got, tt.want)
		}
	}
}

func TestARefusalHasTheRealm(t *testing.T) {
	check := basic.Users("orders", map[string]basic.User{"alice": {Hash: argon2id("p", 7<<10, 1, 1)}})
	h := guard.Wrap(guard.Func(func(context.Context, struct{}) (string, error) { return "", nil }), httpapi.Problems(), authorizer.Require(check))
	out, err := h.Invoke(t.Context(), sample.Of(guard.FunctionURL).Bytes())
	if err != nil || !strings.Contains(string(out), `"www-authenticate":"Basic realm=\"orders\", charset=\"UTF-8\""`) {
		t.Errorf("got %s, %v; want the realm in WWW-Authenticate", out, err)
	}
}

// A hash decides what an unknown caller can make the function spend.
func TestHashesThatAreTooWeakTooDearOrMalformedPanic(t *testing.T) {
	good := argon2id("p", 7<<10, 1, 1)
	sized := func(salt, sum int) string {
		encode := base64.RawStdEncoding.EncodeToString
		return "$argon2id$v=19$m=7168,t=1,p=1$" + encode(make([]byte, salt)) + "$" + encode(make([]byte, sum))
	}
	for _, hash := range []string{
		"", "p", "$argon2i$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0$" + strings.Repeat("a", 43),
		strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "m=7168", "m=1024", 1),
		strings.Replace(good, "m=7168", "m=1048576", 1),
		strings.Replace(good, "m=7168", "m=99999999999", 1),
		strings.Replace(good, "t=1", "t=0", 1),
		strings.Replace(good, "t=1", "t=1000", 1),
		strings.Replace(good, "p=1", "p=0", 1),
		strings.Replace(good, "p=1", "p=255", 1),
		strings.Replace(good, "t=1,p=1", "p=1,t=1", 1),
		strings.Replace(good, ",p=1", "", 1),
		good[:len(good)-30],
		good + "$", good + "=",
		sized(7, 32), sized(65, 32), sized(16, 15), sized(16, 65),
		bcrypted(t, "p", 10) + "x",
		strings.Replace(good, "m=7168", "m=07168", 1),
		strings.Replace(good, "p=1$", "p=1,data=x$", 1),
		strings.Replace(good, "p=1$", "p=1$!", 1),
		"$2b$04$" + strings.Repeat("a", 53), "$2b$31$" + strings.Repeat("a", 53), "$2b$10$short", "$2x$10$" + strings.Repeat("a", 53),
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "basic: the user \"alice\"") {
					t.Errorf("%q: got the panic %q, want one about alice", hash, text)
				}
			}()
			basic.Users("orders", map[string]basic.User{"alice": {Hash: hash}})
		}()
	}
	for name, f := range map[string]func(){
		"a realm with a quote": func() { basic.Users(`a"b`, map[string]basic.User{"alice": {Hash: good}}) },
		"a realm with a break": func() { basic.Users("a\nb", map[string]basic.User{"alice": {Hash: good}}) },
		"a realm with an ä":    func() { basic.Users("ä", map[string]basic.User{"alice": {Hash: good}}) },
		"a realm with a \\":    func() { basic.Users(`a\b`, map[string]basic.User{"alice": {Hash: good}}) },
		"no user":              func() { basic.Users("a", nil) },
		"a colon in the name":  func() { basic.Users("a", map[string]basic.User{"a:b": {Hash: good}}) },
		"a context with a list": func() {
			basic.Users("a", map[string]basic.User{"a": {Hash: good, Context: map[string]any{"roles": []string{"b"}}}})
		},
		"five sets of parameters": func() {
			users := map[string]basic.User{}
			for memory := uint32(7); memory < 12; memory++ {
				users[fmt.Sprint(memory)] = basic.User{Hash: argon2id("p", memory<<10, 1, 1)}
			}
			basic.Users("a", users)
		},
		"a scope that is none": func() { basic.Users("a", map[string]basic.User{"a": {Hash: good, Scopes: []string{"a b"}}}) },
		"a name of JSON":       func() { basic.Users("a", map[string]basic.User{"[]": {Hash: good}}) },
		"no name":              func() { basic.Users("a", map[string]basic.User{"": {Hash: good}}) },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "basic: ") {
					t.Errorf("%s: got the panic %q, want one of basic", name, text)
				}
			}()
			f()
		}()
	}
}

// An answer about a name that there is not takes the work of a password as well.
func BenchmarkUsers(b *testing.B) {
	check := basic.Users("orders", map[string]basic.User{"alice": {Hash: argon2id("correct horse", 19456, 2, 1)}})
	for name, header := range map[string]string{
		"right": credentials("alice", "correct horse"), "wrong": credentials("alice", "x"), "unknown": credentials("nobody", "x"),
	} {
		h := authorizer.Simple(check)
		event := sample.Of(guard.Authorizer).Set("/headers/authorization", header).Set("/identitySource", []string{header}).Bytes()
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := h.Invoke(b.Context(), event); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A policy is made by asking about each route of a table, and a password costs
// what it costs: 7 MiB here. A name that there is not costs as much, or a caller
// could find out that it does not exist.
func TestAPasswordIsHashedOncePerDecision(t *testing.T) {
	const memory = 7 << 10
	check := basic.Users("orders", map[string]basic.User{"alice": {Hash: argon2id("p", memory, 1, 1)}})
	routes := map[string]authorizer.Check{}
	for i := range 20 {
		routes[fmt.Sprintf("ANY /%d", i)] = authorizer.Groups("none")
	}
	h := authorizer.Policy(authorizer.All(check, authorizer.Routes(routes)))
	for name, header := range map[string]string{
		"right": credentials("alice", "p"), "wrong": credentials("alice", "x"), "no such name": credentials("nobody", "p"), "no name": credentials("", "p"),
	} {
		event := sample.Of(guard.Authorizer).Set("/headers/authorization", header).Set("/identitySource", []string{header})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := h.Invoke(t.Context(), event.Bytes()); (err == nil) != (name == "right") {
			t.Fatal(name, err)
		}
		runtime.ReadMemStats(&after)
		if hashes := (after.TotalAlloc - before.TotalAlloc) / (memory << 10); hashes != 1 {
			t.Errorf("%s: got %d hashes, want one", name, hashes)
		}
	}
}

// What is handed over is not looked at again.
func TestUsersAreCopied(t *testing.T) {
	u := basic.User{Hash: argon2id("p", 7<<10, 1, 1), Scopes: []string{"read"}, Groups: []string{"g"}, Context: map[string]any{"plan": "free"}}
	check := basic.Users("orders", map[string]basic.User{"alice": u})
	u.Scopes[0], u.Groups[0], u.Context["plan"] = "admin", "admins", "paid"
	g, err := decide(t, check, credentials("alice", "p"))
	if err != nil || g.Scopes[0] != "read" || g.Groups[0] != "g" || g.Context["plan"] != "free" {
		t.Errorf("got %+v, %v; want the grant as it was", g, err)
	}
}

// Where passwords were hashed at several costs, what a wrong password takes shows
// neither which names there are nor whose hash is an old one, in this process or
// in another one.
func TestAWrongPasswordCostsTheSameForEveryName(t *testing.T) {
	users := map[string]basic.User{"old": {Hash: argon2id("p", 7<<10, 1, 1)}, "new": {Hash: argon2id("p", 12<<10, 1, 1)}}
	spent := map[string]uint64{} // name → MiB
	for process := range 2 {
		check := basic.Users("orders", users)
		for _, name := range []string{"old", "new", "nobody", "somebody", ""} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, err := decide(t, check, credentials(name, "wrong")); guard.Public(err).Code != "credential_invalid" {
				t.Fatalf("%q: %v", name, err)
			}
			runtime.ReadMemStats(&after)
			spent[fmt.Sprintf("%q in process %d", name, process)] = (after.TotalAlloc - before.TotalAlloc) >> 20
		}
	}
	want := spent[`"nobody" in process 0`]
	if want < 12 {
		t.Errorf("a name that there is not takes %d MiB, which is less than the dearest hash", want)
	}
	for name, got := range spent {
		if got != want {
			t.Errorf("%s: %d MiB, want %d", name, got, want)
		}
	}
}
