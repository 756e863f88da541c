package order_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/order"
)

var update = flag.Bool("update", false, "write what is made from the code into docs")

func TestTheDocumentIsTheTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("# The order of layers\n\n")
	b.WriteString("The first layer listed is outermost. `httpapi.Default` and `guard.Default` are in order; what follows them is listed\n")
	b.WriteString("in the order authorize, validate, make idempotent. This page is made from the table in `internal/order/rules.go`\n")
	b.WriteString("(`go test ./internal/order -update`).\n\n")
	for _, part := range []struct {
		title, about string
		unsafe       bool
	}{
		{title: "Refused", about: "A chain in which one stands outside the other panics as it is built.", unsafe: true},
		{
			title: "Warned of",
			about: "A chain in which one stands outside the other works, and its first invocation logs a warning.",
		},
	} {
		b.WriteString("## " + part.title + "\n\n" + part.about + "\n\n| this outside | of this | what happens | what to do |\n|---|---|---|---|\n")
		for _, o := range order.Rules() {
			if o.Unsafe == part.unsafe {
				b.WriteString("| `" + o.Outer + "` | `" + o.Inner + "` | " + o.Why + " | " + o.Advice() + " |\n")
			}
		}
		b.WriteString("\n")
	}
	want := strings.TrimRight(b.String(), "\n") + "\n"
	const path = "../../docs/order.md"
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("got %v and\n%s\nwant\n%s", err, got, want)
	}
}
