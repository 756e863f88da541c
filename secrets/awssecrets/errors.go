package awssecrets

import (
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/awserror"
)

// explain names what an error is about and what it means.
func explain(what string, err error) error {
	return awserror.Codes(meaningOf).Explain("awssecrets: "+what, err)
}

// final reports whether an error is an answer of Secrets Manager's.
func final(err error) bool { return awserror.Codes(meaningOf).Final(err) }

// meaningOf covers the errors of GetSecretValue:
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func meaningOf(code string) error {
	switch code {
	case "ResourceNotFoundException",
		"InvalidRequestException": // marked for deletion, or the version does not have the stage
		return secrets.ErrNotFound
	case "DecryptionFailure":
		return secrets.ErrUndecryptable
	}
	return nil
}
