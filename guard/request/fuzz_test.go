package request_test

import (
	"cmp"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

// loose is an event as encoding/json reads it, member by member.
type loose map[string]any

func (o loose) in(name string) loose {
	inner, _ := o[name].(map[string]any)
	return inner
}

func (o loose) text(name string) string {
	t, _ := o[name].(string)
	return t
}

func (o loose) has(names ...string) bool {
	for _, name := range names {
		if o[name] == nil {
			return false
		}
	}
	return true
}

// is reports whether a member is a text, perhaps an empty one.
func (o loose) is(name string) bool {
	_, ok := o[name].(string)
	return ok
}

// trigger returns the trigger of an event without records.
func (o loose) trigger() request.Trigger {
	ctx := o.in("requestContext")
	kind := o.text("type")
	switch {
	case (o.is("methodArn") || o.is("routeArn")) && (kind == "REQUEST" || kind == "TOKEN"), o.is("authorizationToken") && ctx != nil:
		return request.Authorizer
	case o.has("detail-type", "source"):
		return request.EventBridge
	case o.has("info", "arguments") && (o.has("identity") || o.in("request") != nil):
		return request.AppSync
	case ctx == nil:
		return request.Unknown
	case ctx.has("elb"):
		return request.ALB
	case ctx.is("connectionId"):
		return request.WebSocket
	case o.text("version") == "2.0" && ctx.in("http") != nil && strings.Contains(ctx.text("domainName"), ".lambda-url."):
		return request.FunctionURL
	case o.text("version") == "2.0" && ctx.in("http") != nil, o.text("version") == "1.0" && o.is("httpMethod"):
		return request.HTTPAPI
	case o.is("httpMethod"):
		return request.REST
	case o.text("version") == "2.0" && strings.Contains(ctx.text("serviceArn"), ":vpc-lattice:"):
		return request.VPCLattice
	default:
		return request.Unknown
	}
}

// headers are the headers with one spelling and one value.
func (o loose) headers() map[string]string {
	from, _ := o["headers"].(map[string]any)
	for _, name := range []string{"requestHeaders", "multiValueHeaders"} {
		if o.has(name) {
			from = o.in(name)
		}
	}
	all, twice := map[string]string{}, map[string]bool{}
	for name, value := range from {
		key := strings.ToLower(name)
		list, ok := value.([]any)
		if ok && len(list) == 1 {
			value = list[0]
		} else if ok {
			twice[key] = true
		}
		if _, known := all[key]; known {
			twice[key] = true
		}
		all[key], _ = value.(string)
	}
	for name := range twice {
		delete(all, name)
	}
	delete(all, "cookie") // has a place of its own, too
	return all
}

// samples are events that AWS has published.
func samples(t testing.TB) (all [][]byte) {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-lambda-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "events", "testdata", "*.json"))
	if err != nil || len(files) < 30 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	for _, trigger := range []request.Trigger{
		request.HTTPAPI, request.FunctionURL, request.REST, request.VPCLattice, request.ALB, request.WebSocket, request.SQS, request.SNS, request.S3, request.EventBridge,
	} {
		all = append(all, sample.Of(trigger).Bytes())
	}
	return all
}

// judge says how a strict reading differs from that of encoding/json.
func judge(t *testing.T, event []byte) {
	t.Helper()
	partial := request.Partial(event) // must not panic
	_, _, _ = partial.Headers(), partial.Cookies(), partial.HasCredentials()
	r, err := request.Read(event)
	var o loose
	if failed := json.Unmarshal(event, &o); err == nil && r.Trigger().IsHTTP() && (failed != nil || !utf8.Valid(event)) {
		t.Fatalf("read %q, and encoding/json says %v", event, failed)
	}
	for _, name := range []string{"Records", "eventSource", "deliveryStreamArn", "awslogs", "triggerSource", "identityPoolId"} {
		if _, ok := o[name]; ok {
			return
		}
	}
	if err != nil || o == nil {
		return
	}
	if got, want := r.Trigger(), o.trigger(); got != want {
		t.Fatalf("got trigger %q, want %q of %s", got, want, event)
	}
	if partial.Trigger() != r.Trigger() {
		t.Fatalf("got trigger %q of the partial request, want %q of %s", partial.Trigger(), r.Trigger(), event)
	}
	if !r.Trigger().IsHTTP() {
		return
	}
	ctx := o.in("requestContext")
	quoted, _ := json.Marshal(o["body"])
	body, isBase64 := r.RawBody()
	var text any
	_ = json.Unmarshal(body, &text)
	path := cmp.Or(o.text("rawPath"), o.text("path"))
	if r.Trigger() == request.VPCLattice {
		path, _, _ = strings.Cut(o.text("path"), "?")
	}
	for what, pair := range map[string][2]any{
		"method": {r.Method(), cmp.Or(ctx.in("http").text("method"), o.text("httpMethod"), o.text("method"))},
		"path":   {r.RawPath(), path},
		"body":   {text, o["body"]},
		"base64": {isBase64, o["isBase64Encoded"] == true},
		"stage":  {r.Stage(), ctx.text("stage")},
		"source": {r.SourceIP(), cmp.Or(ctx.in("http").text("sourceIp"), ctx.in("identity").text("sourceIp"))},
	} {
		if pair[0] != pair[1] {
			t.Fatalf("%s: got %q, want %q of %s (%s)", what, pair[0], pair[1], event, quoted)
		}
	}
	for name, value := range o.headers() {
		if got := r.Header(name); got != value {
			t.Fatalf("header %q: got %q, want %q of %s", name, got, value, event)
		}
	}
	ordered, _ := json.Marshal(o) // in another order, with other escapes
	again, err := request.Read(ordered)
	if err != nil || again.Trigger() != r.Trigger() || again.Method() != r.Method() || again.RawPath() != r.RawPath() {
		t.Fatalf("got %v in another order, of %s", err, event)
	}
}

func TestARequestIsReadAsEncodingJSONReadsIt(t *testing.T) {
	for _, event := range samples(t) {
		judge(t, event)
		if _, err := request.Read(event); err != nil && json.Valid(event) {
			t.Errorf("got %v of what AWS sends: %s", err, event)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, event := range samples(f) {
		f.Add(event)
	}
	f.Fuzz(func(t *testing.T, event []byte) { judge(t, event) })
}
