package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/lambdarmor/lambdarmor/authorizer/webhook"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awssecrets"
)

// services is what the function uses.
type services struct {
	books       *books
	deliveries  idempotency.Store
	signingKeys webhook.Keys
}

// open returns the tables and the secret that the variables name. Only a local run may
// leave them all out: it keeps payments in memory and makes a signing key.
func open(ctx context.Context) (*services, error) {
	payments, keys, secret := os.Getenv("PAYMENTS_TABLE"), os.Getenv("IDEMPOTENCY_TABLE"), os.Getenv("WEBHOOK_SECRET")
	switch {
	case payments == "" && keys == "" && secret == "" && os.Getenv("AWS_SAM_LOCAL") == "true":
		return openLocally(), nil
	case payments == "":
		return nil, errors.New("PAYMENTS_TABLE is not set")
	case keys == "":
		return nil, errors.New("IDEMPOTENCY_TABLE is not set")
	case secret == "":
		return nil, errors.New("WEBHOOK_SECRET is not set")
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	cache := secrets.New(awssecrets.New(secretsmanager.NewFromConfig(cfg)))
	return &services{
		books:       &books{ledger: &table{name: payments}},
		deliveries:  dynamo.New(dynamodb.NewFromConfig(cfg), keys),
		signingKeys: webhook.Secret(cache, secret),
	}, nil
}
