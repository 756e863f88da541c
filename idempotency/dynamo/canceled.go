package dynamo

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// CanceledError says why DynamoDB has not written what was staged. Nothing was
// written. It wraps the [types.TransactionCanceledException].
type CanceledError struct {
	// Failures are the items that were in the way, at least one, as they were
	// staged first to last.
	Failures []Failure

	err error
}

// Failure is why one item could not be written.
type Failure struct {
	// Index counts the items that the operation has staged, from 0 on, call by
	// call.
	Index int
	// Item is the item as it was staged.
	Item types.TransactWriteItem
	// Code is ConditionalCheckFailed, or another code of a CancellationReason.
	//
	// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html
	Code string
	// Message is DynamoDB's, for the log.
	Message string
	// Old is the item that made a condition fail, where the staged item asks
	// for it with ReturnValuesOnConditionCheckFailure and there is one.
	Old map[string]types.AttributeValue
}

// Error is for the log.
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

// Unwrap gives the error of the client.
func (e *CanceledError) Unwrap() error { return e.err }

const (
	codeNone      = "None"
	codeCondition = "ConditionalCheckFailed"
	codeInvalid   = "ValidationError"
)

// transient are the reasons for which the same transaction may succeed later.
var transient = [...]string{"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}

func isTransient(code string) bool { return slices.Contains(transient[:], code) }

// reasonsOf gives the reasons of a transaction that was canceled, one for each
// of its items, the last for the completion.
func reasonsOf(err error) []types.CancellationReason {
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) {
		return nil
	}
	return canceled.CancellationReasons
}

// canceled gives the failures of staged items, nil where none has failed for
// good.
func (t *transaction) canceled(err error) *CanceledError {
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
	return e
}

// explained is what the handler makes of a failure.
func (t *transaction) explained(e *CanceledError) error {
	if explain := t.items[e.Failures[0].Index].explain; explain != nil {
		if err := explain(e); err != nil {
			return err
		}
	}
	return e
}
