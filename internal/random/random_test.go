package random_test

import (
	"os/exec"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/random"
)

// Copies of a snapshot share all randomness of the process, but not that of the
// kernel, which the test replaces.
func TestNumbersComeFromTheKernel(t *testing.T) {
	draw := func(seed uint64) (f float64, d time.Duration) {
		cryptotest.SetGlobalRandom(t, seed)
		return random.Float64(), random.N(time.Hour)
	}
	f, d := draw(1)
	sameF, sameD := draw(1)
	otherF, otherD := draw(2)
	if f != sameF || d != sameD || f == otherF || d == otherD {
		t.Errorf("got %v %v, %v %v and %v %v, want the first two alike and the third different", f, d, sameF, sameD, otherF, otherD)
	}
}

func TestNumbersAreInTheirRange(t *testing.T) {
	var sum float64
	longest := time.Duration(0)
	for range 10_000 {
		f, d := random.Float64(), random.N(10)
		if f < 0 || f >= 1 || d < 0 || d >= 10 {
			t.Fatalf("got %v and %v, want less than 1 and 10ns", f, d)
		}
		sum += f
		longest = max(longest, d)
	}
	if mean := sum / 10_000; mean < 0.4 || mean > 0.6 || longest != 9 {
		t.Errorf("got a mean of %v and at most %v, want 0.5 and 9ns", mean, longest)
	}
}

// SECURITY: A snapshot's secrets end with it.
func TestProductsDrawNothingFromTheStateOfTheProcess(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "../../...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := 0
	for line := range strings.Lines(string(out)) {
		path, imports, _ := strings.Cut(strings.TrimSpace(line), " ")
		_, path, _ = strings.Cut(path, "github.com/lambdarmor/lambdarmor/")
		packages++
		// The others serve tests, and run nowhere else.
		if strings.Contains(imports, "math/rand") && path != "internal/random" && path != "internal/testserver" {
			t.Errorf("%s imports math/rand: use internal/random or crypto/rand", path)
		}
	}
	if packages < 50 {
		t.Errorf("got %d packages, want all", packages)
	}
}
