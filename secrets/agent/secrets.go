package agent

import (
	"net/url"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/endpoint"
)

// Secrets returns a source of Secrets Manager's secrets, through the AWS
// Parameters and Secrets Lambda extension or the Secrets Manager Agent. A name is
// a name or an ARN, a version is a version id, a stage a staging label; the
// default is AWSCURRENT. The port is PARAMETERS_SECRETS_EXTENSION_HTTP_PORT, or
// 2773. Secrets panics if the port or an option is invalid.
//
// See https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
// and https://docs.aws.amazon.com/secretsmanager/latest/userguide/secrets-manager-agent.html
func Secrets(opts ...Option) secrets.Source {
	s := &source{token: sessionToken, what: "secret", value: secretValue}
	s.target = s.secretTarget
	s.listen("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "2773", opts)
	return s
}

func (s *source) secretTarget(ref secrets.Ref) (string, error) {
	if ref.Encrypted {
		return "", guard.Reason("Secrets Manager returns no encrypted values")
	}
	query := url.Values{"secretId": {ref.Name}}
	if ref.Version != "" {
		query.Set("versionId", ref.Version)
	}
	if ref.Stage != "" {
		query.Set("versionStage", ref.Stage)
	}
	if s.refreshNow {
		query.Set("refreshNow", "true")
	}
	return "/secretsmanager/get?" + query.Encode(), nil
}

// secretValue reads an answer of GetSecretValue.
func secretValue(a endpoint.Answer) (secrets.Value, error) {
	var found struct {
		SecretString *string `json:"SecretString"`
		SecretBinary *[]byte `json:"SecretBinary"`
		VersionID    string  `json:"VersionId"`
	}
	if err := a.Decode(&found); err != nil {
		return secrets.Value{}, err
	}
	switch {
	case found.SecretString != nil && found.SecretBinary != nil:
		return secrets.Value{}, guard.Reason("the answer has both a text and a binary value")
	case found.SecretString != nil:
		return secrets.Value{Data: []byte(*found.SecretString), Version: found.VersionID}, nil
	case found.SecretBinary != nil:
		return secrets.Value{Data: *found.SecretBinary, Version: found.VersionID}, nil
	}
	return secrets.Value{}, guard.Reason("the answer has no value")
}
