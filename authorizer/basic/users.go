package basic

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// User is a user with a hashed password.
type User struct {
	// Hash is the hash of the password: argon2id in the PHC format,
	// "$argon2id$v=19$m=19456,t=2,p=1$salt$hash", or bcrypt, "$2b$12$…".
	Hash string
	// Scopes, Groups and Context are copied into the grant: see [authorizer.Grant].
	Scopes  []string
	Groups  []string
	Context map[string]any
}

const (
	// maxHeader bounds the decoded header, in bytes. An API key has the same bound.
	maxHeader = 1 << 10
	// maxCosts bounds what one wrong password can cost.
	maxCosts = 4
)

// Users returns a Check that grants access to a user with the right password in the
// header Authorization, scheme Basic. The principal is the name. A refusal has the
// realm in WWW-Authenticate.
//
// The time of a refusal shows neither which names exist nor whose hash is older.
// For any name, a wrong password is hashed once for each set of parameters in the
// table. Use one set of parameters for all users if you can.
//
// Users panics if there is no user, and if a name or a grant is invalid. It panics
// if a hash is malformed, too weak, or so expensive that unknown callers could
// overload the function. argon2id must have 7 to 64 MiB, 1 to 10 passes and 1 to 8
// lanes; bcrypt must have a cost of 10 to 14. There may be 4 sets of parameters.
func Users(realm string, users map[string]User) authorizer.Check {
	if strings.ContainsFunc(realm, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		panic(fmt.Sprintf("basic: the realm %q cannot stand in a header", realm))
	}
	if len(users) == 0 {
		panic("basic: Users without a user")
	}
	t := &table{
		challenge: `Basic realm="` + realm + `", charset="UTF-8"`,
		users:     make(map[string]entry, len(users)),
	}
	for _, name := range slices.Sorted(maps.Keys(users)) {
		if err := t.add(name, users[name]); err != nil {
			panic(fmt.Sprintf("basic: the user %q: %v", name, err))
		}
	}
	if len(t.costs) > maxCosts {
		panic(fmt.Sprintf("basic: the hashes have %d sets of parameters, which must be at most %d", len(t.costs), maxCosts))
	}
	// APIKey looks a key up once per decision, even for many routes.
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

// A table has the users. It implements [authorizer.Verifier]: a credential is the whole
// header.
type table struct {
	challenge string
	users     map[string]entry
	costs     []hash // one hash of each cost
}

type entry struct {
	hash
	grant *authorizer.Grant
}

func (t *table) add(name string, u User) error {
	h, err := parseHash(u.Hash)
	if err != nil {
		return err
	}
	if strings.Contains(name, ":") {
		return reason.New("the name must not have a colon")
	}
	g := &authorizer.Grant{Principal: name, Scopes: slices.Clone(u.Scopes), Groups: slices.Clone(u.Groups), Context: maps.Clone(u.Context)}
	t.put(name, entry{h, g})
	return g.Validate()
}

func (t *table) put(name string, e entry) {
	t.users[name] = e
	if !slices.ContainsFunc(t.costs, func(h hash) bool { return h.cost == e.cost }) {
		t.costs = append(t.costs, e.hash)
	}
}

// Verify returns the grant of the user whose credentials are in the header.
func (t *table) Verify(_ context.Context, header string) (*authorizer.Grant, error) {
	_, encoded, _ := strings.Cut(header, " ")
	name, password, ok := decode(strings.TrimLeft(encoded, " "))
	if !ok {
		return nil, t.malformed()
	}
	u, known := t.users[name]
	if known && u.matches(password) {
		return u.grant, nil
	}
	for _, h := range t.costs {
		if h.cost != u.cost { // which is empty if the name is not known
			h.matches(password) // only for its time
		}
	}
	return nil, t.refuse("credential_invalid", "The user name or the password is wrong.")
}

func (t *table) malformed() error {
	return t.refuse("credential_malformed", "The header Authorization must have one user name and password.")
}

func (t *table) refuse(code, detail string) error {
	return httpapi.WithHeader(guard.Errorf(guard.Unauthenticated, code, detail), "WWW-Authenticate", t.challenge)
}

// decode reads user-id ":" password (RFC 7617, section 2). A comma, which joins
// headers that were sent twice, is not base64.
func decode(encoded string) (name, password string, ok bool) {
	text, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || strings.ContainsAny(encoded, "\r\n") || !isText(string(text)) {
		return "", "", false
	}
	return strings.Cut(string(text), ":")
}

// isText reports whether text is UTF-8 without control characters.
func isText(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}
