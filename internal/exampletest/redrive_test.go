package exampletest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/batch/sqsdead"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

// The resources of the template of redrive.
const (
	deadQueue = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${DeadLetterQueue}"
	targetFn  = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${Target}"
	copies    = "${Saved.Arn}/saved/*"
)

// permission is what a request needs. It is empty for what nobody should ask.
func permission(r *http.Request, body []byte, queue, function, bucket string) (action, resource string) {
	var request struct{ QueueUrl string }
	if operation := awsproxy.Operation(r); operation != "" {
		if json.Unmarshal(body, &request) == nil && request.QueueUrl == queue {
			return operation, deadQueue
		}
		return "", ""
	}
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/2015-03-31/functions/"+function+"/invocations":
		return "InvokeFunction", targetFn
	case r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, "/"+bucket+"/saved/"):
		return "PutObject", copies
	}
	return "", ""
}

// The function, as it is deployed, with its role and on its schedule.
func TestTheRoleOfRedriveIsWhatRedriveNeeds(t *testing.T) {
	t.Parallel()
	moto := servers.Moto(t).URL()
	queues, buckets := awstest.SQS(moto), awstest.S3(moto)
	dead, saved := awstest.Queue(t, queues, "", nil), awstest.Bucket(t, buckets)
	const letters = 60 // at ten a second, until there is progress to show
	for i := range letters {
		err := sqsdead.New(queues, dead).Send(t.Context(), batch.DeadLetter{
			Trigger: guard.SQS, ID: fmt.Sprint(i), Source: "arn:aws:sqs:eu-central-1:111122223333:orders",
			Record: json.RawMessage(fmt.Sprintf(`{"messageId":"%d","body":"%d"}`, i, i)), Code: "c", LastFailure: time.Now(),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var mended atomic.Bool
	booking := guardtest.NewInProcess(guard.HandlerFunc(func(_ context.Context, payload []byte) ([]byte, error) {
		if !mended.Load() && strings.Contains(string(payload), `"body":"7"`) {
			return nil, errors.New("still broken")
		}
		return []byte(`{"batchItemFailures":[]}`), nil
	}), guardtest.Config{})
	functions := awstest.Lambda(t, "booking", booking)

	r := roleOf(t, "redrive")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		action, resource := permission(req, body, dead, "booking", saved)
		if !r.may(action, resource, false) {
			t.Errorf("the role does not allow %s %s%s", req.Method, awsproxy.Operation(req), req.URL.Path)
			w.WriteHeader(http.StatusForbidden)
			return
		}
		upstream := moto
		if action == "InvokeFunction" {
			upstream = functions
		}
		reply, err := awsproxy.Forward(upstream, req, body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if failure := reply.Header.Get("X-Amz-Function-Error"); failure != "" {
			w.Header().Set("X-Amz-Function-Error", failure)
		}
		reply.Write(w, len(reply.Body))
	}))
	t.Cleanup(server.Close)

	fn := guardtest.Start(t, built.of(t, "examples/redrive"), guardtest.Config{
		Region: "eu-central-1", Timeout: 5 * time.Minute, InitTimeout: patient, Env: []string{
			"AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret",
			"AWS_ENDPOINT_URL_SQS=" + server.URL, "AWS_ENDPOINT_URL_S3=" + server.URL, "AWS_ENDPOINT_URL_LAMBDA=" + server.URL,
			"REDRIVE_FROM=" + dead, "REDRIVE_FUNCTION=booking", "REDRIVE_SAVE=s3://" + saved + "/saved/",
		},
	})
	_, err := fn.Invoke(t.Context(), sample.Of(guard.EventBridge, "scheduled").Bytes())
	var failure *guardtest.FunctionError
	if !errors.As(err, &failure) {
		t.Fatalf("got %v, want an error that the alarm sees, for a letter has failed:\n%s", err, fn.Log())
	}
	mended.Store(true)
	result, err := fn.Invoke(t.Context(), sample.Of(guard.EventBridge, "scheduled").Bytes())
	if err != nil || string(result.Payload) != `{"done":1,"failed":0,"newer":0}` {
		t.Errorf("got %s, %v, want the one that is left:\n%s", result.Payload, err, fn.Log())
	}
	if got := awstest.Objects(t, buckets, saved); len(got) != letters {
		t.Errorf("got %d copies, want %d", len(got), letters)
	}
	for _, part := range []string{`"message":"progress"`, `"done":59,"failed":1,"newer":0`} { // of the first run
		if !strings.Contains(fn.Log(), part) {
			t.Errorf("the log has no %s:\n%s", part, fn.Log())
		}
	}
	r.needsAll(t)
}
