package awstest

import "github.com/lambdarmor/lambdarmor/secrets"

// Meaning is the error of package secrets that an error of a service means, or nil.
type Meaning struct {
	Status int
	Code   string
	Want   error
}

// UnknownCode is a code that no service has.
const UnknownCode = "SomethingNew"

// Meanings returns the meanings of the errors that all services have.
func Meanings() []Meaning {
	return []Meaning{
		{Status: 400, Code: "AccessDeniedException", Want: secrets.ErrDenied},
		{Status: 400, Code: "UnrecognizedClientException", Want: secrets.ErrDenied},
		{Status: 400, Code: "ExpiredTokenException", Want: secrets.ErrDenied},
		{Status: 401, Code: UnknownCode, Want: secrets.ErrDenied},
		{Status: 403, Code: UnknownCode, Want: secrets.ErrDenied},
		{Status: 400, Code: "KMSAccessDeniedException", Want: secrets.ErrDenied},
		{Status: 400, Code: "DisabledException", Want: secrets.ErrUndecryptable},
		{Status: 400, Code: "KMSInvalidStateException", Want: secrets.ErrUndecryptable},
		{Status: 400, Code: "ThrottlingException", Want: secrets.ErrUnavailable}, // though it is a 400
		{Status: 400, Code: "Throttling", Want: secrets.ErrUnavailable},
		{Status: 400, Code: "RequestLimitExceeded", Want: secrets.ErrUnavailable},
		{Status: 400, Code: "TooManyRequestsException", Want: secrets.ErrUnavailable},
		{Status: 400, Code: "RequestTimeout", Want: secrets.ErrUnavailable},
		{Status: 429, Code: UnknownCode, Want: secrets.ErrUnavailable},
		{Status: 400, Code: "KMSThrottlingException", Want: secrets.ErrUnavailable},
		{Status: 500, Code: "InternalServerError", Want: secrets.ErrUnavailable},
		{Status: 500, Code: UnknownCode, Want: secrets.ErrUnavailable},
		{Status: 503, Code: "ServiceUnavailable", Want: secrets.ErrUnavailable},
		{Status: 400, Code: "ValidationException", Want: nil},
		{Status: 400, Code: UnknownCode, Want: nil},
	}
}
