package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/agent"
)

// fresh is how long settings are used before the agent is asked again, which
// answers from memory.
const fresh = 5 * time.Second

// open connects to what the environment names: the provider at RATES_URL, its key in
// the secret RATES_KEY_SECRET, the settings in the AppConfig configuration
// RATES_SETTINGS. Only a local run may leave them out: it gets a pretended provider.
func open(log *slog.Logger) (*settings, *provider, error) {
	address, key, config := os.Getenv("RATES_URL"), os.Getenv("RATES_KEY_SECRET"), os.Getenv("RATES_SETTINGS")
	switch {
	case address == "" && key == "" && config == "" && os.Getenv("AWS_SAM_LOCAL") == "true":
		url, err := pretendProvider()
		if err != nil {
			return nil, nil, err
		}
		s, p := connect(log, url, pretendSource{}, "key", pretendSource{}, "settings")
		return s, p, nil
	case address == "":
		return nil, nil, errors.New("RATES_URL is not set")
	case !private(address):
		return nil, nil, errors.New("RATES_URL would show the key to the network: it must begin with https://")
	case key == "":
		return nil, nil, errors.New("RATES_KEY_SECRET is not set")
	case config == "":
		return nil, nil, errors.New("RATES_SETTINGS is not set")
	}
	s, p := connect(log, address, agent.Secrets(), key, agent.AppConfig(), config)
	return s, p, nil
}

func connect(log *slog.Logger, url string, keys secrets.Source, key string, configs secrets.Source, config string) (*settings, *provider) {
	fetched := secrets.OnFetch(func(ctx context.Context, f secrets.FetchReport) {
		if f.Err != nil {
			log.WarnContext(ctx, "not fetched", "name", f.Ref.Name, "cause", f.Err.Error())
			return
		}
		log.DebugContext(ctx, "fetched", "name", f.Ref.Name, "version", f.Version, "took", f.Took.String())
	})
	return &settings{cache: secrets.New(configs, secrets.TTL(fresh), fetched), name: config},
		&provider{url: url, keys: secrets.New(keys, fetched), key: key, client: &http.Client{CheckRedirect: stay}, log: log}
}

// stay follows no redirect: the key would be sent along, to any host.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// private reports whether a request to the address cannot be read on the way.
func private(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && ip != nil && ip.IsLoopback()
}
