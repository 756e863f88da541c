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

// recorder keeps a response until it is whole. A handler sees of it what it
// would see of the one of net/http's server.
type recorder struct {
	method string
	header http.Header
	head   *answer.Answer // status and headers as they were when the status was written
	typed  bool           // the handler has set a content type, or said that there is none
	length int64          // of the body, as the handler told; -1 when it did not
	size   int64          // of what it wrote
	body   bytes.Buffer
	tooBig bool
}

// sniffed is how much of a body tells its content type.
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

// isTrailer finds the names of http.TrailerPrefix.
func isTrailer(f answer.Field) bool { return strings.HasPrefix(f.Name, "trailer:") }

func (w *recorder) Write(p []byte) (int, error) {
	if err := w.allow(len(p)); err != nil {
		return 0, err
	}
	if w.method == http.MethodHead {
		w.body.Write(p[:min(len(p), max(0, sniffed-w.body.Len()))])
		return len(p), nil
	}
	return w.body.Write(p)
}

func (w *recorder) WriteString(s string) (int, error) {
	if w.method == http.MethodHead {
		return w.Write([]byte(s))
	}
	if err := w.allow(len(s)); err != nil {
		return 0, err
	}
	return w.body.WriteString(s)
}

// allow reports why n bytes more cannot be written.
func (w *recorder) allow(n int) error {
	w.WriteHeader(http.StatusOK)
	if n == 0 {
		return nil
	}
	if answer.Bodiless(w.head.Status) {
		return http.ErrBodyNotAllowed
	}
	w.size += int64(n)
	if w.length >= 0 && w.size > w.length {
		return http.ErrContentLength
	}
	if w.size > answer.Max && w.method != http.MethodHead {
		w.tooBig = true
		return tooLarge()
	}
	return nil
}

// Flush is there for handlers that require one.
func (w *recorder) Flush() { w.WriteHeader(http.StatusOK) }

// CloseNotify is there for frameworks that require one. Nobody can tell that the
// client has gone, so nothing comes.
func (w *recorder) CloseNotify() <-chan bool { return nil }

// response is what was recorded, completed as net/http's server does.
func (w *recorder) response() (*answer.Answer, error) {
	w.WriteHeader(http.StatusOK)
	if w.tooBig {
		return nil, tooLarge()
	}
	res := w.head
	body := w.body.Bytes()
	if size := int64(len(body)); size < w.length && w.method != http.MethodHead && !answer.Bodiless(res.Status) {
		return nil, invalidResponse("body: %d bytes of %d", size, w.length)
	}
	if _, packed := res.Get("content-encoding"); !w.typed && !packed && len(body) > 0 {
		res.Set("content-type", http.DetectContentType(body))
	}
	if w.method != http.MethodHead {
		res.Body = body
	}
	return res, nil
}
