package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const article = `
parameters:
  - region: us-west-2
    names: [CacheExtensions_Parameter1, /aws/reference/secretsmanager/secret_info]
dynamodb:
  - table: DynamoDbTable
    hashkey: pKey
    hashkeytype: S
    hashkeyvalue: pKey1
    sortkey: sKey
    sortkeytype: S
    sortkeyvalue: sKey1
`

func TestTheConfigOfTheArticle(t *testing.T) {
	c, err := parseConfig([]byte(article))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Parameters) != 1 || c.Parameters[0].Region != "us-west-2" || len(c.Parameters[0].Names) != 2 || len(c.Secrets) != 0 {
		t.Errorf("got %+v", c)
	}
	if len(c.DynamoDB) != 1 || c.DynamoDB[0].name() != "DynamoDbTable-pKey1-sKey1" {
		t.Errorf("got %+v", c.DynamoDB)
	}
}

func TestConfigsThatAreRefused(t *testing.T) {
	item := func(hash, sort string) string {
		return "  - {table: t, hashkey: p, " + hash + sort + "}\n"
	}
	const s = "hashkeytype: S, hashkeyvalue: v"
	for _, tc := range []struct{ what, text, want string }{
		{what: "no YAML", text: "parameters: [", want: "yaml: "},
		{what: "an unknown type", text: "appconfig: []", want: "field appconfig not found"},
		{what: "an unknown field", text: "parameters:\n  - {regoin: x}", want: "line 2: field regoin not found"},
		{what: "a field twice", text: "secrets: []\nsecrets: []", want: "already defined"},
		{what: "a second document", text: "secrets: []\n---\nsecrets: []", want: "a second document"},
		{what: "a scalar as names", text: "secrets:\n  - {names: a}", want: "line 2"},
		{what: "an empty name", text: "secrets:\n  - {names: [a, '']}", want: "secrets[0].names[1] is empty"},
		{what: "a name in two regions", text: "parameters:\n  - {names: [a]}\n  - {region: x, names: [a]}", want: `parameters[1].names[0] is "a", which is there already`},
		{what: "a path", text: "parameters:\n  - {names: [/shop/]}", want: `parameters[0].names[0] is "/shop/", which is a path`},
		{what: "no table", text: "dynamodb:\n  - {hashkey: p}", want: "dynamodb[0]: it needs table"},
		{what: "no key's value", text: "dynamodb:\n" + item("hashkeytype: S", ""), want: "dynamodb[0]: hashkeyvalue is empty"},
		{what: "a binary key", text: "dynamodb:\n" + item("hashkeytype: B, hashkeyvalue: v", ""), want: `hashkeytype is "B", want S or N`},
		{what: "no number", text: "dynamodb:\n" + item("hashkeytype: N, hashkeyvalue: v", ""), want: `hashkeyvalue is "v", which is no number`},
		{what: "a string of digits as JSON", text: "dynamodb:\n" + item(`hashkeytype: N, hashkeyvalue: '"1"'`, ""), want: "which is no number"},
		{what: "half a sort key", text: "dynamodb:\n" + item(s, ", sortkeyvalue: x"), want: "dynamodb[0]: it has a sort key's type or value"},
		{what: "a sort key without a type", text: "dynamodb:\n" + item(s, ", sortkey: s, sortkeyvalue: x"), want: `sortkeytype is "", want S or N`},
		{what: "one attribute as both keys", text: "dynamodb:\n" + item(s, ", sortkey: p, sortkeytype: S, sortkeyvalue: x"), want: `dynamodb[0]: sortkey is "p", as hashkey`},
		{
			what: "one name for two items",
			text: "dynamodb:\n" + item("hashkeytype: S, hashkeyvalue: a-b", "") + item("hashkeytype: S, hashkeyvalue: a", ", sortkey: s, sortkeytype: S, sortkeyvalue: b"),
			want: `dynamodb[1]: its name "t-a-b" stands for another item`,
		},
	} {
		t.Run(tc.what, func(t *testing.T) {
			if _, err := parseConfig([]byte(tc.text)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}

func TestConfigsThatAreTaken(t *testing.T) {
	for what, text := range map[string]string{
		"nothing":                     "",
		"a comment":                   "# nothing yet",
		"a number that YAML may read": "dynamodb:\n  - {table: t, hashkey: p, hashkeytype: N, hashkeyvalue: -1.50e3}",
		"one name of two types":       "parameters:\n  - names: [a]\nsecrets:\n  - names: [a]",
	} {
		if _, err := parseConfig([]byte(text)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	file := filepath.Join(t.TempDir(), "config.yaml")
	if _, err := readConfig(file); err == nil {
		t.Error("got no error for a file that is not there")
	}
	if err := os.WriteFile(file, []byte("x: y"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readConfig(file); err == nil || !strings.HasPrefix(err.Error(), file+": ") {
		t.Errorf("got %v, want an error that names the file", err)
	}
}

func TestSettings(t *testing.T) {
	for _, tc := range []struct {
		name, value, want string // in the error
	}{
		{name: "AWS_SESSION_TOKEN", value: "", want: "AWS_SESSION_TOKEN is not set"},
		{name: "CACHE_EXTENSION_TTL", value: "5", want: `CACHE_EXTENSION_TTL is "5"`},
		{name: "CACHE_EXTENSION_TTL", value: "0s", want: `CACHE_EXTENSION_TTL is "0s"`},
		{name: "CACHE_EXTENSION_TTL", value: "25h", want: `CACHE_EXTENSION_TTL is "25h"`},
		{name: "CACHE_EXTENSION_INIT_STARTUP", value: "yes", want: `CACHE_EXTENSION_INIT_STARTUP is "yes"`},
		{name: "CACHE_EXTENSION_UNSAFE_NO_TOKEN", value: "please", want: `CACHE_EXTENSION_UNSAFE_NO_TOKEN is "please"`},
		{name: "CACHE_EXTENSION_PORT", value: "0", want: `CACHE_EXTENSION_PORT is "0", which is no port`},
		{name: "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", value: "70000", want: `"70000", which is no port`},
	} {
		t.Run(tc.name+"="+tc.value, func(t *testing.T) {
			t.Setenv("AWS_SESSION_TOKEN", "t")
			t.Setenv(tc.name, tc.value)
			if _, err := readSettings(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
	t.Setenv("AWS_SESSION_TOKEN", "t")
	want := settings{config: "/var/task/config.yaml", ttl: 5 * time.Minute, port: "4000", awsPort: "2773", token: "t"}
	if got, err := readSettings(); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	t.Setenv("CACHE_EXTENSION_TTL", "90s")
	t.Setenv("CACHE_EXTENSION_INIT_STARTUP", "true")
	t.Setenv("CACHE_EXTENSION_UNSAFE_NO_TOKEN", "true")
	want.ttl, want.load, want.openPort = 90*time.Second, true, true
	if got, err := readSettings(); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}
