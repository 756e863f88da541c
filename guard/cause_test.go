package guard_test

import (
	"context"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/logbook"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// causeOf is the error.cause that the log has of an invocation that fails.
func causeOf(t *testing.T, payload []byte, err error, opts ...guard.LogOption) string {
	t.Helper()
	log, book := logbook.New()
	_, _ = guard.Wrap(answers("", err), guard.Log(log, opts...), guard.Recover()).Invoke(t.Context(), payload)
	cause, _ := book.Only(t)["error"].(map[string]any)["cause"].(string)
	return cause
}

// bodyEvent is an HTTP event with a body and credentials.
func bodyEvent(t *testing.T, path, contentType, body string) []byte {
	t.Helper()
	out, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": "POST /orders/{id}", "rawPath": path, "rawQueryString": "name=" + url.QueryEscape(callers),
		"cookies": []string{"sid=" + callers},
		"headers": map[string]string{
			"authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("alice:"+callers)), "content-type": contentType,
		},
		"requestContext": map[string]any{"http": map[string]any{"method": "POST", "path": path, "sourceIp": "198.51.100.7"}},
		"body":           body, "isBase64Encoded": false,
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// callers is a value that a caller has sent, and no log may show.
const callers = `Zoë "Z" Müller-4711/x`

// Errors quote what they could not read, and the code between turns it over.
//
// SECURITY: Nothing leaks.
func TestNoValueOfACallerIsInACause(t *testing.T) {
	_, notNumber := strconv.Atoi(callers)
	_, notTime := time.Parse(time.DateOnly, callers)
	_, notAddress := netip.ParseAddr(callers)
	host := callers // staticcheck judges constants
	_, notURL := url.Parse("http://" + host)
	_, notHost := url.Parse("http://host:" + host)
	_, notCSV := csv.NewReader(strings.NewReader(`"` + callers)).Read()
	notXML := xml.Unmarshal([]byte("<a>"+callers+"</b>"), new(struct{}))
	notJSON := json.Unmarshal([]byte(`{"n":"`+url.QueryEscape(callers)+`"}`), new(struct{ N int }))
	escaped, _ := json.Marshal(callers)
	for _, tc := range []struct {
		disguise string
		body     string
		err      error
	}{
		{disguise: "as it came", err: errors.New("no customer " + callers)},
		{
			disguise: "URL-escaped",
			err:      &url.Error{Op: "Get", URL: "https://crm.example.com/?q=" + url.QueryEscape(callers), Err: errors.New("refused")},
		},
		{disguise: "path-escaped", err: &fs.PathError{Op: "open", Path: url.PathEscape(callers), Err: fs.ErrNotExist}},
		{disguise: "hex", err: fmt.Errorf("digest of %s", hex.EncodeToString([]byte(callers)))},
		{disguise: "base64", err: fmt.Errorf("token %s", base64.StdEncoding.EncodeToString([]byte(callers)))},
		{disguise: "upper case", err: errors.New(strings.ToUpper(callers))},
		{disguise: "lower case", err: errors.New(strings.ToLower(callers))},
		{disguise: "quoted", err: fmt.Errorf("bad name %q", callers)},
		{disguise: "quoted in ASCII", err: fmt.Errorf("bad name %+q", callers)},
		{disguise: "in parts", err: errors.New(strings.Join(strings.Fields(callers), ", "))},
		{disguise: "a prefix", err: errors.New("begins with " + callers[:8])},
		{disguise: "JSON-escaped", err: fmt.Errorf("bad body {\"name\":%s}", escaped)},
		{disguise: "Basic's user and password", err: errors.New("no user alice with " + callers)},
		{
			disguise: "a field of multipart",
			body:     "--x\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n" + callers + "\r\n--x--",
			err:      fmt.Errorf("part n is %s", callers),
		},
		{
			disguise: "of XML",
			body:     "<a>" + callers + "</a>",
			err:      fmt.Errorf("read: %w", errors.Join(notXML, errors.New(callers))),
		},
		{disguise: "of CSV", body: "name\n" + callers, err: fmt.Errorf("line 2: %s: %w", callers, notCSV)},
		{disguise: "of the path", err: fmt.Errorf("no order %s", callers)},
		{disguise: "by strconv", err: notNumber},
		{disguise: "by time", err: notTime},
		{disguise: "by net/netip", err: notAddress},
		{disguise: "by net/url", err: errors.Join(notURL, notHost)},
		{disguise: "by encoding/json", err: notJSON},
		{disguise: "in a detail", err: guard.Errorf(guard.NotFound, "no_customer", "No customer %s.", callers)},
		{
			disguise: "in a wrapped detail",
			err:      fmt.Errorf("for %s: %w", callers, guard.Errorf(guard.NotFound, "no_customer", "No %s.", callers)),
		},
		{disguise: "in a panic"},
	} {
		t.Run(tc.disguise, func(t *testing.T) {
			payload := bodyEvent(t, "/orders/"+url.PathEscape(callers), "text/plain", tc.body)
			log, book := logbook.New()
			h := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
				if tc.err == nil {
					panic(callers)
				}
				return nil, tc.err
			})
			_, _ = guard.Wrap(h, guard.Log(log), guard.Recover()).Invoke(t.Context(), payload)
			book.Only(t)
			if found := disguised(book.String()); found != "" {
				t.Errorf("%q is in the log:\n%s", found, book)
			}
		})
	}
}

