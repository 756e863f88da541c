package agent

import (
	"net/url"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/endpoint"
)

// AppConfig returns a source of AppConfig's configurations, through the AppConfig
// agent or its Lambda extension. A name is "application/environment/profile", or
// the path of the agent, "/applications/a/environments/e/configurations/p".
// "?flag=one&flag=two" selects some of its feature flags. Only the latest version
// can be fetched. The port is
// AWS_APPCONFIG_EXTENSION_HTTP_PORT, or 2772. AppConfig panics if the port or an
// option is invalid.
//
// See https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-integration-lambda-extensions.html
func AppConfig(opts ...Option) secrets.Source {
	s := &source{what: "configuration", target: configTarget, value: configValue}
	s.listen("AWS_APPCONFIG_EXTENSION_HTTP_PORT", "2772", opts)
	s.token = nil // the other agents' tokens are not sent to this one
	return s
}

func configTarget(ref secrets.Ref) (string, error) {
	if ref.Version != "" || ref.Stage != "" || ref.Encrypted {
		return "", guard.Reason("a configuration has no version, stage or encryption to ask for")
	}
	path, rawQuery, _ := strings.Cut(ref.Name, "?")
	query, err := url.ParseQuery(rawQuery)
	flags := query["flag"]
	if err != nil || len(query) > 1 || len(query) == 1 && flags == nil {
		return "", guard.Reason("a configuration's name takes flag=<name> after its ? and nothing else")
	}
	segments := strings.Split(path, "/")
	if len(segments) == 7 && segments[0] == "" &&
		segments[1] == "applications" && segments[3] == "environments" && segments[5] == "configurations" {
		segments = []string{segments[2], segments[4], segments[6]}
	}
	if len(segments) != 3 {
		return "", guard.Reason(`a configuration's name is "application/environment/profile"`)
	}
	for i, segment := range segments {
		if segment == "" || segment == "." || segment == ".." {
			return "", guard.Reason("a configuration's name has a part that is empty or dots")
		}
		segments[i] = url.PathEscape(segment)
	}
	target := "/applications/" + segments[0] + "/environments/" + segments[1] + "/configurations/" + segments[2]
	if len(flags) > 0 {
		target += "?" + url.Values{"flag": flags}.Encode()
	}
	return target, nil
}

// configValue takes the version from the header that the agent sends, or from the
// one in its OpenAPI description.
func configValue(a endpoint.Answer) (secrets.Value, error) {
	version := a.Header.Get("Configuration-Version")
	if version == "" {
		version = a.Header.Get("ConfigurationVersion")
	}
	return secrets.Value{Data: a.Body, Version: version}, nil
}
