// Command rates is an example of an HTTP API that calls another API with a secret
// key. A rotation of the key fails no request, and the log level changes without a
// deployment.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

func main() {
	level := new(slog.LevelVar)
	log := logging.New(os.Stdout, logging.MinLevel(level))
	settings, provider, err := open(log)
	if err != nil {
		log.Error("cannot start", "cause", err.Error())
		os.Exit(1)
	}
	guard.Start(api(log, level, settings, provider))
}

// api is the function: the route, and the layers around it.
func api(log *slog.Logger, level *slog.LevelVar, settings *settings, provider *provider) lambda.Handler {
	routes := httpapi.Routes(map[string]lambda.Handler{
		"GET /rates/{currency}": httpapi.Func(provider.get),
	})
	return guard.Wrap(routes, httpapi.Default(log), settings.follow(log, level))
}
