package agent

import (
	"cmp"
	"net/url"
	"strconv"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/endpoint"
)

// Parameters returns a source of Parameter Store's parameters, through the AWS
// Parameters and Secrets Lambda extension. A name is a name or an ARN. A secret of
// Secrets Manager is /aws/reference/secretsmanager/<id>. A version is a number, a stage a
// label; the default is the latest version. SecureStrings are decrypted, unless
// [secrets.Ref] asks for them encrypted. For the port and panics see [Secrets].
//
// See https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html
func Parameters(opts ...Option) secrets.Source {
	s := &source{token: sessionToken, what: "parameter", target: parameterTarget, value: parameterValue}
	s.listen("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "2773", opts)
	return s
}

func parameterTarget(ref secrets.Ref) (string, error) {
	if ref.Version != "" && ref.Stage != "" {
		return "", guard.Reason("use a version or a label, not both")
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

// parameterValue reads an answer of GetParameter.
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
	// A reference always has version 0, and its secret a version of its own.
	// Recorded answers of AWS have versionId, moto has VersionId.
	var secret struct {
		Recorded string `json:"versionId"`
		Moto     string `json:"VersionId"`
	}
	if endpoint.Decode([]byte(p.SourceResult), &secret) == nil {
		value.Version = cmp.Or(secret.Recorded, secret.Moto)
	}
	return value, nil
}
