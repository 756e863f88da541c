package jwt

import (
	"context"
	"time"
)

// SetClock gives a verifier, and the keys that it fetches, another clock.
func (v *Verifier) SetClock(now func() time.Time) { v.now = now }

// CheckJWS judges a signature as a Verifier of these keys does, and nothing
// that the payload says.
func CheckJWS(k Keys, accepted []Algorithm, text string) ([]byte, error) {
	v := &Verifier{algorithms: accepted, encoding: unpadded, keys: fixed{k.set}, typ: ""}
	t, err := v.parse(text, time.Time{})
	if err != nil {
		return nil, err
	}
	if _, err := v.checkSignature(context.Background(), t); err != nil {
		return nil, err
	}
	payload, ok := t.appendDecoded(nil, t.payload)
	if !ok {
		return nil, refuse(codeMalformed, "")
	}
	return payload, nil
}
