package vault

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/endpoint"
)

// Option configures [KV].
type Option struct{ apply func(*source) }

// Address sets the address of Vault, its agent or its Lambda extension. It must
// begin with https unless it is of this machine. The default is VAULT_ADDR, or
// else http://127.0.0.1:8200, the address of the extension.
func Address(url string) Option {
	return Option{func(s *source) { s.address = url }}
}

// Token sets a function that returns the token; it is called for each fetch. An
// empty token is not sent. The default is VAULT_TOKEN, which is not needed with
// the Lambda extension or an agent with use_auto_auth_token.
func Token(read func() (string, error)) Option {
	if read == nil {
		panic("vault: Token of a nil function")
	}
	return Option{func(s *source) { s.token = read }}
}

// TokenFile reads the token from a file for each fetch, where an agent keeps it
// fresh. A file that is missing or empty is an error.
func TokenFile(path string) Option { return Token(endpoint.TokenFile(path)) }

// Mount declares a mount of several segments, like "team/kv". Without it the first
// segment of a name is the mount.
func Mount(path string) Option {
	path = strings.Trim(path, "/")
	if n, err := parse(path+"/x", []string{path}); err != nil || n.mount != path {
		panic(fmt.Sprintf("vault: Mount(%q) is no path", path))
	}
	return Option{func(s *source) { s.mounts = append(s.mounts, path) }}
}

// KV returns a source of the secrets in KV engines of version 2. A name is
// "mount/path#field", or "mount/path" for a JSON object of all fields. The value
// of a field is its text, or its JSON if it is no text. Fields of one secret that
// are fetched together cost one request and are of one version.
//
// A version is a number. The stage AWSPREVIOUS, which [secrets.Cache.Pair] uses,
// is the version before the latest. A version that is deleted or destroyed is not
// found. One that Vault will delete expires at that time. VAULT_NAMESPACE is sent
// with each request.
//
// KV panics if an option or VAULT_ADDR is invalid.
//
// See https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
func KV(opts ...Option) secrets.Source {
	s := &source{
		address: os.Getenv("VAULT_ADDR"),
		token:   func() (string, error) { return os.Getenv("VAULT_TOKEN"), nil },
	}
	for _, opt := range opts {
		opt.apply(s)
	}
	if s.address == "" {
		s.address = "http://127.0.0.1:8200"
	}
	e, err := endpoint.New(s.address)
	if err != nil {
		panic("vault: " + err.Error())
	}
	s.endpoint = e
	slices.SortFunc(s.mounts, func(a, b string) int { return len(b) - len(a) })
	return s
}
