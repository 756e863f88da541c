package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/lambdarmor/lambdarmor/guard"
)

// origin is the source that the rules of others name.
const origin = "shop.orders"

// bus is where changes are announced.
type bus struct {
	client client
	name   string
}

// client has the method of an eventbridge.Client that a bus needs.
type client interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// open returns the bus that BUS_NAME names. Only a local run may leave it out: it logs
// the events.
func open(ctx context.Context, log *slog.Logger) (*bus, error) {
	name := os.Getenv("BUS_NAME")
	switch {
	case name == "" && os.Getenv("AWS_SAM_LOCAL") == "true":
		return &bus{client: printer{log}}, nil
	case name == "":
		return nil, errors.New("BUS_NAME is not set")
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	return &bus{client: eventbridge.NewFromConfig(cfg), name: name}, nil
}

// announce puts the event of a change on the bus, if there is one to tell others of.
//
// PutEvents succeeds when EventBridge has refused the event: that is in the answer alone.
func (b *bus) announce(ctx context.Context, change events.DynamoDBEventRecord) error {
	e, ok := eventOf(change)
	if !ok {
		return nil
	}
	detail, err := json.Marshal(e.detail)
	if err != nil {
		return fmt.Errorf("encode the event: %w", err)
	}
	text, from := string(detail), origin
	out, err := b.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: &b.name, Source: &from, DetailType: &e.kind, Detail: &text, Time: &e.at,
	}}})
	if err != nil {
		return fmt.Errorf("put the event: %w", err)
	}
	if out.FailedEntryCount > 0 {
		return guard.Errorf(guard.Unavailable, "event_refused", "EventBridge has refused the event.", refusal(out.Entries))
	}
	return nil
}

// refusal is why EventBridge did not take an entry.
func refusal(entries []types.PutEventsResultEntry) error {
	for _, entry := range entries {
		if entry.ErrorCode != nil && entry.ErrorMessage != nil {
			return fmt.Errorf("%s: %s", *entry.ErrorCode, *entry.ErrorMessage)
		}
	}
	return errors.New("no reason")
}

// printer logs the events of a local run.
type printer struct{ log *slog.Logger }

func (p printer) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	for _, e := range in.Entries {
		p.log.Info("event", "type", *e.DetailType, "detail", json.RawMessage(*e.Detail))
	}
	return &eventbridge.PutEventsOutput{}, nil
}
