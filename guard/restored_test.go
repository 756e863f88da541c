package guard_test

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/apikey"
	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
	"github.com/lambdarmor/lambdarmor/authorizer/webhook"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/metadata"
	"github.com/lambdarmor/lambdarmor/guard/outgoing/clientcredentials"
	"github.com/lambdarmor/lambdarmor/guard/outgoing/sigv4"
	"github.com/lambdarmor/lambdarmor/guard/quota"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// world is what a function talks to. Between a snapshot and a restore each secret,
// key, token and connection in it is replaced by the next one.
type world struct {
	t     *testing.T
	age   atomic.Int64 // 1, 2, …: which one is in use
	down  atomic.Bool  // secrets cannot be fetched
	asked atomic.Int64 // the age in which a store was last asked
}

// secret is that of an age.
func secret(age int64) string { return "the-secret-of-age-" + strconv.FormatInt(age, 10) }

// Fetch implements secrets.Source. There is no previous value.
func (w *world) Fetch(_ context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	if w.down.Load() {
		return nil, secrets.ErrUnavailable
	}
	values := make([]secrets.Value, len(refs))
	for i, ref := range refs {
		age := w.age.Load()
		values[i] = secrets.Value{Data: []byte(secret(age)), Version: strconv.FormatInt(age, 10)}
		if ref.Stage != "" {
			values[i] = secrets.Value{Err: secrets.ErrNotFound}
		}
	}
	return values, nil
}

// signingKey is the issuer's key of an age.
func signingKey(age int64) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(secret(age)))
	return ed25519.NewKeyFromSeed(seed[:])
}

// token is one of the issuer, of an age.
func token(age int64) string {
	claims := fmt.Sprintf(`{"iss":"https://issuer.example","aud":"orders","sub":"c-42","exp":%d}`, time.Now().Add(time.Hour).Unix())
	signed := encode([]byte(fmt.Sprintf(`{"alg":"EdDSA","kid":"k-%d"}`, age))) + "." + encode([]byte(claims))
	return signed + "." + encode(ed25519.Sign(signingKey(age), []byte(signed)))
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// serve starts a server of the world, over TLS.
func (w *world) serve(h http.HandlerFunc) *httptest.Server {
	s := httptest.NewTLSServer(h)
	w.t.Cleanup(s.Close)
	return s
}

// verifier verifies tokens by the key set of the world.
func (w *world) verifier(cached int) *jwt.Verifier {
	s := w.serve(func(rw http.ResponseWriter, _ *http.Request) {
		age := w.age.Load()
		public := signingKey(age).Public().(ed25519.PublicKey)
		_, _ = fmt.Fprintf(rw, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k-%d","x":%q}]}`, age, encode(public))
	})
	return jwt.New(jwt.Config{
		Issuer: "https://issuer.example", Audiences: []string{"orders"}, Keys: jwt.JWKS(s.URL),
		HTTPClient: s.Client(), CacheTokens: cached,
	})
}

// says is a handler whose answer is a text.
func says(text func(ctx context.Context) (string, error)) lambda.Handler {
	return guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		said, err := text(ctx)
		return []byte(said), err
	})
}

// get returns the header Used of an answer.
func get(ctx context.Context, base http.RoundTripper, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	res, err := (&http.Client{Transport: base}).Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body) // so that the connection is kept
	return res.Header.Get("Used"), err
}

