package vault

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/endpoint"
)

// Option changes [KV].
type Option func(*source)

// Address says where Vault, its agent or its Lambda extension listens. Plain
// http is for this machine alone. Without it, it is VAULT_ADDR, and without that
// http://127.0.0.1:8200, the extension's own.
func Address(url string) Option {
	return func(s *source) { s.address = url }
}

// Token says where the token comes from; it is asked for each fetch. An empty
// one is not sent. Without the option the token is that of VAULT_TOKEN, and
// without that none: the Lambda extension, and an agent with
// use_auto_auth_token, put their own in.
func Token(read func() (string, error)) Option {
	if read == nil {
		panic("vault: Token of nil")
	}
	return func(s *source) { s.token = read }
}

// TokenFile reads the token from a file at each fetch, where an agent keeps it
// fresh. It is an error when the file is not there or empty.
func TokenFile(path string) Option {
	return Token(func() (string, error) {
		token, err := os.ReadFile(path)
		if err == nil && strings.TrimSpace(string(token)) == "" {
			err = guard.Reason("the token file is empty")
		}
		return string(token), err
	})
}

// Mount names a mount that is several segments long, like "team/kv", so that a
// name which begins with it is one of its secrets. Of any other name the first
// segment is the mount.
func Mount(path string) Option {
	path = strings.Trim(path, "/")
	if n, err := parse(path+"/x", []string{path}); err != nil || n.mount != path {
		panic(fmt.Sprintf("vault: Mount of %q", path))
	}
	return func(s *source) { s.mounts = append(s.mounts, path) }
}

// KV is the source of what a KV engine, version 2, keeps. A name is
// "mount/path#field", or "mount/path" for all fields as the JSON object that
// Vault has. A field's text is the value, of another type its JSON. Versions are
// numbers; the stage AWSPREVIOUS, which [secrets.Cache.Pair] asks for, is the one
// before the latest. A version that is deleted or destroyed is not found, and
// one that Vault will delete by itself expires with that. Fields of one secret
// that are fetched together cost one request, and are of one version.
// VAULT_NAMESPACE is sent along.
//
// KV panics when an option or VAULT_ADDR cannot be meant.
//
// See https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
func KV(opts ...Option) secrets.Source {
	s := &source{
		address: os.Getenv("VAULT_ADDR"),
		token:   func() (string, error) { return os.Getenv("VAULT_TOKEN"), nil },
	}
	for _, opt := range opts {
		opt(s)
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

// namespace is read at each fetch, as the token is.
func namespace() string { return os.Getenv("VAULT_NAMESPACE") }
