package validate_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/validate"
)

// heapDuring is what is live on the heap, at most, while fn holds its result.
func heapDuring(fn func() any) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	result := fn()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(result)
	if after.HeapAlloc < before.HeapAlloc {
		return 0
	}
	return after.HeapAlloc - before.HeapAlloc
}

func TestAnInstanceThatFailsAtManyPlaces(t *testing.T) {
	const n = 99_999
	body := validate.Body(mustCompile([]byte(`{"items":{"type":"integer","maximum":0}}`)))
	payload := request(t, "["+strings.Repeat("1,", n-1)+"1]")
	var e *guard.Error
	live := heapDuring(func() any {
		_, err := invoke(t, payload, body)
		e = refusal(t, err)
		return err
	})
	if e == nil || len(e.Violations) != 20 || e.Violations[19].Pointer != "/19" || !strings.HasPrefix(e.Detail, "More than 20 places") {
		t.Errorf("%s\n%s", e.Detail, listed(e))
	}
	if live > 1<<20 {
		t.Errorf("the error keeps %d bytes", live)
	}
}

// Judged naively, each level of these doubles the work, and 64 levels are
// allowed.
func TestARecursiveSchemaWithAlternatives(t *testing.T) {
	for _, schema := range []string{
		`{"anyOf":[{"properties":{"a":{"$ref":"#"}},"required":["x"]},{"properties":{"a":{"$ref":"#"}},"required":["y"]}]}`,
		`{"allOf":[{"properties":{"a":{"$ref":"#"}}},{"properties":{"a":{"$ref":"#"}}}],"minProperties":1}`,
		`{"oneOf":[{"properties":{"a":{"$ref":"#"}},"minProperties":1},{"properties":{"a":{"$ref":"#"}},"required":["x"]}]}`,
		`{"$schema":"https://json-schema.org/draft/2019-09/schema","$recursiveAnchor":true,"anyOf":[{"properties":{"a":{"$recursiveRef":"#"}},"required":["x"]},{"properties":{"a":{"$recursiveRef":"#"}},"required":["y"]}]}`,
		`{"$dynamicAnchor":"n","anyOf":[{"properties":{"a":{"$dynamicRef":"#n"}},"required":["x"]},{"properties":{"a":{"$dynamicRef":"#n"}},"required":["y"]}]}`,
		`{"dependentSchemas":{"a":{"properties":{"a":{"$ref":"#"}}}},"properties":{"a":{"$ref":"#"}},"required":["x"]}`,
		`{"anyOf":[{"properties":{"a":{"$ref":"#"}},"required":["x"]},{"required":["y"]}],"unevaluatedProperties":false}`,
	} {
		body := validate.Body(mustCompile([]byte(schema)))
		for _, depth := range []int{2, 17, 60} {
			_, err := invoke(t, request(t, strings.Repeat(`{"a":`, depth)+"{}"+strings.Repeat("}", depth)), body)
			if e := refusal(t, err); e == nil || e.Code != "validation_failed" {
				t.Errorf("%s, %d levels: got %v, want validation_failed", schema, depth, err)
			}
		}
	}
}

// A recursive schema with one way down costs what its instance has.
func TestARecursiveSchemaWithoutAlternatives(t *testing.T) {
	schema := mustCompile([]byte(`{"type":"object","properties":{"v":{"type":"integer"},"left":{"$ref":"#"},"right":{"$ref":"#"},"more":{"items":{"$ref":"#"}}},"unevaluatedProperties":false}`))
	node := `{"v":1}`
	for range 12 {
		node = `{"v":1,"left":` + node + `,"right":` + node + `}`
	}
	if _, err := invoke(t, request(t, node), validate.Body(schema)); err != nil {
		t.Error(err)
	}
	deep := strings.Repeat(`{"more":[`, 30) + `{"v":"x"}` + strings.Repeat(`]}`, 30)
	_, err := invoke(t, request(t, deep), validate.Body(schema))
	if e := refusal(t, err); e == nil || len(e.Violations) != 1 || e.Violations[0].Pointer != strings.Repeat("/more/0", 30)+"/v" {
		t.Error(err, listed(e))
	}
}

