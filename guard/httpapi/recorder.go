package httpapi

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/answer"
)

// recorder buffers a response. To a handler it behaves like the response of
// net/http's server.
type recorder struct {
	method string
	header http.Header
	head   *answer.Answer // status and headers as they were when the status was written
	typed  bool           // the handler set a content type, or none on purpose
	length int64          // of the body by the header Content-Length, -1 without one
	size   int64          // of what was written
	body   bytes.Buffer
	tooBig bool
}

// sniffed is how much of a body decides its content type.
const sniffed = 512

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.head != nil {
		return
	}
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("httpapi: invalid WriteHeader code %d", status))
	}
	if status < 200 && status != http.StatusSwitchingProtocols {
		return // an informational response cannot be passed on
	}
	w.head = answer.New(status)
	w.head.AddHeader(w.header)
	w.head.Fields = slices.DeleteFunc(w.head.Fields, isTrailer)
	_, w.typed = w.header["Content-Type"]
	w.length = -1
	if n, err := strconv.ParseInt(w.header.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		w.length = n
	}
}

// isTrailer reports whether a name has http.TrailerPrefix.
func isTrailer(f answer.Field) bool { return strings.HasPrefix(f.Name, "trailer:") }

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.size += int64(len(p))
	switch {
	case len(p) == 0:
		return 0, nil
	case answer.Bodiless(w.head.Status):
		return 0, http.ErrBodyNotAllowed
	case w.length >= 0 && w.size > w.length:
		return 0, http.ErrContentLength
	case w.method == http.MethodHead:
		w.body.Write(p[:min(len(p), max(0, sniffed-w.body.Len()))])
		return len(p), nil
	case w.size > answer.Max:
		w.tooBig = true
		return 0, errTooLarge()
	}
	return w.body.Write(p)
}

// Flush is there for handlers that require one.
func (w *recorder) Flush() { w.WriteHeader(http.StatusOK) }

// CloseNotify is there for frameworks that require one. Its channel never receives,
// as Lambda does not report that the client has gone.
func (w *recorder) CloseNotify() <-chan bool { return nil }

// response returns what was recorded, completed as net/http's server does.
func (w *recorder) response() (*answer.Answer, error) {
	w.WriteHeader(http.StatusOK)
	if w.tooBig {
		return nil, errTooLarge()
	}
	res, body := w.head, w.body.Bytes()
	if size := int64(len(body)); size < w.length && w.method != http.MethodHead && !answer.Bodiless(res.Status) {
		return nil, invalidResponse("body: %d bytes of %d", size, w.length)
	}
	if _, compressed := res.Get("content-encoding"); !w.typed && !compressed && len(body) > 0 {
		res.Set("content-type", http.DetectContentType(body))
	}
	if w.method != http.MethodHead {
		res.Body = body
	}
	return res, nil
}
