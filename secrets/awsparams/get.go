package awsparams

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/awserror"
)

var errUnanswered = reason.New("the answer does not have it")

// groups divides items into requests.
func groups(items []*item) [][]*item {
	var all [][]*item
	for _, it := range items {
		i := slices.IndexFunc(all, func(group []*item) bool { return it.fits(group) })
		if i < 0 {
			i, all = len(all), append(all, nil)
		}
		all[i] = append(all[i], it)
	}
	return all
}

// fits reports whether an item may be in a request with others. All items of a
// request have the same decryption and kind of name. No parameter is in it twice,
// so that an answer belongs to one item.
func (it *item) fits(group []*item) bool {
	return len(group) < batchSize && !slices.ContainsFunc(group, func(other *item) bool {
		return other.ref.Encrypted != it.ref.Encrypted || other.id.kind() != it.id.kind() || other.id.base == it.id.base
	})
}

// get fetches parameters with one request. It leaves these to requests of their
// own:
//
//   - all of several, if the request is refused: one parameter that the function
//     may not read or decrypt, or one malformed name, fails them all;
//   - one that the answer leaves out or names otherwise.
func (s *Source) get(ctx context.Context, items []*item) {
	decrypt := !items[0].ref.Encrypted
	in := &ssm.GetParametersInput{Names: make([]string, len(items)), WithDecryption: &decrypt}
	for i, it := range items {
		in.Names[i] = it.id.String()
	}
	out, err := s.client.GetParameters(ctx, in)
	several := len(items) > 1
	for _, it := range items {
		it.alone = false
		switch {
		case err != nil && several && awserror.Codes(meaningOf).Final(err):
			it.alone = true
		case err != nil:
			it.fail(err)
		default:
			it.take(out, several)
		}
	}
}

// take takes the item's value from an answer. The answer to one name has one value,
// which is taken even if it has another name.
func (it *item) take(out *ssm.GetParametersOutput, several bool) {
	for _, name := range out.InvalidParameters {
		if name == it.id.String() || !several {
			it.fail(secrets.ErrNotFound)
			return
		}
	}
	for i, p := range out.Parameters {
		name := p.Name
		if it.id.kind() == byARN {
			name = p.ARN
		}
		if deref(name) == it.id.base || !several && len(out.Parameters) == 1 {
			it.succeed(&out.Parameters[i])
			return
		}
	}
	it.alone = several
	it.fail(errUnanswered)
}

func (it *item) succeed(p *types.Parameter) {
	if p.Value == nil {
		it.fail(errUnanswered)
		return
	}
	it.value = secrets.Value{Data: []byte(*p.Value), Version: strconv.FormatInt(p.Version, 10)}
	if it.id.kind() == byReference { // every one has version 0
		// Recorded answers of AWS have versionId, moto has VersionId.
		var secret struct {
			Recorded string `json:"versionId"`
			Moto     string `json:"VersionId"`
		}
		it.value.Version = ""
		if strictjson.Unmarshal([]byte(deref(p.SourceResult)), &secret, strictjson.Options{}) == nil {
			it.value.Version = cmp.Or(secret.Recorded, secret.Moto)
		}
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
