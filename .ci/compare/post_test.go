package compare

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/validate"
	"github.com/lambdarmor/lambdarmor/validate/schema"
)

// BenchmarkPost measures an order that is decoded and answered, with one layer
// after another around it, and in Node with middy.
func BenchmarkPost(b *testing.B) {
	raw := payload(b, "post_order.json")
	invalid := bytes.Replace(raw, []byte(`\"quantity\":2`), []byte(`\"quantity\":0`), 1)
	if bytes.Equal(invalid, raw) {
		b.Fatal("the invalid order is the valid one")
	}
	created, refused := answers(http.StatusCreated, accepted), answers(http.StatusBadRequest, "")

	body := validate.Body(schema.MustCompile(payload(b, "order.schema.json")))
	for _, bb := range []struct {
		name      string
		handler   lambda.Handler
		validates bool
	}{
		{name: "bare", handler: barePost()},
		{name: "Func", handler: guard.Wrap(post())},
		{name: "+Problems,Recover,Deadline,Limit", handler: guard.Wrap(post(), layers())},
		{name: "+Log", handler: guard.Wrap(post(), logged(), layers())},
		{name: "+schema", handler: guard.Wrap(post(), logged(), layers(), body), validates: true},
		{name: "+SecurityHeaders", handler: guard.Wrap(post(), logged(), httpapi.SecurityHeaders(), layers(), body), validates: true},
		// What middy's parser, validator and error handler do.
		{name: "+schema,-Log", handler: guard.Wrap(post(), layers(), body), validates: true},
	} {
		if bb.validates {
			out, err := bb.handler.Invoke(invocation(b), invalid)
			if err != nil {
				b.Fatal(err)
			}
			refused(b, out)
		}
		benchmark(b, bb.name, bb.handler, raw, created)
	}

	// Node comes last. Meanwhile this process idles and its memory goes back to
	// the system, which made the next short benchmark slower by a sixth.
	node, missing := startNode(b)
	for _, bb := range []struct {
		name, handler string
		validates     bool
	}{
		{name: "node", handler: "bare"},
		{name: "middy", handler: "middy", validates: true},
		{name: "middy+headers+logger", handler: "middy+headers+logger", validates: true},
	} {
		if missing != "" {
			b.Run(bb.name, func(b *testing.B) { b.Skip(missing) })
			continue
		}
		if bb.validates {
			_, out := node.invoke(b, bb.handler, invalid, 1)
			refused(b, out)
		}
		const warmUp = 20_000 // Node's compiler is done by then
		_, out := node.invoke(b, bb.handler, raw, warmUp)
		created(b, out)
		b.Run(bb.name, func(b *testing.B) { benchmarkNode(b, node, bb.handler, raw) })
	}
}
