package jmes_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/jmes"
)

func packed(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDecoders(t *testing.T) {
	encode := base64.StdEncoding.EncodeToString
	long := bytes.Repeat([]byte("x"), jmes.MaxGzip)
	whole := packed(t, []byte("Zoë"))
	for name, tt := range map[string]struct {
		function, text string
		want           any
		code           string
	}{
		"JSON":                     {function: "powertools_json", text: `["Zoë"]`, want: nil},
		"JSON with a member twice": {function: "powertools_json", text: `{"a":1,"a":2}`, code: "duplicate_member"},
		"base64":                   {function: "powertools_base64", text: encode([]byte("Zoë")), want: "Zoë"},
		"nothing":                  {function: "powertools_base64", want: ""},
		"not base64":               {function: "powertools_base64", text: "Zoë", code: "malformed_base64"},
		"base64 without padding":   {function: "powertools_base64", text: "YQ", code: "malformed_base64"},
		"not UTF-8":                {function: "powertools_base64", text: encode([]byte{0xff}), code: "invalid_utf8"},
		"gzip":                     {function: "powertools_base64_gzip", text: encode(whole), want: "Zoë"},
		"gzip, not base64":         {function: "powertools_base64_gzip", text: "%", code: "malformed_base64"},
		"not gzip":                 {function: "powertools_base64_gzip", text: encode([]byte("Zoë")), code: "malformed_gzip"},
		"gzip cut off":             {function: "powertools_base64_gzip", text: encode(whole[:len(whole)-6]), code: "malformed_gzip"},
		"gzip with a wrong sum":    {function: "powertools_base64_gzip", text: encode(append(bytes.Clone(whole[:len(whole)-1]), whole[len(whole)-1]^1)), code: "malformed_gzip"},
		"gzip without UTF-8":       {function: "powertools_base64_gzip", text: encode(packed(t, []byte{0xff})), code: "invalid_utf8"},
		"gzip of the largest text": {function: "powertools_base64_gzip", text: encode(packed(t, long)), want: string(long)},
		"gzip of one byte more":    {function: "powertools_base64_gzip", text: encode(packed(t, append(long, 'x'))), code: "text_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			if !jmes.Decodes(tt.function) || jmes.Decodes("join") {
				t.Errorf("Decodes is wrong about %s or join", tt.function)
			}
			found, err := compile(t, tt.function+"(@)").Search(tt.text)
			if tt.code != "" {
				if err == nil || guard.Public(err).Code != tt.code {
					t.Errorf("got %v, want the code %s", err, tt.code)
				}
				return
			}
			if list, ok := found.([]any); ok { // of JSON
				found, tt.want = list[0], "Zoë"
			}
			if err != nil || found != tt.want {
				t.Errorf("got %.20v, %v; want %.20v", found, err, tt.want)
			}
		})
	}
}

// Many texts that are small packed are as large as one that is not.
func TestTheTextsOfAnEventUnpackToALimitInAll(t *testing.T) {
	half := base64.StdEncoding.EncodeToString(packed(t, bytes.Repeat([]byte("x"), jmes.MaxGzip/2)))
	lengths := compile(t, "[*].length(powertools_base64_gzip(@))")
	if found, err := lengths.Search([]any{half, half}); err != nil {
		t.Errorf("of two halves: got %v, %v", found, err)
	}
	for range 2 { // the limit is of each event
		_, err := lengths.Search([]any{half, half, base64.StdEncoding.EncodeToString(packed(t, []byte("x")))})
		if err == nil || guard.Public(err).Code != "text_too_large" {
			t.Errorf("of two halves and one byte: got %v, want text_too_large", err)
		}
	}
}
