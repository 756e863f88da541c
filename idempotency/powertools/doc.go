// Package powertools computes the idempotency keys of Powertools for AWS Lambda
// (Python) 3, so that Go and Python functions share records. Each function replays
// what the other stored, and respects what the other has in progress.
//
//	store := dynamo.New(client, "idempotency", dynamo.CompressFrom(math.MaxInt)) // Python reads only text
//	once := idempotency.Once(store,
//		powertools.Key("orders.app.handler", "powertools_json(body).[customer, order]"),
//		idempotency.TTL(time.Hour)) // its expires_after_seconds
//
// A batch consumer, which in Python decorates a function of one record with
// idempotent_function, becomes an [idempotency.Operation]. Its input is the
// argument that data_keyword_argument names:
//
//	charge := idempotency.NewOperation("charge", store,
//		idempotency.KeyFrom(powertools.Key("orders.app.charge", "messageId")))
//	receipt, err := idempotency.Do(ctx, charge, "", record, fn)
//
// For Python 1 and 1.0 differ, and encoding/json writes both as 1. Pass the input as
// a json.RawMessage if the expression selects a float.
//
// A table with a composite key, sort_key_attr in Python, is
// dynamo.SortKey(sortKeyAttr, "idempotency#"+functionName), or its static_pk_value.
//
// # What the record does not contain
//
// The record belongs to the prefix and to what the expression selects. It
// contains no [idempotency.Name], tenant, caller or [idempotency.Scope]. If one
// caller must not read the answer of another, the expression has to select who
// the caller is. There is no fingerprint either, unless [KeyWithValidation] or
// [idempotency.Fingerprint] makes one; Python reads the latter as a different
// payload.
//
// # What Python does differently
//
// Python replays None if the answer was too large to be stored or is empty. It
// does not check whether it still holds a key: after its lease it may overwrite
// or remove the outcome of the attempt that came after it.
//
// https://docs.powertools.aws.dev/lambda/python/latest/utilities/idempotency/
package powertools
