package dynamo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
)

// flaw is what is wrong with a world on purpose, for the oracle to see. The zero
// value is nothing.
type flaw struct {
	variant string                          // that shows it
	ahead   time.Duration                   // by which the clocks of stores are wrong
	options []idempotency.Option            // given besides those of the variant
	deaf    bool                            // a completion that is lost is taken for a success
	forget  func(step string, in body) bool // what is answered with a success, and not done
	request func(step string, in body)      // changes it
	reply   func(step string, in, out body) // changes out
}

// body is one of DynamoDB's requests or answers.
type body = map[string]any

func flaws() map[string]*flaw {
	return map[string]*flaw{
		"a lease is ignored":           {variant: "Rerun", ahead: time.Hour},
		"a loss is not reported":       {variant: "Rerun", deaf: true},
		"what is refused runs again":   {variant: "Refuse", options: []idempotency.Option{idempotency.AfterTimeout(idempotency.Rerun)}},
		"what is unknown is not asked": {variant: "Reconcile", options: []idempotency.Option{idempotency.AfterTimeout(idempotency.Rerun)}},
		"callers are not told apart": {variant: "Rerun", options: []idempotency.Option{idempotency.Scope(func(context.Context, *guard.Event) (string, error) {
			return "anyone", nil
		})}},

		"a claim has no condition": {variant: "Rerun", request: func(step string, in body) {
			if step == "PutItem" {
				unfence(in)
			}
		}},
		"a claim takes the claim of another for its own": {variant: "Rerun", reply: func(step string, in, out body) {
			if held, ok := out["Item"].(body); ok && step == "PutItem" {
				held["owner"] = in["Item"].(body)["owner"]
			}
		}},
		"a fingerprint is not kept": {variant: "Rerun", request: func(step string, in body) {
			if step == "PutItem" {
				delete(in["Item"].(body), "validation")
			}
		}},
		"an answer is another's": {variant: "Rerun", reply: func(_ string, _, out body) {
			if held, ok := out["Item"].(body); ok && held["data"] != nil {
				held["data"] = body{"S": `{"statusCode":201,"body":"done (another alice p0 key-0-of-alice)"}`}
			}
		}},

		"a completion is not fenced": {variant: "Rerun", request: func(step string, in body) {
			if isCompletion(step, in) {
				unfence(in)
			}
		}},
		"a completion is acknowledged and forgotten": {variant: "Rerun", forget: isCompletion},

		"a release is not fenced": {variant: "Rerun", request: func(step string, in body) {
			if isRelease(step, in) {
				unfence(in)
			}
		}},
		"a release goes by the epoch alone": {variant: "Rerun", request: func(step string, in body) {
			if isRelease(step, in) {
				owner := nameOf(in, "owner")
				in["ConditionExpression"] = regexp.MustCompile(owner+" = (:[0-9]+)").
					ReplaceAllString(in["ConditionExpression"].(string), "("+owner+" = $1 OR attribute_exists("+owner+"))")
			}
		}},
		"a release forgets the attempts": {variant: "Reconcile", request: func(step string, in body) {
			if update, ok := in["UpdateExpression"].(string); ok && isRelease(step, in) { // the record expires
				in["UpdateExpression"] = strings.Replace(update, "SET ", "SET #expiration = :past, ", 1)
				in["ExpressionAttributeNames"].(body)["#expiration"] = "expiration"
				in["ExpressionAttributeValues"].(body)[":past"] = body{"N": "0"}
			}
		}},

		"a commit is not fenced": {variant: "Stage", request: func(step string, in body) {
			if step == "TransactWriteItems" {
				_, completion := partsOf(in)
				unfence(completion["Update"].(body))
			}
		}},
		"a commit writes the effect alone": {variant: "Stage", request: func(step string, in body) {
			if step == "TransactWriteItems" {
				in["TransactItems"], _ = partsOf(in)
			}
		}},
		"a commit writes the completion alone": {variant: "Stage", request: func(step string, in body) {
			if step == "TransactWriteItems" {
				_, completion := partsOf(in)
				in["TransactItems"] = []any{completion}
			}
		}},
	}
}

// TestAttackSeesFlaws shows that the oracle is not blind. Most of what is wrong
// shows in the first worlds.
func TestAttackSeesFlaws(t *testing.T) {
	const most = 1000 * operations
	for name, f := range flaws() {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // worlds wait more than they work
			a := newAttack(t)
			a.atOnce = 4
			played, seen := 0, ""
			a.play(t, variantNamed(f.variant), f, 1, most/operations, func(w *world) bool {
				played += operations
				if len(w.violations) > 0 {
					seen = w.violations[0].text
				}
				return seen == ""
			})
			if seen == "" {
				t.Fatalf("%d operations have not shown it", played)
			}
			t.Logf("seen within %d operations: %s", played, seen)
		})
	}
}

func variantNamed(name string) variant {
	for _, v := range variants() {
		if v.name == name {
			return v
		}
	}
	panic("no variant " + name)
}

// send has the server take a request that is changed, and changes the answer.
func (f *flaw) send(q *request) (awsproxy.Reply, error) {
	if f.forget == nil && f.request == nil && f.reply == nil {
		return q.proxy.Forward(q.r, q.body)
	}
	in, out := body{}, body{}
	if err := json.Unmarshal(q.body, &in); err != nil {
		return awsproxy.Reply{}, err
	}
	if f.forget != nil && f.forget(q.step, in) {
		return awsproxy.Reply{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: []byte("{}")}, nil
	}
	if f.request != nil {
		f.request(q.step, in)
	}
	text, err := json.Marshal(in)
	if err != nil {
		return awsproxy.Reply{}, err
	}
	reply, err := q.proxy.Forward(q.r, text)
	if err != nil || f.reply == nil || json.Unmarshal(reply.Body, &out) != nil {
		return reply, err
	}
	f.reply(q.step, in, out)
	reply.Header.Del("X-Amz-Crc32") // of another body
	reply.Body, err = json.Marshal(out)
	return reply, err
}

// unfence makes a condition true. All names are still used, as they have to be.
func unfence(in body) {
	owner := nameOf(in, "id", "owner")
	in["ConditionExpression"] = fmt.Sprintf("(%s) OR attribute_exists(%s) OR attribute_not_exists(%[2]s)", in["ConditionExpression"], owner)
}

// nameOf is the placeholder of the first attribute that a request names.
func nameOf(in body, attributes ...string) string {
	for _, attribute := range attributes {
		for placeholder, name := range in["ExpressionAttributeNames"].(body) {
			if name == attribute {
				return placeholder
			}
		}
	}
	panic(fmt.Sprintf("no %v in %v", attributes, in))
}

func isCompletion(step string, in body) bool {
	if step != "UpdateItem" {
		return false
	}
	for _, v := range in["ExpressionAttributeValues"].(body) {
		if v.(body)["S"] == "COMPLETED" {
			return true
		}
	}
	return false
}

func isRelease(step string, in body) bool {
	return step == "DeleteItem" || step == "UpdateItem" && !isCompletion(step, in)
}

// partsOf takes a commit apart: the completion is its last item.
func partsOf(in body) (staged []any, completion body) {
	items := in["TransactItems"].([]any)
	return items[:len(items)-1], items[len(items)-1].(body)
}
