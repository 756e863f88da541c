package validate_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

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
	body := validate.Body(validate.MustCompile([]byte(`{"items":{"type":"integer","maximum":0}}`)))
	payload := request(t, "["+strings.Repeat("1,", n-1)+"1]")
	var e *guard.Error
	live := heapDuring(func() any {
		_, err := invoke(t, payload, body)
		e = refusal(t, err)
		return err
	})
	if e == nil || len(e.Violations) != 20 || e.Violations[19].Pointer != "/19" || !strings.HasPrefix(e.Detail, "99999 places") {
		t.Errorf("%s\n%s", e.Detail, listed(e))
	}
	if live > 1<<20 {
		t.Errorf("the error keeps %d bytes", live)
	}
}

// The library evaluates every branch down to the leaves: each level of these
// doubles the work, and 64 levels are allowed.
func TestARecursiveSchemaWithAlternatives(t *testing.T) {
	for _, schema := range []string{
		`{"anyOf":[{"properties":{"a":{"$ref":"#"}},"required":["x"]},{"properties":{"a":{"$ref":"#"}},"required":["y"]}]}`,
		`{"allOf":[{"properties":{"a":{"$ref":"#"}}},{"properties":{"a":{"$ref":"#"}}}],"additionalProperties":false}`,
		`{"oneOf":[{"items":{"$ref":"#"},"minItems":1},{"items":{"$ref":"#"},"maxItems":0}],"properties":{"a":{"$ref":"#"}},"patternProperties":{"^a":{"$ref":"#"}}}`,
		`{"$schema":"https://json-schema.org/draft/2019-09/schema","$recursiveAnchor":true,"anyOf":[{"properties":{"a":{"$recursiveRef":"#"}},"required":["x"]},{"properties":{"a":{"$recursiveRef":"#"}},"required":["y"]}]}`,
		`{"$dynamicAnchor":"n","anyOf":[{"properties":{"a":{"$dynamicRef":"#n"}},"required":["x"]},{"properties":{"a":{"$dynamicRef":"#n"}},"required":["y"]}]}`,
		`{"dependentSchemas":{"a":{"properties":{"a":{"$ref":"#"}}}},"properties":{"a":{"$ref":"#"}},"required":["x"]}`,
	} {
		body := validate.Body(validate.MustCompile([]byte(schema)))
		for depth, code := range map[int]string{2: "validation_failed", 60: "validation_too_costly"} {
			start := time.Now()
			_, err := invoke(t, request(t, strings.Repeat(`{"a":`, depth)+"{}"+strings.Repeat("}", depth)), body)
			if strings.Contains(schema, "oneOf") {
				continue // only the time counts: which branch holds depends on the level
			}
			if e := refusal(t, err); (e == nil || e.Code != code) && !strings.Contains(schema, `"additionalProperties"`) {
				t.Errorf("%s, %d levels: %v", schema, depth, err)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("%s, %d levels: took %v", schema, depth, took)
			}
		}
	}
}

// A recursive schema with one way down costs what its instance has.
func TestARecursiveSchemaWithoutAlternatives(t *testing.T) {
	schema := validate.MustCompile([]byte(`{"type":"object","properties":{"v":{"type":"integer"},"left":{"$ref":"#"},"right":{"$ref":"#"},"more":{"items":{"$ref":"#"}}},"unevaluatedProperties":false}`))
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

// The library joins and keeps the pointer of every value that fails: 5 000
// values below a name of 100 kB are half a gigabyte.
func TestManyValuesUnderALongName(t *testing.T) {
	body := validate.Body(validate.MustCompile([]byte(`{"additionalProperties":{"items":{"maximum":0}}}`)))
	payload := request(t, `{"`+strings.Repeat("x", 100_000)+`":[`+strings.Repeat("1,", 5000)+`1]}`)
	_, err := invoke(t, payload, body)
	if e := refusal(t, err); e == nil || e.Code != "validation_too_costly" {
		t.Errorf("got %v", err)
	}
	if _, err := invoke(t, request(t, `{"`+strings.Repeat("x", 100_000)+`":[0,0,0]}`), body); err != nil {
		t.Error(err)
	}
}

func TestMaxChecks(t *testing.T) {
	schema := validate.MustCompile([]byte(`{"items":{"anyOf":[{"type":"string"},{"type":"integer"}]}}`))
	payload := request(t, "["+strings.Repeat("1,", 99)+"1]")
	for checks, ok := range map[int]bool{307: true, 306: false} { // 1 + 100/16, and 3 for each
		_, err := invoke(t, payload, validate.Body(schema, validate.MaxChecks(checks)))
		if (err == nil) != ok {
			t.Errorf("with %d checks: %v", checks, err)
		}
	}
}

func TestAPatternThatBacktracksElsewhere(t *testing.T) {
	body := validate.Body(validate.MustCompile([]byte(`{"pattern":"^(([a-z])+.)+[A-Z]([a-z])+$"}`)))
	start := time.Now()
	if _, err := invoke(t, request(t, `"`+strings.Repeat("a", 100_000)+`"`), body); err == nil {
		t.Error("it matches")
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestNumbersAsLargeAsTheyMayBe(t *testing.T) {
	schema := validate.MustCompile([]byte(`{"items":{"type":"integer","minimum":1,"maximum":1,"multipleOf":3}}`))
	for _, number := range []string{"1e512", "1e-512", strings.Repeat("9", 512)} {
		start := time.Now()
		n := min(50_000, 900_000/(len(number)+1))
		_, err := invoke(t, request(t, "["+strings.Repeat(number+",", n)+"1]"), validate.Body(schema))
		if err == nil {
			t.Error("accepted")
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%d times %.10s took %v", n, number, took)
		}
	}
}

func TestLayersAreSafeForConcurrentUse(t *testing.T) {
	body := validate.Body(validate.MustCompile([]byte(`{"anyOf":[{"properties":{"a":{"$ref":"#"}},"required":["x"]},{"type":"integer","maximum":5}]}`)))
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
