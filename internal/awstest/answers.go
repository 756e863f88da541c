package awstest

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
)

// Begin answers with the beginning of an answer and hangs.
func Begin(text string) awsproxy.Mishap {
	return func(w http.ResponseWriter, r *http.Request, body []byte) {
		_, _ = io.WriteString(w, text)
		_ = http.NewResponseController(w).Flush()
		awsproxy.Hang(w, r, body)
	}
}

// Cut answers with an answer that ends in the middle.
func Cut(text string) awsproxy.Mishap {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Length", "10000")
		_, _ = io.WriteString(w, text)
	}
}

// Say answers with a text that is no HTTP.
func Say(text string) awsproxy.Mishap {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, text)
	}
}

// Refuse answers with an error as AWS sends it.
func Refuse(status int, code string) awsproxy.Mishap {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": "a message"})
	}
}

// Answer answers all requests with v as JSON.
func Answer(v any) awsproxy.Mishap {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) { _ = json.NewEncoder(w).Encode(v) }
}
