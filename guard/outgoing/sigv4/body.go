package sigv4

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// mostBuffered is how much of a body is held in memory: API Gateway takes 10 MB, a
// function URL 6 MB.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const mostBuffered = 10 << 20

var (
	errBody     = reason.New("sigv4: the body cannot be read to be signed")
	errTooLarge = reason.New("sigv4: the body is larger than 10 MiB; set GetBody of the request")
)

// hashBody returns the hash of the body of r. It sets the length, so that the body is
// not sent in chunks: a chunk has no signature here.
func hashBody(r *http.Request) (string, error) {
	var n int64
	hash := sha256.New()
	switch {
	case r.Body == nil || r.Body == http.NoBody:
		r.ContentLength = 0
	case r.GetBody != nil:
		body, err := r.GetBody()
		if err == nil {
			n, err = io.Copy(hash, inTime{body, r.Context()})
			_ = body.Close()
		}
		if err != nil {
			return "", fmt.Errorf("%w: %w", errBody, err)
		}
	default:
		text, err := io.ReadAll(io.LimitReader(inTime{r.Body, r.Context()}, mostBuffered+1))
		if err != nil {
			return "", fmt.Errorf("%w: %w", errBody, err)
		}
		if len(text) > mostBuffered {
			return "", errTooLarge
		}
		if err := r.Body.Close(); err != nil {
			return "", fmt.Errorf("%w: %w", errBody, err)
		}
		n, _ = io.Copy(hash, bytes.NewReader(text))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
		r.Body, _ = r.GetBody()
	}
	if n != r.ContentLength && r.ContentLength > 0 {
		return "", fmt.Errorf("%w: %w", errBody, io.ErrUnexpectedEOF)
	}
	r.ContentLength, r.TransferEncoding = n, nil
	if n == 0 && r.Body != nil {
		err := r.Body.Close()
		r.Body, r.GetBody = http.NoBody, nil
		if err != nil {
			return "", fmt.Errorf("%w: %w", errBody, err)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// inTime is a body that ends with a context. It hides WriteTo, by which a strings.Reader
// would copy all of its text.
type inTime struct {
	body io.Reader
	ctx  context.Context
}

func (t inTime) Read(p []byte) (int, error) {
	if err := t.ctx.Err(); err != nil {
		return 0, err
	}
	return t.body.Read(p)
}
