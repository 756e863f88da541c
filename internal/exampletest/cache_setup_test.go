package exampletest_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

// cached is what the cache of a test reads: values in moto and dynoxide behind
// proxies, and the ports on which it serves them.
type cached struct {
	aws, db                         *awsproxy.Proxy // what passes to moto and to dynoxide
	keys                            *secretsmanager.Client
	parameter, secret, table        string // names; the secret's has hyphens and a slash
	port, awsPort, token, file, dir string

	// awake keeps the environment from being frozen between invocations, for tests
	// that ask the extension themselves.
	awake bool

	// extensions is the folder with the extension; made when it is empty.
	extensions string
}

func fillCache(t *testing.T) *cached {
	t.Helper()
	moto, dynoxide := servers.Moto(t), servers.DynamoDB(t)
	suffix := rand.Text()
	c := &cached{
		aws: awsproxy.New(t, moto.URL()), db: awsproxy.New(t, dynoxide.URL()),
		keys:      secretsmanager.NewFromConfig(awstest.Config(moto.URL())),
		parameter: "/shop/" + suffix, secret: "shop-berlin/" + suffix, table: "Dynamo-Db-" + suffix,
		port: testserver.Port(t), awsPort: testserver.Port(t), token: rand.Text(), dir: t.TempDir(),
	}
	c.file = filepath.Join(c.dir, "config.yaml")
	ctx := t.Context()
	_, err := ssm.NewFromConfig(awstest.Config(moto.URL())).PutParameter(ctx, &ssm.PutParameterInput{
		Name: &c.parameter, Value: aws.String("debug"), Type: ssmtypes.ParameterTypeSecureString,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.keys.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &c.secret, SecretString: aws.String("old")}); err != nil {
		t.Fatal(err)
	}
	makeItem(t, dynamodb.NewFromConfig(awstest.Config(dynoxide.URL())), c.table, "pKey1", "sKey1", map[string]types.AttributeValue{
		"Data": &types.AttributeValueMemberN{Value: "12345678901234567890"},
	})
	c.list(t, fmt.Sprintf(`
parameters:
  - region: eu-central-1
    names: [%s, /aws/reference/secretsmanager/%s]
secrets:
  - region: eu-central-1
    names: [%[2]s]
dynamodb:
  - {table: %[3]s, hashkey: pKey, hashkeytype: S, hashkeyvalue: pKey1, sortkey: sKey, sortkeytype: S, sortkeyvalue: sKey1}
`, c.parameter, c.secret, c.table))
	return c
}

func makeItem(t *testing.T, db *dynamodb.Client, table, hash, sort string, item map[string]types.AttributeValue) {
	t.Helper()
	_, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pKey"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sKey"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pKey"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sKey"), KeyType: types.KeyTypeRange},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	item["pKey"], item["sKey"] = &types.AttributeValueMemberS{Value: hash}, &types.AttributeValueMemberS{Value: sort}
	if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
		t.Fatal(err)
	}
}

// list writes config.yaml.
func (c *cached) list(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(c.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// beside starts a function with the extension beside it.
func (c *cached) beside(t *testing.T, function string, env ...string) *guardtest.Function {
	t.Helper()
	if c.extensions == "" {
		c.extensions = t.TempDir()
		if err := os.Symlink(built.of(t, "examples/cacheextension"), filepath.Join(c.extensions, "cacheextension")); err != nil {
			t.Fatal(err)
		}
	}
	return guardtest.Start(t, function, guardtest.Config{
		Region: "eu-central-1", Memory: 1024, Timeout: patient, InitTimeout: patient, Extensions: c.extensions, Dir: c.dir, Freeze: !c.awake,
		Env: append([]string{
			"AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=" + c.token,
			"AWS_ENDPOINT_URL_SSM=" + c.aws.URL, "AWS_ENDPOINT_URL_SECRETS_MANAGER=" + c.aws.URL, "AWS_ENDPOINT_URL_DYNAMODB=" + c.db.URL,
			"CACHE_EXTENSION_CONFIG=" + c.file, "CACHE_EXTENSION_PORT=" + c.port, "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT=" + c.awsPort,
		}, env...),
	})
}

// inGo, inPython and inNode return a function that answers a list of [type, name]
// with their values. The last two use the clients of the README.
func (c *cached) inGo(t *testing.T) string {
	return built.of(t, "internal/exampletest/testdata/cache/client")
}

func (c *cached) inPython(t *testing.T) string {
	c.copy(t, "testdata/cache/bootstrap.py")
	c.copy(t, "testdata/cache/values.py")
	c.write(t, "client.py", readmeBlock(t, "python"))
	return c.script(t, testserver.Python(t), "bootstrap.py", "values")
}

func (c *cached) inNode(t *testing.T) string {
	node, err := exec.LookPath("node")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	} else if err != nil {
		t.Skip("install node to run this")
	}
	c.copy(t, "testdata/cache/bootstrap.mjs")
	c.write(t, "client.mjs", readmeBlock(t, "js"))
	return c.script(t, node, "bootstrap.mjs")
}

func (c *cached) script(t *testing.T, command ...string) string {
	t.Helper()
	c.write(t, "bootstrap", "#!/bin/sh\nexec '"+strings.Join(command, "' '")+"'\n")
	return filepath.Join(c.dir, "bootstrap")
}

func (c *cached) copy(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, filepath.Base(file), string(text))
}

// write writes a file of the function, with this test's ports.
func (c *cached) write(t *testing.T, name, text string) {
	t.Helper()
	text = strings.NewReplacer("localhost:4000", "localhost:"+c.port, "localhost:2773", "localhost:"+c.awsPort).Replace(text)
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}

func readmeBlock(t *testing.T, language string) string {
	t.Helper()
	readme, err := os.ReadFile("../../examples/cacheextension/README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindSubmatch(readme)
	if found == nil {
		t.Fatalf("README.md has no %s", language)
	}
	return string(found[1])
}

type values struct {
	Values []string      `json:"values"`
	Took   time.Duration `json:"took"` // the last one; by the function in Go alone
}

func read(t *testing.T, fn *guardtest.Function, asked ...[2]string) values {
	t.Helper()
	got, err := tryToRead(t.Context(), fn, asked...)
	if err != nil {
		t.Fatalf("%v, and the log is\n%s", err, fn.Log())
	}
	return got
}

func tryToRead(ctx context.Context, fn *guardtest.Function, asked ...[2]string) (got values, err error) {
	payload, err := json.Marshal(asked)
	if err != nil {
		return got, err
	}
	res, err := fn.Invoke(ctx, payload)
	if err != nil {
		return got, err
	}
	return got, json.Unmarshal(res.Payload, &got)
}
