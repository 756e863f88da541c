package awsparams_test

import (
	"crypto/rand"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
	"github.com/lambdarmor/lambdarmor/secrets/awsparams"
)

var _ awsparams.Client = (*ssm.Client)(nil)

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

// connect returns the real client of a server. It retries twice, without a wait.
func connect(url string) *ssm.Client {
	return ssm.NewFromConfig(awstest.Config(url))
}

// store is moto behind a proxy, and a source of what is in it.
type store struct {
	*awsproxy.Proxy
	url    string // of moto itself
	direct *ssm.Client
	source *awsparams.Source
	prefix string // of this test's names
}

func setUp(t testing.TB) *store {
	t.Helper()
	server := servers.Moto(t)
	p := awsproxy.New(t, server.URL())
	return &store{
		Proxy: p, url: server.URL(), direct: connect(server.URL()), source: awsparams.New(connect(p.URL)), prefix: "/" + rand.Text() + "/",
	}
}

// put sets a parameter and returns its full name.
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

func mustTake(t testing.TB, p *awsproxy.Proxy, want int) {
	t.Helper()
	if got := p.Taken(); got["GetParameters"] != want || len(got) > 1 {
		t.Errorf("requests %v, want %d", got, want)
	}
}
