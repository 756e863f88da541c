package judge

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// texts are valid in some format, or nearly so.
var texts = []string{
	"", "a", "2026-02-28", "2026-02-30", "2026-2-3", "2026-02-28T12:00:00Z", "2026-02-28t12:00:00.123z", "2026-02-28 12:00:00Z", "2026-02-28T12:00:00",
	"12:00:00Z", "12:00:00z", "23:59:60Z", "22:59:60Z", "00:59:60+01:00", "22:59:60-01:00", "12:00:60Z", "12:00:61Z", "24:00:00Z", "12:60:00Z",
	"12:00:00.Z", "12:00:00.5Z", "12:00:00,5Z", "12:00:00.1234567890123Z", "12:00:00+23:59", "12:00:00+24:00", "12:00:00+00:60", "12:00:00+1:00", "1:00:00Z",
	"P1Y", "P1Y2M3D", "P1Y3D", "P1W", "P1W2D", "P", "PT", "PT1H", "PT1H2M3S", "PT1H3S", "P1DT1S", "P1.5D", "p1d", "P1YT", "1Y", "P2D1Y",
	"/",
	"example.com", "example.com.", "-a.example", "a-.example", "a..b", ".a", "a_b.example", strings.Repeat("a", 63), strings.Repeat("a", 64), strings.Repeat("a.", 127), "ä.example",
	"joe@example.com", "joe@", "@example.com", "joe@[127.0.0.1]", "joe@[IPv6:::1]", "joe@[::1]", "joe bloggs@example.com", `"joe bloggs"@example.com`, "joe@example.com>",
	"Joe <joe@example.com>", "joe..b@example.com", strings.Repeat("a", 65) + "@example.com", strings.Repeat("a", 64) + "@example.com",
	"127.0.0.1", "127.0.0", "127.0.0.01", "256.0.0.1", "1.2.3.4.5", "127.0.0.1 ", "::1", "fe80::1%eth0", "::ffff:1.2.3.4", "1::2::3", "12345::",
	"https://example.com/a?b#c", "//example.com", "a/b", "http://[::1]/", "http://::1/", "http://[::1", `a\b`, "http://exa mple.com", "%zz", "urn:a:b", ":",
	"http://example.com/{a}/{b}", "http://example.com/{a", "http://example.com/a}", "{a}/b%2F{c", "http://example.com/%7Ba", "/a%2F{b}/{c}}", "/a%2F{{b}}",
	"^a+$", "(", "a{1001}", `\pL`, `(?=a)`, "/a/b", "/a~0", "/a~2", "/a~", "a/b", "/~01", "0", "0#", "1/a", "01", "-1", "+1/a", "12#", "1a",
	"123e4567-e89b-12d3-a456-426614174000", "123E4567-e89b-12d3-a456-42661417400G", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-4266141740000",
}

func TestFormatsAreThoseOfTheLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	all := texts
	for range 3000 { // and a byte changed
		text := []byte(texts[rng.IntN(len(texts))])
		if len(text) > 0 {
			text[rng.IntN(len(text))] = "0159aPTZ:/~.-@[]{}#%\n"[rng.IntN(21)]
		}
		all = append(all, string(text))
	}
	for name, library := range jsonschema.Formats {
		if name == "period" { // which no draft has
			continue
		}
		own := format(name)
		if own == nil {
			t.Errorf("there is no format %s", name)
			continue
		}
		for _, text := range all {
			signed := strings.Contains(text, ":+") || strings.Contains(text, ":-") // see below
			if got, want := own(text), library(text); got != want && !signed {
				t.Errorf("%s of %q: got %t, the library says %t", name, text, got, want)
			}
		}
	}
}

// The library reads these with strconv.Atoi, which takes a sign.
func TestFormatsWithoutASign(t *testing.T) {
	for name, text := range map[string]string{"ipv4": "+1.2.3.4", "time": "+1:00:00Z", "date-time": "2026-02-28T12:+1:00Z"} {
		if format(name)(text) {
			t.Errorf("%s accepts %q", name, text)
		}
	}
}

func TestAnUnknownFormatAssertsNothing(t *testing.T) {
	if format("sku") != nil {
		t.Error("there is a format sku")
	}
}
