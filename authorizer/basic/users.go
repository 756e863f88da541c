package basic

import (
	"context"
	"encoding/base64"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// User is a user with a hashed password.
type User struct {
	// Hash is that of the password: argon2id in the PHC format,
	// "$argon2id$v=19$m=19456,t=2,p=1$salt$hash", or bcrypt, "$2b$12$…".
	Hash string
	// Scopes, Groups and Context are what the grant has: see [authorizer.Grant].
	Scopes  []string
	Groups  []string
	Context map[string]any
}

// maxHeader bounds what is decoded of a header, in bytes; an API key has the same.
const maxHeader = 1 << 10

// Users grants to a user who sends the right password in the header
// Authorization, scheme Basic; the principal is the name. realm is told to who
// sends none.
//
// For a name that there is not, a password is hashed as well, at the cost of one
// of the users, which is always the same for the name: how long an answer takes
// does not tell which names there are.
//
// What is not a hash panics, and so does one whose parameters are too weak or
// ask for more than a function should give an unknown caller: argon2id with less
// than 7 MiB or 1 pass, or more than 64 MiB, 10 passes or 8 lanes; bcrypt with a
// cost below 10 or above 14.
func Users(realm string, users map[string]User) authorizer.Check {
	if strings.ContainsFunc(realm, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		panic("basic: the realm " + strconv.Quote(realm) + " cannot stand in a header")
	}
	if len(users) == 0 {
		panic("basic: Users without a user")
	}
	t := &table{
		challenge: `Basic realm="` + realm + `", charset="UTF-8"`,
		users:     make(map[string]*user, len(users)),
		seed:      maphash.MakeSeed(),
	}
	for _, name := range slices.Sorted(maps.Keys(users)) {
		u := users[name]
		h, err := parseHash(u.Hash)
		if err != nil {
			panic(fmt.Sprintf("basic: the user %q: %v", name, err))
		}
		if name == "" || !validText(name) || strings.Contains(name, ":") {
			panic("basic: no user can be named " + strconv.Quote(name))
		}
		g := &authorizer.Grant{Principal: name, Scopes: slices.Clone(u.Scopes), Groups: slices.Clone(u.Groups), Context: maps.Clone(u.Context)}
		if err := g.Validate(); err != nil {
			panic(fmt.Sprintf("basic: the user %q: %v", name, err))
		}
		t.users[name] = &user{h, g}
		t.hashes = append(t.hashes, h)
	}
	// Package authorizer looks a key up once per decision: see Policy.
	find := authorizer.APIKey("authorization", t)
	return func(ctx context.Context, r *authorizer.Request) (*authorizer.Grant, error) {
		header := r.Header("authorization")
		scheme, _, _ := strings.Cut(header, " ")
		switch {
		case !strings.EqualFold(scheme, "basic"):
			return nil, t.refuse("credential_missing", "A user name and a password are required.")
		case len(header) > maxHeader:
			return nil, t.malformed()
		}
		return find(ctx, r)
	}
}

type table struct {
	challenge string
	users     map[string]*user
	hashes    []hash
	seed      maphash.Seed
}

type user struct {
	hash  hash
	grant *authorizer.Grant
}

// Find tells whose the credentials in a header are.
func (t *table) Find(_ context.Context, header string) (*authorizer.Grant, error) {
	_, encoded, _ := strings.Cut(header, " ")
	name, password, ok := decode(strings.TrimLeft(encoded, " "))
	if !ok {
		return nil, t.malformed()
	}
	u, known := t.users[name]
	if !known {
		i := maphash.String(t.seed, name) % uint64(len(t.hashes))
		t.hashes[i].is(password)
		return nil, t.wrong()
	}
	if !u.hash.is(password) {
		return nil, t.wrong()
	}
	return u.grant, nil
}

func (t *table) malformed() error {
	return t.refuse("credential_malformed", "The header Authorization must be one user name and password.")
}

func (t *table) wrong() error {
	return t.refuse("credential_invalid", "The user name or the password is wrong.")
}

func (t *table) refuse(code, detail string) error {
	return httpapi.WithHeader(guard.Errorf(guard.Unauthenticated, code, detail), "WWW-Authenticate", t.challenge)
}

// decode reads user-id ":" password (RFC 7617, section 2). Headers that were
// sent twice are joined by a comma, which base64 has not.
func decode(encoded string) (name, password string, ok bool) {
	text, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || strings.ContainsAny(encoded, "\r\n") || !validText(string(text)) {
		return "", "", false
	}
	return strings.Cut(string(text), ":")
}

// validText refuses what is not UTF-8, and control characters.
func validText(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}
