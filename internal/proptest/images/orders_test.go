package images_test

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

// patient is more than anything takes that works, on a slow machine too.
const patient = 2 * time.Minute

// Both images of the function take an order, once. The second one is made of a copy of
// the example, as its README.md tells.
func TestTheImagesOfOrdersTakeOrders(t *testing.T) {
	t.Parallel()
	repository, err := filepath.Abs("../../..")
	must(t, err)
	alone := t.TempDir()
	must(t, os.CopyFS(alone, os.DirFS(examples+"orders")))
	edit := exec.CommandContext(t.Context(), "go", "mod", "edit",
		"-replace=github.com/lambdarmor/lambdarmor="+repository, "-replace=github.com/lambdarmor/lambdarmor/guard/otel="+repository+"/guard/otel")
	edit.Dir = alone
	if out, err := edit.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, tc := range []struct {
		target, context string
		args            []string
		snapStart       bool
	}{
		{target: "al2023", context: repository, args: []string{"DIR=examples/orders"}},
		{target: "distroless", context: alone},
		// A function that does not ask for its restore would refuse the order.
		{target: "distroless", context: alone, snapStart: true},
	} {
		d := dockerfileOf(t, "orders")
		image := build(t, d, contextOf(t, tc.context, "orders"), tc.target, tc.args...)
		bootstrap := filepath.Join(t.TempDir(), "bootstrap")
		image.program(t, image.main, bootstrap)
		fn := guardtest.Start(t, bootstrap, guardtest.Config{
			Memory: 512, Timeout: patient / 4, InitTimeout: patient, Env: []string{"AWS_SAM_LOCAL=true"}, SnapStart: tc.snapStart,
		})
		url := gateway.Start(t, fn, gateway.HTTPAPIConfig{}).URL + "/orders"
		first, _ := order(t, url)
		second, replayed := order(t, url)
		if !strings.Contains(first, `"id"`) || second != first || replayed != "true" {
			t.Errorf("%s: got %s, then %s with Idempotent-Replayed %q; the log is\n%s", tc.target, first, second, replayed, fn.Log())
		}
	}
}

// An extension that is copied from its image runs beside any function, on a base that has
// nothing.
func TestAnImageWithAFunctionAndAnExtensionInGo(t *testing.T) {
	t.Parallel()
	image := build(t, dockerfileOf(t, "orders"), contextOf(t, "../../..", "orders"), "distroless", "DIR=examples/orders")
	cache := build(t, dockerfileOf(t, "cacheextension"), contextOf(t, "../../..", "cacheextension"), "extension", "DIR=examples/cacheextension")
	image.copy(t, cache.dir+"/opt", "/opt", "")
	image.copy(t, examples+"cacheextension/function/config.yaml", "/var/task/config.yaml", "0755")
	bootstrap := filepath.Join(t.TempDir(), "bootstrap")
	image.program(t, image.main, bootstrap)
	fn := guardtest.Start(t, bootstrap, guardtest.Config{
		Memory: 1024, Timeout: patient / 4, InitTimeout: patient, Freeze: true, Extensions: image.extensions(t), Env: []string{
			"AWS_SAM_LOCAL=true", "AWS_SESSION_TOKEN=token", "CACHE_EXTENSION_CONFIG=" + image.path("/var/task/config.yaml"),
			"CACHE_EXTENSION_PORT=" + testserver.Port(t), "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT=" + testserver.Port(t),
		},
	})
	if body, _ := order(t, gateway.Start(t, fn, gateway.HTTPAPIConfig{}).URL+"/orders"); !strings.Contains(body, `"id"`) {
		t.Errorf("got %s", body)
	}
	fn.Close()
	if log := fn.Log(); !strings.Contains(log, "Name: cacheextension\tState: Ready") || strings.Contains(log, "cannot") {
		t.Errorf("got log %s", log)
	}
}

func order(t *testing.T, url string) (body, replayed string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"customer":"c-42","items":[{"sku":"KB-101","quantity":2}]}`))
	must(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", "k-1")
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	return string(text), res.Header.Get("Idempotent-Replayed")
}

func TestTwoBuildsAreTheSameBytes(t *testing.T) {
	t.Parallel()
	d := dockerfileOf(t, "orders")
	read := func() []byte {
		image := build(t, d, contextOf(t, "../../..", "orders"), "distroless", "DIR=examples/orders")
		text, err := os.ReadFile(image.dir + image.main)
		must(t, err)
		return text
	}
	if !bytes.Equal(read(), read()) {
		t.Error("got two binaries of one source, want one")
	}
}

// A build has no file that could hold a secret, wherever it lies.
func TestTheBuildSeesNoSecrets(t *testing.T) {
	t.Parallel()
	for _, example := range []string{"orders", "cacheextension"} {
		folder := t.TempDir()
		want := []string{"go.mod", "main.go", "sub/other.go"}
		for _, file := range append([]string{
			".env", ".git/config", "sub/.env", "credentials", "function/.env", "samconfig.toml", ".aws/config", ".cache/go/x.go", "a_test.go", "sub/testdata/x.go",
		}, want...) {
			file = filepath.Join(folder, file)
			must(t, os.MkdirAll(filepath.Dir(file), 0o700))
			must(t, os.WriteFile(file, nil, 0o600))
		}
		var got []string
		sent := os.DirFS(contextOf(t, folder, example))
		must(t, fs.WalkDir(sent, ".", func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				got = append(got, path)
			}
			return err
		}))
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", example, got, want)
		}
	}
}
