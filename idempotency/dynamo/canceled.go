package dynamo

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// CanceledError reports why DynamoDB wrote none of the staged items. It wraps the
// [types.TransactionCanceledException].
type CanceledError struct {
	// Failures are the items that could not be written, at least one, in the
	// order in which they were staged.
	Failures []Failure

	err error
}

// Failure is an item that could not be written.
type Failure struct {
	// Index counts the items that the operation has staged, from 0, over all
	// calls.
	Index int
	// Item is the item as it was staged.
	Item types.TransactWriteItem
	// Code is ConditionalCheckFailed, or another code of a CancellationReason.
	//
	// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html
	Code string
	// Message is DynamoDB's, for the log.
	Message string
	// Old is the item that made a condition fail, if the staged item asks for it
	// with ReturnValuesOnConditionCheckFailure.
	Old map[string]types.AttributeValue
}

// Error returns a text for the log.
func (e *CanceledError) Error() string {
	var b strings.Builder
	b.WriteString("dynamo: the transaction was canceled")
	for _, f := range e.Failures {
		fmt.Fprintf(&b, ": item %d: %s", f.Index, f.Code)
		if f.Message != "" {
			fmt.Fprintf(&b, " (%s)", f.Message)
		}
	}
	return b.String()
}

// Unwrap returns the error of the client.
func (e *CanceledError) Unwrap() error { return e.err }

const (
	codeNone      = "None"
	codeCondition = "ConditionalCheckFailed"
	codeInvalid   = "ValidationError"
)

// reasonsOf returns why a transaction was canceled: one reason for each item, the
// last for the completion.
func reasonsOf(err error) []types.CancellationReason {
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) {
		return nil
	}
	return canceled.CancellationReasons
}

// canceled returns the error for staged items that can never be written, or nil.
// StageOr may have set another one.
func (t *transaction) canceled(err error) error {
	e := &CanceledError{err: err}
	for i, reason := range reasonsOf(err) {
		code := aws.ToString(reason.Code)
		if i >= len(t.items) || code == "" || code == codeNone || isTransient(code) {
			continue
		}
		e.Failures = append(e.Failures, Failure{
			Index: i, Item: t.items[i].item, Code: code, Message: aws.ToString(reason.Message), Old: reason.Item,
		})
	}
	if len(e.Failures) == 0 {
		return nil
	}
	if explain := t.items[e.Failures[0].Index].explain; explain != nil {
		if err := explain(e); err != nil {
			return err
		}
	}
	return e
}
