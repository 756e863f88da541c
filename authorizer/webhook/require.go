package webhook

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
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
	if keys == nil {
		panic("webhook: " + s.name + " without keys")
	}
	r := &receiver{scheme: s, keys: keys, tolerance: 5 * time.Minute, now: time.Now}
	for _, opt := range opts {
		opt(r)
	}
	return func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			ev := guard.EventOf(ctx, payload)
			d, err := r.verify(ctx, ev)
			if err != nil {
				return nil, err
			}
			guard.AddAttrs(ctx, slog.String("webhook", r.name))
			return next.Invoke(context.WithValue(ctx, deliveryKey{}, d), payload)
		})
	}
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
	d := &delivery{Delivery: Delivery{ID: c.id}, identify: r.identify}
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
	texts, err := r.keys(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := r.parseAll(texts)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if k.signed(c.signatures, c.prefix, body) {
			return d, nil
		}
	}
	return nil, mismatch()
}

// parseAll reads every key before any is used, so that one that cannot be read
// is not found out only when it is needed.
func (r *receiver) parseAll(texts []string) ([]key, error) {
	if len(texts) == 0 {
		return nil, badKey(r.name, 1, errors.New("there is none"))
	}
	keys := make([]key, len(texts))
	for i, text := range texts {
		var err error
		if keys[i], err = r.parse(text); err != nil {
			return nil, badKey(r.name, i+1, err)
		}
	}
	return keys, nil
}
