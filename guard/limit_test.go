package guard_test

import (
	"context"
	"encoding/base64"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

func TestLimit(t *testing.T) {
	const mib = 1 << 20
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	values := func(n int) string { return "[" + strings.Repeat("0,", n-2) + "0]" }
	escaped := func(body string) []byte {
		plain := string(httpEvent("BODY", false))
		return []byte(strings.Replace(plain, "BODY", strings.NewReplacer("[", `\u005b`, "]", `\u005d`).Replace(body), 1))
	}
	http := func(body string) []byte { return httpEvent(body, false) }
	inBase64 := func(body string) []byte { return httpEvent(body, true) }
	for _, tc := range []struct {
		rule    string
		limits  guard.Limits
		payload []byte
		code    string // "" passes
		limit   string // named in the detail
	}{
		{
			rule:    "a payload as large as allowed",
			limits:  guard.Limits{},
			payload: []byte(`"` + strings.Repeat("x", 6*mib-2) + `"`),
		},
		{
			rule:    "one byte more",
			limits:  guard.Limits{},
			payload: []byte(`"` + strings.Repeat("x", 6*mib-1) + `"`),
			code:    "payload_too_large",
			limit:   "6291456 bytes",
		},
		{rule: "64 levels", limits: guard.Limits{}, payload: []byte(deep(64))},
		{rule: "one more", limits: guard.Limits{}, payload: []byte(deep(65)), code: "json_too_deep", limit: "64 levels"},
		{rule: "100 000 values", limits: guard.Limits{}, payload: []byte(values(100_000))},
		{
			rule:    "one more value",
			limits:  guard.Limits{},
			payload: []byte(values(100_001)),
			code:    "json_too_many_values",
			limit:   "100000 values",
		},
		{rule: "a body as large as allowed", limits: guard.Limits{}, payload: http(strings.Repeat("x", mib))},
		{
			rule:    "one byte more of body",
			limits:  guard.Limits{},
			payload: http(strings.Repeat("x", mib+1)),
			code:    "body_too_large",
			limit:   "1048576 bytes",
		},
		{
			rule:    "a body that only its escapes make long",
			limits:  guard.Limits{},
			payload: http(strings.Repeat("\n", mib)),
		},
		{
			rule:    "a body that only its escapes by number make long",
			limits:  guard.Limits{Body: 4},
			payload: escaped("[[]]"),
		},
		{
			rule:    "and one that is too large without them, too",
			limits:  guard.Limits{Body: 3},
			payload: escaped("[[]]"),
			code:    "body_too_large",
			limit:   "3 bytes",
		},
		{
			rule:    "and one that is too large without",
			limits:  guard.Limits{},
			payload: http(strings.Repeat("\n", mib+1)),
			code:    "body_too_large",
			limit:   "1048576 bytes",
		},
		{
			rule:    "a body that only base64 makes long",
			limits:  guard.Limits{},
			payload: inBase64(strings.Repeat("\x00", mib)),
		},
		{
			rule:    "and one that is too large decoded",
			limits:  guard.Limits{},
			payload: inBase64(strings.Repeat("\x00", mib+3)),
			code:    "body_too_large",
			limit:   "1048576 bytes",
		},
		{
			rule:    "a body of a REST API",
			limits:  guard.Limits{Body: 4},
			payload: []byte(`{"httpMethod":"POST","body":"12345","requestContext":{}}`),
			code:    "body_too_large",
			limit:   "4 bytes",
		},
		{
			rule:    "a body of VPC Lattice",
			limits:  guard.Limits{Body: 4},
			payload: sample.HTTP("POST", "/").VPCLattice().Body("text/plain", []byte("12345")).Bytes(),
			code:    "body_too_large",
			limit:   "4 bytes",
		},
		{
			rule:    "the same in base64",
			limits:  guard.Limits{Body: 4},
			payload: sample.HTTP("POST", "/").VPCLattice().Body("image/png", []byte("12345")).Bytes(),
			code:    "body_too_large",
			limit:   "4 bytes",
		},
		{
			rule:    "what is called body in no HTTP event",
			limits:  guard.Limits{Body: 4},
			payload: []byte(`{"body":"12345"}`),
		},
		{
			rule:    "an SQS record's body",
			limits:  guard.Limits{Body: 4},
			payload: readSample(t, "sqs-event.json"),
		},
		{
			rule:    "a body that is JSON and too deep",
			limits:  guard.Limits{},
			payload: http(deep(65)),
			code:    "json_too_deep",
			limit:   "64 levels",
		},
		{
			rule:    "the same in base64",
			limits:  guard.Limits{},
			payload: inBase64(deep(65)),
			code:    "json_too_deep",
			limit:   "64 levels",
		},
		{
			rule:    "the same with its brackets escaped",
			limits:  guard.Limits{},
			payload: escaped(deep(65)),
			code:    "json_too_deep",
			limit:   "64 levels",
		},
		{
			rule:    "a body that is JSON and too full",
			limits:  guard.Limits{},
			payload: http(values(100_001)),
			code:    "json_too_many_values",
			limit:   "100000 values",
		},
		{
			rule:    "a body as deep as allowed, in an event that nests too",
			limits:  guard.Limits{},
			payload: http(deep(64)),
		},
		{
			rule:    "a body of text with brackets",
			limits:  guard.Limits{},
			payload: http("see " + strings.Repeat("[", 65)),
		},
		{
			rule:    "a batch of records, deep and full",
			limits:  guard.Limits{},
			payload: []byte(`{"Records":[{"eventSource":"aws:sqs","x":` + deep(125) + `}` + strings.Repeat(`,{"x":0}`, 10_000*10) + `]}`),
		},
		{
			rule:    "records, deeper than they may be",
			limits:  guard.Limits{},
			payload: []byte(`{"Records":[{"eventSource":"aws:dynamodb","x":` + deep(126) + `}]}`),
			code:    "json_too_deep",
			limit:   "128 levels",
		},
		{
			rule:    "limits of one's own",
			limits:  guard.Limits{Payload: 10},
			payload: []byte(`"123456789"`),
			code:    "payload_too_large",
			limit:   "10 bytes",
		},
		{
			rule:    "a depth of one's own",
			limits:  guard.Limits{Depth: 2},
			payload: []byte(`[[[]]]`),
			code:    "json_too_deep",
			limit:   "2 levels",
		},
		{
			rule:    "a number of one's own",
			limits:  guard.Limits{Nodes: 3},
			payload: []byte(`[1,2,3]`),
			code:    "json_too_many_values",
			limit:   "3 values",
		},
		{
			rule:    "one limit leaves the others at their defaults",
			limits:  guard.Limits{Nodes: 100},
			payload: []byte(deep(65)),
			code:    "json_too_deep",
			limit:   "64 levels",
		},
		{
			rule:    "no limit of bytes",
			limits:  guard.Limits{Payload: guard.Unlimited, Body: guard.Unlimited},
			payload: http(strings.Repeat("x", 7*mib)),
		},
		{
			rule:    "no limit of structure",
			limits:  guard.Limits{Depth: guard.Unlimited, Nodes: guard.Unlimited},
			payload: []byte(deep(200_000)),
		},
		{
			rule:    "what is not JSON is the decoder's to refuse",
			limits:  guard.Limits{},
			payload: []byte(`{"a":`),
		},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			h := &counter{}
			_, err := guard.Wrap(h, guard.Limit(tc.limits)).Invoke(t.Context(), tc.payload)
			if tc.code == "" {
				if err != nil || h.calls != 1 {
					t.Errorf("%d calls, %v", h.calls, err)
				}
				return
			}
			kind := guard.TooLarge
			if strings.HasPrefix(tc.code, "json_") {
				kind = guard.Invalid
			}
			wantError(t, err, kind, tc.code)
			if detail := guard.Public(err).Detail; !strings.Contains(detail, tc.limit) || h.calls != 0 {
				t.Errorf("%d calls, %q does not name %q", h.calls, detail, tc.limit)
			}
		})
	}
}

