package structs

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/go-playground/validator/v10"
	"github.com/lambdarmor/lambdarmor/validate/internal/violations"
)

// Option changes how values are validated.
type Option struct{ set func(*options) }

type options struct {
	engine     *validator.Validate
	violations int
}

// Using sets a validator with tags of your own. The default is
// validator.New(validator.WithRequiredStructEnabled()).
func Using(v *validator.Validate) Option {
	if v == nil {
		panic("validate/structs: Using a nil validator")
	}
	return Option{func(o *options) { o.engine = v }}
}

// MaxViolations sets how many places an error lists, 20 if it is not set. It
// panics if n is below 1.
func MaxViolations(n int) Option {
	if n < 1 {
		panic("validate/structs: MaxViolations below 1")
	}
	return Option{func(o *options) { o.violations = n }}
}

// shared is the default validator. It is made on first use, because it fills
// tables of 300 tags.
var shared = sync.OnceValue(func() *validator.Validate {
	return validator.New(validator.WithRequiredStructEnabled())
})

func newOptions(opts []Option) *options {
	o := &options{violations: 20}
	for _, opt := range opts {
		opt.set(o)
	}
	if o.engine == nil {
		o.engine = shared()
	}
	return o
}

// Input returns a function that calls fn only with valid inputs. For any other
// input it returns the error of [Struct]. An In that is a slice, an array or a
// map is validated element by element; an In without structs has no rules.
//
// Input panics if a tag is unknown to the validator.
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

// Struct validates a struct, or a pointer to one, by its tags. The error is a
// *guard.Error of kind Invalid with the code validation_failed. Its places are
// JSON pointers to the members that encoding/json decodes the fields from. A v
// that is not a struct is an internal error.
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
			return nil // null: the decoder has accepted it
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
	var failed validator.ValidationErrors
	var noTags *validator.InvalidValidationError // a time.Time
	switch {
	case err == nil || errors.As(err, &noTags):
		return nil
	case !errors.As(err, &failed):
		return fmt.Errorf("validate/structs: %w", err)
	}
	// The validator goes through maps in any order.
	slices.SortStableFunc(failed, func(a, b validator.FieldError) int {
		return comparePaths(a.StructNamespace(), b.StructNamespace())
	})
	list := violations.List{Max: o.violations}
	for _, f := range failed {
		if !list.Add(pointerTo(v, f.StructNamespace()), keywordOf(f), detailOf(f)) {
			break
		}
	}
	return list.Err()
}

// learn makes the validator read the tags of every struct type that t reaches.
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
	_ = o.engine.Struct(reflect.Zero(t).Interface()) // only the panic counts
}
