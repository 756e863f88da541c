package awssecrets_test

import (
	"crypto/rand"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
	"github.com/lambdarmor/lambdarmor/secrets/awssecrets"
)

var (
	_ awssecrets.Client    = (*secretsmanager.Client)(nil)
	_ awssecrets.Describer = (*secretsmanager.Client)(nil)
)

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

// connect gives the real client of a server. It retries twice, at once.
func connect(url string) *secretsmanager.Client {
	return secretsmanager.NewFromConfig(awstest.Config(url))
}

// store is moto behind a proxy, and a source of what is in it.
type store struct {
	*awsproxy.Proxy
	direct *secretsmanager.Client
	source *awssecrets.Source
	prefix string // of this test's names
}

func setUp(t testing.TB) *store {
	t.Helper()
	server := servers.Moto(t)
	p := awsproxy.New(t, server.URL())
	return &store{
		Proxy: p, direct: connect(server.URL()), source: awssecrets.New(connect(p.URL)), prefix: rand.Text() + "/",
	}
}

// create makes a secret and gives its name and its ARN.
func (s *store) create(t testing.TB, name, value string) (full, arn string) {
	t.Helper()
	full = s.prefix + name
	out, err := s.direct.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &full, SecretString: &value})
	if err != nil {
		t.Fatal(err)
	}
	return full, *out.ARN
}

// put makes a value the current one and gives its version.
func (s *store) put(t testing.TB, name, value string) string {
	t.Helper()
	out, err := s.direct.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: &value})
	if err != nil {
		t.Fatal(err)
	}
	return *out.VersionId
}

// remove schedules a secret for deletion.
func (s *store) remove(t testing.TB, name string) {
	t.Helper()
	_, err := s.direct.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &name, RecoveryWindowInDays: aws.Int64(7)})
	if err != nil {
		t.Fatal(err)
	}
}
