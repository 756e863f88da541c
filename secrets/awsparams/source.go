package awsparams

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/awserror"
	"github.com/lambdarmor/lambdarmor/secrets/internal/fetch"
)

const (
	batchSize = 10 // maximum of GetParameters
	atOnce    = 4  // requests of one Fetch at a time; an account has 40 a second
)

// Client has the methods of an [ssm.Client] that a [Source] needs.
// GetParametersByPath is called only for a name that ends with a slash.
type Client interface {
	GetParameters(context.Context, *ssm.GetParametersInput, ...func(*ssm.Options)) (*ssm.GetParametersOutput, error)
	GetParametersByPath(context.Context, *ssm.GetParametersByPathInput, ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error)
}

// Source fetches parameters from the Parameter Store of AWS Systems Manager.
type Source struct{ client Client }

var _ secrets.Source = (*Source)(nil)

// New returns a source of the parameters that a client reads. It panics if client
// is nil.
func New(client Client) *Source {
	if client == nil {
		panic("awsparams: New of a nil Client")
	}
	return &Source{client: client}
}

// item is one name to fetch. At most one request writes it at a time.
type item struct {
	ref   secrets.Ref
	id    identity
	value secrets.Value
	alone bool // to be fetched by a request of its own
}

// Fetch implements [secrets.Source]. For names see the package documentation.
// Version is the number of a parameter or the VersionId of a secret, Stage a label
// or a VersionStage. Encrypted leaves a SecureString encrypted. The error of Fetch
// itself is always nil.
func (s *Source) Fetch(ctx context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	items := make([]item, len(refs))
	var named []*item
	var requests []func()
	for i, ref := range refs {
		id, err := identify(ref)
		it := &items[i]
		it.ref, it.id = ref, id
		switch {
		case err != nil:
			it.fail(err)
		case id.path:
			requests = append(requests, func() { s.getPath(ctx, it) })
		default:
			named = append(named, it)
		}
	}
	for _, group := range groups(named) {
		requests = append(requests, func() { s.get(ctx, group) })
	}
	fetch.Concurrently(atOnce, requests)

	requests = nil
	for _, it := range named {
		if it.alone {
			requests = append(requests, func() { s.get(ctx, []*item{it}) })
		}
	}
	fetch.Concurrently(atOnce, requests)

	values := make([]secrets.Value, len(items))
	for i := range items {
		values[i] = items[i].value
	}
	return values, nil
}

func (it *item) fail(err error) {
	it.value = secrets.Value{Err: awserror.Codes(meaningOf).Explain(fmt.Sprintf("awsparams: %q", it.id), err)}
}

// meaningOf covers the errors of GetParameters, and of Secrets Manager for references to
// it:
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func meaningOf(code string) error {
	switch code {
	case "ParameterNotFound", "ParameterVersionNotFound", "ResourceNotFoundException",
		"InvalidRequestException": // a secret that is marked for deletion
		return secrets.ErrNotFound
	case "InvalidKeyId", "DecryptionFailure":
		return secrets.ErrUndecryptable
	}
	return nil
}
