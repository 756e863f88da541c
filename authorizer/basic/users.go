package basic

import (
	"context"
	"encoding/base64"
	"fmt"
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
// How long a refusal takes tells neither which names there are nor whose hash is
// an older one: a wrong password is hashed once for each set of parameters that a
// hash of the table has, whatever name it comes with. A table of one set costs
// least.
//
// What is not a hash panics, and so does one whose parameters are too weak or
// ask for more than a function should give an unknown caller: argon2id with less
// than 7 MiB or 1 pass, or more than 64 MiB, 10 passes or 8 lanes; bcrypt with a
// cost below 10 or above 14. So do hashes with more than 4 sets of parameters.
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
		t.add(name, h, g)
	}
	if len(t.standIns) > maxCosts {
		panic(fmt.Sprintf("basic: the hashes have %d sets of parameters, which is more than %d", len(t.standIns), maxCosts))
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

// maxCosts bounds what a wrong password can cost.
const maxCosts = 4

type table struct {
	challenge string
	users     map[string]*user
	standIns  []hash // one of each cost
}

type user struct {
	hash
	grant *authorizer.Grant
}

func (t *table) add(name string, h hash, g *authorizer.Grant) {
	t.users[name] = &user{h, g}
	if !slices.ContainsFunc(t.standIns, func(other hash) bool { return other.cost() == h.cost() }) {
		t.standIns = append(t.standIns, h)
	}
}

// Verify tells whose the credentials in a header are.
func (t *table) Verify(_ context.Context, header string) (*authorizer.Grant, error) {
	_, encoded, _ := strings.Cut(header, " ")
	name, password, ok := decode(strings.TrimLeft(encoded, " "))
	if !ok {
		return nil, t.malformed()
	}
	u, known := t.users[name]
	if known && u.is(password) {
		return u.grant, nil
	}
	for _, h := range t.standIns {
		if !known || h.cost() != u.cost() {
			h.is(password)
		}
	}
	return nil, t.wrong()
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
