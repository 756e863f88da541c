package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// asking is a provider that answers so, to a function whose key is in a
// variable.
func asking(t *testing.T, h http.HandlerFunc) *provider {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	t.Setenv("RATES_KEY", "k-1")
	return &provider{
		url: server.URL, keys: secrets.New(secrets.Env()), key: "RATES_KEY",
		client: server.Client(), log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

func TestARateIsAskedForWithTheKey(t *testing.T) {
	p := asking(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/rates/EUR/USD" || r.Header.Get("Authorization") != "Bearer k-1" {
			t.Errorf("%s %s", r.URL, r.Header.Get("Authorization"))
		}
		_, _ = io.WriteString(w, `{"rate":"1.1583"}`)
	})
	got, err := p.rate(t.Context(), "USD")
	if want := (rate{Currency: "USD", Rate: "1.1583"}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestARotatedKeyIsUsedAtOnce(t *testing.T) {
	p := asking(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer k-2" {
			w.WriteHeader(http.StatusUnauthorized)
			t.Setenv("RATES_KEY", "k-2")
			return
		}
		_, _ = io.WriteString(w, `{"rate":"1.1583"}`)
	})
	if got, err := p.rate(t.Context(), "USD"); err != nil || got.Rate != "1.1583" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhatTheProviderSaysInstead(t *testing.T) {
	for status, want := range map[int]guard.Kind{401: guard.Internal, 403: guard.Internal, 404: guard.NotFound, 429: guard.Unavailable, 500: guard.Unavailable, 302: guard.Unavailable} {
		p := asking(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		if _, err := p.rate(t.Context(), "USD"); err == nil || guard.KindOf(err) != want {
			t.Errorf("%d became %v, a %v", status, err, guard.KindOf(err))
		}
	}
	for _, answer := range []string{`{"rate":`, `{}`, `null`, `{"rate":""}`, `{"rate":1.1583}`, ``} {
		p := asking(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })
		if got, err := p.rate(t.Context(), "USD"); guard.KindOf(err) != guard.Unavailable {
			t.Errorf("%s became %+v, %v", answer, got, err)
		}
	}
	p := asking(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"currency":"CHF","rate":"1"}`)
	})
	if got, err := p.rate(t.Context(), "USD"); err != nil || got.Currency != "USD" {
		t.Errorf("asked for USD, got %+v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.rate(ctx, "USD"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := p.rate(t.Context(), "usd/../x"); guard.KindOf(err) != guard.NotFound {
		t.Error(err)
	}
}

// A redirect may lead to another host, or to this one in the clear.
func TestTheKeyDoesNotFollowARedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the key went elsewhere: %v", r.Header)
	}))
	defer elsewhere.Close()
	asked := asking(t, http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect).ServeHTTP)
	_, p := connect(asked.log, asked.url, secrets.Env(), asked.key, secrets.Env(), "SETTINGS")
	if got, err := p.rate(t.Context(), "USD"); guard.KindOf(err) != guard.Unavailable {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTheKeyGoesNowhereInTheClear(t *testing.T) {
	for address, want := range map[string]bool{
		"https://rates.example": true, "http://127.0.0.1:80": true, "http://[::1]": true,
		"http://rates.example": false, "http://localhost.example": false, "": false, "rates.example": false, "http://%zz": false, "ftp://127.0.0.1": false,
	} {
		if private(address) != want {
			t.Errorf("%q: %v", address, !want)
		}
	}
}
