// Size builds functions as they are deployed and prints how large each binary
// is and how long its packages take to initialise. Run it from the module's
// root on Linux: go run ./.ci/size
package main

import (
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"text/template"
)

const mebibyte = 1 << 20

// A bootstrap is a built variant with what was measured of it.
type bootstrap struct {
	variant
	path    string
	bytes   int64
	modules []string // that it is linked from
	runs    []trace
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "size:", err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := os.MkdirTemp("", "size-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	// A variant that does not build must not hide the figures of the others.
	var built []*bootstrap
	var failures error
	for i, v := range variants {
		b, err := build(v, filepath.Join(dir, fmt.Sprint(i)))
		if err != nil && i == 0 {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		if err != nil {
			failures = errors.Join(failures, fmt.Errorf("%s: %w", v.name, err))
			continue
		}
		built = append(built, b)
	}
	// In turns, so that what slows the machine for a while slows all of them.
	for range runs {
		for _, b := range built {
			t, err := b.start()
			if err != nil {
				return fmt.Errorf("%s: %w", b.name, err)
			}
			b.runs = append(b.runs, t)
		}
	}
	return errors.Join(report(built), failures)
}

// build compiles a variant from a temporary file that the compiler sees inside
// the variant's module, so that the tree stays clean.
func build(v variant, dir string) (*bootstrap, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	var text strings.Builder
	if err := template.Must(template.New("main").Parse(source)).Execute(&text, v.imports); err != nil {
		return nil, err
	}
	text.WriteString(v.main + "\n}\n")
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		return nil, err
	}
	module, err := filepath.Abs(v.module)
	if err != nil {
		return nil, err
	}
	seen := filepath.Join(module, ".size", "main.go")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{seen: file}})
	if err != nil {
		return nil, err
	}
	overlayFile := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o644); err != nil {
		return nil, err
	}

	b := &bootstrap{variant: v, path: filepath.Join(dir, "bootstrap")}
	cmd := exec.Command("go", "build", "-overlay", overlayFile, "-tags", "lambda.norpc", "-trimpath",
		"-ldflags", "-s -w", "-o", b.path, "./.size")
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return b, b.inspect()
}

func (b *bootstrap) inspect() error {
	file, err := os.Stat(b.path)
	if err != nil {
		return err
	}
	b.bytes = file.Size()
	info, err := buildinfo.ReadFile(b.path)
	if err != nil {
		return err
	}
	b.modules = append(b.modules, info.Main.Path)
	for _, m := range info.Deps {
		b.modules = append(b.modules, m.Path)
	}
	return nil
}

func report(all []*bootstrap) error {
	base := all[0]
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "bytes\tMiB\t+MiB\tinit ms\t+ms\t  function and its init by module, median of %d\n", runs)
	for _, b := range all {
		fmt.Fprintf(w, "%d\t%.2f\t%+.2f\t%.3f\t%+.3f\t  %s: %s\n",
			b.bytes, float64(b.bytes)/mebibyte, float64(b.bytes-base.bytes)/mebibyte,
			b.initTime(), b.initTime()-base.initTime(), b.name, b.byModule())
	}
	return w.Flush()
}
