package exampletest_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

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

// all is one value of each type and route, and what it is.
func (c *cached) all() (asked [][2]string, want []string) {
	asked = [][2]string{
		{"parameters", c.parameter},
		{"parameters", "/aws/reference/secretsmanager/" + c.secret},
		{"secrets", c.secret},
		{"dynamodb", c.table + "-pKey1-sKey1"},
		{"aws/secret", c.secret},
		{"aws/parameter", c.parameter},
	}
	return asked, []string{"debug", "old", "old", `{"Data":12345678901234567890,"pKey":"pKey1","sKey":"sKey1"}`, "old", "debug"}
}

func TestFunctionsInAnyLanguageReadTheCache(t *testing.T) {
	t.Parallel()
	for language, function := range map[string]func(*cached, *testing.T) string{
		"Python": (*cached).inPython, "Node": (*cached).inNode, "Go": (*cached).inGo,
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			c := fillCache(t)
			fn := c.beside(t, function(c, t))
			asked, want := c.all()
			for range 20 {
				if got := read(t, fn, asked...); !slices.Equal(got.Values, want) {
					t.Fatalf("got %q, want %q", got.Values, want)
				}
			}
			// The agent of the function in Go asks past the cache, once.
			secrets := map[string]int{"Go": 2}[language]
			if got, want := c.aws.Taken(), map[string]int{"GetParameters": 2, "GetSecretValue": max(1, secrets)}; !maps.Equal(got, want) {
				t.Errorf("got requests %v, want %v", got, want)
			}
			if got, want := c.db.Taken(), map[string]int{"GetItem": 1}; !maps.Equal(got, want) {
				t.Errorf("got requests %v, want %v", got, want)
			}
			_, err := tryToRead(t.Context(), fn, [2]string{"dynamodb", c.table + "-pKey1"})
			if failure := (*guardtest.FunctionError)(nil); !errors.As(err, &failure) {
				t.Errorf("got %v, want a function that cannot read what is not listed", err)
			}
			fn.Close()
			for _, hidden := range []string{"old\"", "debug\"", c.token, "12345678901234567890"} {
				if log := fn.Log(); strings.Contains(log, hidden) {
					t.Errorf("the log shows %q: %s", hidden, log)
				}
			}
		})
	}
}

func TestTheCacheIsFilledBeforeTheFirstInvocation(t *testing.T) {
	t.Parallel()
	c := fillCache(t)
	fn := c.beside(t, c.inGo(t), "CACHE_EXTENSION_INIT_STARTUP=true")
	if err := fn.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := c.aws.Taken(), map[string]int{"GetParameters": 2, "GetSecretValue": 1}; !maps.Equal(got, want) {
		t.Errorf("got requests %v at the init, want %v", got, want)
	}
	if got := c.db.Taken(); got["GetItem"] != 1 {
		t.Errorf("got requests %v at the init, want one", got)
	}
	asked, want := c.all()
	if got := read(t, fn, asked[:4]...); !slices.Equal(got.Values, want[:4]) {
		t.Errorf("got %q, want %q", got.Values, want[:4])
	}
	if a, b := c.aws.Taken(), c.db.Taken(); len(a)+len(b) > 0 {
		t.Errorf("got requests %v and %v, want none", a, b)
	}
}

// A value that cannot be fetched at the init costs that value and no start.
func TestAnInitWithoutAWSStartsTheFunction(t *testing.T) {
	t.Parallel()
	c := fillCache(t)
	c.aws.Meet("GetSecretValue", awstest.Refuse(400, "ThrottlingException"))
	fn := c.beside(t, c.inGo(t), "CACHE_EXTENSION_INIT_STARTUP=true")
	asked, want := c.all()
	if got := read(t, fn, asked[0], asked[3]); !slices.Equal(got.Values, []string{want[0], want[3]}) {
		t.Errorf("got %q", got.Values)
	}
	if err := fn.WaitLog(t.Context(), "fetch failed"); err != nil {
		t.Error(err)
	}
	if _, err := tryToRead(t.Context(), fn, asked[2]); err == nil {
		t.Error("got a secret, want an error")
	}
}

func TestOutagesAreBridgedAndDenialsAreNot(t *testing.T) {
	t.Parallel()
	c := fillCache(t)
	fn := c.beside(t, c.inGo(t), "CACHE_EXTENSION_TTL=1ms")
	secret := [2]string{"secrets", c.secret}
	mustBe := func(want string) {
		t.Helper()
		if got := read(t, fn, secret); got.Values[0] != want {
			t.Errorf("got %q, want %q", got.Values, want)
		}
	}
	mustBe("old")
	c.aws.Meet("GetSecretValue", awstest.Refuse(400, "ThrottlingException"))
	mustBe("old")
	if err := fn.WaitLog(t.Context(), "old value served"); err != nil {
		t.Error(err)
	}
	c.aws.Meet("GetSecretValue", awstest.Refuse(400, "AccessDeniedException"))
	for { // the backoff after the outage is a second, and the old value is served
		if _, err := tryToRead(t.Context(), fn, secret); err != nil {
			break
		}
	}
	if err := fn.WaitLog(t.Context(), "access denied"); err != nil {
		t.Error(err)
	}
}