// disguised finds what of the caller's value is in a text, in whatever form.
func disguised(text string) string {
	lower := strings.ToLower(text)
	for _, part := range []string{
		"zoë", `zo\u00eb`, "zo%c3%ab", "müller", `m\u00fcller`, "m%c3%bcller", "-4711", hex.EncodeToString([]byte("ller-4711")),
		strings.ToLower(base64.StdEncoding.EncodeToString([]byte(callers))[:12]),
	} {
		if strings.Contains(lower, part) {
			return part
		}
	}
	return ""
}

// A refusal says where in the input it lies. Names are shown that can be names
// of fields; others may be a caller's values.
func TestTheRecordOfARefusalNamesThePlaces(t *testing.T) {
	many := make([]guard.Violation, 12)
	for i := range many {
		many[i] = guard.Violation{Pointer: fmt.Sprintf("/items/%d/quantity", i), Keyword: "maximum", Detail: "must be at most 100"}
	}
	for _, tc := range []struct {
		rule       string
		violations []guard.Violation
		places     string
		omitted    any
	}{
		{
			rule:       "a place and a keyword",
			violations: []guard.Violation{{Pointer: "/items/0/sku", Keyword: "pattern", Detail: callers}},
			places:     "[map[keyword:pattern pointer:/items/0/sku]]",
		},
		{
			rule:       "the whole",
			violations: []guard.Violation{{Keyword: "type"}},
			places:     "[map[keyword:type pointer:]]",
		},
		{rule: "without a keyword", violations: []guard.Violation{{Pointer: "/a"}}, places: "[map[pointer:/a]]"},
		{
			rule:       "names that may be values",
			violations: []guard.Violation{{Pointer: "/by~1mail/zoe@example.com/" + strings.Repeat("x", 33) + "/DE89 3704/ok-1_b"}},
			places:     "[map[pointer:/*/*/*/*/ok-1_b]]",
		},
		{rule: "the first ten", violations: many, places: fmt.Sprint(places(10)), omitted: json.Number("2")},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			log, book := logbook.New()
			err := &guard.Error{Kind: guard.Invalid, Code: "invalid", Violations: tc.violations}
			_, _ = guard.Wrap(answers("", fmt.Errorf("x: %w", err)), guard.Log(log)).Invoke(t.Context(), nil)
			failure := book.Only(t)["error"].(map[string]any)
			if got := fmt.Sprint(failure["violations"]); got != tc.places || failure["violationsOmitted"] != tc.omitted {
				t.Errorf("got %s and %v more, want %s and %v", got, failure["violationsOmitted"], tc.places, tc.omitted)
			}
			if found := disguised(book.String()); found != "" {
				t.Errorf("%q is in the log:\n%s", found, book)
			}
		})
	}
	t.Run("of the decoder", func(t *testing.T) {
		log, book := logbook.New()
		h := guard.Func(func(context.Context, order) (any, error) { return nil, nil })
		_, _ = guard.Wrap(h, guard.Log(log)).Invoke(t.Context(), []byte(`{"lines":[{"sku":"a"},{"SKU":"b"}]}`))
		failure := book.Only(t)["error"].(map[string]any)
		if got, want := fmt.Sprint(failure["violations"]), "[map[pointer:/lines/1/SKU]]"; got != want || failure["code"] != "case_variant_member" {
			t.Errorf("got %s in %v, want %s", got, failure, want)
		}
	})
}

