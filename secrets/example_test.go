package secrets_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// A folder as Kubernetes or Vault fills it.
func folder(namesAndTexts ...string) string {
	dir, err := os.MkdirTemp("", "secrets-")
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(namesAndTexts); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, namesAndTexts[i]), []byte(namesAndTexts[i+1]), 0o600); err != nil {
			panic(err)
		}
	}
	return dir
}

func Example() {
	dir := folder("api-key", "hunter2\n")
	defer os.RemoveAll(dir)
	keys := secrets.New(secrets.Dir(dir))

	h := guard.Wrap(guard.Func(func(ctx context.Context, _ struct{}) (string, error) {
		key := secrets.From(ctx, "api-key")
		fmt.Printf("a key of %d bytes: %v\n", len(key.Text()), key)
		return "paid", nil
	}), keys.Inject("api-key"))

	out, err := h.Invoke(context.Background(), []byte(`{}`))
	fmt.Println(string(out), err)
	// Output:
	// a key of 7 bytes: [redacted]
	// "paid" <nil>
}

func ExampleCache_Get() {
	dir := folder("api-key", "hunter2")
	defer os.RemoveAll(dir)
	keys := secrets.New(secrets.Dir(dir))

	key, err := keys.Get(context.Background(), "api-key")
	fmt.Println(key, key.Text(), err)

	_, err = keys.Get(context.Background(), "api-kye")
	fmt.Println(errors.Is(err, secrets.ErrNotFound), guard.Public(err).Code)
	// Output:
	// [redacted] hunter2 <nil>
	// true secret_not_found
}

// The key is rotated between two payments.
func ExampleTry() {
	dir := folder("api-key", "old")
	defer os.RemoveAll(dir)
	keys := secrets.New(secrets.Dir(dir))

	accepted := "old"
	pay := func(_ context.Context, key secrets.Secret) (string, error) {
		if key.Text() != accepted {
			return "", fmt.Errorf("the provider says 401: %w", secrets.ErrRejected)
		}
		return "paid", nil
	}
	fmt.Println(secrets.Try(context.Background(), keys, "api-key", pay))

	accepted = "new"
	_ = os.WriteFile(filepath.Join(dir, "api-key"), []byte("new"), 0o600)
	fmt.Println(secrets.Try(context.Background(), keys, "api-key", pay))
	// Output:
	// paid <nil>
	// paid <nil>
}

// A webhook that was signed before the last rotation still verifies.
func ExampleCache_Pair() {
	dir := folder("webhook", "new", "webhook.previous", "old")
	defer os.RemoveAll(dir)
	keys := secrets.New(secrets.Dir(dir), secrets.Previous(func(name string) secrets.Ref {
		return secrets.Ref{Name: name + ".previous"}
	}))

	sign := func(key, body string) []byte {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(body))
		return mac.Sum(nil)
	}
	signature := sign("old", "body")

	current, previous, err := keys.Pair(context.Background(), "webhook")
	if err != nil {
		fmt.Println(err)
		return
	}
	valid := hmac.Equal(signature, sign(current.Text(), "body")) ||
		!previous.IsZero() && hmac.Equal(signature, sign(previous.Text(), "body"))
	fmt.Println(valid)
	// Output: true
}

func ExampleJSON() {
	dir := folder("database", `{"username":"app","password":"hunter2","port":5432}`)
	defer os.RemoveAll(dir)
	keys := secrets.New(secrets.Dir(dir))

	type database struct {
		Username string `json:"username"`
		Password string `json:"password"`
		Port     int    `json:"port"`
	}
	db, err := secrets.JSON[database](context.Background(), keys, "database")
	fmt.Println(db.Username, db.Port, err)
	// Output: app 5432 <nil>
}

// What is used within Try is of the version that Try hands out.
func ExampleDecode() {
	dir := folder("database", `{"user":"app","password":"hunter2"}`)
	defer os.RemoveAll(dir)
	keys := secrets.New(secrets.Dir(dir))

	type login struct {
		User     string `json:"user"`
		Password string `json:"password"`
	}
	connect := func(_ context.Context, secret secrets.Secret) (string, error) {
		login, err := secrets.Decode[login](secret)
		if err != nil {
			return "", err
		}
		return "connected as " + login.User, nil // or ErrRejected, if the database says so
	}
	fmt.Println(secrets.Try(context.Background(), keys, "database", connect))
	// Output:
	// connected as app <nil>
}