// The cache of the function and that of the extension follow a rotation together.
func TestARotationPassesBothCaches(t *testing.T) {
	t.Parallel()
	c := fillCache(t)
	fn := c.beside(t, c.inGo(t))
	if got := read(t, fn, [2]string{"aws/secret", c.secret}, [2]string{"secrets", c.secret}); !slices.Equal(got.Values, []string{"old", "old"}) {
		t.Fatalf("got %q", got.Values)
	}
	if _, err := c.keys.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &c.secret, SecretString: aws.String("new")}); err != nil {
		t.Fatal(err)
	}
	got := read(t, fn, [2]string{"secrets", c.secret}, [2]string{"rotated", c.secret}, [2]string{"secrets", c.secret})
	if !slices.Equal(got.Values, []string{"old", "new", "new"}) {
		t.Errorf("got %q, want the new value after a refresh", got.Values)
	}
}

// Our own client of AWS's extension tells the errors of the cache apart.
func TestErrorsOfTheCacheReachTheAgentsClient(t *testing.T) {
	t.Parallel()
	c := fillCache(t)
	for _, tc := range []struct {
		name, want string
		mishap     awsproxy.Mishap
	}{
		{name: "not-listed", want: "secret_denied"},
		{name: c.secret, mishap: awstest.Refuse(400, "ThrottlingException"), want: "secret_unavailable"},
		{name: c.secret, mishap: awstest.Refuse(400, "AccessDeniedException"), want: "secret_denied"},
		{name: c.secret, mishap: awstest.Refuse(400, "ResourceNotFoundException"), want: "secret_not_found"},
		{name: c.secret, mishap: awstest.Refuse(400, "DecryptionFailure"), want: "secret_undecryptable"},
	} {
		c.aws.Meet("GetSecretValue", tc.mishap)
		fn := c.beside(t, c.inGo(t)) // with empty caches
		_, err := tryToRead(t.Context(), fn, [2]string{"aws/secret", tc.name})
		if failure := (*guardtest.FunctionError)(nil); !errors.As(err, &failure) || failure.Type != tc.want {
			t.Errorf("%s: got %v, want %s", tc.name, err, tc.want)
		}
		fn.Close()
	}
}

// The answers of AWS's shape are whole, and withDecryption is off unless it is asked for.
func TestTheAnswersOfAWSAreWhole(t *testing.T) {
	t.Parallel()
	c := fillCache(t)
	c.awake = true
	fn := c.beside(t, c.inGo(t))
	if err := fn.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	get := func(target string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost:"+c.awsPort+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Aws-Parameters-Secrets-Token", c.token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("got %d %s, %v", res.StatusCode, body, err)
		}
		return string(body)
	}
	for target, members := range map[string][]string{
		"/secretsmanager/get?versionStage=AWSCURRENT&secretId=" + c.secret: {
			`"ARN":"arn:aws:secretsmanager:eu-central-1:`, `"CreatedDate":"20`, `"Name":"` + c.secret + `"`, `"SecretBinary":null`, `"SecretString":"old"`,
			`"VersionId":"`, `"VersionStages":["AWSCURRENT"]`, `"ResultMetadata":{}`,
		},
		"/systemsmanager/parameters/get?version=1&withDecryption=true&name=" + c.parameter: {
			`{"Parameter":{"ARN":"arn:aws:ssm:eu-central-1:`, `"DataType":"text"`, `"LastModifiedDate":"20`, `"Name":"` + c.parameter + `"`, `"Selector":`, `"SourceResult":null`,
			`"Type":"SecureString"`, `"Value":"debug"`, `"Version":1}`, `"ResultMetadata":{}}`,
		},
		"/systemsmanager/parameters/get?name=" + c.parameter: {`"Value":"kms:`},
	} {
		got := get(target)
		for _, member := range members {
			if !strings.Contains(got, member) {
				t.Errorf("%s: got %s, want %s in it", target, got, member)
			}
		}
	}
}

