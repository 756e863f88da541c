package images_test

import (
	"debug/elf"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

// The function of the image reads a parameter, a secret and an item from the extension
// of the image. The base is not here, so the Python is this machine's.
func TestTheImageOfTheCacheReadsAllThatItLists(t *testing.T) {
	t.Parallel()
	moto := testserver.Moto(t).URL()
	fill(t, awstest.Config(moto))
	image := build(t, dockerfileOf(t, "cacheextension"), contextOf(t, "../../..", "cacheextension"), "python", "DIR=examples/cacheextension")

	// The port of the image is one that another test may have.
	port, client := testserver.Port(t), image.dir+"/var/task/cache.py"
	text, err := os.ReadFile(client)
	must(t, err)
	must(t, os.WriteFile(client, []byte(strings.ReplaceAll(string(text), "localhost:4000", "localhost:"+port)), 0o755))

	interpreter, err := filepath.Abs("../../exampletest/testdata/cache/bootstrap.py")
	must(t, err)
	bootstrap := filepath.Join(t.TempDir(), "bootstrap")
	must(t, os.WriteFile(bootstrap, []byte("#!/bin/sh\nexec '"+testserver.Python(t)+"' '"+interpreter+"' app\n"), 0o700))

	fn := guardtest.Start(t, bootstrap, guardtest.Config{
		Region: "eu-central-1", Memory: 1024, Timeout: patient / 4, InitTimeout: patient, Freeze: true, Dir: image.dir + "/var/task", Extensions: image.extensions(t),
		Env: []string{
			"AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=token", "AWS_ENDPOINT_URL=" + moto, "PYTHONPATH=" + image.dir + "/var/task",
			"CACHE_EXTENSION_CONFIG=" + image.path("/var/task/config.yaml"), "CACHE_EXTENSION_PORT=" + port, "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT=" + testserver.Port(t),
		},
	})
	res, err := fn.Invoke(t.Context(), []byte(`{}`))
	if err != nil {
		t.Fatalf("%v, and the log is\n%s", err, fn.Log())
	}
	type values struct {
		Level string  `json:"level"`
		Most  float64 `json:"most"`
		Key   int     `json:"key"`
	}
	var got values
	must(t, json.Unmarshal(res.Payload, &got))
	if want := (values{Level: "INFO", Most: 7, Key: 6}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func fill(t *testing.T, cfg aws.Config) {
	t.Helper()
	ctx := t.Context()
	_, err := ssm.NewFromConfig(cfg).PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("/shop/log-level"), Value: aws.String("INFO"), Type: ssmtypes.ParameterTypeString})
	must(t, err)
	_, err = secretsmanager.NewFromConfig(cfg).CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("shop/api-key"), SecretString: aws.String("secret")})
	must(t, err)
	db, table := dynamodb.NewFromConfig(cfg), aws.String("shop-settings")
	_, err = db.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pKey"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sKey"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pKey"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("sKey"), KeyType: types.KeyTypeRange},
		},
	})
	must(t, err)
	_, err = db.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: map[string]types.AttributeValue{
		"pKey": &types.AttributeValueMemberS{Value: "berlin"}, "sKey": &types.AttributeValueMemberS{Value: "limits"}, "most": &types.AttributeValueMemberN{Value: "7"},
	}})
	must(t, err)
}

// What other images copy of the extension is what a layer would put into /opt, for the
// architecture of the image, whatever that of the builder is.
func TestTheImageOfTheExtensionIsALayer(t *testing.T) {
	t.Parallel()
	d, context := dockerfileOf(t, "cacheextension"), contextOf(t, "../../..", "cacheextension")
	for arch, want := range map[string]elf.Machine{"arm64": elf.EM_AARCH64, "amd64": elf.EM_X86_64} {
		image := build(t, d, context, "extension", "DIR=examples/cacheextension", "TARGETARCH="+arch)
		must(t, filepath.WalkDir(image.dir, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && path != image.dir+"/opt/extensions/cacheextension" {
				t.Errorf("got %s, want the extension alone", path)
			}
			return err
		}))
		binary, err := elf.Open(image.dir + "/opt/extensions/cacheextension")
		must(t, err)
		defer binary.Close()
		if libraries, err := binary.ImportedLibraries(); binary.Machine != want || err != nil || len(libraries) > 0 {
			t.Errorf("%s: got a binary for %v with libraries %v, %v; want %v and none", arch, binary.Machine, libraries, err, want)
		}
	}
}