func places(n int) (out []map[string]any) {
	for i := range n {
		out = append(out, map[string]any{"pointer": fmt.Sprintf("/items/%d/quantity", i), "keyword": "maximum"})
	}
	return out
}

// Texts of timestamps sort as the times do.
func TestTimestampsHaveOneForm(t *testing.T) {
	t.Setenv("AWS_LAMBDA_LOG_FORMAT", "")
	for _, tc := range []struct{ rule, format string }{{rule: "JSON", format: "JSON"}, {rule: "text", format: "Text"}} {
		t.Run(tc.rule, func(t *testing.T) {
			t.Setenv("AWS_LAMBDA_LOG_FORMAT", tc.format)
			log, book := logbook.New()
			zone := time.FixedZone("", 2*60*60)
			for _, at := range []time.Time{
				time.Date(2026, 1, 2, 5, 4, 5, 0, zone), time.Date(2026, 1, 2, 3, 4, 5, 100_000_000, time.UTC),
				time.Date(2026, 1, 2, 3, 4, 5, 120_000_000, time.UTC), time.Date(2026, 1, 2, 3, 4, 5, 120_999_999, time.UTC),
			} {
				r := slog.NewRecord(at, slog.LevelInfo, "m", 0)
				if err := log.Handler().Handle(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			for i, line := range strings.Split(strings.TrimSpace(book.String()), "\n") {
				want := []string{"2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05.100Z", "2026-01-02T03:04:05.120Z", "2026-01-02T03:04:05.120Z"}[i]
				if !strings.Contains(line, `timestamp":"`+want+`"`) && !strings.Contains(line, "timestamp="+want+" ") {
					t.Errorf("got %s, want %s", line, want)
				}
			}
		})
	}
}

// Words of ours are not a caller's, whatever a caller has sent.
func TestOurOwnWordsStay(t *testing.T) {
	h := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { panic("x") })
	log, book := logbook.New()
	_, _ = guard.Wrap(h, guard.Log(log), guard.Recover()).Invoke(t.Context(), []byte(`{"a":"panic","b":"handler","c":"string"}`))
	if got, want := book.Only(t)["error"].(map[string]any)["cause"], "the handler panicked with a string"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What an operator looks for at night is in the cause.
func TestWhatAnOperatorFindsInACause(t *testing.T) {
	const noStock = guard.Reason("no stock")
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{Port: 443}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	throttled := &smithy.OperationError{ServiceID: "DynamoDB", OperationName: "PutItem", Err: &awshttp.ResponseError{
		RequestID: "7QKT4P",
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 400}},
			Err:      &types.ProvisionedThroughputExceededException{Message: aws.String(callers)},
		},
	}}
	generic := &smithy.GenericAPIError{Code: "ThrottlingException", Message: callers}
	for _, tc := range []struct {
		rule string
		err  error
		want string
	}{
		{
			rule: "a throttle of DynamoDB",
			err:  fmt.Errorf("save %s: %w", callers, throttled),
			want: "*smithy.OperationError DynamoDB PutItem: *http.ResponseError status 400 request 7QKT4P: *types.ProvisionedThroughputExceededException",
		},
		{rule: "a code without a type", err: generic, want: "*smithy.GenericAPIError ThrottlingException"},
		{rule: "a code that is no code", err: &smithy.GenericAPIError{Code: callers}, want: "*smithy.GenericAPIError"},
		{
			rule: "a timeout of the context",
			err:  fmt.Errorf("load: %w", context.DeadlineExceeded),
			want: "context deadline exceeded",
		},
		{
			rule: "a timeout of HTTP",
			err:  &url.Error{Op: "Get", URL: "https://example.com/" + callers, Err: context.DeadlineExceeded},
			want: "*url.Error Get timeout: context deadline exceeded",
		},
		{rule: "a timeout of a type of one's own", err: ownTimeout{}, want: "guard_test.ownTimeout timeout"},
		{
			rule: "a connection refused",
			err:  &url.Error{Op: "Post", URL: callers, Err: refused},
			want: "*url.Error Post: *net.OpError dial tcp: *os.SyscallError connect: connection refused",
		},
		{
			rule: "a name that is not found",
			err:  &net.DNSError{Name: callers, Err: callers, IsNotFound: true},
			want: "*net.DNSError not-found",
		},
		{
			rule: "a file",
			err:  &fs.PathError{Op: "open", Path: callers, Err: fs.ErrNotExist},
			want: "*fs.PathError open: file does not exist",
		},
		{rule: "a number", err: numError(callers), want: "*strconv.NumError Atoi: invalid syntax"},
		{rule: "JSON", err: json.Unmarshal([]byte("[1,"+callers), new([]int)), want: "*json.SyntaxError byte 4"},
		{rule: "a reason", err: fmt.Errorf("reserve for %s: %w", callers, noStock), want: "no stock"},
		{
			rule: "reasons and a cause",
			err:  fmt.Errorf("%w: %w", guard.Reason("reserve"), refused),
			want: "reserve: *net.OpError dial tcp: *os.SyscallError connect: connection refused",
		},
		{rule: "what says itself what to show", err: fmt.Errorf("%s: %w", callers, ownLogValue{}), want: "retry 3"},
		{
			rule: "several",
			err:  errors.Join(io.EOF, errors.New(callers), io.ErrUnexpectedEOF),
			want: "(EOF; *errors.errorString; unexpected EOF)",
		},
		{
			rule: "a code behind a code",
			err:  guard.Errorf(guard.Unavailable, "no_store", "", guard.Errorf(guard.Timeout, "store_slow", callers, io.EOF)),
			want: "store_slow: EOF",
		},
		{rule: "a nil *Error", err: (*guard.Error)(nil), want: "guard: a nil *Error returned as an error"},
		{rule: "a nil pointer of another type", err: (*ownPointer)(nil), want: "*guard_test.ownPointer"},
		{rule: "an error that nobody knows", err: errors.New(callers), want: "*errors.errorString"},
		{
			rule: "a type that cannot be decoded",
			err:  guard.EventOf(t.Context(), []byte(`{}`)).Decode(new(struct{ F func() })),
			want: "cannot decode JSON into struct { F func() }.F: func() has no form in JSON",
		},
		{
			rule: "a refusal of the decoder, bare",
			err:  &strictjson.Error{Code: strictjson.DuplicateName, Pointer: callers, Reason: "x"},
			want: "duplicate_member",
		},
		{rule: "an error that cannot be compared", err: uncomparable{callers}, want: "guard_test.uncomparable"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			if got := causeOf(t, nil, tc.err); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
	t.Run("a nil pointer's panic", func(t *testing.T) {
		log, book := logbook.New()
		var none *order
		h := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(none.Role), nil })
		_, _ = guard.Wrap(h, guard.Log(log), guard.Recover()).Invoke(t.Context(), nil)
		failure := book.Only(t)["error"].(map[string]any)
		stack, _ := failure["stack"].(string)
		if failure["cause"] != "the handler panicked: runtime error: invalid memory address or nil pointer dereference" || !strings.Contains(stack, "cause_test.go") {
			t.Errorf("got %v", failure)
		}
	})
}

