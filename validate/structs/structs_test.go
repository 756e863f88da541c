package structs_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-playground/validator/v10"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/validate/structs"
)

type audit struct {
	By string `json:"by" validate:"required"`
}

type Named struct {
	Note string `json:"note" validate:"max=3"`
}

type item struct {
	SKU      string            `json:"sku" validate:"required"`
	Quantity int               `json:"quantity,omitempty" validate:"min=1,max=99"`
	Labels   map[string]string `json:"labels" validate:"dive,keys,max=5,endkeys,min=2"`
}

type order struct {
	audit
	*Named `json:"meta"`
	Items  []item            `json:"items" validate:"min=1,dive"`
	ByID   map[int]item      `json:"by/id" validate:"dive"`
	Nested map[string][]item `json:"nested" validate:"dive,dive"`
	Next   *order            `json:"next"`
	Plain  string            `validate:"omitempty,oneof=SECRET other"`
	Empty  string            `json:",omitempty" validate:"omitempty,email"`
	Hidden string            `json:"-" validate:"omitempty,len=1"`
	//lint:ignore SA5008 encoding/json calls this member "-"
	Dash     string    `json:"-," validate:"omitempty,len=1"`
	When     time.Time `json:"when" validate:"omitempty,gt"`
	Anything any       `json:"anything" validate:"omitempty"`
}

func valid() order {
	return order{audit: audit{By: "me"}, Items: []item{{SKU: "A", Quantity: 1}}}
}

// A place is named as the caller wrote it, and not as the Go type has it.
func TestPointersNameMembers(t *testing.T) {
	for _, tt := range []struct {
		rule   string
		change func(*order)
		want   string
	}{
		{rule: "nothing wrong", change: func(*order) {}},
		{
			rule:   "a slice",
			change: func(o *order) { o.Items = append(o.Items, item{SKU: "A", Quantity: 100}) },
			want:   "/items/1/quantity max: must be at most 99",
		},
		{rule: "an empty slice", change: func(o *order) { o.Items = nil }, want: "/items min: must have at least 1 item"},
		{rule: "an embedded struct", change: func(o *order) { o.By = "" }, want: "/by required: is required"},
		{
			rule:   "an embedded pointer with a name",
			change: func(o *order) { o.Named = &Named{Note: "long"} },
			want:   "/meta/note max: must have at most 3 characters",
		},
		{
			rule:   "a map by number",
			change: func(o *order) { o.ByID = map[int]item{7: {Quantity: 1}} },
			want:   "/by~1id/7/sku required: is required",
		},
		{
			rule:   "a map of slices",
			change: func(o *order) { o.Nested = map[string][]item{"a/b": {{SKU: "A", Quantity: 1}, {Quantity: 1}}} },
			want:   "/nested/a~1b/1/sku required: is required",
		},
		{
			rule:   "a pointer",
			change: func(o *order) { n := valid(); n.Items[0].Quantity = 0; o.Next = &n },
			want:   "/next/items/0/quantity min: must be at least 1",
		},
		{
			rule:   "no tag",
			change: func(o *order) { o.Plain = "x" },
			want:   "/Plain oneof: must be one of the values that are allowed",
		},
		{rule: "a tag without a name", change: func(o *order) { o.Empty = "x" }, want: "/Empty email: must satisfy email"},
		{
			rule:   "no member: the object around it",
			change: func(o *order) { o.Hidden = "xx" },
			want:   " len: must have exactly 1 character",
		},
		{rule: "a member called -", change: func(o *order) { o.Dash = "xx" }, want: "/- len: must have exactly 1 character"},
		{
			rule:   "the value of a map",
			change: func(o *order) { o.Items[0].Labels = map[string]string{"k": "v"} },
			want:   "/items/0/labels/k min: must have at least 2 characters",
		},
		{
			rule:   "the key of a map",
			change: func(o *order) { o.Items[0].Labels = map[string]string{"longer": "vv"} },
			want:   "/items/0/labels/longer max: must have at most 5 characters",
		},
		{
			rule: "keys made to look like a path",
			change: func(o *order) {
				o.Nested = map[string][]item{"a": {{SKU: "A", Quantity: 1}}, "a][0].SKU[b": {{Quantity: 1}}, "a][0": {{SKU: "A", Quantity: 1}}}
			},
			want: "/nested/a][0].SKU[b/0/sku required: is required",
		},
		{
			rule:   "several, the deepest first",
			change: func(o *order) { o.By = ""; o.Items[0].SKU = ""; o.Items[0].Quantity = 0 },
			want:   "/items/0/quantity min: must be at least 1\n/items/0/sku required: is required\n/by required: is required",
		},
	} {
		o := valid()
		tt.change(&o)
		for _, v := range []any{o, &o} {
			if got := listed(t, structs.Struct(v)); got != tt.want {
				t.Errorf("%s:\ngot  %s\nwant %s", tt.rule, got, tt.want)
			}
		}
	}
}

