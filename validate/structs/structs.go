package structs

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/go-playground/validator/v10"
	"github.com/lambdarmor/lambdarmor/validate/internal/violations"
)

// Option changes how values are validated.
type Option func(*options)

type options struct {
	engine     *validator.Validate
	violations int
}

// Using takes a validator with tags of your own in place of the default one,
// which is validator.New(validator.WithRequiredStructEnabled()).
func Using(v *validator.Validate) Option {
	if v == nil {
		panic("validate/structs: Using a nil validator")
	}
	return func(o *options) { o.engine = v }
}

// MaxViolations sets how many places an error lists, 20 when it is not set. The
// others are counted.
func MaxViolations(n int) Option {
	if n < 1 {
		panic("validate/structs: MaxViolations below 1")
	}
	return func(o *options) { o.violations = n }
}

// shared is the default validator, made on first use: it fills tables of 300
// tags and keeps what it has learnt of types.
var shared = sync.OnceValue(func() *validator.Validate {
	return validator.New(validator.WithRequiredStructEnabled())
})

func newOptions(opts []Option) *options {
	o := &options{violations: 20}
	for _, opt := range opts {
		opt(o)
	}
	if o.engine == nil {
		o.engine = shared()
	}
	return o
}

// Input wraps a function so that it is called with inputs alone that keep the
// rules in their tags. For any other the error is that of [Struct]. An In that
// is a slice, an array or a map is validated element by element; one that can
// hold no struct has no rules.
//
// A tag that the validator does not know panics here, not at the first request.
func Input[In, Out any](fn func(context.Context, In) (Out, error), opts ...Option) func(context.Context, In) (Out, error) {
	if fn == nil {
		panic("validate/structs: Input of a nil function")
	}
	o := newOptions(opts)
	o.learn(reflect.TypeFor[In](), map[reflect.Type]bool{})
	return func(ctx context.Context, in In) (Out, error) {
		if err := o.validate(ctx, reflect.ValueOf(&in).Elem()); err != nil {
			var none Out
			return none, err
		}
		return fn(ctx, in)
	}
}

// Struct validates v, a struct or a pointer to one, by its tags. The error is a
// *guard.Error of kind Invalid and code validation_failed with the places as
// JSON pointers, as encoding/json would name the fields; v itself nil, or
// nothing that can be validated, is an error of ours.
func Struct(v any, opts ...Option) error {
	value := reflect.Indirect(reflect.ValueOf(v))
	if value.Kind() != reflect.Struct {
		return fmt.Errorf("validate/structs: a %T is not a struct", v)
	}
	return newOptions(opts).validate(context.Background(), value)
}

func (o *options) validate(ctx context.Context, v reflect.Value) error {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil // JSON's null: whether that is allowed is the decoder's to say
		}
		v = v.Elem()
	}
	var err error
	switch v.Kind() {
	case reflect.Struct:
		err = o.engine.StructCtx(ctx, v.Interface())
	case reflect.Slice, reflect.Array, reflect.Map:
		err = o.engine.VarCtx(ctx, v.Interface(), "dive")
	}
	if err == nil {
		return nil
	}
	var failed validator.ValidationErrors
	if !errors.As(err, &failed) {
		var none *validator.InvalidValidationError
		if errors.As(err, &none) { // a time.Time: nothing in it has a tag
			return nil
		}
		return fmt.Errorf("validate/structs: %w", err)
	}
	list := violations.List{Max: o.violations}
	found := places{root: v}
	for _, f := range failed {
		list.Add(found.pointerTo(f.StructNamespace()), keywordOf(f), detailOf(f))
	}
	return list.Err()
}

// learn has the validator read the tags of every struct type that t leads to.
func (o *options) learn(t reflect.Type, seen map[reflect.Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		o.learn(t.Elem(), seen)
	case reflect.Map:
		o.learn(t.Key(), seen)
		o.learn(t.Elem(), seen)
	case reflect.Struct:
		o.readTags(t)
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() || f.Anonymous {
				o.learn(f.Type, seen)
			}
		}
	}
}

func (o *options) readTags(t reflect.Type) {
	defer func() {
		if r := recover(); r != nil {
			panic(fmt.Sprintf("validate/structs: %s: %v", t, r))
		}
	}()
	_ = o.engine.Struct(reflect.Zero(t).Interface()) // whether zero is valid is no matter
}
