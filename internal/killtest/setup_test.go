package killtest_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

// connect gives a client of the tests' DynamoDB and the variables with which a
// function finds it.
func connect(t *testing.T) (*dynamodb.Client, []string) {
	t.Helper()
	url := servers.DynamoDB(t).URL()
	client := dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: &url,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
	return client, []string{"AWS_ENDPOINT_URL_DYNAMODB=" + url, "AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret"}
}

func makeTable(t *testing.T, client *dynamodb.Client, name string) {
	t.Helper()
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            &name,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func items(t *testing.T, client *dynamodb.Client, name string) int {
	t.Helper()
	out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &name, ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Items)
}

// runLocally starts the command guard/local for a package, as a developer
// would, and gives the address that it prints.
func runLocally(t *testing.T, pkg string, env []string, flags ...string) (url string) {
	t.Helper()
	dir := t.TempDir()
	local, err := guardtest.Compile(t.Context(), "../../guard/local", dir)
	if err != nil {
		t.Fatal(err)
	}
	envFile := filepath.Join(dir, "env")
	if err := os.WriteFile(envFile, []byte(strings.Join(env, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(local, append([]string{"-addr", "127.0.0.1:0", "-env", envFile}, append(flags, pkg)...)...)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the runner: %v", err)
		}
	})
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the runner told no address: %v", err)
		}
		if _, after, ok := strings.Cut(line, " on http://"); ok {
			go func() { _, _ = io.Copy(io.Discard, lines) }()
			return "http://" + strings.Fields(after)[0]
		}
	}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func post(ctx context.Context, t *testing.T, url, key, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

// eventually asks again until the answer is one that done takes.
func eventually(t *testing.T, ask func() answer, done func(answer) bool) answer {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(30 * time.Second); ; {
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
