package main

// A variant is one function to build and measure. Another one is one line.
type variant struct {
	name    string
	module  string   // folder of the module that it is built in
	imports []string // besides context, lambda and those that every variant has
	main    string   // the body of main; hello is a plain handler, mux an http.Handler
}

const (
	root    = "."
	compare = ".ci/compare"
	inOtel  = "guard/otel"
	inXRay  = "guard/xray"

	guard       = "github.com/lambdarmor/lambdarmor/guard"
	logging     = guard + "/logging"
	metrics     = guard + "/metrics"
	httpapi     = "github.com/lambdarmor/lambdarmor/guard/httpapi"
	batch       = guard + "/batch"
	events      = "github.com/aws/aws-lambda-go/events"
	validate    = "github.com/lambdarmor/lambdarmor/validate"
	program     = "github.com/lambdarmor/lambdarmor/validate/program"
	schema      = "github.com/lambdarmor/lambdarmor/validate/schema"
	structs     = "github.com/lambdarmor/lambdarmor/validate/structs"
	idempotency = "github.com/lambdarmor/lambdarmor/idempotency"
	secrets     = "github.com/lambdarmor/lambdarmor/secrets"
	awssecrets  = secrets + "/awssecrets"
	awsparams   = secrets + "/awsparams"
	awsdynamo   = secrets + "/awsdynamo"
	agent       = secrets + "/agent"
	vault       = secrets + "/vault"
	sdk         = "github.com/aws/aws-sdk-go-v2/service/"
	basic       = "github.com/lambdarmor/lambdarmor/authorizer/basic"
	authorizer  = "github.com/lambdarmor/lambdarmor/authorizer"
	jwt         = "github.com/lambdarmor/lambdarmor/authorizer/jwt"
	webhook     = "github.com/lambdarmor/lambdarmor/authorizer/webhook"
	outgoing    = guard + "/outgoing"
	sigv4       = outgoing + "/sigv4"
	clientcreds = outgoing + "/clientcredentials"
	awscalls    = outgoing + "/awscalls"
	awscore     = "github.com/aws/aws-sdk-go-v2/aws"
	jsonschema  = "github.com/santhosh-tekuri/jsonschema/v5"
	extension   = guard + "/extension"
	metadata    = guard + "/metadata"
	approved    = guard + "/approved"
	otel        = guard + "/otel"
	noop        = "go.opentelemetry.io/otel/trace/noop"
	otelSDK     = "go.opentelemetry.io/otel/sdk/trace"
	otlp        = "go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	xray        = guard + "/xray"
	httpadapter = "github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
)

