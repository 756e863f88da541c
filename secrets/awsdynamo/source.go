package awsdynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/awserror"
	"github.com/lambdarmor/lambdarmor/secrets/internal/fetch"
)

const atOnce = 8 // requests of one Fetch at a time

// Client has the method of a [dynamodb.Client] that a [Source] needs.
type Client interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
}

// Source fetches items of DynamoDB tables.
type Source struct {
	client Client
	find   func(name string) (Item, bool)
}

var _ secrets.Source = (*Source)(nil)

// New returns a source of the items that a client reads. The function find returns
// the item of a name, or false if there is none; see [Items]. It must be safe for
// concurrent use. New panics if client or find is nil.
func New(client Client, find func(name string) (Item, bool)) *Source {
	switch {
	case client == nil:
		panic("awsdynamo: New of a nil Client")
	case find == nil:
		panic("awsdynamo: New of a nil function")
	}
	return &Source{client: client, find: find}
}

// Fetch implements [secrets.Source]. Version, Stage and Encrypted are errors. The
// error of Fetch itself is always nil.
func (s *Source) Fetch(ctx context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	return fetch.Each(refs, atOnce, func(ref secrets.Ref) secrets.Value {
		data, err := s.get(ctx, ref)
		if err != nil {
			err = awserror.Codes(meaningOf).Explain(fmt.Sprintf("awsdynamo: %q", ref.Name), err)
		}
		return secrets.Value{Data: data, Err: err}
	}), nil
}

func (s *Source) get(ctx context.Context, ref secrets.Ref) ([]byte, error) {
	switch {
	case ref.Name == "":
		return nil, guard.Reason("no name")
	case ref.Version != "" || ref.Stage != "" || ref.Encrypted:
		return nil, guard.Reason("an item has no version, stage or encryption to ask for")
	}
	it, ok := s.find(ref.Name)
	if !ok {
		return nil, fmt.Errorf("the name stands for no item: %w", secrets.ErrNotFound)
	}
	key, err := it.key()
	if err != nil {
		return nil, err
	}
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &it.Table, Key: key, ConsistentRead: aws.Bool(true)})
	switch {
	case err != nil:
		return nil, err
	case len(out.Item) == 0:
		return nil, secrets.ErrNotFound
	}
	return encode(out.Item)
}

// meaningOf covers the errors of GetItem:
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html
func meaningOf(code string) error {
	if code == "ResourceNotFoundException" {
		return secrets.ErrNotFound
	}
	return nil
}
