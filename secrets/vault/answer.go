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

// versioned is what the engine answers, with a 404 also for a version that is
// deleted.
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
	if none(value.Data) {
		return secrets.Value{}, gone(found)
	}
	if field != "" {
		var err error
		if value.Data, err = fieldOf(value.Data, field); err != nil {
			return secrets.Value{}, err
		}
	}
	if meta.DeletionTime != "" {
		at, err := time.Parse(time.RFC3339Nano, meta.DeletionTime)
		if err != nil {
			return secrets.Value{}, guard.Reason("the answer cannot be read: its deletion time is none")
		}
		value.Expires = at
	}
	return value, nil
}

func fieldOf(data []byte, field string) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := endpoint.Decode(data, &fields); err != nil {
		return nil, err
	}
	raw, found := fields[field]
	if !found || none(raw) {
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

func none(raw []byte) bool { return len(raw) == 0 || string(raw) == "null" }

// refusal is the error of an answer other than 200. What Vault has written is
// not repeated: its own audit log has it. The states of a server that is
// sealed, a standby or behind (412, 429, 472, 473, 5xx) pass.
//
// See https://developer.hashicorp.com/vault/api-docs#http-status-codes
func refusal(a endpoint.Answer) error {
	switch {
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
		return fmt.Errorf("status %d: %w", a.Status, secrets.ErrDenied)
	case a.Status == http.StatusNotFound:
		var found versioned
		if a.Decode(&found) != nil {
			return fmt.Errorf("status %d: %w", a.Status, secrets.ErrNotFound)
		}
		return gone(found)
	case a.Status >= 300 && a.Status < 400:
		return fmt.Errorf("status %d, which is not followed; a standby may have sent it: %w", a.Status, secrets.ErrUnavailable)
	case a.Status == http.StatusPreconditionFailed || a.Status == http.StatusTooManyRequests ||
		a.Status == 472 || a.Status == 473 || a.Status >= 500:
		return fmt.Errorf("status %d: %w", a.Status, secrets.ErrUnavailable)
	}
	return fmt.Errorf("status %d", a.Status)
}

// gone says why there is no data.
func gone(v versioned) error {
	meta := v.Data.Metadata
	switch {
	case meta.Destroyed:
		return fmt.Errorf("version %d is destroyed: %w", meta.Version, secrets.ErrNotFound)
	case meta.DeletionTime != "":
		return fmt.Errorf("version %d is deleted: %w", meta.Version, secrets.ErrNotFound)
	}
	return secrets.ErrNotFound
}
