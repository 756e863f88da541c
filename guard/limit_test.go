package guard_test

import (
	"context"
	"encoding/base64"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
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
		{"a payload as large as allowed", guard.Limits{}, []byte(`"` + strings.Repeat("x", 6*mib-2) + `"`), "", ""},
		{"one byte more", guard.Limits{}, []byte(`"` + strings.Repeat("x", 6*mib-1) + `"`), "payload_too_large", "6291456 bytes"},
		{"64 levels", guard.Limits{}, []byte(deep(64)), "", ""},
		{"one more", guard.Limits{}, []byte(deep(65)), "json_too_deep", "64 levels"},
		{"100 000 values", guard.Limits{}, []byte(values(100_000)), "", ""},
		{"one more value", guard.Limits{}, []byte(values(100_001)), "json_too_many_values", "100000 values"},
		{"a body as large as allowed", guard.Limits{}, http(strings.Repeat("x", mib)), "", ""},
		{"one byte more of body", guard.Limits{}, http(strings.Repeat("x", mib+1)), "body_too_large", "1048576 bytes"},
		{"a body that only its escapes make long", guard.Limits{}, http(strings.Repeat("\n", mib)), "", ""},
		{"a body that only its escapes by number make long", guard.Limits{Body: 4}, escaped("[[]]"), "", ""},
		{"and one that is too large without them, too", guard.Limits{Body: 3}, escaped("[[]]"), "body_too_large", "3 bytes"},
		{"and one that is too large without", guard.Limits{}, http(strings.Repeat("\n", mib+1)), "body_too_large", "1048576 bytes"},
		{"a body that only base64 makes long", guard.Limits{}, inBase64(strings.Repeat("\x00", mib)), "", ""},
		{"and one that is too large decoded", guard.Limits{}, inBase64(strings.Repeat("\x00", mib+3)), "body_too_large", "1048576 bytes"},
		{"a body of a REST API", guard.Limits{Body: 4}, []byte(`{"httpMethod":"POST","body":"12345","requestContext":{}}`), "body_too_large", "4 bytes"},
		{"a body of VPC Lattice", guard.Limits{Body: 4}, guardtest.HTTPEvent("POST", "/").VPCLattice().Body("text/plain", []byte("12345")).Bytes(), "body_too_large", "4 bytes"},
		{"the same in base64", guard.Limits{Body: 4}, guardtest.HTTPEvent("POST", "/").VPCLattice().Body("image/png", []byte("12345")).Bytes(), "body_too_large", "4 bytes"},
		{"what is called body in no HTTP event", guard.Limits{Body: 4}, []byte(`{"body":"12345"}`), "", ""},
		{"an SQS record's body", guard.Limits{Body: 4}, readSample(t, "sqs-event.json"), "", ""},
		{"a body that is JSON and too deep", guard.Limits{}, http(deep(65)), "json_too_deep", "64 levels"},
		{"the same in base64", guard.Limits{}, inBase64(deep(65)), "json_too_deep", "64 levels"},
		{"the same with its brackets escaped", guard.Limits{}, escaped(deep(65)), "json_too_deep", "64 levels"},
		{"a body that is JSON and too full", guard.Limits{}, http(values(100_001)), "json_too_many_values", "100000 values"},
		{"a body as deep as allowed, in an event that nests too", guard.Limits{}, http(deep(64)), "", ""},
		{"a body of text with brackets", guard.Limits{}, http("see " + strings.Repeat("[", 65)), "", ""},
		{"a batch of records, deep and full", guard.Limits{}, []byte(`{"Records":[{"eventSource":"aws:sqs","x":` + deep(125) + `}` + strings.Repeat(`,{"x":0}`, 10_000*10) + `]}`), "", ""},
		{"records, deeper than they may be", guard.Limits{}, []byte(`{"Records":[{"eventSource":"aws:dynamodb","x":` + deep(126) + `}]}`), "json_too_deep", "128 levels"},
		{"limits of one's own", guard.Limits{Payload: 10}, []byte(`"123456789"`), "payload_too_large", "10 bytes"},
		{"a depth of one's own", guard.Limits{Depth: 2}, []byte(`[[[]]]`), "json_too_deep", "2 levels"},
		{"a number of one's own", guard.Limits{Nodes: 3}, []byte(`[1,2,3]`), "json_too_many_values", "3 values"},
		{"one limit leaves the others at their defaults", guard.Limits{Nodes: 10}, []byte(deep(65)), "json_too_deep", "64 levels"},
		{"no limit of bytes", guard.Limits{Payload: guard.Unlimited, Body: guard.Unlimited}, http(strings.Repeat("x", 7*mib)), "", ""},
		{"no limit of structure", guard.Limits{Depth: guard.Unlimited, Nodes: guard.Unlimited}, []byte(deep(200_000)), "", ""},
		{"what is not JSON is the decoder's to refuse", guard.Limits{}, []byte(`{"a":`), "", ""},
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
		sample := guardtest.Sample(trigger).String()
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
