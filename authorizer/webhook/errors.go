package webhook

import (
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard"
)

func missing(header string) error {
	return guard.Errorf(guard.Unauthenticated, "webhook_signature_missing", "The header %s is missing.", header)
}

func malformed(header, rule string) error {
	return guard.Errorf(guard.Unauthenticated, "webhook_signature_malformed", "The header %s must be %s.", header, rule)
}

func mismatch() error {
	return guard.Errorf(guard.Unauthenticated, "webhook_signature_invalid", "The signature is not one of the request's body and of a key that is accepted.")
}

func untimely() error {
	return guard.Errorf(guard.Unauthenticated, "webhook_timestamp_out_of_range", "The request was signed too long ago, or in the future.")
}

// badKey is our own fault: the text of a key is never in it.
func badKey(scheme string, number int, err error) error {
	return &guard.Error{
		Kind: guard.Internal, Code: "webhook_key_malformed",
		Err: fmt.Errorf("webhook: %s: key %d: %w", scheme, number, err),
	}
}
