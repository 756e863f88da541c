package idempotency_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/jmespath"
	"pgregory.net/rapid"
)

// identity is all that tells one record's key from another's.
type identity struct {
	function, tenant, key string
	operation             operation
	caller                caller
}

// operation is the name of one of Do's, a Name, a route, or method and path
// behind a route that takes all.
type operation struct{ kind, a, b string }

// caller is what a Scope says, or what the gateway tells, with up to two texts.
type caller struct{ kind, a, b string }

var callers = map[string]string{
	"sub":       `{"jwt":{"claims":{"sub":%s}}}`,
	"sub iss":   `{"jwt":{"claims":{"sub":%s,"iss":%s}}}`,
	"principal": `{"lambda":{"principalId":%s}}`,
	"arn":       `{"iam":{"userArn":%s}}`,
	"arn pool":  `{"iam":{"userArn":%s,"cognitoIdentity":{"identityId":%s}}}`,
}

// identities draws from few texts, of which many are the same bytes when they
// are put in a row in another way.
func identities() *rapid.Generator[identity] {
	few := rapid.StringMatching(`[ab|\x00]{1,2}`)
	perhaps := rapid.OneOf(rapid.Just(""), few)
	return rapid.Custom(func(t *rapid.T) identity {
		id := identity{function: perhaps.Draw(t, "function"), tenant: perhaps.Draw(t, "tenant"), key: few.Draw(t, "key")}
		switch o := &id.operation; rapid.IntRange(0, 3).Draw(t, "operation") {
		case 0:
			*o = operation{kind: "do", a: few.Draw(t, "name")}
		case 1:
			*o = operation{kind: "name", a: few.Draw(t, "name")}
		case 2:
			*o = operation{kind: "route", a: rapid.SampledFrom([]string{"GET /a", "PUT /a", "a", "GET", "/a"}).Draw(t, "route")}
		case 3:
			*o = operation{
				kind: "path", a: rapid.SampledFrom([]string{"GET", "PUT", "GET/"}).Draw(t, "method"),
				b: rapid.SampledFrom([]string{"/a", "a", "/", "/a/b"}).Draw(t, "path"),
			}
		}
		kinds := []string{"", "scope", "sub", "sub iss", "sub iss", "principal", "arn", "arn pool", "arn pool"}
		if id.operation.kind == "do" {
			kinds = kinds[:2] // it has no event
		}
		switch id.caller.kind = rapid.SampledFrom(kinds).Draw(t, "caller"); id.caller.kind {
		case "":
		case "sub iss", "arn pool":
			id.caller.b = few.Draw(t, "of")
			fallthrough
		default:
			id.caller.a = few.Draw(t, "who")
		}
		return id
	})
}

// storedKey returns the key of the record that a request of this identity makes.
func (id identity) storedKey(t *rapid.T) string {
	before := lambdacontext.FunctionName
	lambdacontext.FunctionName = id.function
	defer func() { lambdacontext.FunctionName = before }()

	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{TenantID: id.tenant})
	s := &spy{Store: idempotency.NewMemoryStore()}
	r := request{method: "POST", path: "/x", route: "$default"}
	var opts []idempotency.Option
	switch id.caller.kind {
	case "":
	case "scope":
		opts = append(opts, idempotency.Scope(func(context.Context, *guard.Event) (string, error) { return id.caller.a, nil }))
	case "sub iss", "arn pool":
		r.authorizer = fmt.Sprintf(callers[id.caller.kind], quote(id.caller.a), quote(id.caller.b))
	default:
		r.authorizer = fmt.Sprintf(callers[id.caller.kind], quote(id.caller.a))
	}
	switch id.operation.kind {
	case "do":
		op := idempotency.NewOperation(id.operation.a, s, opts...)
		if _, err := idempotency.Do(ctx, op, id.key, nil, func(context.Context) (int, error) { return 1, nil }); err != nil {
			t.Fatalf("%+v: %v", id, err)
		}
		return s.claims[0].Key
	case "name":
		opts = append(opts, idempotency.Name(id.operation.a))
	case "route":
		r.route = id.operation.a
	case "path":
		r.method, r.path = id.operation.a, id.operation.b
	}
	key := func(context.Context, *guard.Event) (string, error) { return id.key, nil }
	h := guard.Wrap(answering(`{"statusCode":200}`), idempotency.Once(s, key, opts...))
	if _, err := h.Invoke(ctx, r.event()); err != nil {
		t.Fatalf("%+v: %v", id, err)
	}
	return s.claims[0].Key
}

