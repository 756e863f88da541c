package exampletest_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

var (
	servers testserver.Shared
	built   binaries
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "exampletest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	built.dir = dir
	return servers.Run(m)
}

// binaries are those that the tests share, each built on first use.
type binaries struct {
	dir   string
	mu    sync.Mutex
	paths map[string]string
}

// of builds a package of the module, named from its root.
func (b *binaries) of(t *testing.T, pkg string) string {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.paths[pkg] == "" {
		path, err := guardtest.Compile(t.Context(), "../../"+pkg, b.dir)
		if err != nil {
			t.Fatal(err)
		}
		if b.paths == nil {
			b.paths = map[string]string{}
		}
		b.paths[pkg] = path
	}
	return b.paths[pkg]
}

// patient is more than anything takes that works, on a machine that is slow or
// stands still for a while, too.
const patient = 2 * time.Minute

// cloud is what a function finds in AWS.
type cloud struct {
	db  *dynamodb.Client
	env []string
}

func connect(t *testing.T) cloud {
	t.Helper()
	db := servers.DynamoDB(t).URL()
	return cloud{
		db: dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: &db, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")}),
		env: []string{
			"AWS_ENDPOINT_URL_DYNAMODB=" + db, "AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret",
		},
	}
}

// secretStore returns a client of Secrets Manager, and the variable that leads a function there.
func secretStore(t *testing.T) (client *secretsmanager.Client, env string) {
	t.Helper()
	url := servers.Moto(t).URL()
	return secretsmanager.New(secretsmanager.Options{
		Region: "us-east-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	}), "AWS_ENDPOINT_URL_SECRETS_MANAGER=" + url
}

func (c cloud) makeTable(t *testing.T, name string) {
	t.Helper()
	_, err := c.db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            &name,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (c cloud) items(t *testing.T, table string) []map[string]types.AttributeValue {
	t.Helper()
	out, err := c.db.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	return out.Items
}

// all are the items of a table of any size.
func (c cloud) all(t *testing.T, table string) (items []map[string]types.AttributeValue) {
	t.Helper()
	pages := dynamodb.NewScanPaginator(c.db, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, page.Items...)
	}
	return items
}

// deploy runs an example behind an HTTP API and returns the address of that.
func deploy(t *testing.T, example string, env []string) string {
	t.Helper()
	fn := guardtest.Start(t, built.of(t, "examples/"+example), guardtest.Config{
		Concurrency: 16, Instances: 2, Timeout: 25 * time.Second, InitTimeout: patient, Env: env,
	})
	return gateway.Start(t, fn, gateway.HTTPAPIConfig{}).URL
}

func do(t *testing.T, req *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

type answer struct {
	status int
	header http.Header
	body   string
}

func post(t *testing.T, url, key, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	res, text := do(t, req)
	return answer{status: res.StatusCode, header: res.Header, body: text}
}

// eventually asks again until the answer is one that done takes.
func eventually(t *testing.T, ask func() answer, done func(answer) bool) answer {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(patient); ; {
		got := ask()
		if done(got) {
			return got
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("still %d %s", got.status, got.body)
		}
	}
}
