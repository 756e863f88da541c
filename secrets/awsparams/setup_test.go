package awsparams_test

import (
	"crypto/rand"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awsparams"
)

var _ awsparams.Client = (*ssm.Client)(nil)

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

// connect gives the real client of a server. It retries twice, at once.
func connect(url string) *ssm.Client {
	return ssm.New(ssm.Options{
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
	url    string // of moto itself
	direct *ssm.Client
	source *awsparams.Source
	prefix string // of this test's names
}

func setUp(t testing.TB) *store {
	t.Helper()
	server := servers.Moto(t)
	p := newProxy(t, server.URL())
	return &store{
		proxy: p, url: server.URL(), direct: connect(server.URL()), source: awsparams.New(connect(p.URL)), prefix: "/" + rand.Text() + "/",
	}
}

// put sets a parameter and gives its full name.
func (s *store) put(t testing.TB, name, value string, kind types.ParameterType) string {
	t.Helper()
	full := s.prefix + name
	_, err := s.direct.PutParameter(t.Context(), &ssm.PutParameterInput{Name: &full, Value: &value, Type: kind, Overwrite: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	return full
}

func (s *store) label(t testing.TB, name string, version int64, label string) {
	t.Helper()
	_, err := s.direct.LabelParameterVersion(t.Context(), &ssm.LabelParameterVersionInput{Name: &name, ParameterVersion: &version, Labels: []string{label}})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *store) arn(t testing.TB, name string) string {
	t.Helper()
	out, err := s.direct.GetParameter(t.Context(), &ssm.GetParameterInput{Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	return *out.Parameter.ARN
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

func mustTake(t testing.TB, p *proxy, want int) {
	t.Helper()
	if got := p.taken(); got["GetParameters"] != want || len(got) > 1 {
		t.Errorf("requests %v, want %d", got, want)
	}
}