// The first one is what the others are compared with.
var variants = []variant{
	{"bare", root, nil, `lambda.Start(hello)`},
	{"guard", root, []string{guard, logging}, `guard.Start(guard.Func(hello), guard.Default(logging.New(os.Stdout)))`},
	{"guard + metrics", root, []string{guard, logging, metrics}, `guard.Start(guard.Func(hello), metrics.Default(metrics.New(os.Stdout, "Shop")), guard.Default(logging.New(os.Stdout)))`},
	{"guard + events.SQSEvent", root, []string{guard, logging, events}, `guard.Start(guard.Func(func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) { return events.SQSEventResponse{}, nil }), guard.Default(logging.New(os.Stdout)))`},
	{"guard + batch.SQS", root, []string{guard, logging, batch, events}, `guard.Start(batch.SQS(func(context.Context, events.SQSMessage) error { return nil }), guard.Default(logging.New(os.Stdout)))`},
	{"guard + httpapi.Func", root, []string{guard, logging, httpapi}, `guard.Start(httpapi.Func(hello), ` + layers + `)`},
	{"guard + httpapi.Serve", root, []string{guard, logging, httpapi}, `guard.Start(httpapi.Serve(mux()), ` + layers + `)`},
	{"bare + jsonschema", root, []string{jsonschema}, `jsonschema.MustCompileString("x", "{}"); lambda.Start(hello)`},
	{"guard + httpapi.Func + validate, generated", root, []string{guard, logging, httpapi, validate, program}, `guard.Start(httpapi.Func(hello), ` + layers + `, validate.Body(validate.MustNew(&program.Program{Version: program.Version, Schemas: make([]program.Schema, 2)})))`},
	{"guard + httpapi.Func + validate/schema", root, []string{guard, logging, httpapi, validate, schema}, `guard.Start(httpapi.Func(hello), ` + layers + ", validate.Body(schema.MustCompile([]byte(`{}`))))"},
	{"guard + httpapi.Func + validate/structs", root, []string{guard, logging, httpapi, structs}, `guard.Start(httpapi.Func(structs.Input(hello)), ` + layers + `)`},
	{"guard + httpapi.Func + idempotency", root, []string{guard, logging, httpapi, idempotency}, `guard.Start(httpapi.Func(hello), ` + layers + `, idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key")))`},
	{"guard + secrets", root, []string{guard, secrets}, `guard.Start(guard.Func(hello), secrets.New(secrets.Env()).Inject("API_KEY"))`},
	{"guard + secrets + agent", root, []string{guard, secrets, agent}, `guard.Start(guard.Func(hello), secrets.New(agent.Secrets()).Inject("api-key"))`},
	{"guard + secrets + vault", root, []string{guard, secrets, vault}, `guard.Start(guard.Func(hello), secrets.New(vault.KV()).Inject("secret/shop#api-key"))`},
	{"guard + secrets + awssecrets", root, []string{guard, secrets, awssecrets, sdk + "secretsmanager"}, `guard.Start(guard.Func(hello), secrets.New(awssecrets.New(secretsmanager.New(secretsmanager.Options{}))).Inject("api-key"))`},
	{"guard + secrets + awsparams", root, []string{guard, secrets, awsparams, sdk + "ssm"}, `guard.Start(guard.Func(hello), secrets.New(awsparams.New(ssm.New(ssm.Options{}))).Inject("/api-key"))`},
	{"guard + secrets + awsdynamo", root, []string{guard, secrets, awsdynamo, sdk + "dynamodb"}, `guard.Start(guard.Func(hello), secrets.New(awsdynamo.New(dynamodb.New(dynamodb.Options{}), awsdynamo.Items(nil))).Inject("limits"))`},
	{"guard + authorizer", root, []string{guard, logging, authorizer}, `guard.Start(authorizer.Simple(authorizer.SourceIP("10.0.0.0/8")), guard.Default(logging.New(os.Stdout)))`},
	{"guard + authorizer + basic", root, []string{guard, logging, authorizer, basic}, `guard.Start(authorizer.Simple(basic.Users("a", map[string]basic.User{})), guard.Default(logging.New(os.Stdout)))`},
	{"guard + authorizer + jwt", root, []string{guard, logging, authorizer, jwt}, `guard.Start(authorizer.Simple(authorizer.Bearer(jwt.New(jwt.Cognito("eu-central-1_AbCdEfGhI", "client")))), guard.Default(logging.New(os.Stdout)))`},
	{"guard + httpapi.Func + webhook", root, []string{guard, logging, httpapi, webhook, secrets}, `guard.Start(httpapi.Func(hello), ` + layers + `, webhook.Standard(webhook.Secret(secrets.New(secrets.Env()), "KEY")))`},
	{"guard + outgoing", root, []string{guard, logging, outgoing}, `http.DefaultTransport = outgoing.Transport(nil, outgoing.Hosts("api.example")); guard.Start(guard.Func(hello), guard.Default(logging.New(os.Stdout)))`},
	{"guard + outgoing + sigv4", root, []string{guard, logging, sigv4, awscore}, `http.DefaultTransport = sigv4.Transport(nil, aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, nil }), "eu-central-1", "lambda", "api.example"); guard.Start(guard.Func(hello), guard.Default(logging.New(os.Stdout)))`},
	{"guard + outgoing + clientcredentials", root, []string{guard, logging, clientcreds, secrets}, `http.DefaultTransport = clientcredentials.New("https://login.example/token", "a", secrets.New(secrets.Env()), "KEY").Transport(nil, "api.example"); guard.Start(guard.Func(hello), guard.Default(logging.New(os.Stdout)))`},
	{"guard + outgoing + awscalls", root, []string{guard, logging, awscalls, awscore}, `awscalls.Instrument(&aws.Config{}); guard.Start(guard.Func(hello), guard.Default(logging.New(os.Stdout)))`},
	{"guard + metadata", root, []string{guard, logging, metadata}, `guard.Start(guard.Func(hello), guard.Default(logging.New(os.Stdout)), metadata.New().Layer())`},
	{"guard + approved", root, []string{guard, logging, approved}, `approved.Report("", logging.New(os.Stdout)); guard.Start(guard.Func(hello), guard.Default(logging.New(os.Stdout)))`},
	{"extension", root, []string{extension}, `if _, err := extension.Register(context.Background()); err != nil { os.Exit(1) }`},
	{"guard + otel", inOtel, []string{guard, logging, otel, noop}, `guard.Start(guard.Func(hello), otel.Trace(noop.NewTracerProvider()), guard.Default(logging.New(os.Stdout)))`},
	{"guard + otel + SDK, OTLP/HTTP", inOtel, []string{guard, logging, otel, otelSDK, otlp}, `e, _ := otlptracehttp.New(context.Background()); tp := trace.NewTracerProvider(trace.WithBatcher(e)); guard.Start(guard.Func(hello), otel.Flush(time.Second, tp), otel.Trace(tp), guard.Default(logging.New(os.Stdout)))`},
	{"guard + xray", inXRay, []string{guard, logging, xray}, `guard.Start(guard.Func(hello), xray.Trace(), guard.Default(logging.New(os.Stdout)))`},
	{"httpadapter.NewV2", compare, []string{httpadapter}, `lambda.Start(httpadapter.NewV2(mux()).ProxyWithContext)`},
}

const layers = `guard.Log(logging.New(os.Stdout)), httpapi.Problems(), guard.Recover(), ` +
	`guard.Limit(guard.Limits{}), guard.Deadline(300*time.Millisecond)`

const source = `package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
{{range .}}	{{printf "%q" .}}
{{end}})

var (
	_ = lambda.Start
	_ = os.Stdout
	_ = time.Second
)

type greeting struct {
	Name string ` + "`json:\"name\"`" + `
}

func hello(_ context.Context, in greeting) (greeting, error) {
	return greeting{Name: "hello " + in.Name}, nil
}

func mux() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "hello "+r.PathValue("name"))
	})
	return m
}

func main() {
	`
