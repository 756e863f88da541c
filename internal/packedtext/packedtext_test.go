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
		"base64":                 {read: packedtext.Base64, text: encode([]byte("Zoë")), want: "Zoë"},
		"nothing":                {read: packedtext.Base64},
		"no base64":              {read: packedtext.Base64, text: "Zoë", err: packedtext.ErrNotBase64},
		"base64 without padding": {read: packedtext.Base64, text: "YQ", err: packedtext.ErrNotBase64},
		"no UTF-8":               {read: packedtext.Base64, text: encode([]byte{0xff}), err: packedtext.ErrNotUTF8},
		"gzip":                   {read: packedtext.Gzip, text: encode(whole), want: "Zoë"},
		"gzip, no base64":        {read: packedtext.Gzip, text: "%", err: packedtext.ErrNotBase64},
		"no gzip":                {read: packedtext.Gzip, text: encode([]byte("Zoë")), err: packedtext.ErrNotGzip},
		"gzip cut off": {
			read: packedtext.Gzip,
			text: encode(whole[:len(whole)-6]),
			err:  packedtext.ErrNotGzip,
		},
		"gzip with a byte changed": {
			read: packedtext.Gzip,
			text: encode(append(bytes.Clone(whole[:len(whole)-1]), whole[len(whole)-1]^1)),
			err:  packedtext.ErrNotGzip,
		},
		"gzip of no UTF-8": {
			read: packedtext.Gzip,
			text: encode(packed(t, []byte{0xff})),
			err:  packedtext.ErrNotUTF8,
		},
		"gzip of as much as can be": {read: packedtext.Gzip, text: encode(packed(t, long)), want: string(long)},
		"gzip of a byte more": {
			read: packedtext.Gzip,
			text: encode(packed(t, append(long, 'x'))),
			err:  packedtext.ErrTooLarge,
		},
	} {
		if got, err := c.read(c.text); got != c.want || err != c.err {
			t.Errorf("%s: %.20q, %v; want %v", name, got, err, c.err)
		}
	}
}
