package batch

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
)

// Envelope is what a service has put around a document on its way to a queue.
type Envelope struct {
	Service string    // "sns", "eventbridge" or "s3"
	ID      string    // of the SNS message or the EventBridge event
	Source  string    // the topic's ARN, the event's source, the bucket's ARN
	Type    string    // the subject, the detail-type, the S3 event's name
	Time    time.Time // zero if it is not in RFC 3339

	// Attributes are the message attributes of SNS whose type is String.
	Attributes map[string]string
}

// mostEnvelopes bounds how many envelopes are taken off: S3 by EventBridge by SNS.
const mostEnvelopes = 4

// Unwrap is a [Layer] that replaces the body of a message by the document inside
// it: the message of an SNS notification, the detail of an EventBridge event, and
// one in the other. The envelopes are in [Info]. A notification of S3 stays whole,
// and decodes as an [events.S3Event]. The test message of S3, which it sends once
// when notifications are set up, is done without a call of next.
//
// A request of SNS to confirm a subscription, which a topic of another account
// sends, is an error with code sns_confirmation. It can never succeed.
//
// A body that has no envelope passes as it is, as with raw delivery of SNS. So
// a sender to the queue decides what the envelope says: the policy of the
// queue has to name the topic or the rule.
//
//	batch.SQS(batch.Chain(batch.JSON[events.SQSMessage](bookOrder), batch.Unwrap))
func Unwrap(next func(context.Context, events.SQSMessage) error) func(context.Context, events.SQSMessage) error {
	return func(ctx context.Context, m events.SQSMessage) error {
		var taken []Envelope
		for range mostEnvelopes {
			members, ok := objectOf(ctx, m.Body)
			if !ok {
				break
			}
			switch {
			case isS3Test(members):
				return nil
			case isConfirmation(members):
				return &guard.Error{Kind: guard.Unprocessable, Code: "sns_confirmation", Detail: "A topic asks to confirm a subscription."}
			}
			envelope, inner, ok := open(members)
			if !ok {
				break
			}
			taken = append(taken, envelope)
			if inner == "" { // the document is whole
				break
			}
			m.Body = inner
		}
		info, _ := RecordFrom(ctx)
		info.Envelopes = slices.Concat(info.Envelopes, taken)
		return next(context.WithValue(ctx, infoKey{}, &info), m)
	}
}

// objectOf returns the members of a body. A body that is no object, or that is
// ambiguous, has none, and is left to the reader of the document.
func objectOf(ctx context.Context, body string) (members map[string]json.RawMessage, ok bool) {
	err := guard.EventOf(ctx, []byte(body)).Decode(&members)
	return members, err == nil && members != nil
}

// open takes one envelope off. An empty inner means that members are the document
// itself.
func open(members map[string]json.RawMessage) (envelope Envelope, inner string, ok bool) {
	text := func(name string) string {
		var s string
		if json.Unmarshal(members[name], &s) != nil {
			return ""
		}
		return s
	}
	instant := func(text string) time.Time {
		t, _ := time.Parse(time.RFC3339, text)
		return t
	}
	switch {
	case text("Type") == "Notification" && text("TopicArn") != "" && text("Message") != "":
		return Envelope{
			Service: "sns", ID: text("MessageId"), Source: text("TopicArn"), Type: text("Subject"), Time: instant(text("Timestamp")),
			Attributes: attributesOf(members["MessageAttributes"]),
		}, text("Message"), true
	case text("detail-type") != "" && text("source") != "" && isObject(members["detail"]):
		return Envelope{
			Service: "eventbridge", ID: text("id"), Source: text("source"), Type: text("detail-type"), Time: instant(text("time")),
		}, string(members["detail"]), true
	case members["Records"] != nil:
		var records [1]struct { // what follows the first is not kept
			Source string `json:"eventSource"`
			Name   string `json:"eventName"`
			Time   string `json:"eventTime"`
			S3     struct {
				Bucket struct {
					ARN string `json:"arn"`
				} `json:"bucket"`
			} `json:"s3"`
		}
		if json.Unmarshal(members["Records"], &records) != nil || records[0].Source != "aws:s3" {
			return Envelope{}, "", false
		}
		r := records[0]
		return Envelope{Service: "s3", Source: r.S3.Bucket.ARN, Type: r.Name, Time: instant(r.Time)}, "", true
	default:
		return Envelope{}, "", false
	}
}

// attributesOf returns the attributes of a message of SNS that are texts.
//
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
func attributesOf(value json.RawMessage) map[string]string {
	var all map[string]json.RawMessage
	if json.Unmarshal(value, &all) != nil {
		return nil
	}
	texts := map[string]string{}
	for name, attribute := range all {
		var a map[string]string // not a struct, whose names match in any case
		if json.Unmarshal(attribute, &a) == nil && a["Type"] == "String" {
			texts[name] = a["Value"]
		}
	}
	return texts
}

func isObject(value json.RawMessage) bool { return len(value) > 0 && value[0] == '{' }

// isS3Test reports whether members are the message that S3 sends when
// notifications are set up.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-enable-disable-notification-intro.html
func isS3Test(members map[string]json.RawMessage) bool {
	return string(members["Event"]) == `"s3:TestEvent"` && string(members["Service"]) == `"Amazon S3"`
}

// isConfirmation reports whether members are a request of SNS to confirm the start
// or the end of a subscription.
//
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
func isConfirmation(members map[string]json.RawMessage) bool {
	switch string(members["Type"]) {
	case `"SubscriptionConfirmation"`, `"UnsubscribeConfirmation"`:
		return members["TopicArn"] != nil && members["SubscribeURL"] != nil
	default:
		return false
	}
}
