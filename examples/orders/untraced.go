//go:build !otel

package main

import "context"

func observe(context.Context) (observed, error) { return observed{}, nil }
