package awsparams

import (
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/awserror"
)

// explain names what an error is about and what it means.
func explain(what string, err error) error {
	return awserror.Codes(meaningOf).Explain("awsparams: "+what, err)
}

// final reports whether an error is an answer of Parameter Store's.
func final(err error) bool { return awserror.Codes(meaningOf).Final(err) }

// meaningOf covers the errors of GetParameters, and those of Secrets Manager,
// which a reference to it may meet:
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
