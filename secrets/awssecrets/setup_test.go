package awssecrets_test

import (
	"crypto/rand"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
	"github.com/lambdarmor/lambdarmor/secrets"
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
	return secretsmanager.New(secretsmanager.Options{
		Region:       "eu-central-1",
		BaseEndpoint: &url,
		Credentials:  credentials.NewStaticCredentialsProvider("key", "secret", ""),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		}),
	})
}

// store is moto behind a proxy, and a source of what is in it.
type store struct {
	*proxy
	direct *secretsmanager.Client
	source *awssecrets.Source
	prefix string // of this test's names
}

func setUp(t testing.TB) *store {
	t.Helper()
	server := servers.Moto(t)
	p := newProxy(t, server.URL())
	return &store{
		proxy: p, direct: connect(server.URL()), source: awssecrets.New(connect(p.URL)), prefix: rand.Text() + "/",
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

func named(names ...string) []secrets.Ref {
	refs := make([]secrets.Ref, len(names))
	for i, name := range names {
		refs[i].Name = name
	}
	return refs
}

func fetch(t testing.TB, source secrets.Source, refs ...secrets.Ref) []secrets.Value {
	t.Helper()
	values, err := source.Fetch(t.Context(), refs)
	if err != nil || len(values) != len(refs) {
		t.Fatalf("%d values of %d, %v", len(values), len(refs), err)
	}
	return values
}

func mustHave(t testing.TB, v secrets.Value, want string) {
	t.Helper()
	if v.Err != nil || string(v.Data) != want {
		t.Errorf("%q, %v, want %q", v.Data, v.Err, want)
	}
}
