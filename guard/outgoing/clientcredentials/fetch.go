package clientcredentials

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/random"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// mostAnswer is more than any token has that fits into a header.
const mostAnswer = 64 << 10

var (
	errRequest   = reason.New("the token endpoint cannot be reached")
	errLarge     = reason.New("the answer of the token endpoint is larger than 64 kB")
	errNoJSON    = reason.New("the answer of the token endpoint is not of type application/json")
	errMalformed = reason.New("the answer of the token endpoint is malformed")
	errNoToken   = reason.New("the answer of the token endpoint has no access_token that fits into a header")
	errType      = reason.New("the answer of the token endpoint has a token_type other than Bearer")
	errExpiresIn = reason.New("the answer of the token endpoint has an expires_in that is no positive number of seconds")
)

// fetch gets a token with the client secret, and once more with a new secret if the
// server says that it is wrong.
func (s *Source) fetch(ctx context.Context) (*kept, error) {
	k, err := secrets.Try(ctx, s.secrets, s.name, s.fetchWith)
	if _, ok := errors.AsType[*guard.Error](err); err != nil && !ok {
		err = unavailable(err, 0) // the context has ended
	}
	return k, err
}

func (s *Source) fetchWith(ctx context.Context, secret secrets.Secret) (*kept, error) {
	form := maps.Clone(s.form)
	if s.inBody {
		form.Set("client_id", s.clientID)
		form.Set("client_secret", secret.Text())
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, refused(errRequest)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	if !s.inBody {
		// Both are encoded before they are joined, see
		// https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1.
		r.SetBasicAuth(url.QueryEscape(s.clientID), url.QueryEscape(secret.Text()))
	}
	at := s.clock.Now()
	res, err := s.base.RoundTrip(r) // without a client, which follows redirects
	if err != nil {
		return nil, unavailable(fmt.Errorf("%w: %w", errRequest, foreign{err}), 0)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer+1))
	switch {
	case err != nil:
		return nil, unavailable(fmt.Errorf("%w: %w", errRequest, foreign{err}), 0)
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500:
		return nil, unavailable(status(res.StatusCode), retryAfter(res.Header, s.clock.Now()))
	case len(body) > mostAnswer:
		return nil, refused(errLarge)
	case res.StatusCode != http.StatusOK:
		return nil, denial(res.StatusCode, body)
	}
	if form, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || form != "application/json" {
		return nil, refused(errNoJSON)
	}
	text, life, err := parse(body)
	if err != nil {
		return nil, refused(err)
	}
	return keep(text, at, life, random.Float64()), nil
}

// parse reads a successful answer.
//
// https://www.rfc-editor.org/rfc/rfc6749#section-5.1
func parse(body []byte) (text string, life time.Duration, err error) {
	var answer struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   any    `json:"expires_in"`
	}
	if err := strictjson.Unmarshal(body, &answer, strictjson.Options{}); err != nil {
		return "", 0, errMalformed // the error may quote the token
	}
	// RFC 6750 section 2.1 has fewer characters than RFC 6749 appendix A.12, and servers
	// use those of the latter. A space would end the token in the header.
	unfit := func(r rune) bool { return r <= ' ' || r > '~' }
	if answer.AccessToken == "" || strings.IndexFunc(answer.AccessToken, unfit) >= 0 {
		return "", 0, errNoToken
	}
	if !strings.EqualFold(answer.TokenType, "Bearer") { // RFC 6749 section 5.1: case insensitive
		return "", 0, errType
	}
	if life, err = lifeOf(answer.ExpiresIn); err != nil {
		return "", 0, err
	}
	return answer.AccessToken, life, nil
}

// lifeOf reads expires_in, a number of seconds; some servers send it as a string. It is
// only recommended.
func lifeOf(expiresIn any) (time.Duration, error) {
	var seconds float64
	switch v := expiresIn.(type) {
	case nil:
		return unknownLife, nil
	case float64:
		seconds = v
	case string:
		n, err := strconv.ParseUint(v, 10, 32)
		if err != nil {
			return 0, errExpiresIn
		}
		seconds = float64(n)
	}
	if seconds < 1 {
		return 0, errExpiresIn
	}
	return time.Duration(min(seconds, longestLife.Seconds()) * float64(time.Second)), nil
}

// denial returns the error for an answer that is an error.
//
// https://www.rfc-editor.org/rfc/rfc6749#section-5.2
func denial(code int, body []byte) error {
	var answer struct {
		Error string `json:"error"`
	}
	_ = strictjson.Unmarshal(body, &answer, strictjson.Options{}) // not each error is JSON
	err := error(status(code))
	if known, ok := codes[answer.Error]; ok {
		err = fmt.Errorf("%w: %w", err, known)
	}
	if code == http.StatusUnauthorized || answer.Error == "invalid_client" {
		err = fmt.Errorf("%w: %w", err, secrets.ErrRejected)
	}
	return refused(err)
}

// codes are the errors that a server may answer. Its text is not shown: it may quote the
// request.
var codes = map[string]error{
	"invalid_request":        reason.New("invalid_request"),
	"invalid_client":         reason.New("invalid_client"),
	"invalid_grant":          reason.New("invalid_grant"),
	"unauthorized_client":    reason.New("unauthorized_client"),
	"unsupported_grant_type": reason.New("unsupported_grant_type"),
	"invalid_scope":          reason.New("invalid_scope"),
	"invalid_target":         reason.New("invalid_target"), // RFC 8707 section 2
}

// status is an answer of the token endpoint.
type status int

func (s status) Error() string { return "the token endpoint answered " + strconv.Itoa(int(s)) }

// LogValue returns the text, which has nothing of the answer but the number.
func (s status) LogValue() slog.Value { return slog.StringValue(s.Error()) }

// retryAfter reads the header of that name, in either form. It is at most lastRetry.
//
// https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, lastRetry)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), lastRetry)
	}
	return 0
}
