package dynamo_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
)

// flaw is something that is wrong on purpose, for the oracle to see. A nil one
// is none.
type flaw struct {
	variant    string                                  // that shows it
	request    func(step string, in body) (reply body) // changes a request, or answers it
	reply      func(step string, in, out body)         // changes an answer
	ahead      time.Duration                           // by which the clocks are wrong that judge
	rerun      bool                                    // whatever the variant says
	oneCaller  bool                                    // all callers have one name space
	deafToLoss bool                                    // a completion that is lost is said to have succeeded
}

type body = map[string]any

func (f *flaw) clock() time.Duration {
	if f == nil {
		return 0
	}
	return f.ahead
}
func (f *flaw) forgets() bool { return f != nil && f.rerun }
func (f *flaw) mixes() bool   { return f != nil && f.oneCaller }
func (f *flaw) deaf() bool    { return f != nil && f.deafToLoss }

func (f *flaw) before(q *request) (text []byte, reply awsproxy.Reply, done bool) {
	if f == nil || f.request == nil {
		return q.body, reply, false
	}
	in := body{}
	if json.Unmarshal(q.body, &in) != nil {
		return q.body, reply, false
	}
	if out := f.request(q.step, in); out != nil {
		text, _ := json.Marshal(out)
		return nil, awsproxy.Reply{Status: 200, Header: map[string][]string{"Content-Type": {"application/x-amz-json-1.0"}}, Body: text}, true
	}
	text, _ = json.Marshal(in)
	return text, reply, false
}

func (f *flaw) after(q *request, reply awsproxy.Reply) awsproxy.Reply {
	in, out := body{}, body{}
	if f == nil || f.reply == nil || json.Unmarshal(q.body, &in) != nil || json.Unmarshal(reply.Body, &out) != nil {
		return reply
	}
	f.reply(q.step, in, out)
	reply.Body, _ = json.Marshal(out)
	reply.Header = reply.Header.Clone()
	reply.Header.Del("X-Amz-Crc32")
	return reply
}

// always makes a condition true, in which all names are still used.
func always(in body) {
	condition, _ := in["ConditionExpression"].(string)
	names, _ := in["ExpressionAttributeNames"].(body)
	for placeholder := range names {
		in["ConditionExpression"] = "(" + condition + ") OR attribute_exists(" + placeholder + ") OR attribute_not_exists(" + placeholder + ")"
		return
	}
}

// isCompletion reports whether an update completes a key.
func isCompletion(update body) bool {
	values, _ := update["ExpressionAttributeValues"].(body)
	for _, v := range values {
		if v, ok := v.(body); ok && v["S"] == "COMPLETED" {
			return true
		}
	}
	return false
}

// completion is the last item of a commit, and staged what is before it.
func parts(in body) (staged []any, completion body) {
	items, _ := in["TransactItems"].([]any)
	last, _ := items[len(items)-1].(body)
	return items[:len(items)-1], last
}

func flaws() map[string]*flaw {
	return map[string]*flaw{
		"a completion is not fenced": {variant: "Rerun", request: func(step string, in body) body {
			if step == "UpdateItem" && isCompletion(in) {
				always(in)
			}
			return nil
		}},
		"a release is not fenced": {variant: "Rerun", request: func(step string, in body) body {
			if step == "DeleteItem" || step == "UpdateItem" && !isCompletion(in) {
				always(in)
			}
			return nil
		}},
		"a completion is acknowledged and forgotten": {variant: "Rerun", request: func(step string, in body) body {
			if step == "UpdateItem" && isCompletion(in) {
				return body{}
			}
			return nil
		}},
		"a claim takes the claim of another for its own": {variant: "Rerun", reply: func(step string, in, out body) {
			mine, _ := in["Item"].(body)
			item, _ := out["Item"].(body)
			if step == "PutItem" && item != nil && item["owner"] != nil {
				item["owner"] = mine["owner"]
			}
		}},
		"a claim has no condition": {variant: "Rerun", request: func(step string, in body) body {
			if step == "PutItem" {
				always(in)
			}
			return nil
		}},
		"a lease is ignored":          {variant: "Rerun", ahead: time.Hour},
		"a lease is ignored, staging": {variant: "Stage", ahead: time.Hour},
		"a lease is ignored, asking":  {variant: "Reconcile", ahead: time.Hour},
		"a fingerprint is not kept": {variant: "Rerun", request: func(step string, in body) body {
			if item, ok := in["Item"].(body); ok && step == "PutItem" {
				delete(item, "validation")
			}
			return nil
		}},
		"callers are not told apart": {variant: "Rerun", oneCaller: true},
		"a loss is not reported":     {variant: "Rerun", deafToLoss: true},
		"an answer is another's": {variant: "Rerun", reply: func(_ string, _, out body) {
			if item, ok := out["Item"].(body); ok && item["data"] != nil {
				item["data"] = body{"S": `{"statusCode":201,"body":"done (another alice p0 key-0-of-alice)"}`}
			}
		}},
		"what is refused runs again":     {variant: "Refuse", rerun: true},
		"what is unknown is not asked":   {variant: "Reconcile", rerun: true},
		"a release forgets the attempts": {variant: "Reconcile", request: forgetAttempts},
		"a commit is not fenced": {variant: "Stage", request: func(step string, in body) body {
			if step == "TransactWriteItems" {
				_, last := parts(in)
				always(last["Update"].(body))
			}
			return nil
		}},
		"a commit writes the effect alone": {variant: "Stage", request: func(step string, in body) body {
			if step == "TransactWriteItems" {
				in["TransactItems"], _ = parts(in)
			}
			return nil
		}},
		"a commit writes the completion alone": {variant: "Stage", request: func(step string, in body) body {
			if step == "TransactWriteItems" {
				_, last := parts(in)
				in["TransactItems"] = []any{last}
			}
			return nil
		}},
		"a local replay is of any request": {variant: "LocalReplays", request: func(step string, in body) body { return nil }, oneCaller: true},
	}
}

// forgetAttempts has a release take the record of a later attempt for one of a
// first: its epoch begins anew.
func forgetAttempts(step string, in body) body {
	if step == "UpdateItem" && !isCompletion(in) {
		names, _ := in["ExpressionAttributeNames"].(body)
		values, _ := in["ExpressionAttributeValues"].(body)
		for placeholder, name := range names {
			if name == "epoch" {
				in["UpdateExpression"] = in["UpdateExpression"].(string) + ", " + placeholder
			}
		}
		_ = values
	}
	return nil
}

// TestAttackSeesFlaws shows that the oracle is not blind: what is wrong with a
// store or a client is seen within so many operations.
func TestAttackSeesFlaws(t *testing.T) {
	const most = 64 * 1024
	byName := map[string]variant{}
	for _, v := range variants() {
		byName[v.name] = v
	}
	a := newAttack(t)
	for name, f := range flaws() {
		t.Run(name, func(t *testing.T) {
			played, seen := 0, ""
			a.play(t, byName[f.variant], f, 1, most/operations, func(w *world) bool {
				if played += operations; len(w.violations) > 0 && seen == "" {
					seen = w.violations[0].text
				}
				return seen == ""
			})
			if seen == "" {
				t.Errorf("%d operations have not shown it", played)
			}
			t.Logf("seen within %d operations: %s", played, seen)
		})
	}
}
