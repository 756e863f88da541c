package main

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// settings are what can be changed while the function runs.
type settings struct {
	cache *secrets.Cache
	name  string
}

// content is the JSON of a configuration: {"logLevel":"DEBUG"}.
type content struct {
	LogLevel slog.Level `json:"logLevel"`
}

// follow is a layer that sets the log level from the settings when an invocation
// begins. While the settings cannot be read, the level does not change.
func (s *settings) follow(log *slog.Logger, level *slog.LevelVar) guard.Middleware {
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			now, err := secrets.JSON[content](ctx, s.cache, s.name, guard.RejectUnknownMembers())
			if err != nil {
				log.WarnContext(ctx, "the settings cannot be read", "cause", err.Error())
			} else {
				level.Set(now.LogLevel)
			}
			return next.Invoke(ctx, payload)
		})
	}
}