// The pointer of each value that fails is 100 kB long.
func TestManyValuesUnderALongName(t *testing.T) {
	body := validate.Body(mustCompile([]byte(`{"additionalProperties":{"items":{"maximum":0}}}`)))
	payload := request(t, `{"`+strings.Repeat("x", 100_000)+`":[`+strings.Repeat("1,", 5000)+`1]}`)
	_, err := invoke(t, payload, body)
	if e := refusal(t, err); e == nil || len(e.Violations) != 20 || len(e.Violations[0].Pointer) > 300 {
		t.Errorf("got %v", err)
	}
	if _, err := invoke(t, request(t, `{"`+strings.Repeat("x", 100_000)+`":[0,0,0]}`), body); err != nil {
		t.Error(err)
	}
}

func TestThePlaceOfWhatIsTooCostlyIsShort(t *testing.T) {
	body := validate.Body(mustCompile([]byte(`{"additionalProperties":{"items":{}}}`)), validate.MaxSteps(10))
	_, err := invoke(t, request(t, `{"`+strings.Repeat("x", 100_000)+`":[`+strings.Repeat("1,", 50)+`1]}`), body)
	e := refusal(t, err)
	if e == nil || e.Code != "validation_too_costly" || len(e.Violations) != 1 || len(e.Violations[0].Pointer) > 300 {
		t.Errorf("got %.300v, want validation_too_costly with a short place", err)
	}
}

func TestMaxSteps(t *testing.T) {
	items := mustCompile([]byte(`{"items":{"anyOf":[{"type":"string"},{"type":"integer"}]}}`))
	payload := request(t, "["+strings.Repeat("1,", 99)+"1]")
	const steps = 1 + 100*3 // the array, and each element by three schemas
	if _, err := invoke(t, payload, validate.Body(items, validate.MaxSteps(steps))); err != nil {
		t.Errorf("with %d steps: %v", steps, err)
	}
	_, err := invoke(t, payload, validate.Body(items, validate.MaxSteps(steps-1)))
	e := refusal(t, err)
	if e == nil || e.Code != "validation_too_costly" || e.Kind != guard.Invalid || len(e.Violations) != 1 || e.Violations[0].Pointer != "/99" {
		t.Errorf("with a step less: got %v %v, want the place /99", err, listed(e))
	}
}

// What has been found is listed where no steps are left.
func TestPlacesThatWereFoundBeforeTheStepsEnd(t *testing.T) {
	items := mustCompile([]byte(`{"items":{"type":"string"}}`))
	_, err := invoke(t, request(t, "["+strings.Repeat("1,", 99)+"1]"), validate.Body(items, validate.MaxSteps(30)))
	if e := refusal(t, err); e == nil || e.Code != "validation_failed" || e.Violations[0].Pointer != "/0" {
		t.Errorf("got %v", err)
	}
}

func TestAPatternThatBacktracksElsewhere(t *testing.T) {
	body := validate.Body(mustCompile([]byte(`{"pattern":"^(([a-z])+.)+[A-Z]([a-z])+$"}`)))
	if _, err := invoke(t, request(t, `"`+strings.Repeat("a", 100_000)+`"`), body); err == nil {
		t.Error("it matches")
	}
}

func TestNumbersAsLargeAsTheyMayBe(t *testing.T) {
	schema := mustCompile([]byte(`{"items":{"type":"integer","minimum":1,"maximum":1,"multipleOf":3}}`))
	for _, number := range []string{"1e512", "1e-512", strings.Repeat("9", 512)} {
		n := min(50_000, 900_000/(len(number)+1))
		_, err := invoke(t, request(t, "["+strings.Repeat(number+",", n)+"1]"), validate.Body(schema))
		if err == nil {
			t.Error("accepted")
		}
	}
}

func TestLayersAreSafeForConcurrentUse(t *testing.T) {
	body := validate.Body(mustCompile([]byte(`{"anyOf":[{"properties":{"a":{"$ref":"#"}},"required":["x"]},{"type":"integer","maximum":5}]}`)))
	h := guard.Wrap(accept, body)
	done := make(chan error)
	for i := range 8 {
		payload := request(t, fmt.Sprintf(`{"a":{"a":{}},"x":%d}`, i))
		go func() {
			var err error
			for range 50 {
				_, err = h.Invoke(context.Background(), payload)
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err == nil {
			t.Error("accepted")
		}
	}
}
