package powertools

import (
	"context"
	"crypto/md5" // as Powertools does
	"encoding/hex"
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/keys"
	"github.com/lambdarmor/lambdarmor/internal/jmes"
	"github.com/lambdarmor/lambdarmor/internal/pythonjson"
)

// Key returns the key that Powertools for Python computes, which is also the id
// of the stored record. Prefix is the name of the Lambda function, a dot, and
// the module and qualified name of the Python function, as in
// "orders.app.handler"; or its key_prefix. Expr is its event_key_jmespath, and
// "" selects the whole event.
//
// The error wraps [idempotency.ErrNoKey] if expr finds nothing, or if a part of
// a list or an object that expr makes is missing, null or empty. Python may have
// a key for the latter. With [idempotency.AllowMissingKey] a request without a
// key runs, as Python has it by default. If powertools_json, powertools_base64
// or powertools_base64_gzip cannot read their argument, the error has the code
// idempotency_key_malformed.
//
// Key panics if expr is malformed, finds a key in an empty event, drops missing parts as
// [a, b][] and [a, b] | [*] do, or might find something else in Python. It accepts the
// functions join, not_null, starts_with, ends_with and the three above, and no others.
// Literal numbers, comparisons other than == and != with a literal, and the values of an
// object as in a.* are refused. So is all that Python's JMESPath lacks.
func Key(prefix, expr string) idempotency.KeyFunc {
	return newKey("Key", prefix, expr, nil)
}

// KeyWithValidation is [Key] with the fingerprint that Python computes from its
// payload_validation_jmespath. If validation selects something else in a repeat,
// that is another request. Both functions must have it, or neither: Python refuses
// a record without it. The same rules hold for validation as for expr, but it may
// find nothing.
func KeyWithValidation(prefix, expr, validation string) idempotency.KeyFunc {
	if validation == "" {
		panic("powertools: KeyWithValidation without a validation; use Key")
	}
	validated := mustSelect("KeyWithValidation", validation)
	return newKey("KeyWithValidation", prefix, expr, &validated)
}

func newKey(caller, prefix, expr string, validation *selection) idempotency.KeyFunc {
	if prefix == "" {
		panic("powertools: " + caller + " without a prefix")
	}
	selected := mustSelect(caller, expr)
	if jmes.DropsParts(selected.Node) {
		panic(fmt.Sprintf("powertools: %s %q drops parts of the key that are missing", caller, expr))
	}
	if selected.isConstant() {
		panic(fmt.Sprintf("powertools: %s %q finds a key in an empty event", caller, expr))
	}
	return func(ctx context.Context, ev *guard.Event) (string, error) {
		found, err := selected.of(ev)
		if err != nil {
			return "", err
		}
		if !isComplete(selected.Node, found) {
			return "", keys.Missing("The request lacks a part of the idempotency key.")
		}
		hash, err := pythonHash(found)
		if err != nil {
			return "", err
		}
		record := keys.Record{Key: prefix + "#" + hash}
		if validation != nil {
			if found, err = validation.of(ev); err != nil {
				return "", err
			}
			if record.Fingerprint, err = pythonHash(found); err != nil {
				return "", err
			}
		}
		keys.Choose(ctx, record)
		return record.Key, nil
	}
}

// pythonHash is the MD5 of a value as Python writes it.
func pythonHash(v any) (string, error) {
	text, err := pythonjson.Append(nil, v)
	if err != nil {
		return "", fmt.Errorf("%w: %w", keys.Malformed("The idempotency key cannot be made from the request."), err)
	}
	sum := md5.Sum(text)
	return hex.EncodeToString(sum[:]), nil
}