// The port of a cache answers clients while there is no invocation, and is closed
// when the environment ends.
func TestTheCacheEndsWithTheEnvironment(t *testing.T) {
	t.Parallel()
	c := fillCache(t)
	c.awake = true
	fn := c.beside(t, c.inGo(t))
	if err := fn.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := http.Get("http://localhost:" + c.port + "/secrets"); err != nil || got.StatusCode != http.StatusForbidden {
		t.Errorf("got %v, %v, want a refusal", got, err)
	}
	fn.Close()
	if got, err := http.Get("http://localhost:" + c.port + "/secrets"); err == nil {
		t.Errorf("got %v, want nobody there", got.Status)
	}
	if log := fn.Log(); strings.Contains(log, "cannot") || !strings.Contains(log, "Name: cacheextension\tState: Ready\tEvents: [SHUTDOWN]") {
		t.Errorf("got log %s", log)
	}
}

func TestAFaultyListFailsTheInit(t *testing.T) {
	t.Parallel()
	c := fillCache(t)
	c.list(t, "secrets:\n  - {name: shop}\n")
	fn := c.beside(t, c.inGo(t))
	err := fn.Warm(t.Context())
	if failure := (*guardtest.FunctionError)(nil); !errors.As(err, &failure) || !strings.HasPrefix(failure.Type, "Extension.") {
		t.Errorf("got %v, want an error of the extension", err)
	}
	if err := fn.WaitLog(t.Context(), "line 2: field name not found"); err != nil {
		t.Error(err)
	}
}

// As many clients as an environment has threads, and more.
func TestManyClientsOfOneCacheAtOnce(t *testing.T) {
	t.Parallel()
	c := fillCache(t)
	c.awake = true
	fn := c.beside(t, c.inGo(t))
	if err := fn.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	var clients sync.WaitGroup
	for range 1000 {
		clients.Go(func() {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost:"+c.port+"/secrets?name="+c.secret, nil)
			req.Header.Set("X-Aws-Parameters-Secrets-Token", c.token)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); err != nil || string(body) != "old" {
				t.Errorf("got %s, %v", body, err)
			}
		})
	}
	clients.Wait()
	if got := c.aws.Taken(); got["GetSecretValue"] != 1 {
		t.Errorf("got requests %v, want one", got)
	}
}

// The function and the role of the template, with its config.yaml.
func TestTheFunctionOfTheCacheAndItsRole(t *testing.T) {
	t.Parallel()
	c := fillCache(t)
	moto := testserver.Moto(t) // the names are those of the template
	dynoxide := testserver.DynamoDB(t)
	c.aws, c.db = awsproxy.New(t, moto.URL()), awsproxy.New(t, dynoxide.URL())
	_, err := ssm.NewFromConfig(awstest.Config(moto.URL())).PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String("/shop/log-level"), Value: aws.String("INFO"), Type: ssmtypes.ParameterTypeString,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = secretsmanager.NewFromConfig(awstest.Config(moto.URL())).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("shop/api-key"), SecretString: aws.String("hunter2"),
	})
	if err != nil {
		t.Fatal(err)
	}
	makeItem(t, dynamodb.NewFromConfig(awstest.Config(dynoxide.URL())), "shop-settings", "berlin", "limits", map[string]types.AttributeValue{
		"most": &types.AttributeValueMemberN{Value: "250"},
	})
	const folder = "../../examples/cacheextension/function"
	for _, file := range []string{"app.py", "cache.py", "config.yaml"} {
		c.copy(t, filepath.Join(folder, file))
	}
	if client, err := os.ReadFile(filepath.Join(folder, "cache.py")); err != nil || string(client) != readmeBlock(t, "python") {
		t.Errorf("cache.py is not the client of the README: %v", err)
	}
	c.copy(t, "testdata/cache/bootstrap.py")

	fn := c.beside(t, c.script(t, testserver.Python(t), "bootstrap.py", "app"), "CACHE_EXTENSION_INIT_STARTUP=true")
	got, err := fn.Invoke(t.Context(), []byte(`{}`))
	if err != nil || string(got.Payload) != `{"level": "INFO", "most": 250, "key": 7}` {
		t.Errorf("got %s, %v, and the log is\n%s", got.Payload, err, fn.Log())
	}

	used := c.aws.Taken()
	maps.Copy(used, c.db.Taken())
	allowed := map[string]int{}
	properties := resourcesOf(t, "cacheextension")["Role"].Properties
	for _, policy := range decode[samRole](t, &properties).Policies {
		for _, s := range policy.PolicyDocument.Statement {
			for _, action := range s.Action {
				if service, action, _ := strings.Cut(action, ":"); service != "logs" {
					allowed[action] = 1
				}
			}
		}
	}
	if !maps.Equal(used, allowed) {
		t.Errorf("used is %v, allowed %v", used, allowed)
	}
}