func numError(text string) error { _, err := strconv.Atoi(text); return err }

type ownTimeout struct{}

func (ownTimeout) Error() string { return callers }
func (ownTimeout) Timeout() bool { return true }

type ownLogValue struct{}

func (ownLogValue) Error() string        { return callers }
func (ownLogValue) LogValue() slog.Value { return slog.StringValue("retry 3") }

type ownPointer struct{ text string }

func (p *ownPointer) Error() string { return p.text }

type uncomparable []string

func (u uncomparable) Error() string { return u[0] }

func TestOptionsShowMoreOfACause(t *testing.T) {
	errNoRows := errors.New("no rows in result set")
	err := fmt.Errorf("load %s: %w", callers, errNoRows)
	if got, want := causeOf(t, nil, err, guard.KnownErrors(errNoRows)), "no rows in result set"; got != want {
		t.Errorf("KnownErrors: got %s, want %s", got, want)
	}
	if got, want := causeOf(t, nil, err, guard.UnsafeErrorTexts()), err.Error(); got != want {
		t.Errorf("UnsafeErrorTexts: got %s, want %s", got, want)
	}
	long := errors.New(strings.Repeat("é", 10_000))
	if got, want := causeOf(t, nil, long, guard.UnsafeErrorTexts()), strings.Repeat("é", 4096)+"…"; got != want {
		t.Errorf("a long text: got %d bytes, want %d", len(got), len(want))
	}
}

