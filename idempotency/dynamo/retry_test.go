package dynamo_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// conflicted is a client whose key is always in a transaction.
type conflicted struct {
	dynamo.Client
	tries int
}

func (c *conflicted) PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	c.tries++
	return nil, &types.TransactionConflictException{}
}

// A claim waits for another attempt's commit, but not for the whole invocation.
func TestAClaimWaitsForACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, start := new(conflicted), time.Now()
		_, err := dynamo.New(client, "records").Claim(t.Context(), record("k", 1, time.Minute))
		var conflict *types.TransactionConflictException
		if !errors.As(err, &conflict) || client.tries < 3 {
			t.Errorf("got %v after %d tries, want the conflict after several", err, client.tries)
		}
		if got := time.Since(start); got < time.Second || got > 2*time.Second {
			t.Errorf("waited %v, want between 1 and 2 seconds", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		client, start := new(conflicted), time.Now()
		_, err := dynamo.New(client, "records").Claim(ctx, record("k", 1, time.Minute))
		if got := time.Since(start); err == nil || got > 100*time.Millisecond {
			t.Errorf("got %v after %v, want an error when the context ends", err, got)
		}
	})
}
