package main

import (
	"encoding/json"
	"net/url"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
)

// ofNotification reads a notification of SNS. It is false for anything else. A topic
// passes on what Lambda sends to it: the event and attributes of a dead letter, or
// the record of a destination. Otherwise SNS could not deliver the notification, and
// it runs again as the event that the function would have got.
// https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
func ofNotification(body string) (r replay, ok bool, err error) {
	var n events.SNSEntity // its names differ in case alone
	if json.Unmarshal([]byte(body), &n) != nil || n.Type != "Notification" || n.TopicArn == "" || n.MessageID == "" {
		return replay{}, false, nil
	}
	if code, has := n.MessageAttributes["ErrorCode"].(map[string]any); has && n.MessageAttributes["RequestID"] != nil {
		text, _ := code["Value"].(string)
		r, err := ofDeadEvent(n.Message, text)
		return r, true, err
	}
	if r, ok, err := ofDestination([]byte(n.Message)); ok {
		return r, true, err
	}
	event, err := json.Marshal(events.SNSEvent{Records: []events.SNSEventRecord{{
		EventVersion: "1.0", EventSource: "aws:sns", EventSubscriptionArn: subscriptionOf(n.UnsubscribeURL), SNS: n,
	}}})
	return replay{what: string(guard.SNS), event: event}, true, err
}

// subscriptionOf returns the ARN in the address that ends a subscription.
func subscriptionOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Query().Get("SubscriptionArn")
}
