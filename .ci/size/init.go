package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const runs = 31

// A trace is the time in milliseconds that each module's packages took to
// initialise in one start.
type trace map[string]float64

var initLine = regexp.MustCompile(`(?m)^init (\S+) @\S+ ms, (\S+) ms clock,`)

// start runs the function to the point where it finds no Lambda to serve.
func (b *bootstrap) start() (trace, error) {
	cmd := exec.Command(b.path)
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "AWS_") && !strings.HasPrefix(entry, "_LAMBDA_") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.Env = append(cmd.Env, "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return nil, fmt.Errorf("was to fail for want of a runtime API, but: %v", err)
	}
	t := make(trace)
	for _, m := range initLine.FindAllStringSubmatch(string(out), -1) {
		ms, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return nil, err
		}
		t[b.owner(m[1])] += ms
	}
	if len(t) == 0 {
		return nil, fmt.Errorf("no init trace in:\n%s", out)
	}
	return t, nil
}

// owner names the module of a package by the last element of its path.
func (b *bootstrap) owner(pkg string) string {
	longest := ""
	for _, m := range b.modules {
		if (pkg == m || strings.HasPrefix(pkg, m+"/")) && len(m) > len(longest) {
			longest = m
		}
	}
	if longest == "" {
		return "std"
	}
	return path.Base(longest)
}

func (b *bootstrap) initTime() float64 {
	return b.median(func(t trace) (total float64) {
		for _, ms := range t {
			total += ms
		}
		return total
	})
}

func (b *bootstrap) median(of func(trace) float64) float64 {
	values := make([]float64, len(b.runs))
	for i, t := range b.runs {
		values[i] = of(t)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func (b *bootstrap) byModule() string {
	seen := make(map[string]bool)
	for _, t := range b.runs {
		for m := range t {
			seen[m] = true
		}
	}
	var parts []string
	for m := range seen {
		parts = append(parts, fmt.Sprintf("%s %.3f", m, b.median(func(t trace) float64 { return t[m] })))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