func TestWhatCarriesRecordsMayBeDeeperAndFuller(t *testing.T) {
	records := []guard.Trigger{guard.SQS, guard.Kinesis, guard.DynamoDB, guard.Firehose, guard.Kafka, guard.MQ}
	others := []guard.Trigger{
		guard.HTTPAPI, guard.FunctionURL, guard.REST, guard.VPCLattice, guard.WebSocket, guard.ALB, guard.Authorizer, guard.SNS,
		guard.S3, guard.SES, guard.EventBridge, guard.CloudWatchLogs, guard.CodeCommit, guard.Cognito,
	}
	code := func(sample, more string) string {
		payload := append([]byte(`{"more":`+more+`,`), strings.TrimLeft(sample, "{ \n")...)
		_, err := guard.Wrap(answers("", nil), guard.Limit(guard.Limits{})).Invoke(t.Context(), payload)
		if err == nil {
			return ""
		}
		return guard.Public(err).Code
	}
	levels := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	values := func(n int) string { return "[" + strings.Repeat("0,", n-2) + "0]" }
	for _, trigger := range slices.Concat(records, others) {
		depth, nodes := 64, 100_000
		if slices.Contains(records, trigger) {
			depth, nodes = 128, 1_000_000
		}
		sample := sample.Of(trigger).String()
		if got := code(sample, levels(depth-1)); got != "" {
			t.Errorf("%s: %d levels are %s", trigger, depth, got)
		}
		if got := code(sample, levels(depth)); got != "json_too_deep" {
			t.Errorf("%s: %d levels are %q", trigger, depth+1, got)
		}
		if got := code(sample, values(nodes-1000)); got != "" { // the sample has some
			t.Errorf("%s: %d values are %s", trigger, nodes, got)
		}
		if got := code(sample, values(nodes)); got != "json_too_many_values" {
			t.Errorf("%s: more than %d values are %q", trigger, nodes, got)
		}
	}
}