// nearly draws an identity that is another's but for one thing, or is it.
func (id identity) nearly(t *rapid.T) identity {
	other := identities().Draw(t, "other")
	switch rapid.IntRange(0, 10).Draw(t, "but") {
	case 0: // nothing
	case 1:
		id.function = other.function
	case 2:
		id.tenant = other.tenant
	case 3:
		id.key = other.key
	case 4:
		id.operation, id.caller = other.operation, other.caller
	case 5:
		texts := []*string{&id.caller.a, &id.caller.b, &id.operation.a, &id.operation.b}
		if text := rapid.SampledFrom(texts).Draw(t, "text"); *text != "" {
			*text += "b"
		}
	case 6: // the same text as another kind of caller, or of operation
		if o := other.caller; (id.caller.b == "") == (o.b == "") && (id.caller.a == "") == (o.a == "") && id.operation.kind != "do" {
			id.caller.kind = o.kind
		}
	case 7:
		if o := other.operation; o.b == "" && id.operation.b == "" && (o.kind != "do" || id.caller.kind == "") {
			id.operation.kind = o.kind
		}
	default: // what ends one text begins the next
		pairs := [][2]*string{{&id.tenant, &id.key}, {&id.caller.a, &id.caller.b}, {&id.operation.a, &id.operation.b}}
		pair := rapid.SampledFrom(pairs).Draw(t, "pair")
		if rapid.Bool().Draw(t, "back") {
			pair[0], pair[1] = pair[1], pair[0]
		}
		if from, to := pair[0], pair[1]; len(*from) > 1 && *to != "" {
			last := len(*from) - 1
			*from, *to = (*from)[:last], (*from)[last:]+*to
		}
	}
	return id
}

func TestRule02StoredKeysAreThoseOfOneIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range 20 { // most are quite unlike
			a := identities().Draw(t, "a")
			b := a.nearly(t)
			if same := a.storedKey(t) == b.storedKey(t); same != (a == b) {
				t.Fatalf("%+v and %+v: one key is %v", a, b, same)
			}
		}
	})
}

// Every key can be sent in quotes, and bare unless it has what a bare one may
// not have; both name the same key.
func TestRule01QuotedAndBareHeadersNameOneKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringMatching(`[ -~]{1,255}`).Draw(t, "key")
		space := rapid.StringMatching(`[ \t]{0,2}`)
		around := func(value string) string { return space.Draw(t, "before") + value + space.Draw(t, "behind") }
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(key) + `"`
		if got, err := keyOf(around(quoted)); err != nil || got != key {
			t.Fatalf("%s is key %q (%v)", quoted, got, err)
		}
		bare := strings.Trim(key, " ")
		got, err := keyOf(around(bare))
		switch {
		case bare == "":
			if err == nil {
				t.Fatalf("nothing is key %q", got)
			}
		case strings.HasPrefix(bare, `"`): // reads as a quoted one, if at all
		case strings.ContainsAny(bare, `",`):
			if err == nil {
				t.Fatalf("%s is key %q", bare, got)
			}
		default:
			if err != nil || got != bare {
				t.Fatalf("%s is key %q (%v)", bare, got, err)
			}
		}
	})
}

