package exampletest_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

// TestFiguresOfTheCache prints the table of the README. It is no test of CI: "make
// cache-figures" runs it.
func TestFiguresOfTheCache(t *testing.T) {
	if os.Getenv("CACHE_FIGURES") == "" {
		t.Skip("make cache-figures runs it")
	}
	const warmReads, coldStarts = 1000, 15
	ways := []struct {
		name, kind string
		env        []string
	}{
		{name: "item, asks dynoxide", kind: "direct"},
		{name: "secret, asks moto", kind: "direct secret"},
		{name: "extension, item", kind: "dynamodb"},
		{name: "extension, secret", kind: "secrets"},
		{name: "extension, item, loads at init", kind: "dynamodb", env: []string{"CACHE_EXTENSION_INIT_STARTUP=true"}},
		{name: "item, in process", kind: "in process"},
	}
	fmt.Printf("| | warm p50 | warm p99 | first read | init | requests for it in 100 invocations |\n|---|---|---|---|---|---|\n")
	for _, way := range ways {
		c := fillCache(t)
		asked, of := [2]string{way.kind, c.table}, func() int { return c.db.Taken()["GetItem"] }
		switch way.kind {
		case "dynamodb":
			asked[1] += "-pKey1-sKey1"
		case "secrets", "direct secret":
			asked[1], of = c.secret, func() int { return c.aws.Taken()["GetSecretValue"] }
		}
		var inits, firsts, warm []time.Duration
		for range coldStarts {
			fn := c.beside(t, c.inGo(t), way.env...)
			began := time.Now()
			if err := fn.Warm(t.Context()); err != nil {
				t.Fatal(err)
			}
			inits = append(inits, time.Since(began))
			firsts = append(firsts, read(t, fn, asked).Took)
			fn.Close()
		}
		of()
		fn, requests := c.beside(t, c.inGo(t), way.env...), 0
		for i := range warmReads {
			if took := read(t, fn, asked).Took; i > 0 {
				warm = append(warm, took)
			}
			if i == 99 {
				requests = of()
			}
		}
		fn.Close()
		fmt.Printf("| %s | %s | %s | %s | %s | %d |\n", way.name, at(warm, 50), at(warm, 99), at(firsts, 50), at(inits, 50), requests)
	}
	for _, n := range []int{1, 1000} {
		fmt.Printf("resident with %d parameters of 1 KiB: %s\n", n, residentWith(t, n))
	}
}

func at(all []time.Duration, percent int) string {
	slices.Sort(all)
	return fmt.Sprintf("%.3f ms", float64(all[len(all)*percent/100].Nanoseconds())/1e6)
}

// residentWith is the memory of the extension once it has read as many parameters.
func residentWith(t *testing.T, n int) string {
	t.Helper()
	c := fillCache(t)
	c.awake = true
	client := ssm.NewFromConfig(awstest.Config(servers.Moto(t).URL()))
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint(c.parameter, "/", i)
		_, err := client.PutParameter(t.Context(), &ssm.PutParameterInput{
			Name: &names[i], Value: aws.String(strings.Repeat("x", 1<<10)), Type: ssmtypes.ParameterTypeString,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	c.list(t, "parameters:\n  - names: ["+strings.Join(names, ", ")+"]\n")
	fn := c.beside(t, c.inGo(t))
	if err := fn.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost:"+c.port+"/parameters?name="+url.QueryEscape(name), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Aws-Parameters-Secrets-Token", c.token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || len(body) != 1<<10 {
			t.Fatalf("got %d %s, %v", res.StatusCode, body, err)
		}
	}
	defer fn.Close()
	return resident(t, built.of(t, "examples/cacheextension"))
}

// resident returns the memory of the one process that runs a binary.
func resident(t *testing.T, binary string) string {
	t.Helper()
	processes, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, exe := range processes {
		if of, err := os.Readlink(exe); err != nil || of != binary {
			continue
		}
		status, err := os.Open(filepath.Join(filepath.Dir(exe), "status"))
		if err != nil {
			t.Fatal(err)
		}
		defer status.Close()
		for lines := bufio.NewScanner(status); lines.Scan(); {
			if size, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
				return strings.TrimSpace(size)
			}
		}
	}
	t.Fatal("the extension does not run, or this is not Linux")
	return ""
}
