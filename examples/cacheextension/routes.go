package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"unicode/utf8"

	"github.com/lambdarmor/lambdarmor/secrets"
)

// simpleRoutes are those of one path for each type: /parameters?name=<name>. Their
// answer is the value.
func (s store) simpleRoutes() map[string]route {
	routes := map[string]route{}
	for kind, decode := range map[string]func(secrets.Secret) (string, error){
		parameters: func(found secrets.Secret) (string, error) {
			a, err := secrets.Decode[struct{ Parameter struct{ Value *string } }](found)
			if err != nil || a.Parameter.Value == nil {
				return "", cmp.Or(err, errNoValue)
			}
			return *a.Parameter.Value, nil
		},
		secretValues: func(found secrets.Secret) (string, error) {
			a, err := secrets.Decode[struct {
				SecretString *string
				SecretBinary []byte
			}](found)
			switch {
			case err != nil || a.SecretString == nil && a.SecretBinary == nil:
				return "", cmp.Or(err, errNoValue)
			case a.SecretString == nil:
				return string(a.SecretBinary), nil
			}
			return *a.SecretString, nil
		},
		items: func(found secrets.Secret) (string, error) { return found.Text(), nil },
	} {
		routes["/"+kind] = route{[]string{"name", "refreshNow"}, func(ctx context.Context, query url.Values) answer {
			found, err := s.get(ctx, kind, query.Get("name"), query.Get("refreshNow"))
			var body string
			if err == nil {
				body, err = decode(found)
			}
			if err != nil {
				status, why := meaning(err)
				return text(status, why)
			}
			return value(kind, body)
		}}
	}
	return routes
}

func value(kind, body string) answer {
	switch {
	case kind == items:
		return answer{http.StatusOK, "application/json", body}
	case utf8.ValidString(body):
		return text(http.StatusOK, body)
	}
	return answer{http.StatusOK, "application/octet-stream", body}
}

// awsRoutes are those of the AWS Parameters and Secrets Lambda extension.
//
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
// https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html
func (s store) awsRoutes() map[string]route {
	return map[string]route{
		"/secretsmanager/get": {[]string{"secretId", "versionId", "versionStage", "refreshNow"}, func(ctx context.Context, query url.Values) answer {
			found, err := s.get(ctx, secretValues, query.Get("secretId"), query.Get("refreshNow"),
				secrets.VersionID(query.Get("versionId")), secrets.VersionStage(query.Get("versionStage")))
			return awsAnswer(found, err, "ResourceNotFoundException", "DecryptionFailure")
		}},
		"/systemsmanager/parameters/get": {[]string{"name", "version", "label", "withDecryption", "refreshNow"}, func(ctx context.Context, query url.Values) answer {
			decrypt, _ := strconv.ParseBool(query.Get("withDecryption"))
			found, err := s.get(ctx, parameters, query.Get("name"), query.Get("refreshNow"),
				secrets.VersionID(query.Get("version")), secrets.VersionStage(query.Get("label")), secrets.Decrypt(decrypt))
			return awsAnswer(found, err, "ParameterNotFound", "InvalidKeyId")
		}},
	}
}

var (
	errNotListed = errors.New("not listed in config.yaml")
	errNoValue   = errors.New("the answer has no value")
)

func (s store) get(ctx context.Context, kind, name, refreshNow string, opts ...secrets.GetOption) (secrets.Secret, error) {
	cache, ok := s[kind][name]
	if !ok {
		return secrets.Secret{}, errNotListed
	}
	if refresh, _ := strconv.ParseBool(refreshNow); refresh {
		opts = append(opts, secrets.Refresh())
	}
	return cache.Get(ctx, name, opts...)
}

// meaning returns what a client learns of an error. The log has the rest.
func meaning(err error) (status int, why string) {
	switch {
	case errors.Is(err, errNotListed):
		return http.StatusForbidden, errNotListed.Error()
	case errors.Is(err, secrets.ErrDenied):
		return http.StatusForbidden, "access denied"
	case errors.Is(err, secrets.ErrNotFound):
		return http.StatusNotFound, "not found"
	case errors.Is(err, errNoValue):
		return http.StatusBadGateway, errNoValue.Error()
	case errors.Is(err, secrets.ErrUndecryptable):
		return http.StatusBadGateway, "cannot be decrypted"
	case errors.Is(err, secrets.ErrUnavailable):
		return http.StatusServiceUnavailable, "unavailable"
	}
	return http.StatusBadGateway, "failed, see the log"
}

// awsAnswer is an error as AWS's agents pass it on: status 400 for what AWS has
// refused, with a code that clients look for.
func awsAnswer(found secrets.Secret, err error, notFound, undecryptable string) answer {
	if err == nil {
		return answer{http.StatusOK, "application/json", found.Text()}
	}
	status, why := meaning(err)
	code := "ValidationException"
	switch {
	case status == http.StatusForbidden:
		code = "AccessDeniedException"
	case status == http.StatusNotFound:
		code = notFound
	case errors.Is(err, secrets.ErrUndecryptable):
		code = undecryptable
	case status == http.StatusServiceUnavailable:
		code = "InternalServiceError"
	}
	if status != http.StatusServiceUnavailable {
		status = http.StatusBadRequest
	}
	body, _ := json.Marshal(map[string]string{"__type": code, "message": why})
	return answer{status, "application/json", string(body)}
}