// holders are the functions that hold something. The answer is what was used.
var holders = []struct {
	name   string
	make   func(w *world) lambda.Handler
	event  func() []byte          // {} if nil
	down   bool                   // secrets cannot be fetched after the restore
	first  string                 // is used before the snapshot
	after  func(age int64) string // is used after the restore to an age
	stales func(used string) bool // the snapshot's is used; nil means what was used first
}{
	{
		name: "secrets.Cache.Inject",
		make: func(w *world) lambda.Handler {
			return guard.Wrap(says(func(ctx context.Context) (string, error) { return secrets.From(ctx, "key").Text(), nil }),
				secrets.New(w).Inject("key"))
		},
		first: secret(1), after: secret,
	},
	{
		name: "secrets.Cache.Get",
		make: func(w *world) lambda.Handler {
			cache := secrets.New(w)
			return guard.Wrap(says(func(ctx context.Context) (string, error) {
				key, err := cache.Get(ctx, "key")
				return key.Text(), err
			}), guard.OnRestore(cache.Forget))
		},
		first: secret(1), after: secret,
	},
	{
		name: "secrets.Cache.Get, and the source is down",
		make: func(w *world) lambda.Handler {
			cache := secrets.New(w, secrets.TTL(time.Nanosecond)) // always stale
			return guard.Wrap(says(func(ctx context.Context) (string, error) {
				key, err := cache.Get(ctx, "key")
				return key.Text(), err
			}), guard.OnRestore(cache.Forget))
		},
		down: true, first: secret(1), after: func(int64) string { return "secret_unavailable" },
	},
	{
		name: "webhook.Secret",
		make: func(w *world) lambda.Handler {
			return guard.Wrap(answers("accepted", nil), webhook.GitHub(webhook.Secret(secrets.New(w), "key")))
		},
		event: func() []byte {
			mac := hmac.New(sha256.New, []byte(secret(1)))
			mac.Write([]byte(`{}`))
			return sample.HTTP("POST", "/").JSON(`{}`).Header("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil))).Bytes()
		},
		first: "accepted", after: func(int64) string { return "webhook_signature_invalid" },
	},
	{
		name: "apikey.Secrets",
		make: func(w *world) lambda.Handler {
			cache := secrets.New(w)
			keys := apikey.Secrets(cache, map[string]authorizer.Grant{"key": {Principal: "c-42"}})
			return guard.Wrap(answers("accepted", nil), guard.OnRestore(cache.Forget), authorizer.Require(authorizer.APIKey("X-Api-Key", keys)))
		},
		event: func() []byte { return sample.HTTP("GET", "/").Header("X-Api-Key", secret(1)).Bytes() },
		first: "accepted", after: func(int64) string { return "api_key_unknown" },
	},
	{
		name: "jwt.Verifier",
		make: func(w *world) lambda.Handler {
			v := w.verifier(0)
			return guard.Wrap(answers("accepted", nil), guard.OnRestore(v.Forget), authorizer.Require(authorizer.Bearer(v)))
		},
		event: func() []byte { return sample.HTTP("GET", "/").Header("Authorization", "Bearer "+token(1)).Bytes() },
		first: "accepted", after: func(int64) string { return "token_unknown_key" },
	},
	{
		name: "jwt.Verifier with verified tokens",
		make: func(w *world) lambda.Handler {
			v := w.verifier(10)
			return guard.Wrap(answers("accepted", nil), guard.OnRestore(v.Forget), authorizer.Require(authorizer.Bearer(v)))
		},
		event: func() []byte { return sample.HTTP("GET", "/").Header("Authorization", "Bearer "+token(1)).Bytes() },
		first: "accepted", after: func(int64) string { return "token_unknown_key" },
	},
	{
		name: "clientcredentials.Source",
		make: func(w *world) lambda.Handler {
			s := w.serve(func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Type", "application/json")
				_, _ = fmt.Fprintf(rw, `{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, w.age.Load())
			})
			source := clientcredentials.New(s.URL, "shop", secrets.New(w), "key", clientcredentials.Via(s.Client().Transport))
			return guard.Wrap(says(func(ctx context.Context) (string, error) {
				token, err := source.Token(ctx)
				return token.Text(), err
			}), guard.OnRestore(source.Forget))
		},
		first: "token-1", after: func(age int64) string { return fmt.Sprint("token-", age) },
	},
	{
		name: "aws.CredentialsCache of sigv4.Transport",
		make: func(w *world) lambda.Handler {
			s := w.serve(func(rw http.ResponseWriter, r *http.Request) {
				_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
				id, _, _ := strings.Cut(credential, "/")
				rw.Header().Set("Used", id)
			})
			creds := aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: fmt.Sprint("AKID-", w.age.Load()), SecretAccessKey: "secret"}, nil
			}))
			signed := sigv4.Transport(s.Client().Transport, creds, "eu-central-1", "execute-api", "127.0.0.1")
			return guard.Wrap(says(func(ctx context.Context) (string, error) { return get(ctx, signed, s.URL) }),
				guard.OnRestore(creds.Invalidate))
		},
		first: "AKID-1", after: func(age int64) string { return fmt.Sprint("AKID-", age) },
	},
	{
		name: "http.Transport",
		make: func(w *world) lambda.Handler {
			s := w.serve(func(rw http.ResponseWriter, r *http.Request) { rw.Header().Set("Used", r.RemoteAddr) })
			ages := map[string]int64{} // by the client's end of a connection, which is not used twice
			base := s.Client().Transport.(*http.Transport)
			return guard.Wrap(says(func(ctx context.Context) (string, error) {
				connection, err := get(ctx, base, s.URL)
				if _, known := ages[connection]; !known {
					ages[connection] = w.age.Load()
				}
				return fmt.Sprint("connection-", ages[connection]), err
			}), guard.OnRestore(base.CloseIdleConnections))
		},
		first: "connection-1", after: func(age int64) string { return fmt.Sprint("connection-", age) },
	},
	{
		name: "metadata.Client.Layer",
		make: func(w *world) lambda.Handler {
			s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprintf(rw, `{"AvailabilityZoneID":"use1-az%d"}`, w.age.Load())
			}))
			w.t.Cleanup(s.Close)
			w.t.Setenv("AWS_LAMBDA_METADATA_API", strings.TrimPrefix(s.URL, "http://"))
			w.t.Setenv("AWS_LAMBDA_METADATA_TOKEN", "token")
			zones := metadata.New()
			return guard.Wrap(says(zones.AvailabilityZoneID), zones.Layer())
		},
		first: "use1-az1", after: func(age int64) string { return fmt.Sprint("use1-az", age) },
	},
	{
		name: "quota.Limit",
		make: func(w *world) lambda.Handler {
			store := &askedStore{idempotency.NewMemoryStore(), w}
			return guard.Wrap(answers(`{"statusCode":204}`, nil), w.whenAsked(), quota.Limit(store, quota.FailClosed, quota.Allow("all", 1000, 24*time.Hour)))
		},
		event: func() []byte { return sample.HTTP("GET", "/").Bytes() },
		first: "asked at 1", after: func(age int64) string { return fmt.Sprint("asked at ", age) },
	},
	{
		name: "idempotency.LocalReplays",
		make: func(w *world) lambda.Handler {
			store := &askedStore{idempotency.NewMemoryStore(), w}
			all := idempotency.Scope(func(context.Context, *guard.Event) (string, error) { return "all", nil })
			return guard.Wrap(answers("{}", nil), w.whenAsked(), idempotency.Once(store, idempotency.Payload(), all, idempotency.LocalReplays(10)))
		},
		event: func() []byte { return []byte(`{"order":1}`) },
		first: "asked at 1", after: func(age int64) string { return fmt.Sprint("asked at ", age) },
	},
}

// askedStore is a store that notes when it is asked.
type askedStore struct {
	*idempotency.MemoryStore
	w *world
}

func (s *askedStore) Claim(ctx context.Context, r idempotency.Record) (idempotency.Record, error) {
	s.w.asked.Store(s.w.age.Load())
	return s.MemoryStore.Claim(ctx, r)
}

func (s *askedStore) Take(ctx context.Context, key string, want, limit int64, expires time.Time) (took, used int64, err error) {
	s.w.asked.Store(s.w.age.Load())
	return s.MemoryStore.Take(ctx, key, want, limit, expires)
}

// whenAsked answers with the age in which the store was last asked.
func (w *world) whenAsked() guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			_, err := next.Invoke(ctx, payload)
			return fmt.Append(nil, "asked at ", w.asked.Load()), err
		})
	}
}

// use invokes a function, and returns its answer or the code of its error. It tries
// again if a server was too slow, unless it is down.
func (w *world) use(p *guardtest.InProcess, event func() []byte) string {
	w.t.Helper()
	ctx := soon(w.t, patient)
	for {
		got := w.useOnce(p, event)
		if !strings.HasSuffix(got, "_unavailable") || w.down.Load() {
			return got
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return got
		}
	}
}

func (w *world) useOnce(p *guardtest.InProcess, event func() []byte) string {
	w.t.Helper()
	payload := []byte(`{}`)
	if event != nil {
		payload = event()
	}
	result, err := p.Invoke(w.t.Context(), payload)
	if failure, ok := errors.AsType[*guardtest.FunctionError](err); ok {
		return failure.Type
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return string(result.Payload)
}

// SECURITY: A snapshot's secrets end with it.
func TestNothingOfASnapshotIsUsedAfterARestore(t *testing.T) {
	for _, tc := range holders {
		for _, hook := range []struct {
			name   string
			hidden bool
		}{{name: "with its hook"}, {name: "without its hook", hidden: true}} {
			t.Run(tc.name+" "+hook.name, func(t *testing.T) {
				w := &world{t: t}
				w.age.Store(1)
				h := guard.Wrap(tc.make(w), guard.Errors())
				if hook.hidden {
					h = guard.HandlerFunc(h.Invoke)
				}
				p := guardtest.NewInProcess(h, guardtest.Config{})
				for range 8 { // quota.Limit then holds three requests
					if got := w.use(p, tc.event); got != tc.first {
						t.Fatalf("before the snapshot: got %q, want %q", got, tc.first)
					}
				}
				w.down.Store(tc.down)
				for age := int64(2); age <= 4; age++ {
					w.age.Store(age)
					if err := p.Restore(t.Context()); err != nil {
						t.Fatal(err)
					}
					want := tc.after(age)
					if hook.hidden {
						want = tc.first // or the rows show nothing
					}
					if got := w.use(p, tc.event); got != want {
						t.Errorf("after restore %d: got %q, want %q", age-1, got, want)
					}
				}
			})
		}
	}
}
