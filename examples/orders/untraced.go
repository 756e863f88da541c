//go:build !otel

package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func observe(context.Context) (observed, error) {
	return observed{clients: func(*aws.Config) {}}, nil
}
