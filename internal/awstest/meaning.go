package awstest

import "github.com/lambdarmor/lambdarmor/secrets"

// A Meaning is what an error of a service means, nil for an error that has no
// name in package secrets.
type Meaning struct {
	Status int
	Code   string
	Want   error
}

// Means says that an error of a status and a code means what is wanted.
func Means(status int, code string, want error) Meaning { return Meaning{status, code, want} }

// New is a code that no service has.
const New = "SomethingNew"

// Meanings are those of the errors that all services have.
func Meanings() []Meaning {
	return []Meaning{
		{400, "AccessDeniedException", secrets.ErrDenied},
		{400, "UnrecognizedClientException", secrets.ErrDenied},
		{400, "ExpiredTokenException", secrets.ErrDenied},
		{403, New, secrets.ErrDenied},
		{400, "KMSAccessDeniedException", secrets.ErrDenied},
		{400, "DisabledException", secrets.ErrUndecryptable},
		{400, "KMSInvalidStateException", secrets.ErrUndecryptable},
		{400, "ThrottlingException", secrets.ErrUnavailable}, // though it is a 400
		{400, "Throttling", secrets.ErrUnavailable},
		{400, "RequestLimitExceeded", secrets.ErrUnavailable},
		{400, "TooManyRequestsException", secrets.ErrUnavailable},
		{400, "RequestTimeout", secrets.ErrUnavailable},
		{429, New, secrets.ErrUnavailable},
		{400, "KMSThrottlingException", secrets.ErrUnavailable},
		{500, "InternalServerError", secrets.ErrUnavailable},
		{500, New, secrets.ErrUnavailable},
		{503, "ServiceUnavailable", secrets.ErrUnavailable},
		{400, "ValidationException", nil},
		{400, New, nil},
	}
}