// An error that wraps very many, or itself, does not fill the log.
func TestADescriptionIsBounded(t *testing.T) {
	wide := make([]error, 10_000)
	for i := range wide {
		wide[i] = io.EOF
	}
	for rule, err := range map[string]error{"many": errors.Join(wide...), "a circle": &circle{}} {
		if got := causeOf(t, nil, err); len(got) > 8<<10 || got == "" {
			t.Errorf("%s: %d bytes", rule, len(got))
		}
	}
}

// A circle wraps itself after the layers have looked for an Error in it.
type circle struct{ asked int }

func (*circle) Error() string { return "circle" }

func (c *circle) Unwrap() error {
	if c.asked++; c.asked%50 == 0 { // errors.As ends
		return nil
	}
	return c
}

// What a forged event says of itself does not fill the log, whether it could be
// read or not.
func TestALongMethodAndRouteAreCut(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for _, body := range []string{`""`, `1`} {
		log, book := logbook.New()
		payload := fmt.Sprintf(`{"version":"2.0","routeKey":%q,"requestContext":{"http":{"method":%q}},"body":%s}`, long, long, body)
		_, _ = guard.Wrap(reading(func(ev *guard.Event) error { _, err := ev.Body(); return err }), guard.Log(log)).Invoke(t.Context(), []byte(payload))
		record := book.Only(t)
		for _, key := range []string{"method", "route"} {
			if got, _ := record[key].(string); got != long[:8<<10]+"…" {
				t.Errorf("body %s: %s has %d bytes", body, key, len(got))
			}
		}
	}
}

func TestDescribeShowsWhatTheLogDoes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{err: nil, want: ""},
		{err: errors.New(callers), want: "*errors.errorString"},
		{err: guard.Reason("no API key"), want: "no API key"},
		{err: fmt.Errorf("%w: %w", guard.Reason("load"), context.Canceled), want: "load: context canceled"},
		{err: &guard.Error{Code: "bad_config", Detail: callers, Err: errors.New(callers)}, want: "bad_config: *errors.errorString"},
	} {
		if got := guard.Describe(c.err); got != c.want {
			t.Errorf("%#v: got %q, want %q", c.err, got, c.want)
		}
	}
}
