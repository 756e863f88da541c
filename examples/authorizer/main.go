// Command authorizer is an example of a Lambda authorizer for an HTTP API: it allows
// a request if its JWT has the scope of the route.
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

// gate is the function. The API has to list two identity sources, the header
// Authorization and $context.routeKey: the gateway keeps decisions by these.
func gate(log *slog.Logger, tokens authorizer.Verifier) lambda.Handler {
	return guard.Wrap(authorizer.Simple(mayCall(tokens)), guard.Default(log))
}
