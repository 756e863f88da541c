package layer_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// A layer with a name of this module's rules is held to them: this one does what
// authorizer.Require does, so idempotency.Once must be inside it.
func ExampleNamed() {
	requireKey := layer.Named("authorizer.Require", func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			if err := layer.SetPrincipal(ctx, "alice"); err != nil {
				return nil, err
			}
			return next.Invoke(ctx, payload)
		})
	})
	once := layer.Named("idempotency.Once", func(next lambda.Handler) lambda.Handler { return next })
	defer func() { fmt.Println(recover()) }()
	guard.Wrap(guard.Func(func(context.Context, any) (any, error) { return nil, nil }), once, requireKey)
	// Output: guard: idempotency.Once stands outside authorizer.Require: a stored answer would go to any caller who sends its key; list authorizer.Require before idempotency.Once
}

// A layer that answers an error by itself sets it in the record of the invocation.
func ExampleSetError() {
	fallback := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			out, err := next.Invoke(ctx, payload)
			if err != nil {
				layer.SetError(ctx, err)
				return []byte(`{"price":null}`), nil
			}
			return out, nil
		})
	}
	failing := guard.Func(func(context.Context, any) (any, error) { return nil, errors.New("no rates") })
	out, err := guard.Wrap(failing, fallback).Invoke(context.Background(), []byte(`{}`))
	fmt.Println(string(out), err)
	// Output: {"price":null} <nil>
}

// A layer that stores answers by caller seals who calls, and checks before it
// stores one that nobody has changed that.
func ExampleSealPrincipal() {
	store := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			who, intact := layer.SealPrincipal(ctx)
			out, err := next.Invoke(ctx, payload)
			if err == nil {
				err = intact()
			}
			if err != nil {
				return nil, err
			}
			fmt.Printf("store %s for %q\n", out, who)
			return out, nil
		})
	}
	names := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		_ = layer.SetPrincipal(ctx, "mallory") // too late
		return []byte(`{}`), nil
	})
	_, err := guard.Wrap(names, store).Invoke(context.Background(), nil)
	fmt.Println(guard.Public(err).Code)
	// Output: order_unsafe
}