func TestRule01NothingElseIsAKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(
			rapid.Map(rapid.SampledFrom([]string{"\x00", "\x08", "\n", "\x1f", "\x7f", "\u0080", "😀"}), func(c string) string { return "a" + c + "b" }),
			rapid.StringMatching(`[!#-+\--~]{256,300}`),               // too long
			rapid.StringMatching(`"[ !#-\[\]-~]{0,5}"[!-~]{1,3}`),     // goes on behind the quotes
			rapid.StringMatching(`"[ !#-\[\]-~]{0,5}`),                // does not end
			rapid.StringMatching(`"[ !#-\[\]-~]{0,5}\\[ !#-\[\]-~]"`), // an escape of what is not escaped
		).Draw(t, "value")
		if key, err := keyOf(value); err == nil {
			t.Fatalf("%q is key %q", value, key)
		}
	})
}

// A part of a key, and whether it is there. Objects and lists are there if all
// in them are.
func part(depth int) *rapid.Generator[string] {
	leaf := rapid.SampledFrom([]string{`"a"`, `"b"`, `"ab"`, `0`, `1`, `-1`, `1.5`, `false`, `true`, `9007199254740993`, `9007199254740992`})
	if depth == 0 {
		return leaf
	}
	inner := part(depth - 1)
	return rapid.OneOf(leaf,
		rapid.Custom(func(t *rapid.T) string { return "[" + inner.Draw(t, "item") + "]" }),
		rapid.Custom(func(t *rapid.T) string { return `{"x":` + inner.Draw(t, "member") + "}" }))
}

func missingPart(depth int) *rapid.Generator[string] {
	leaf := rapid.SampledFrom([]string{`null`, `""`, `[]`, `{}`})
	if depth == 0 {
		return leaf
	}
	inner := missingPart(depth - 1)
	return rapid.OneOf(leaf,
		rapid.Custom(func(t *rapid.T) string { return `["a",` + inner.Draw(t, "item") + "]" }),
		rapid.Custom(func(t *rapid.T) string { return `{"x":` + inner.Draw(t, "member") + `,"y":1}` }))
}

func TestRule03ACompositeKeyHasAllOfItsParts(t *testing.T) {
	names := []string{"a", "b", "c"}
	exprs := map[string]idempotency.KeyFunc{
		"a list":    jmespath.Key("[body.a, body.b, body.c]"),
		"an object": jmespath.Key("body.{x: a, y: b, z: c}"),
		"nested":    jmespath.Key("[body.a, [body.b, body.c]]"),
	}
	draw := func(t *rapid.T, label string) (parts [3]string, body string) {
		var members []string
		for i, name := range names {
			parts[i] = part(2).Draw(t, label+name)
			members = append(members, `"`+name+`":`+parts[i])
		}
		return parts, "{" + strings.Join(rapid.Permutation(members).Draw(t, label+" order"), ",") + "}"
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"a list", "an object", "nested"}).Draw(t, "expression")
		key := exprs[name]
		a, body := draw(t, "first")
		b, other := draw(t, "second")
		x, err := find(key, request{body: body}.event())
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		y, err := find(key, request{body: other}.event())
		if err != nil {
			t.Fatalf("%s: %v", other, err)
		}
		if (x == y) != (a == b) {
			t.Fatalf("%s has key %s, and %s has key %s", body, x, other, y)
		}

		// One part less, or one that is not there.
		without := rapid.IntRange(0, 2).Draw(t, "without")
		var members []string
		for i, name := range names {
			switch {
			case i != without:
				members = append(members, `"`+name+`":`+a[i])
			case rapid.Bool().Draw(t, "there"):
				members = append(members, `"`+name+`":`+missingPart(2).Draw(t, "missing"))
			}
		}
		body = "{" + strings.Join(members, ",") + "}"
		if k, err := find(key, request{body: body}.event()); !errors.Is(err, idempotency.ErrNoKey) {
			t.Fatalf("%s has key %s (%v)", body, k, err)
		}
	})
}
