package webhook

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Option changes how a scheme with a timestamp is verified.
type Option struct{ apply func(*receiver) }

// Tolerance sets how long before or after now a request may have been signed; the
// default is 5 minutes. It panics unless d is 1 second to 1 hour. A delivery can be
// repeated within that time; see [DeliveryID].
func Tolerance(d time.Duration) Option {
	if d < time.Second || d > time.Hour {
		panic("webhook: Tolerance: must be 1s to 1h, not " + d.String())
	}
	return Option{func(r *receiver) { r.tolerance = d }}
}

// scheme is how a sender signs.
type scheme struct {
	name string
	// read returns what a request claims. Its errors are the sender's fault.
	read func(req *request.Request) (claim, error)
	// parse reads a key as the sender's console shows it.
	parse func(text string) (key, error)
	// identify returns the id of a delivery that has no signed one.
	identify func(ev *guard.Event) (string, error)
}

// receiver verifies the requests of one scheme.
type receiver struct {
	scheme
	keys      Keys
	tolerance time.Duration
	clock     clock.Clock
}

func (s scheme) layer(keys Keys, opts []Option) guard.Middleware {
	if keys.get == nil {
		panic("webhook: " + s.name + " without keys: use Secret or KeysFunc")
	}
	r := &receiver{scheme: s, keys: keys, tolerance: 5 * time.Minute}
	for _, opt := range opts {
		opt.apply(r)
	}
	var restored guard.Middleware
	if keys.forget != nil {
		restored = guard.OnRestore(keys.forget)
	}
	return guard.Chain(restored, layer.Named("webhook.Require", func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			d, err := r.verify(ctx, guard.EventOf(ctx, payload))
			if guard.KindOf(err) == guard.Unauthenticated {
				layer.Count(ctx, layer.Denials, 1)
			}
			if err != nil {
				return nil, err
			}
			guard.AddAttrs(ctx, slog.String("webhook", r.name))
			return next.Invoke(context.WithValue(ctx, deliveryKey{}, d), payload)
		})
	}))
}

// verify does the cheapest checks first, and fetches keys last.
func (r *receiver) verify(ctx context.Context, ev *guard.Event) (*delivery, error) {
	req, err := ev.Request()
	if err != nil {
		return nil, err
	}
	c, err := r.read(req)
	if err != nil {
		return nil, err
	}
	d := &delivery{Delivery: Delivery{ID: c.id}, event: ev, identify: r.identify}
	if c.sent != "" {
		sent, _ := parseTime(c.sent) // which read has checked
		if age := r.clock.Now().Sub(sent); age > r.tolerance || age < -r.tolerance {
			return nil, refuse("webhook_timestamp_out_of_range", "The request was signed too long ago, or in the future.")
		}
		d.Sent = sent
	}
	body, err := ev.Body()
	if err != nil {
		return nil, err
	}
	signed, err := r.signed(ctx, c, body)
	if err == nil && !signed && r.keys.renew != nil {
		r.keys.renew(ctx, r.clock.Now)
		signed, err = r.signed(ctx, c, body)
	}
	if err == nil && !signed {
		err = refuse("webhook_signature_invalid", "The signature is not one of the body with an accepted key.")
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// signed reports whether one of the keys has signed.
func (r *receiver) signed(ctx context.Context, c claim, body []byte) (bool, error) {
	texts, err := r.keys.get(ctx)
	if err != nil {
		return false, err
	}
	if len(texts) == 0 {
		return false, r.badKey(1, reason.New("there is no key"))
	}
	// All keys are parsed before one is used, so that a malformed key is noticed
	// before it is needed.
	keys := make([]key, len(texts))
	for i, text := range texts {
		if keys[i], err = r.parse(text); err != nil {
			return false, r.badKey(i+1, err)
		}
	}
	for _, k := range keys {
		if k.signed(c, body) {
			return true, nil
		}
	}
	return false, nil
}
