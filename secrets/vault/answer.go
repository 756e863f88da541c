package vault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/endpoint"
)

// versioned is an answer of the engine, also with status 404 for a deleted version.
type versioned struct {
	Data struct {
		Data     json.RawMessage `json:"data"`
		Metadata struct {
			Version      int64  `json:"version"`
			DeletionTime string `json:"deletion_time"`
			Destroyed    bool   `json:"destroyed"`
		} `json:"metadata"`
	} `json:"data"`
}

func valueOf(a endpoint.Answer, field string) (secrets.Value, error) {
	var found versioned
	if err := a.Decode(&found); err != nil {
		return secrets.Value{}, err
	}
	meta := found.Data.Metadata
	value := secrets.Value{Data: found.Data.Data}
	if meta.Version > 0 {
		value.Version = strconv.FormatInt(meta.Version, 10)
	}
	if isNull(value.Data) {
		return secrets.Value{}, notFound(found)
	}
	if field != "" {
		var err error
		if value.Data, err = fieldOf(value.Data, field); err != nil {
			return secrets.Value{}, err
		}
	}
	if meta.DeletionTime != "" {
		var err error
		if value.Expires, err = time.Parse(time.RFC3339Nano, meta.DeletionTime); err != nil {
			return secrets.Value{}, guard.Reason("the answer cannot be read: invalid deletion time")
		}
	}
	return value, nil
}

func fieldOf(data []byte, field string) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := endpoint.Decode(data, &fields); err != nil {
		return nil, err
	}
	raw, found := fields[field]
	if !found || isNull(raw) {
		return nil, fmt.Errorf("it has no such field: %w", secrets.ErrNotFound)
	}
	if raw[0] != '"' {
		return raw, nil
	}
	var text string
	if err := endpoint.Decode(raw, &text); err != nil {
		return nil, err
	}
	return []byte(text), nil
}

func isNull(raw []byte) bool { return len(raw) == 0 || string(raw) == "null" }

// refusal returns the error of an answer other than 200, without its text. A
// server that is sealed, a standby or behind answers 412, 429, 472, 473 or 5xx,
// and will be available again.
//
// See https://developer.hashicorp.com/vault/api-docs#http-status-codes
func refusal(a endpoint.Answer) error {
	switch status := a.Status; {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fmt.Errorf("status %d: %w", status, secrets.ErrDenied)
	case status == http.StatusNotFound:
		var found versioned
		if a.Decode(&found) != nil {
			return fmt.Errorf("status %d: %w", status, secrets.ErrNotFound)
		}
		return notFound(found)
	case status >= 300 && status < 400:
		return fmt.Errorf("status %d, a redirect of a standby is not followed: %w", status, secrets.ErrUnavailable)
	case status == http.StatusPreconditionFailed || status == http.StatusTooManyRequests ||
		status == 472 || status == 473 || status >= 500:
		return fmt.Errorf("status %d: %w", status, secrets.ErrUnavailable)
	}
	return fmt.Errorf("status %d", a.Status)
}

// notFound says why an answer has no data.
func notFound(v versioned) error {
	meta := v.Data.Metadata
	switch {
	case meta.Destroyed:
		return fmt.Errorf("version %d is destroyed: %w", meta.Version, secrets.ErrNotFound)
	case meta.DeletionTime != "":
		return fmt.Errorf("version %d is deleted: %w", meta.Version, secrets.ErrNotFound)
	}
	return secrets.ErrNotFound
}
