package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// rate is what a caller gets: the price of a euro in a currency, in decimal notation.
type rate struct {
	Currency string `json:"currency"`
	Rate     string `json:"rate"`
}

// provider is the company that knows exchange rates. It asks for a key.
type provider struct {
	url    string
	keys   *secrets.Cache
	key    string // its name
	client *http.Client
	log    *slog.Logger
}

var currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)

// get looks up the rate of a currency.
func (p *provider) get(ctx context.Context, _ struct{}) (rate, error) {
	req, _ := httpapi.RequestFrom(ctx)
	return p.rate(ctx, req.PathValue("currency"))
}

func (p *provider) rate(ctx context.Context, currency string) (rate, error) {
	if !currencyCode.MatchString(currency) {
		return rate{}, guard.Errorf(guard.NotFound, "unknown_currency", "A currency is three capital letters.")
	}
	// A rejected key may have been rotated: Try fetches it again.
	return secrets.Try(ctx, p.keys, p.key, func(ctx context.Context, key secrets.Secret) (rate, error) {
		return p.ask(ctx, key, currency)
	})
}

// maxAnswer bounds what is read of the provider's answer.
const maxAnswer = 64 << 10

func (p *provider) ask(ctx context.Context, key secrets.Secret, currency string) (rate, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/v1/rates/EUR/"+url.PathEscape(currency), nil)
	if err != nil {
		return rate{}, err
	}
	req.Header.Set("Authorization", "Bearer "+key.Text())
	resp, err := p.client.Do(req)
	if err != nil {
		return rate{}, noAnswer(err)
	}
	defer resp.Body.Close()
	p.log.DebugContext(ctx, "provider answered", "status", resp.StatusCode, "keyVersion", key.Version())
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return rate{}, fmt.Errorf("the provider answers %s: %w", resp.Status, secrets.ErrRejected)
	case http.StatusNotFound:
		return rate{}, guard.Errorf(guard.NotFound, "unknown_currency", "There is no rate of this currency.")
	default:
		return rate{}, noAnswer(fmt.Errorf("the provider answers %s", resp.Status))
	}
	var answer struct {
		Rate string `json:"rate"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&answer); err != nil {
		return rate{}, noAnswer(err)
	}
	if answer.Rate == "" {
		return rate{}, noAnswer(errors.New("the provider's answer has no rate"))
	}
	return rate{Currency: currency, Rate: answer.Rate}, nil
}

func noAnswer(cause error) error {
	return &guard.Error{Kind: guard.Unavailable, Detail: "The provider of rates does not answer.", Err: cause}
}
