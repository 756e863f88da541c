package awssecrets_test

import (
	"crypto/rand"
	"maps"
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

// connect returns the real client of a server. It retries twice, without a wait.
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

// create makes a secret and returns its name and ARN.
func (s *store) create(t testing.TB, name, value string) (full, arn string) {
	t.Helper()
	full = s.prefix + name
	out, err := s.direct.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &full, SecretString: &value})
	if err != nil {
		t.Fatal(err)
	}
	return full, *out.ARN
}

// put makes a value the current one and returns its version.
func (s *store) put(t testing.TB, name, value string) string {
	t.Helper()
	out, err := s.direct.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: &value})
	if err != nil {
		t.Fatal(err)
	}
	return *out.VersionId
}

// mustTake fails unless these requests have passed since the last look.
func mustTake(t *testing.T, from interface{ Taken() map[string]int }, want map[string]int) {
	t.Helper()
	if got := from.Taken(); !maps.Equal(got, want) {
		t.Errorf("got requests %v, want %v", got, want)
	}
}

// remove schedules a secret for deletion.
func (s *store) remove(t testing.TB, name string) {
	t.Helper()
	_, err := s.direct.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &name, RecoveryWindowInDays: aws.Int64(7)})
	if err != nil {
		t.Fatal(err)
	}
}
