package webhook

import (
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard"
)

func refuse(code, format string, args ...any) error {
	return guard.Errorf(guard.Unauthenticated, code, format, args...)
}

func missing(header string) error {
	return refuse("webhook_signature_missing", "The header %s is missing.", header)
}

func malformed(header, rule string) error {
	return refuse("webhook_signature_malformed", "The header %s must have %s.", header, rule)
}

// badKey is not the sender's fault. Its text never has a key in it.
func (s scheme) badKey(number int, err error) error {
	return &guard.Error{
		Kind: guard.Internal, Code: "webhook_key_malformed",
		Err: fmt.Errorf("webhook: %s: key %d: %w", s.name, number, err),
	}
}
