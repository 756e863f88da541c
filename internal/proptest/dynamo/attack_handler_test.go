package dynamo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// invoke is the handler inside Once.
func (w *world) invoke(ctx context.Context, _ []byte) ([]byte, error) {
	op := of(ctx)
	status, err := op.run(ctx)
	if err != nil {
		return nil, err
	}
	return op.response(status), nil
}

func (o *operation) response(status int) []byte {
	body := "done " + o.mark()
	if status >= 500 {
		body = "failed"
	}
	return fmt.Appendf(nil, `{"statusCode":%d,"headers":{"x-attempt":%q},"cookies":["session=%s"],"body":%q}`, status, o.id, o.id, body)
}

// run is what a handler does.
func (o *operation) run(ctx context.Context) (status int, err error) {
	o.began()
	if o.last {
		return http.StatusCreated, o.effect(ctx)
	}
	dice := o.roll(100)
	if dice < 8 { // too slow: past the deadline, or past the lease
		d := time.Until(o.deadline) + o.between(0, 5*maxSkew)
		if o.roll(2) == 0 {
			if err := o.effect(ctx); err != nil {
				return 0, err
			}
			time.Sleep(d)
			if o.roll(3) == 0 {
				<-ctx.Done()
				return 0, errors.New("given up")
			}
			return http.StatusCreated, nil
		}
		time.Sleep(d)
	} else if dice < 40 {
		time.Sleep(o.between(0, 8*time.Millisecond))
	}
	dice = o.roll(100)
	if dice < 14 && o.variant.staged && o.roll(2) == 0 { // which an error takes back
		if err := o.effect(ctx); err != nil {
			return 0, err
		}
	}
	switch {
	case dice < 8:
		return 0, errors.New("broken")
	case dice < 14 && o.of.http:
		return 0, &guard.Error{Kind: guard.NotFound, Code: "unknown_sku", Detail: "refused " + o.mark()}
	case dice < 22: // and nobody knows whether there is an effect
		if o.roll(2) == 0 {
			if err := o.effect(ctx); err != nil {
				return 0, err
			}
		}
		switch o.roll(4) {
		case 0:
			panic("attack")
		case 1:
			return 0, context.DeadlineExceeded
		case 2:
			if o.of.http {
				return http.StatusBadGateway, nil
			}
		}
		return 0, fmt.Errorf("a provider is silent: %w", idempotency.ErrOutcomeUnknown)
	case dice < 28:
		if o.roll(2) == 0 {
			if err := o.effect(ctx); err != nil {
				return 0, err
			}
		}
		o.kill("in the handler")
		return 0, context.Canceled
	}
	if err := o.effect(ctx); err != nil {
		return 0, err
	}
	if dice < 36 && o.of.http {
		return http.StatusNotFound, nil
	}
	return http.StatusCreated, nil
}

// effect is what a repeat must not have again.
func (o *operation) effect(ctx context.Context) error {
	if o.variant.staged {
		o.setStaged()
		return dynamo.Stage(ctx, types.TransactWriteItem{Update: &types.Update{
			TableName: &o.effects, Key: id(o.world.name + o.of.name), UpdateExpression: aws.String("ADD n :one, marks :mark"),
			ExpressionAttributeValues: map[string]types.AttributeValue{
				":one": &types.AttributeValueMemberN{Value: "1"}, ":mark": &types.AttributeValueMemberSS{Value: []string{o.mark()}},
			},
		}})
	}
	return o.charge()
}

// find is what Reconcile asks.
func (w *world) find(ctx context.Context, u idempotency.Unfinished) (json.RawMessage, bool, error) {
	op := of(ctx)
	if !op.last && op.roll(8) == 0 {
		return nil, false, errors.New("the provider is down")
	}
	by := op.asks(u)
	if by == nil {
		return nil, false, nil
	}
	if op.of.http {
		return by.response(http.StatusCreated), true, nil
	}
	answer, err := json.Marshal(by.mark())
	return answer, true, err
}
