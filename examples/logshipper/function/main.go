// Command function is a function whose records are shipped. It writes as many lines
// as its event says, and then takes as long.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

func main() {
	guard.Start(handler(logging.New(os.Stdout)))
}

type request struct {
	Order  string `json:"order"`
	Lines  int    `json:"lines"`
	Millis int    `json:"millis"`
}

func handler(log *slog.Logger) lambda.Handler {
	return guard.Wrap(guard.Func(func(ctx context.Context, in request) (string, error) {
		for i := range in.Lines {
			log.InfoContext(ctx, "order placed", "order", in.Order, "line", i)
		}
		time.Sleep(time.Duration(in.Millis) * time.Millisecond)
		return in.Order, nil
	}), guard.Default(log))
}
