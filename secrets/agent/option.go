package agent

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets/internal/endpoint"
)

// Option changes a source.
type Option func(*client)

// Address says where the agent listens, like "http://localhost:2773". It must
// be of this machine: the agents speak without TLS. Without it the host is
// localhost and the port that of the agent's environment variable.
func Address(url string) Option {
	return func(c *client) { c.address = url }
}

// Token says where the token comes from that [Secrets] and [Parameters] prove
// themselves with; it is asked for each fetch. Without it the token is that of
// AWS_SESSION_TOKEN, which the extension expects. The AppConfig agent has none.
func Token(read func() (string, error)) Option {
	if read == nil {
		panic("agent: Token of nil")
	}
	return func(c *client) { c.token = read }
}

// TokenFile reads the token from a file at each fetch: the Secrets Manager
// Agent keeps its own in /var/run/awssmatoken.
func TokenFile(path string) Option {
	return Token(func() (string, error) {
		token, err := os.ReadFile(path)
		return strings.TrimSpace(string(token)), err
	})
}

// RefreshNow has the Secrets Manager Agent ask Secrets Manager at every fetch
// of [Secrets], instead of its own cache. The cache of package secrets stands
// before it either way; without a second one behind, a rotated secret is there
// as soon as it is asked for. The Lambda extension documents no such parameter:
// there, SECRETS_MANAGER_TTL=0 does the same.
func RefreshNow() Option {
	return func(c *client) { c.refreshNow = true }
}

// sessionToken is the default token. It is read at each fetch, as it differs
// after a restore from a snapshot.
func sessionToken() (string, error) {
	token := os.Getenv("AWS_SESSION_TOKEN")
	if token == "" {
		return "", guard.Reason("AWS_SESSION_TOKEN is not set")
	}
	return token, nil
}

// newClient panics where an option or the agent's environment variable cannot
// be meant.
func newClient(variable string, port int, opts []Option) *client {
	c := &client{token: sessionToken}
	for _, opt := range opts {
		opt(c)
	}
	if c.address == "" {
		c.address = "http://localhost:" + portOf(variable, port)
	}
	e, err := endpoint.New(c.address)
	switch {
	case err != nil:
		panic("agent: " + err.Error())
	case !e.Local():
		panic(fmt.Sprintf("agent: address %q is not of this machine", c.address))
	}
	c.endpoint = e
	return c
}

func portOf(variable string, port int) string {
	value := os.Getenv(variable)
	if value == "" {
		return strconv.Itoa(port)
	}
	if n, err := strconv.ParseUint(value, 10, 16); err != nil || n == 0 {
		panic(fmt.Sprintf("agent: %s is %q, which is not a port", variable, value))
	}
	return value
}
