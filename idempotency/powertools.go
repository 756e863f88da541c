package idempotency

import (
	"context"
	"crypto/md5" // as Powertools does
	"encoding/hex"
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/pythonjson"
)

// PowertoolsKey shares a table with functions that use Powertools for AWS
// Lambda (Python) 3: the key, and in [Once] the id of the record, is what that
// computes, so that each replays what the other stored and respects what the
// other has in progress. Prefix is the name of the Lambda function, a dot, and
// the module and qualified name of the Python function, as in
// "orders.app.handler"; or its key_prefix. Expr is its event_key_jmespath, ""
// the whole event.
//
//	idempotency.Once(
//		dynamo.New(client, "idempotency", dynamo.CompressFrom(math.MaxInt)), // Python reads only text
//		idempotency.PowertoolsKey("orders.app.handler", "powertools_json(body).[customer, order]"),
//		idempotency.TTL(time.Hour), // its expires_after_seconds
//	)
//
// A consumer of a batch, which in Python decorates a function of one record with
// idempotent_function, becomes an [Operation]. Its prefix is made in the same
// way, and its input is the argument that data_keyword_argument names:
//
//	charge := idempotency.NewOperation("charge", store,
//		idempotency.KeyFrom(idempotency.PowertoolsKey("orders.app.charge", "messageId")))
//	receipt, err := idempotency.Do(ctx, charge, "", record, fn)
//
// Python tells 1 from 1.0, and encoding/json writes both as 1: give the input as
// a json.RawMessage where expr selects a float.
//
// A table with a composite key, sort_key_attr in Python, is
// dynamo.SortKey(sortKeyAttr, "idempotency#"+functionName), or its static_pk_value.
//
// The record is that of the prefix and of what expr finds, and of nothing else:
// it has no [Name], no tenant, and neither the caller nor a [Scope] in it. If
// one caller must not read the answer of another, expr has to select who it is.
// There is no fingerprint either, other than that of [PowertoolsValidation] or
// [Fingerprint], the second of which Python takes for another payload.
//
// Where expr finds nothing the error wraps [ErrNoKey]. So it does where a part
// of a list or an object that expr makes is missing, null or empty, for which
// Python may have a key; with [AllowMissingKey] a request without a key runs, as
// Python has it by default. What powertools_json, powertools_base64 or
// powertools_base64_gzip cannot read is idempotency_key_malformed.
//
// An expression panics if it is malformed, finds a key where there is nothing,
// or has what is not certain to find the same in both languages: functions
// other than join, not_null, starts_with, ends_with and those three; literal
// numbers; comparisons other than == and != with a literal; the values of an
// object as in a.*; and what is not in Python's JMESPath.
//
// Python replays None where the answer was too large to be kept, and where it
// is empty. It does not look whether it still holds a key: after its lease it may write
// over the outcome of the attempt that came after it, or remove it.
//
// https://docs.powertools.aws.dev/lambda/python/latest/utilities/idempotency/
func PowertoolsKey(prefix, expr string) KeyFunc {
	if prefix == "" {
		panic("idempotency: PowertoolsKey without a prefix")
	}
	selected := mustSelect("PowertoolsKey", expr)
	if selected.constant() {
		panic(fmt.Sprintf("idempotency: PowertoolsKey %q finds a key in an empty event", expr))
	}
	return func(ctx context.Context, ev *guard.Event) (string, error) {
		found, err := selected.of(ev)
		if err != nil {
			return "", err
		}
		if !selected.whole(found) {
			return "", noKey("The request lacks a part of the idempotency key.")
		}
		hash, err := pythonHash(found)
		if err != nil {
			return "", err
		}
		key := prefix + "#" + hash
		if asked, ok := ctx.Value(askedFor{}).(*asking); ok {
			asked.id = key
		}
		return key, nil
	}
}

// PowertoolsValidation makes the fingerprint of [Once], and of [Do] with
// [KeyFrom], what Powertools for
// Python computes with payload_validation_jmespath: a repeat that has something
// else there is another request. Both functions, or neither, should have it:
// Python refuses a record without it. What expr may be is as for
// [PowertoolsKey], but it may find nothing.
func PowertoolsValidation(expr string) Option {
	if expr == "" {
		panic("idempotency: PowertoolsValidation without an expression")
	}
	selected := mustSelect("PowertoolsValidation", expr)
	return func(c *config) { c.validation = selected.hash }
}

// asking is the context in which Once asks for a key. What answers may put
// there which record that key is, instead of leaving it to Once.
type asking struct {
	context.Context
	id string
}

type askedFor struct{}

func (a *asking) Value(key any) any {
	if key == (askedFor{}) {
		return a
	}
	return a.Context.Value(key)
}

// identify gives the stored key and the fingerprint of a request. Only a key
// that is the very id counts as one: a KeyFunc may have made more of it.
func (o *once) identify(ctx context.Context, ev *guard.Event, key, id string) (storedKey, fingerprint string, err error) {
	if storedKey = id; key != id {
		if storedKey, err = o.storedKey(ctx, ev, key); err != nil {
			return "", "", err
		}
	}
	switch {
	case o.validation != nil:
		fingerprint, err = o.validation(ev)
	case key != id || o.fingerprint != nil:
		fingerprint, err = o.takeFingerprint(ctx, ev)
	}
	return storedKey, fingerprint, err
}

func (s *selection) hash(ev *guard.Event) (string, error) {
	found, err := s.of(ev)
	if err != nil {
		return "", err
	}
	return pythonHash(found)
}

// pythonHash is the MD5 of a value as Python writes it.
func pythonHash(v any) (string, error) {
	text, err := pythonjson.Append(nil, v)
	if err != nil {
		return "", fmt.Errorf("%w: %w", malformedKey("The idempotency key cannot be made from the request."), err)
	}
	sum := md5.Sum(text)
	return hex.EncodeToString(sum[:]), nil
}
