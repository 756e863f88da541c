package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"text/tabwriter"

	"github.com/lambdarmor/lambdarmor/guard/approved"
)

// Exit statuses, as those of diff.
const (
	exitSame = iota
	exitDiffers
	exitTrouble
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

var formats = map[string]func(io.Writer, *debug.BuildInfo) error{
	"text":      writeText,
	"cyclonedx": writeCycloneDX,
	"spdx":      writeSPDX,
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("list", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: list [flags] <package or binary> [NAME=VALUE | build flag]...")
		flags.PrintDefaults()
	}
	format := flags.String("o", "text", "print the `format` text, cyclonedx or spdx")
	list := flags.String("check", "", "compare with the list in this `file`")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitSame
	case err != nil: // which flags has printed
		return exitTrouble
	case flags.NArg() == 0:
		flags.Usage()
		return exitTrouble
	}
	differences, err := work(ctx, *format, *list, flags.Args(), stdout, stderr)
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "list:", err)
		return exitTrouble
	case differences:
		return exitDiffers
	}
	return exitSame
}

// work reports whether there are differences, which only a comparison has.
func work(ctx context.Context, format, list string, args []string, stdout, stderr io.Writer) (bool, error) {
	write, ok := formats[format]
	if !ok {
		return false, fmt.Errorf("there is no format %q", format)
	}
	m, err := materialsOf(ctx, args[0], args[1:], stderr)
	if err != nil {
		return false, err
	}
	if list != "" {
		return compare(list, m, stdout)
	}
	if len(m.vendored) > 0 {
		return false, fmt.Errorf("%d files in the vendor folder are not those of the modules, the first is %s", len(m.vendored), m.vendored[0].Name)
	}
	return false, write(stdout, m.info)
}

func writeText(w io.Writer, info *debug.BuildInfo) error {
	_, err := io.WriteString(w, approved.Format(info))
	return err
}

func compare(file string, m materials, stdout io.Writer) (bool, error) {
	list, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	var differs *approved.Error
	if err := approved.Compare(string(list), m.info); err != nil && !errors.As(err, &differs) {
		return false, fmt.Errorf("%s: %w", file, err)
	}
	rows := m.vendored
	if differs != nil {
		rows = append(differs.Differences, rows...)
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintf(stdout, "%s is as approved, with %d modules\n", m.info.Path, len(m.info.Deps))
		return false, err
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DIFFERENCE\tNAME\tAPPROVED\tFOUND")
	for _, d := range rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", d.Kind, d.Name, dash(d.Approved), dash(d.Found))
	}
	return true, table.Flush()
}

func dash(value string) string {
	if value == "" {
		return "-"
	}
	return value
}
