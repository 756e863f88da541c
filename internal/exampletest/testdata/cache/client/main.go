// Command client is a function in Go that answers a list of [type, name] with their
// values: those of the extension over its two ports, of AWS itself, or of a cache of
// its own. It says how long the last one took.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/agent"
	"github.com/lambdarmor/lambdarmor/secrets/awsdynamo"
)

func main() {
	c := &client{
		keys:       secrets.New(agent.Secrets(agent.RefreshNow())),
		parameters: secrets.New(agent.Parameters()),
	}
	guard.Start(guard.Func(c.handle), guard.Default(logging.New(os.Stdout)))
}

type client struct {
	keys, parameters *secrets.Cache
	db               *dynamodb.Client
	vault            *secretsmanager.Client
	items            *secrets.Cache // in process
}

type result struct {
	Values []string      `json:"values"`
	Took   time.Duration `json:"took"`
}

func (c *client) handle(ctx context.Context, asked [][2]string) (got result, err error) {
	for _, of := range asked {
		began := time.Now()
		value, err := c.value(ctx, of[0], of[1])
		if err != nil {
			return result{}, err
		}
		got.Values, got.Took = append(got.Values, value), time.Since(began)
	}
	return got, nil
}

func (c *client) value(ctx context.Context, kind, name string) (string, error) {
	switch kind {
	case "aws/secret":
		s, err := c.keys.Get(ctx, name)
		return s.Text(), err
	case "aws/parameter":
		s, err := c.parameters.Get(ctx, name)
		return s.Text(), err
	case "rotated": // past both caches
		return secrets.Try(ctx, c.keys, name, func(_ context.Context, s secrets.Secret) (string, error) {
			if s.Text() == "old" {
				return "", secrets.ErrRejected
			}
			return s.Text(), nil
		})
	case "direct", "in process":
		return c.item(ctx, kind, name)
	case "direct secret":
		return c.secret(ctx, name)
	}
	return cached(ctx, kind, name)
}

// item is an item of a table, asked for each time or kept.
func (c *client) item(ctx context.Context, kind, table string) (string, error) {
	if c.db == nil {
		cfg, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return "", err
		}
		c.db = dynamodb.NewFromConfig(cfg)
		c.items = secrets.New(awsdynamo.New(c.db, func(table string) (awsdynamo.Item, bool) {
			return awsdynamo.Item{Table: table, Hash: awsdynamo.Text("pKey", "pKey1"), Sort: awsdynamo.Text("sKey", "sKey1")}, true
		}))
	}
	if kind == "in process" {
		s, err := c.items.Get(ctx, table)
		return s.Text(), err
	}
	out, err := c.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &table, ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{
			"pKey": &types.AttributeValueMemberS{Value: "pKey1"}, "sKey": &types.AttributeValueMemberS{Value: "sKey1"},
		},
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprint(len(out.Item), " attributes"), nil
}

// secret is a secret that is asked for each time.
func (c *client) secret(ctx context.Context, name string) (string, error) {
	if c.vault == nil {
		cfg, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return "", err
		}
		c.vault = secretsmanager.NewFromConfig(cfg)
	}
	out, err := c.vault.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.SecretString), nil
}

// cached asks as the client in README.md.
func cached(ctx context.Context, kind, name string) (string, error) {
	target := "http://localhost:" + os.Getenv("CACHE_EXTENSION_PORT") + "/" + kind + "?" + url.Values{"name": {name}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("X-Aws-Parameters-Secrets-Token", os.Getenv("AWS_SESSION_TOKEN"))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %d %s", kind, res.StatusCode, strings.TrimSpace(string(body)))
	}
	return string(body), err
}
