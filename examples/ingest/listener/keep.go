package main

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// store keeps a file. One that is there already is replaced.
type store interface {
	put(ctx context.Context, name string, data []byte) error
}

// keep returns a function that keeps each message whole, with its attributes. Three kinds
// of them come here, and all have the event in their body:
//
//   - what ingest gave up itself has its reason in attributes that begin with lambdarmor;
//   - what Lambda gave up has RequestID, ErrorCode and ErrorMessage;
//   - what SNS could not deliver is the notification, without attributes of these.
//
// examples/redrive reads such files and runs the events again.
func keep(to store) func(context.Context, events.SQSMessage) error {
	return func(ctx context.Context, m events.SQSMessage) error {
		data, err := json.Marshal(m)
		if err != nil {
			return err
		}
		return to.put(ctx, nameOf(m), data)
	}
}

// nameOf has the day on which the message was sent: the same each time that it comes.
func nameOf(m events.SQSMessage) string {
	day := "unknown"
	if ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64); err == nil {
		day = time.UnixMilli(ms).UTC().Format("2006/01/02")
	}
	return "dead-letters/" + day + "/" + url.PathEscape(m.MessageId) + ".json"
}