// A body can hide its size from the look at the raw event, behind an escaped
// name or in the last bytes of base64; reading it then refuses it.
func TestABodyIsHeldToItsLimitWhenItIsRead(t *testing.T) {
	for rule, payload := range map[string]string{
		"an escaped name": `{"version":"2.0","requestContext":{"http":{"method":"POST"}},"b\u006fdy":"12345"}`,
		"base64":          `{"version":"2.0","requestContext":{"http":{"method":"POST"}},"isBase64Encoded":true,"body":"` + base64.StdEncoding.EncodeToString([]byte("12345")) + `"}`,
	} {
		h := guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			return guard.EventOf(ctx, payload).Body()
		})
		out, err := guard.Wrap(h, guard.Limit(guard.Limits{Body: 4})).Invoke(t.Context(), []byte(payload))
		if wantError(t, err, guard.TooLarge, "body_too_large"); out != nil {
			t.Errorf("%s: %s", rule, out)
		}
	}
}

func TestWithoutTheLayerTheDefaultsHold(t *testing.T) {
	h := guard.Func(func(context.Context, any) (any, error) { return nil, nil })
	for code, payload := range map[string]string{
		"json_too_deep":        strings.Repeat("[", 65) + strings.Repeat("]", 65),
		"json_too_many_values": "[" + strings.Repeat("0,", 100_000) + "0]",
		"payload_too_large":    `"` + strings.Repeat("x", 6<<20) + `"`,
	} {
		for _, h := range map[string]guard.HandlerFunc{"alone": h.Invoke, "in Wrap": guard.Wrap(h).Invoke} {
			if _, err := h(t.Context(), []byte(payload)); err == nil || guard.Public(err).Code != code {
				t.Errorf("%v, want %s", err, code)
			}
		}
	}
}

// 6 MiB of small objects, decoded into any, are hundreds of MiB.
func TestARefusalCostsNoMemory(t *testing.T) {
	payload := []byte("[" + strings.Repeat(`{"":0},`, (6<<20)/7-1) + "0]")
	h := guard.Wrap(guard.Func(func(context.Context, any) (any, error) { return nil, nil }), guard.Limit(guard.Limits{}))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := h.Invoke(t.Context(), payload)
	runtime.ReadMemStats(&after)
	wantError(t, err, guard.Invalid, "json_too_many_values")
	if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
		t.Errorf("%d bytes allocated", took)
	}
}
