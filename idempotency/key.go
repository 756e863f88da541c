package idempotency

import (
	"context"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/keys"
)

// KeyFunc finds the key in an event: what the sender, or the nature of the
// event, says is one request. Where there is none, or not all of it, the error
// wraps [ErrNoKey]; a key of "" is none. The key need not identify the sender
// or the operation, see [Scope] and [Name].
type KeyFunc func(ctx context.Context, ev *guard.Event) (string, error)

// Payload makes the request itself the key, as far as it says what is to be
// done: what [Fingerprint] takes by default. Two equal requests within the [TTL]
// are then one; so are two equal messages, whoever sent them. Of a DynamoDB
// stream the whole event is the key, since a row can change the same way twice.
// A request without content has no key, nor has an event of a schedule.
func Payload() KeyFunc {
	return func(_ context.Context, ev *guard.Event) (string, error) {
		if empty, err := isEmpty(ev); err != nil {
			return "", err
		} else if empty {
			return "", keys.Missing("The request has no content to tell it from others.")
		}
		if ev.Trigger() == guard.DynamoDB {
			return digest(appendCanonical(appendPart(nil, "event"), ev.Raw())), nil
		}
		content, err := appendContent(nil, ev)
		if err != nil {
			return "", err
		}
		return digest(content), nil
	}
}

// SQSMessageID makes the id of the message the key, for a queue whose events
// have one record: SQS delivers a message at least once. An event with several
// is an error; for those there is [Do], with a key per record.
func SQSMessageID() KeyFunc {
	return func(_ context.Context, ev *guard.Event) (string, error) {
		records, err := sqsRecords(ev)
		switch {
		case err != nil:
			return "", err
		case len(records) != 1:
			return "", &guard.Error{Kind: guard.Internal, Code: "idempotency_not_one_record"}
		}
		id, _ := records[0]["messageId"].(string)
		if id == "" {
			return "", keys.Missing("The message has no id.")
		}
		return id, nil
	}
}