func TestNoValueIsRepeated(t *testing.T) {
	o := valid()
	o.Plain, o.Empty, o.By = "s3cr3t", "s3cr3t", "s3cr3t"
	o.Items[0].Labels = map[string]string{"k": "s"}
	err := structs.Struct(o)
	text := fmt.Sprint(err, listed(t, err))
	for _, part := range []string{"s3cr3t", "SECRET"} {
		if strings.Contains(text, part) {
			t.Errorf("%s is in %s", part, text)
		}
	}
}

// The values that alternatives allow are not shown.
func TestAlternatives(t *testing.T) {
	err := structs.Struct(struct {
		A string `json:"a" validate:"eq=SECRET|eq=other"`
		B string `json:"b" validate:"rgb|rgba"`
		C string `json:"c" validate:"len=3|startswith=SECRET"`
	}{A: "x", B: "y", C: "z"})
	want := "/a eq: must satisfy eq\n/b rgb|rgba: must satisfy rgb|rgba\n/c len: must satisfy len"
	if got := listed(t, err); got != want {
		t.Errorf("got %s", got)
	}
}

// The work does not grow with the square of the places.
func TestAMapThatFailsEverywhere(t *testing.T) {
	in := struct {
		M map[string]item `json:"m" validate:"dive"`
		N map[int]item    `json:"n" validate:"dive"`
	}{M: map[string]item{}, N: map[int]item{}}
	for i := range 20_000 {
		in.M[strconv.Itoa(i)+strings.Repeat("]", i%50)], in.N[i] = item{Quantity: 1}, item{Quantity: 1}
	}
	err := structs.Struct(in)
	var e *guard.Error
	if !errors.As(err, &e) || !strings.HasPrefix(e.Detail, "More than 20 places") || e.Violations[0].Pointer != "/m/0/sku" {
		t.Errorf("%v\n%s", err, listed(t, err))
	}
}

func TestInput(t *testing.T) {
	calls := 0
	fn := structs.Input(func(_ context.Context, o order) (string, error) { calls++; return o.By, nil })
	if out, err := fn(context.Background(), valid()); err != nil || out != "me" {
		t.Errorf("%q, %v", out, err)
	}
	out, err := fn(context.Background(), order{})
	var e *guard.Error
	if !errors.As(err, &e) || e.Kind != guard.Invalid || e.Code != "validation_failed" || out != "" || calls != 1 {
		t.Errorf("%q, %v, %d calls", out, err, calls)
	}
}

func TestInputOfOtherKinds(t *testing.T) {
	ctx := context.Background()
	list := structs.Input(func(_ context.Context, in []item) (int, error) { return len(in), nil })
	if _, err := list(ctx, []item{{SKU: "A", Quantity: 1}, {Quantity: 1}}); listed(t, err) != "/1/sku required: is required" {
		t.Error(listed(t, err))
	}
	byName := structs.Input(func(_ context.Context, in map[string]*item) (int, error) { return len(in), nil })
	if _, err := byName(ctx, map[string]*item{"x": {Quantity: 1}}); listed(t, err) != "/x/sku required: is required" {
		t.Error(listed(t, err))
	}
	pointer := structs.Input(func(_ context.Context, in *item) (int, error) { return 0, nil })
	if _, err := pointer(ctx, nil); err != nil {
		t.Error(err)
	}
	if _, err := pointer(ctx, &item{Quantity: 1}); listed(t, err) != "/sku required: is required" {
		t.Error(listed(t, err))
	}
	text := structs.Input(func(_ context.Context, in string) (string, error) { return in, nil })
	if out, err := text(ctx, "x"); err != nil || out != "x" {
		t.Error(out, err)
	}
	at := structs.Input(func(_ context.Context, in time.Time) (time.Time, error) { return in, nil })
	if _, err := at(ctx, time.Time{}); err != nil {
		t.Error(err)
	}
}

func TestStructOfSomethingElseIsOurFault(t *testing.T) {
	for _, v := range []any{nil, 7, []item{}, (*order)(nil)} {
		if err := structs.Struct(v); err == nil || guard.KindOf(err) != guard.Internal {
			t.Errorf("%T: %v", v, err)
		}
	}
}

