package extension

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/lambdaapi"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Extension is a registered extension, and what Lambda says of its function.
type Extension struct {
	Name            string // of the extension
	FunctionName    string
	FunctionVersion string
	Handler         string // of the function's settings
	AccountID       string // "" if Lambda does not tell

	api *lambdaapi.Client
	id  string // by which Lambda knows the extension

	mu       sync.Mutex
	listener *listener // nil without a subscription
}

// Option changes [Register].
type Option struct{ set func(*registration) }

type registration struct {
	name   string
	events []string
}

// Name sets the name to register with. It is only for an extension that a script
// starts: Lambda refuses any other name than that of the file in /opt/extensions.
func Name(name string) Option {
	return Option{func(r *registration) { r.name = name }}
}

// ShutdownOnly registers for no [Invoke] events. An invocation then does not wait for
// the extension, which works whenever the environment is not frozen. It is the right
// choice for an extension that only serves the function.
func ShutdownOnly() Option {
	return Option{func(r *registration) { r.events = []string{eventShutdown} }}
}

// callTimeout bounds each call except that for the next event. Lambda answers them
// within milliseconds, and allows 10 s for the whole init.
const callTimeout = 5 * time.Second

const (
	base        = "/2020-01-01/extension"
	idHeader    = "Lambda-Extension-Identifier"
	nameHeader  = "Lambda-Extension-Name"
	featHeader  = "Lambda-Extension-Accept-Feature"
	errorHeader = "Lambda-Extension-Function-Error-Type"

	errNoID      = guard.Reason("the answer has no " + idHeader)
	errMalformed = guard.Reason("the answer is malformed")
)

// Register registers the process as an external extension, for the events [Invoke]
// and [Shutdown]. It is registered under the name of its own file, as Lambda demands.
// Lambda waits with the function's init until all extensions have registered, so do it
// first.
//
// A Lambda managed instance sends no Invoke events and refuses extensions that
// register for them. There Register leaves them out.
//
// If Lambda refuses, the error has the methods HTTPStatusCode and ErrorCode, as those
// of the AWS SDK.
func Register(ctx context.Context, opts ...Option) (*Extension, error) {
	r := registration{name: filepath.Base(os.Args[0]), events: []string{eventInvoke, eventShutdown}}
	if isManagedInstance() {
		r.events = []string{eventShutdown}
	}
	for _, opt := range opts {
		opt.set(&r)
	}
	api, err := lambdaapi.New("AWS_LAMBDA_RUNTIME_API")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", guard.Reason("extension: register"), err)
	}
	x := &Extension{Name: r.name, api: api}
	if err := x.register(ctx, r); err != nil {
		return nil, fmt.Errorf("%w: %w", guard.Reason("extension: register"), err)
	}
	return x, nil
}

func isManagedInstance() bool {
	return os.Getenv("AWS_LAMBDA_INITIALIZATION_TYPE") == "lambda-managed-instances" || os.Getenv("AWS_LAMBDA_MAX_CONCURRENCY") != ""
}

func (x *Extension) register(ctx context.Context, r registration) error {
	header := http.Header{}
	header.Set(nameHeader, r.name)
	header.Set(featHeader, "accountId")
	got, answer, err := x.call(ctx, http.MethodPost, base+"/register", header, map[string]any{"events": r.events})
	if err != nil {
		return err
	}
	var function struct {
		Name      string `json:"functionName"`
		Version   string `json:"functionVersion"`
		Handler   string `json:"handler"`
		AccountID string `json:"accountId"`
	}
	if err := strictjson.Unmarshal(answer, &function, strictjson.Options{}); err != nil {
		return fmt.Errorf("%w: %w", errMalformed, err)
	}
	x.FunctionName, x.FunctionVersion = function.Name, function.Version
	x.Handler, x.AccountID = function.Handler, function.AccountID
	if x.id = got.Get(idHeader); x.id == "" {
		return errNoID
	}
	return nil
}

// call sends a request with a JSON body, and waits a few seconds at most.
func (x *Extension) call(ctx context.Context, method, path string, header http.Header, body any) (http.Header, []byte, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, nil, err
	}
	ctx, stop := context.WithTimeout(ctx, callTimeout)
	defer stop()
	header.Set("Content-Type", "application/json")
	return x.api.Do(ctx, method, path, header, encoded)
}

func (x *Extension) identity() http.Header {
	header := http.Header{}
	header.Set(idHeader, x.id)
	return header
}
