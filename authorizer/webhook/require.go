package webhook

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
)

// Option changes how a scheme with a timestamp is judged.
type Option func(*receiver)

// Tolerance is how long before or after now a request may have been signed; 5
// minutes when it is not given. It panics unless d is from a second to an hour.
// Within it a delivery can be sent again by whoever has seen it: see
// [DeliveryID] for how it still takes effect once.
func Tolerance(d time.Duration) Option {
	if d < time.Second || d > time.Hour {
		panic("webhook: a tolerance of " + d.String() + " is not from 1s to 1h")
	}
	return func(r *receiver) { r.tolerance = d }
}

type receiver struct {
	scheme
	keys      Keys
	tolerance time.Duration
	now       func() time.Time
}

func require(s scheme, keys Keys, opts []Option) guard.Middleware {
	if keys.get == nil {
		panic("webhook: " + s.name + " without keys")
	}
	r := &receiver{scheme: s, keys: keys, tolerance: 5 * time.Minute, now: time.Now}
	for _, opt := range opts {
		opt(r)
	}
	return layer.Named("webhook.Require", func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			ev := guard.EventOf(ctx, payload)
			d, err := r.verify(ctx, ev)
			if err != nil {
				return nil, err
			}
			guard.AddAttrs(ctx, slog.String("webhook", r.name))
			return next.Invoke(context.WithValue(ctx, deliveryKey{}, d), payload)
		})
	})
}

// verify goes from what costs least to what costs most: a request that is
// refused early has not made anybody fetch a key.
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
		sent, ok := parseTime(c.sent)
		if age := r.now().Round(0).Sub(sent); !ok || age > r.tolerance || age < -r.tolerance {
			return nil, untimely()
		}
		d.Sent = sent
	}
	body, err := ev.Body()
	if err != nil {
		return nil, err
	}
	signed, err := r.signed(ctx, c, body)
	if err == nil && !signed && r.keys.renew != nil {
		r.keys.renew(ctx, r.now)
		signed, err = r.signed(ctx, c, body)
	}
	switch {
	case err != nil:
		return nil, err
	case !signed:
		return nil, mismatch()
	default:
		return d, nil
	}
}

func (r *receiver) signed(ctx context.Context, c claim, body []byte) (bool, error) {
	keys, err := r.accepted(ctx)
	if err != nil {
		return false, err
	}
	for _, k := range keys {
		if k.signed(c.signatures, c.prefix, body) {
			return true, nil
		}
	}
	return false, nil
}
