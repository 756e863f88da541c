package httpapi_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing/fstest"
	"time"
)

// site is a handler that does what handlers do. What it says must be the same
// behind a server and behind an event.
func site() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, h http.HandlerFunc) { mux.HandleFunc(pattern, h) }
	handle("/request", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		header := maps.Clone(r.Header)
		maps.DeleteFunc(header, func(name string, _ []string) bool { // the client's own
			return name == "User-Agent" || name == "Accept-Encoding" || name == "Content-Length"
		})
		fmt.Fprintf(w, "%s %s %s %q %q %v\n", r.Method, r.URL, r.RequestURI, r.URL.Path, r.URL.RawQuery, r.URL.Query())
		fmt.Fprintf(w, "%s %d %d %s %v %d\n", r.Proto, r.ProtoMajor, r.ProtoMinor, r.Pattern, header, r.ContentLength)
		fmt.Fprintf(w, "%q %v %v %v %v\n", body, err, r.Cookies(), r.TransferEncoding, r.Trailer)
	})
	handle("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.PathValue("id")) })
	handle("/status/{how}", func(w http.ResponseWriter, r *http.Request) {
		status := map[string]int{"created": 201, "empty": 204, "unmodified": 304, "teapot": 418, "unavailable": 503}[r.PathValue("how")]
		w.Header().Set("X-Status", r.PathValue("how"))
		w.WriteHeader(status)
		w.WriteHeader(500)
		n, err := io.WriteString(w, "body")
		w.Header().Set("X-Late", "1")
		if (n == 0) != (err != nil) || errors.Is(err, http.ErrBodyNotAllowed) != (status == 204 || status == 304) {
			panic(fmt.Sprint(n, err))
		}
	})
	handle("/nothing", func(http.ResponseWriter, *http.Request) {})
	handle("/early", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusAccepted)
	})
	handle("/headers", func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Add("Vary", "Accept")
		h.Add("Vary", "Origin")
		h["x-lower"] = []string{"v"}
		h["X-None"] = nil
		h.Set("X-Empty", "")
		h.Set("X-Tab", "a\tb")
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1", HttpOnly: true})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "2, 3", Path: "/"})
	})
	handle("/sniff/{what}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, map[string]string{
			"html": "<!DOCTYPE html><p>", "png": "\x89PNG\x0d\x0a\x1a\x0a\x00\x00", "text": "plain", "json": `{"a":1}`,
			"bytes": "\x00\x01\xff", "long": strings.Repeat("é", 3000), "utf16": "\xfe\xff\x00a",
		}[r.PathValue("what")])
	})
	handle("/untyped", func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		_, _ = io.WriteString(w, "<html>")
	})
	handle("/packed", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		_, _ = w.Write([]byte("as if packed"))
	})
	handle("/error", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "so <b>not</b>", http.StatusConflict) })
	handle("/redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "../else?x=1", http.StatusSeeOther) })
	handle("/flush", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "a")
		if err := http.NewResponseController(w).Flush(); err != nil {
			panic(err)
		}
		w.Header().Set("X-Late", "1")
		_, _ = io.WriteString(w, "b")
	})
	handle("/max", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4))
		var tooLarge *http.MaxBytesError
		fmt.Fprintf(w, "%q %t", body, errors.As(err, &tooLarge))
	})
	handle("/form", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%v %v %v", r.ParseForm(), r.PostForm, r.FormValue("q"))
	})
	handle("/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "2")
		_, _ = io.WriteString(w, "ab")
		if _, err := io.WriteString(w, "c"); !errors.Is(err, http.ErrContentLength) {
			panic(err)
		}
	})
	handle("/announced/{status}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "9")
		w.WriteHeader(map[string]int{"whole": 200, "unmodified": 304}[r.PathValue("status")])
		if r.Method != http.MethodHead {
			_, _ = io.WriteString(w, "nine byte")
		}
	})
	handle("/trailers", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(http.TrailerPrefix+"X-Sum", "1")
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Keep", "1")
		_, _ = io.WriteString(w, "x")
	})
	mux.Handle("/files/", http.StripPrefix("/files", http.FileServerFS(fstest.MapFS{
		"index.html": {Data: []byte("<p>home</p>"), ModTime: time.Unix(1e9, 0)},
		"a.css":      {Data: []byte("p{}"), ModTime: time.Unix(1e9, 0)},
		"b.bin":      {Data: []byte{0xff, 0xfe, 0x00, 0x80}, ModTime: time.Unix(1e9, 0)},
		"sub/c.txt":  {Data: []byte("c"), ModTime: time.Unix(1e9, 0)},
	})))
	return mux
}