func TestTagsOfOnesOwn(t *testing.T) {
	v := validator.New()
	if err := v.RegisterValidation("even", func(f validator.FieldLevel) bool { return f.Field().Int()%2 == 0 }); err != nil {
		t.Fatal(err)
	}
	type pair struct {
		N int `json:"n" validate:"even"`
	}
	fn := structs.Input(func(_ context.Context, p pair) (int, error) { return p.N, nil }, structs.Using(v))
	if _, err := fn(context.Background(), pair{N: 2}); err != nil {
		t.Error(err)
	}
	if _, err := fn(context.Background(), pair{N: 1}); listed(t, err) != "/n even: must satisfy even" {
		t.Error(listed(t, err))
	}
}

func TestMaxViolations(t *testing.T) {
	err := structs.Struct(struct {
		Items []item `json:"items" validate:"dive"`
	}{Items: make([]item, 30)}, structs.MaxViolations(5))
	var e *guard.Error
	if !errors.As(err, &e) || len(e.Violations) != 5 || !strings.HasPrefix(e.Detail, "More than 5 places") || e.Violations[4].Pointer != "/items/2/quantity" {
		t.Errorf("%v", err)
	}
}

// A tag that does not exist shows when the function starts.
func TestMisusePanics(t *testing.T) {
	type inner struct {
		A string `validate:"nosuchtag"`
	}
	type outer struct {
		List []map[string]*inner `validate:"dive,dive"`
	}
	for name, construct := range map[string]func(){
		"an unknown tag": func() { structs.Input(func(context.Context, outer) (int, error) { return 0, nil }) },
		"no function":    func() { structs.Input[int, int](nil) },
		"no validator":   func() { structs.Using(nil) },
		"no violations":  func() { structs.MaxViolations(0) },
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "validate/structs: ") {
					t.Errorf("%s: panicked with %v", name, r)
				}
			}()
			construct()
		}()
	}
}

func Example() {
	type Item struct {
		SKU      string `json:"sku" validate:"required,len=6"`
		Quantity int    `json:"quantity" validate:"min=1,max=99"`
	}
	type Order struct {
		Customer string `json:"customer" validate:"required,startswith=c-"`
		Items    []Item `json:"items" validate:"min=1,max=50,dive"`
	}
	placeOrder := func(_ context.Context, o Order) (string, error) { return "accepted", nil }

	h := guard.Wrap(httpapi.Func(structs.Input(placeOrder)), httpapi.Problems(), guard.Recover())
	event := `{"version":"2.0","headers":{"content-type":"application/json"},"requestContext":{"http":{"method":"POST"}},
		"body":"{\"customer\":\"c-42\",\"items\":[{\"sku\":\"KB-101\",\"quantity\":0}]}"}`
	out, err := h.Invoke(context.Background(), []byte(event))
	fmt.Println(strings.Contains(string(out), `/items/0/quantity`), strings.Contains(string(out), "must be at least 1"), err)
	// Output: true true <nil>
}

func ExampleStruct() {
	type Order struct {
		Customer string `json:"customer" validate:"required"`
	}
	err := structs.Struct(Order{})
	fmt.Println(guard.Public(err).Violations)
	// Output: [{/customer required is required}]
}

func ExampleUsing() {
	own := validator.New(validator.WithRequiredStructEnabled())
	own.RegisterAlias("quantity", "min=1,max=99")
	type Item struct {
		Quantity int `json:"quantity" validate:"quantity"`
	}
	err := structs.Struct(Item{Quantity: 100}, structs.Using(own))
	fmt.Println(guard.Public(err).Violations)
	// Output: [{/quantity quantity must be at most 99}]
}

func BenchmarkInput(b *testing.B) {
	fn := structs.Input(func(_ context.Context, o order) (string, error) { return o.By, nil })
	in := valid()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fn(context.Background(), in); err != nil {
			b.Fatal(err)
		}
	}
}

// listed writes violations as "pointer keyword: detail", one a line.
func listed(tb testing.TB, err error) string {
	tb.Helper()
	if err == nil {
		return ""
	}
	var e *guard.Error
	if !errors.As(err, &e) {
		tb.Fatalf("not a guard.Error: %v", err)
	}
	var lines []string
	for _, v := range e.Violations {
		lines = append(lines, v.Pointer+" "+v.Keyword+": "+v.Detail)
	}
	return strings.Join(lines, "\n")
}
