package exampletest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

// properties decodes what a resource has, by the names of Go.
func properties[T any](t *testing.T, of resource) (v T) {
	t.Helper()
	text, err := json.Marshal(decode[map[string]any](t, &of.Properties))
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What the article on logs in S3 does by hand: the role may not write to CloudWatch.
// https://aws.amazon.com/blogs/compute/using-aws-lambda-extensions-to-send-logs-to-custom-destinations/
func TestTheTemplateOfLogshipperTurnsCloudWatchOff(t *testing.T) {
	resources := resourcesOf(t, "logshipper")
	off := resources["CloudWatchOff"]
	policy := properties[struct {
		Roles          []string
		PolicyDocument struct {
			Statement []struct {
				Effect, Resource string
				Action           []string
			}
		}
	}](t, off)
	want := []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
	s := policy.PolicyDocument.Statement
	if off.Type != "AWS::IAM::Policy" || !slices.Equal(policy.Roles, []string{"Role"}) || len(s) != 1 ||
		s[0].Effect != "Deny" || !slices.Equal(s[0].Action, want) || s[0].Resource != "arn:${AWS::Partition}:logs:*:*:*" {
		t.Errorf("got %s %+v", off.Type, policy)
	}
}

func TestTheBucketOfLogshipperIsClosed(t *testing.T) {
	resources := resourcesOf(t, "logshipper")
	of := resources["Records"]
	bucket := properties[struct {
		PublicAccessBlockConfiguration map[string]bool
		BucketEncryption               any
		LifecycleConfiguration         any
	}](t, of)
	if len(bucket.PublicAccessBlockConfiguration) != 4 || bucket.BucketEncryption == nil || bucket.LifecycleConfiguration == nil {
		t.Errorf("got %+v", bucket)
	}
	for setting, on := range bucket.PublicAccessBlockConfiguration {
		if !on {
			t.Errorf("%s is off", setting)
		}
	}
	of = resources["RecordsPolicy"]
	policy := properties[struct {
		Bucket         string
		PolicyDocument struct {
			Statement []struct {
				Effect, Principal, Action string
				Condition                 map[string]map[string]string
			}
		}
	}](t, of)
	tls, unconditional := false, false
	for _, s := range policy.PolicyDocument.Statement {
		if s.Effect != "Deny" || s.Principal != "*" {
			t.Errorf("got %+v, want a refusal for all", s)
		}
		tls = tls || s.Action == "s3:*" && s.Condition["Bool"]["aws:SecureTransport"] == "false"
		unconditional = unconditional || s.Action == "s3:PutObject" && s.Condition["Null"]["s3:if-none-match"] == "true"
	}
	if policy.Bucket != "Records" || !tls || !unconditional {
		t.Errorf("got %+v, want requests without TLS refused, and writes that could replace an object", policy)
	}
}

// The function and the shipper as they are deployed, with the role of the template.
func TestTheRoleOfLogshipperIsWhatLogshipperNeeds(t *testing.T) {
	t.Parallel()
	moto := servers.Moto(t).URL()
	buckets := awstest.S3(moto)
	bucket, r := awstest.Bucket(t, buckets), roleOf(t, "logshipper")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		action, resource := req.Method, req.URL.Path
		if req.Method == http.MethodPut && strings.HasPrefix(req.URL.Path, "/"+bucket+"/records/orders/") {
			action, resource = "PutObject", "${Records.Arn}/records/*"
		}
		if !r.may(action, resource, false) || req.Header.Get("If-None-Match") != "*" || req.Header.Get("X-Amz-Expected-Bucket-Owner") != guardtest.AccountID {
			t.Errorf("the template does not allow %s %s with %v", req.Method, req.URL.Path, req.Header)
			w.WriteHeader(http.StatusForbidden)
			return
		}
		reply, err := awsproxy.Forward(moto, req, body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		reply.Write(w, len(reply.Body))
	}))
	t.Cleanup(server.Close)

	fn := guardtest.Start(t, built.of(t, "examples/logshipper/function"), guardtest.Config{
		Name: "orders", Region: "eu-central-1", InitTimeout: patient, Timeout: patient,
		Extensions: filepath.Dir(built.of(t, "examples/logshipper")), Env: []string{
			"AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret", "AWS_ENDPOINT_URL_S3=" + server.URL,
			"LOGSHIPPER_BUCKET=" + bucket, "LOGSHIPPER_BUCKET_OWNER=" + guardtest.AccountID, "LOGSHIPPER_PREFIX=records/",
			"LOGSHIPPER_AGE=0s", // a busy machine may not store within the time of a shutdown
		},
	})
	if _, err := fn.Invoke(t.Context(), []byte(`{"order":"o-1","lines":3}`)); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patient); len(awstest.Objects(t, buckets, bucket)) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("nothing is stored:\n%s", fn.Log())
		}
	}
	fn.Close() // before the server
	r.needsAll(t)
}
