package eventbridgehops

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/lambdarmor/lambdarmor/guard/recursion"
	"github.com/lambdarmor/lambdarmor/guard/recursion/internal/document"
	"github.com/lambdarmor/lambdarmor/guard/recursion/internal/stamp"
)

// Carry is an option of a client: the detail of each event of PutEvents gets the counter
// of the context, as the member _hops. A _hops that it has is replaced, so a detail can
// be passed on as it came. Without a counter, see [recursion.Hops], an event is sent as
// it is, and so is a detail that is no JSON object: EventBridge refuses it.
//
// An input transformer of a rule that does not pass on _hops begins a new chain.
func Carry(o *eventbridge.Options) { o.APIOptions = append(o.APIOptions, stamp.Calls(change)) }

func change(input any, s stamp.Stamps) (any, error) {
	in, ok := input.(*eventbridge.PutEventsInput)
	if !ok || in == nil || s.Hops == 0 {
		return nil, nil
	}
	out := *in
	out.Entries = slices.Clone(in.Entries)
	for i := range out.Entries {
		if e := &out.Entries[i]; e.Detail != nil {
			detail := document.Detail(*e.Detail, recursion.Member, s.Hops)
			e.Detail = &detail
		}
	}
	return &out, nil
}
