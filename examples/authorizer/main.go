// Command authorizer is a custom authorizer of an HTTP API: it lets in who has
// a token of our issuer, with the scope that the route asks for.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

func main() {
	log := logging.New(os.Stdout)
	tokens, err := issuer()
	if err != nil {
		log.Error("cannot start", "cause", err.Error())
		os.Exit(1)
	}
	guard.Start(gate(log, tokens))
}

// gate is the function. Its decisions are kept by the identity sources of the
// API, which have to have both the header Authorization and $context.routeKey.
func gate(log *slog.Logger, tokens authorizer.Verifier) lambda.Handler {
	return guard.Wrap(authorizer.Simple(mayCall(tokens)), guard.Default(log))
}
