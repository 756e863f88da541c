package recipes

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/getsentry/sentry-go"
	"github.com/newrelic/go-agent/v3/newrelic"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/internal/proptest/recipes/ddlambda"
	"github.com/lambdarmor/lambdarmor/internal/proptest/recipes/nrlambda"
	"github.com/lambdarmor/lambdarmor/internal/proptest/recipes/otellambda"
)

var (
	routes  lambda.Handler
	log     = logging.New(os.Stdout)
	options []otellambda.Option
	cfg     *ddlambda.Config
	app     *newrelic.Application
	client  *sentry.Client
)

func Example_otellambda() {
	otelWrapper := func(next lambda.Handler) lambda.Handler { return otellambda.WrapHandler(next, options...) }
	guard.Start(routes, otelWrapper, SpanIDs, httpapi.Default(log))
}

func Example_datadog() {
	datadog := func(next lambda.Handler) lambda.Handler { return ddlambda.WrapLambdaHandlerInterface(next, cfg) }
	guard.Start(routes, datadog, httpapi.Default(log))
}

func Example_newRelic() {
	newRelic := func(next lambda.Handler) lambda.Handler { return nrlambda.WrapHandler(next, app) }
	guard.Start(routes, newRelic, NoticeErrors(), httpapi.Default(log))
}

func Example_sentry() {
	hub := sentry.NewHub(client, sentry.NewScope())
	guard.Start(routes, Sentry(hub), httpapi.Default(log))
}
