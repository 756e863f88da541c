package guard_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
)

var update = flag.Bool("update", false, "write what is made from the code into docs")

// The document of the orders is the table of the code.
func TestTheDocumentOfTheOrdersIsTheTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("# The order of layers\n\n")
	b.WriteString("The first layer listed is outermost. `httpapi.Default` and `guard.Default` are in order; what follows them is listed\n")
	b.WriteString("in the order authorize, validate, make idempotent. This page is made from the table in `guard/order.go`\n")
	b.WriteString("(`go test ./guard -run Orders -update`).\n\n")
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
		for _, o := range guard.Orders() {
			if o.Unsafe == part.unsafe {
				b.WriteString("| `" + o.Outer + "` | `" + o.Inner + "` | " + o.Why + " | " + o.Do + " |\n")
			}
		}
		b.WriteString("\n")
	}
	want := strings.TrimRight(b.String(), "\n") + "\n"
	const path = "../docs/order.md"
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
