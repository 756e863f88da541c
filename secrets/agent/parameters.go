package agent

import (
	"context"
	"net/url"
	"strconv"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/endpoint"
)

// Parameters is the source of Parameter Store's parameters, through the AWS
// Parameters and Secrets Lambda extension. Names are names or ARNs, also of a
// secret as /aws/reference/secretsmanager/<id>; versions are numbers, stages
// labels, and neither is the latest. SecureStrings are decrypted, unless
// [secrets.Ref] wants them encrypted. Port and panics are those of [Secrets].
//
// See https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html
func Parameters(opts ...Option) secrets.Source {
	return &parameterSource{newClient("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", 2773, opts)}
}

type parameterSource struct{ *client }

func (s *parameterSource) Fetch(ctx context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	header, err := s.withToken()
	if err != nil {
		return nil, err
	}
	return s.fetch(ctx, "parameter", refs, header, parameterTarget, parameterValue), nil
}

func parameterTarget(ref secrets.Ref) (string, error) {
	if ref.Version != "" && ref.Stage != "" {
		return "", guard.Reason("a parameter is asked for by version or by label, not both")
	}
	query := url.Values{"name": {ref.Name}}
	if ref.Version != "" {
		query.Set("version", ref.Version)
	}
	if ref.Stage != "" {
		query.Set("label", ref.Stage)
	}
	if !ref.Encrypted {
		query.Set("withDecryption", "true")
	}
	return "/systemsmanager/parameters/get?" + query.Encode(), nil
}

// parameterValue reads a response of GetParameter.
func parameterValue(a endpoint.Answer) (secrets.Value, error) {
	var found struct {
		Parameter *struct {
			Value        *string `json:"Value"`
			Version      int64   `json:"Version"`
			SourceResult string  `json:"SourceResult"`
		} `json:"Parameter"`
	}
	if err := a.Decode(&found); err != nil {
		return secrets.Value{}, err
	}
	p := found.Parameter
	if p == nil || p.Value == nil {
		return secrets.Value{}, guard.Reason("the answer has no value")
	}
	value := secrets.Value{Data: []byte(*p.Value)}
	if p.Version > 0 {
		value.Version = strconv.FormatInt(p.Version, 10)
		return value, nil
	}
	// A reference to a secret has version 0 at all times, and the secret's own
	// in what Secrets Manager has said.
	var source struct {
		VersionID string `json:"VersionId"`
	}
	if endpoint.Decode([]byte(p.SourceResult), &source) == nil {
		value.Version = source.VersionID
	}
	return value, nil
}
