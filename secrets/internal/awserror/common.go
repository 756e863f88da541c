package awserror

import (
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// common covers the errors that all services have in common, and those of the
// key that encrypts a value:
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html
// https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html
func common(code string) error {
	switch code {
	case "AccessDeniedException", "AccessDenied", "NotAuthorized", "OptInRequired", "UnrecognizedClientException",
		"InvalidClientTokenId", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
		"IncompleteSignature", "IncompleteSignatureException", "InvalidSignatureException", "SignatureDoesNotMatch",
		"ExpiredToken", "ExpiredTokenException", "KMSAccessDeniedException", "KMSOptInRequired":
		return secrets.ErrDenied
	case "DisabledException", "KMSDisabledException", "KMSInvalidStateException", "KMSNotFoundException",
		"InvalidCiphertextException", "IncorrectKeyException", "InvalidKeyUsageException":
		return secrets.ErrUndecryptable
	case "InternalServiceError", "InternalServiceErrorException", "InternalServerError", "InternalFailure",
		"ServiceUnavailable", "ServiceUnavailableException", "KMSThrottlingException", "KMSInternalException", "KeyUnavailableException":
		return secrets.ErrUnavailable
	}
	_, throttled := retry.DefaultThrottleErrorCodes[code]
	_, late := retry.DefaultRetryableErrorCodes[code]
	if throttled || late {
		return secrets.ErrUnavailable
	}
	return nil
}
