package agent

import (
	"os"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets/internal/endpoint"
)

// Option configures a source.
type Option struct{ apply func(*source) }

// Address sets where the agent listens, like "http://localhost:2773". It must be
// on this machine, because the agents speak without TLS. The default is localhost
// with the port in the environment variable of the agent.
func Address(url string) Option {
	return Option{func(s *source) { s.address = url }}
}

// Token sets a function that returns the token of [Secrets] and [Parameters]; it is
// called for each fetch. The default is AWS_SESSION_TOKEN, which the extension
// expects and SnapStart does not set. The AppConfig agent has no token.
func Token(read func() (string, error)) Option {
	if read == nil {
		panic("agent: Token of a nil function")
	}
	return Option{func(s *source) { s.token = read }}
}

// TokenFile reads the token from a file for each fetch. The Secrets Manager Agent
// has its own in /var/run/awssmatoken.
func TokenFile(path string) Option { return Token(endpoint.TokenFile(path)) }

// RefreshNow makes the Secrets Manager Agent ask Secrets Manager for every fetch
// of [Secrets] instead of answering from its own cache, which would hide a
// rotation. For the Lambda extension, set SECRETS_MANAGER_TTL=0 instead.
func RefreshNow() Option {
	return Option{func(s *source) { s.refreshNow = true }}
}

func sessionToken() (string, error) {
	token := os.Getenv("AWS_SESSION_TOKEN")
	if token == "" {
		return "", guard.Reason("AWS_SESSION_TOKEN is not set")
	}
	return token, nil
}
