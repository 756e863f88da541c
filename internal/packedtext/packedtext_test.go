package packedtext_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/packedtext"
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

func TestTexts(t *testing.T) {
	encode := base64.StdEncoding.EncodeToString
	long := bytes.Repeat([]byte("x"), packedtext.MaxGzip)
	whole := packed(t, []byte("Zoë"))
	for name, c := range map[string]struct {
		read       func(string) (string, error)
		text, want string
		err        error
	}{
		"base64":                    {packedtext.Base64, encode([]byte("Zoë")), "Zoë", nil},
		"nothing":                   {packedtext.Base64, "", "", nil},
		"no base64":                 {packedtext.Base64, "Zoë", "", packedtext.ErrNotBase64},
		"base64 without padding":    {packedtext.Base64, "YQ", "", packedtext.ErrNotBase64},
		"no UTF-8":                  {packedtext.Base64, encode([]byte{0xff}), "", packedtext.ErrNotUTF8},
		"gzip":                      {packedtext.Gzip, encode(whole), "Zoë", nil},
		"gzip, no base64":           {packedtext.Gzip, "%", "", packedtext.ErrNotBase64},
		"no gzip":                   {packedtext.Gzip, encode([]byte("Zoë")), "", packedtext.ErrNotGzip},
		"gzip cut off":              {packedtext.Gzip, encode(whole[:len(whole)-6]), "", packedtext.ErrNotGzip},
		"gzip with a byte changed":  {packedtext.Gzip, encode(append(bytes.Clone(whole[:len(whole)-1]), whole[len(whole)-1]^1)), "", packedtext.ErrNotGzip},
		"gzip of no UTF-8":          {packedtext.Gzip, encode(packed(t, []byte{0xff})), "", packedtext.ErrNotUTF8},
		"gzip of as much as can be": {packedtext.Gzip, encode(packed(t, long)), string(long), nil},
		"gzip of a byte more":       {packedtext.Gzip, encode(packed(t, append(long, 'x'))), "", packedtext.ErrTooLarge},
	} {
		if got, err := c.read(c.text); got != c.want || err != c.err {
			t.Errorf("%s: %.20q, %v; want %v", name, got, err, c.err)
		}
	}
}
