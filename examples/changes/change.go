package main

import (
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// event is what others learn of a change.
type event struct {
	kind   string
	at     time.Time
	detail detail
}

// detail is a promise to those who have rules for it: only what they may know, under names
// that stay when the table changes.
type detail struct {
	Change   string `json:"change"` // the same for an event that is put twice
	Order    string `json:"order"`
	Customer string `json:"customer,omitempty"`
	Status   string `json:"status,omitempty"`
	Before   string `json:"statusBefore,omitempty"`
}

// eventOf returns the event of a change. There is none if the status is what it was.
func eventOf(r events.DynamoDBEventRecord) (event, bool) {
	c := r.Change
	e := event{
		at: c.ApproximateCreationDateTime.Time,
		detail: detail{
			Change:   r.EventID,
			Order:    text(c.Keys, "id"),
			Customer: text(c.NewImage, "customer"),
			Status:   text(c.NewImage, "status"),
			Before:   text(c.OldImage, "status"),
		},
	}
	switch events.DynamoDBOperationType(r.EventName) {
	case events.DynamoDBOperationTypeInsert:
		e.kind = "Order Placed"
	case events.DynamoDBOperationTypeModify:
		e.kind = "Order Changed"
	default:
		e.kind = "Order Removed"
	}
	return e, e.kind != "Order Changed" || e.detail.Status != e.detail.Before
}

// text returns an attribute of an item, "" if it is missing or no text.
func text(item map[string]events.DynamoDBAttributeValue, name string) string {
	if value, ok := item[name]; ok && value.DataType() == events.DataTypeString {
		return value.String()
	}
	return ""
}
