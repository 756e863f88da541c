package awsparams

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
	"github.com/lambdarmor/lambdarmor/secrets"
)

var errUnanswered = reason.New("the answer leaves it out")

// A call is what one request of GetParameters asks for. All of it is decrypted
// or none, and it is of one kind of name; and no parameter is in it twice, so that
// an answer belongs to one item only.
type call struct {
	encrypted bool
	kind      kind
	bases     map[string]bool
	items     []*item
}

func (c *call) takes(it *item) bool {
	return c.encrypted == it.ref.Encrypted && c.kind == it.id.kind() && len(c.items) < batchSize && !c.bases[it.id.base]
}

// plan divides items into calls.
func plan(items []*item) []*call {
	var calls []*call
	for _, it := range items {
		i := slices.IndexFunc(calls, func(c *call) bool { return c.takes(it) })
		if i < 0 {
			i = len(calls)
			calls = append(calls, &call{encrypted: it.ref.Encrypted, kind: it.id.kind(), bases: make(map[string]bool)})
		}
		calls[i].items = append(calls[i].items, it)
		calls[i].bases[it.id.base] = true
	}
	return calls
}

// get asks for parameters with one request. Of several, it leaves to be asked
// for by themselves:
//
//   - all of them, when the request is refused: one parameter that the function may
//     not read or decrypt, or one name that is malformed, denies all;
//   - one that the answer leaves out, or names otherwise.
func (s *Source) get(ctx context.Context, items []*item) {
	decrypt := !items[0].ref.Encrypted
	in := &ssm.GetParametersInput{Names: make([]string, len(items)), WithDecryption: &decrypt}
	for i, it := range items {
		in.Names[i] = it.id.String()
	}
	out, err := s.client.GetParameters(ctx, in)
	several := len(items) > 1
	for _, it := range items {
		it.single = false
		switch {
		case err != nil && several && final(err):
			it.single = true
		case err != nil:
			it.fail(err)
		default:
			it.take(out, several)
		}
	}
}

// take looks for the item's value in an answer. The one value of an answer to
// one name is that name's, whatever it is called there.
func (it *item) take(out *ssm.GetParametersOutput, several bool) {
	for _, name := range out.InvalidParameters {
		if name == it.id.String() || !several {
			it.fail(secrets.ErrNotFound)
			return
		}
	}
	for i, p := range out.Parameters {
		called := p.Name
		if it.id.kind() == byARN {
			called = p.ARN
		}
		if deref(called) == it.id.base || !several && len(out.Parameters) == 1 {
			it.succeed(&out.Parameters[i])
			return
		}
	}
	it.single = several
	it.fail(errUnanswered)
}

func (it *item) succeed(p *types.Parameter) {
	if p.Value == nil {
		it.fail(errUnanswered)
		return
	}
	it.value = secrets.Value{Data: []byte(*p.Value), Version: strconv.FormatInt(p.Version, 10)}
	if it.id.kind() == byReference {
		it.value.Version = versionOfSecret(deref(p.SourceResult))
	}
}

// versionOfSecret reads the VersionId of a secret that a parameter refers to: to
// Parameter Store all of them are version 0.
func versionOfSecret(result string) string {
	var secret struct{ VersionId string }
	if strictjson.Unmarshal([]byte(result), &secret, strictjson.Options{}) != nil {
		return ""
	}
	return secret.VersionId
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
