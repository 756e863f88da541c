package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
)

// pretendProvider starts a provider on this machine for a local run, and returns its
// address. Its key is rotated every ten seconds; the previous key is good for ten
// more.
func pretendProvider() (address string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	rates := map[string]string{"CHF": "0.9384", "GBP": "0.8721", "USD": "1.1583"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/rates/EUR/{currency}", func(w http.ResponseWriter, r *http.Request) {
		found, known := rates[r.PathValue("currency")]
		switch sent := r.Header.Get("Authorization"); {
		case sent != "Bearer "+pretendKey(rotation()) && sent != "Bearer "+pretendKey(rotation()-1):
			w.WriteHeader(http.StatusUnauthorized)
		case !known:
			w.WriteHeader(http.StatusNotFound)
		default:
			fmt.Fprintf(w, `{"rate":%q}`, found)
		}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(listener) }() // for as long as the process lives
	return "http://" + listener.Addr().String(), nil
}

// rotation counts the rotations of the pretended key.
func rotation() int64 { return time.Now().Unix() / 10 }

func pretendKey(rotation int64) string { return "local-key-" + strconv.FormatInt(rotation, 36) }

// pretendSource has the key of the pretended provider, and settings that show
// what happens.
type pretendSource struct{}

func (pretendSource) Fetch(_ context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	values := make([]secrets.Value, len(refs))
	for i, ref := range refs {
		switch ref.Name {
		case "key":
			n := rotation()
			values[i] = secrets.Value{Data: []byte(pretendKey(n)), Version: strconv.FormatInt(n, 10)}
		case "settings":
			values[i] = secrets.Value{Data: []byte(`{"logLevel":"DEBUG"}`), Version: "1"}
		default:
			values[i].Err = secrets.ErrNotFound
		}
	}
	return values, nil
}
