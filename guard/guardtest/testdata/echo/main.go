// Command echo is a function whose events say what it does.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do    string `json:"do"`
	Text  string `json:"text"`
	Bytes int    `json:"bytes"`

	// Of an HTTP API: the action is the path, the text the query.
	RawPath        string `json:"rawPath"`
	RawQueryString string `json:"rawQueryString"`
}

func main() {
	switch os.Getenv("INIT") {
	case "exit":
		fmt.Println("init gives up")
		os.Exit(3)
	case "hang":
		time.Sleep(time.Hour)
	case "report":
		reportInit()
		time.Sleep(time.Hour)
	case "extension":
		extend()
	}
	var options []lambda.Option
	switch os.Getenv("SIGTERM") {
	case "ignored":
		signal.Ignore(syscall.SIGTERM)
	case "handled":
		options = append(options, lambda.WithEnableSIGTERM(func() {
			fmt.Println("got SIGTERM")
			os.Exit(0)
		}))
	}
	fmt.Println("init of", os.Getpid())
	if how := os.Getenv("RESTORE"); how != "" {
		restore(how)
	}
	lambda.StartWithOptions(handle, options...)
}

// reportInit tells the Runtime API that the init has failed.
func reportInit() {
	ask("POST", "http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+"/2018-06-01/runtime/init/error",
		`{"errorMessage":"no table"}`, "Lambda-Runtime-Function-Error-Type", "config")
}

// restore waits for the restore of a snapshot.
func restore(how string) {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/restore/"
	ask("GET", base+"next", "", "Accept", "*/*")
	if how == "exit" {
		os.Exit(7)
	}
}

func handle(ctx context.Context, raw json.RawMessage) (any, error) {
	var e event
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, err
	}
	if e.RawPath != "" {
		e.Do, e.Text = strings.TrimPrefix(e.RawPath, "/"), e.RawQueryString
		e.Bytes, _ = strconv.Atoi(e.Text)
	}
	switch e.Do {
	case "echo":
		return raw, nil
	case "context":
		return describe(ctx), nil
	case "env":
		return os.Environ(), nil
	case "pid":
		return os.Getpid(), nil
	case "dir":
		return os.Getwd()
	case "log":
		fmt.Println(e.Text)
		return nil, nil
	case "error":
		return nil, errors.New(e.Text)
	case "typed error":
		return nil, messages.InvokeResponse_Error{Type: "no_stock", Message: e.Text}
	case "panic":
		panic(e.Text)
	case "exit":
		os.Exit(7)
	case "clean exit":
		os.Exit(0)
	case "big":
		return strings.Repeat("x", e.Bytes), nil
	case "broken stream":
		return io.MultiReader(strings.NewReader("begun"), failingReader{}), nil
	case "await":
		fmt.Println("awaiting")
		return os.Getpid(), await(e.Text)
	case "overrun":
		fmt.Println("overrunning")
		time.Sleep(time.Hour)
	case "child":
		child := exec.Command("sleep", "3600")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			return nil, err
		}
		return child.Process.Pid, nil
	case "eat":
		return eat(e.Bytes), nil
	case "meet":
		return meet(ctx, e)
	case "meet64":
		e.Bytes = 64
		return meet(ctx, e)
	}
	return nil, fmt.Errorf("unknown action %q", e.Do)
}

// await returns when the file is there.
func await(file string) error {
	for {
		_, err := os.Stat(file)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

func describe(ctx context.Context) any {
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return map[string]any{
		"requestId": lc.AwsRequestID,
		"arn":       lc.InvokedFunctionArn,
		"tenantId":  lc.TenantID,
		"identity":  lc.Identity.CognitoIdentityID,
		"custom":    lc.ClientContext.Custom,
		"traceId":   ctx.Value("x-amzn-trace-id"),
		"left":      time.Until(deadline).Milliseconds(),
		"function":  lambdacontext.FunctionName,
		"version":   lambdacontext.FunctionVersion,
		"memory":    lambdacontext.MemoryLimitInMB,
	}
}

// meet returns when as many invocations as e.Bytes are inside at once.
func meet(ctx context.Context, e event) (any, error) {
	arrived <- struct{}{}
	for {
		if len(arrived) >= e.Bytes {
			return e.Text, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("only %d are here", len(arrived))
		case <-time.After(time.Millisecond):
		}
	}
}

var arrived = make(chan struct{}, 1024)

func eat(n int) int {
	food := make([]byte, n)
	for i := 0; i < n; i += 512 {
		food[i] = 1
	}
	time.Sleep(time.Minute)
	return len(food)
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("stream broke") }
