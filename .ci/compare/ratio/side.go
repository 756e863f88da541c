package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
)

// A side is a folder's benchmarks, compiled, and what they have measured.
type side struct {
	folder, binary string
	env            []string
	cases          []string // in the order of their output
	rounds         []round
}

// A round has the figures of each case.
type round map[string]figures

type figures struct{ ns, allocs float64 } // allocs is NaN where they are not counted

func build(folder, binary string) (*side, error) {
	cmd := exec.Command("go", "test", "-c", "-o", binary, ".")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compiling the benchmarks in %s: %w\n%s", folder, err, out)
	}
	return &side{folder: folder, binary: binary}, nil
}

var line = regexp.MustCompile(`(?m)^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+(\S+) ns/op(?:.*?(\d+) allocs/op)?`)

func (s *side) round(args []string) error {
	cmd := exec.Command(s.binary, append(args, "-test.run=^$")...)
	cmd.Dir = s.folder
	cmd.Env = append(os.Environ(), s.env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("the benchmarks in %s: %w\n%s", s.folder, err, out)
	}
	r := round{}
	for _, m := range line.FindAllStringSubmatch(string(out), -1) {
		f := figures{allocs: math.NaN()}
		if f.ns, err = strconv.ParseFloat(m[2], 64); err != nil {
			return err
		}
		if m[3] != "" {
			if f.allocs, err = strconv.ParseFloat(m[3], 64); err != nil {
				return err
			}
		}
		r[m[1]] = f
		if !slices.Contains(s.cases, m[1]) {
			s.cases = append(s.cases, m[1])
		}
	}
	if len(r) == 0 {
		return fmt.Errorf("no figures of %s in:\n%s", s.folder, out)
	}
	s.rounds = append(s.rounds, r)
	return nil
}

// median is the median of the rounds, and NaN where one lacks the figure.
func (s *side) median(of func(i int, r round) float64) float64 {
	values := make([]float64, len(s.rounds))
	for i, r := range s.rounds {
		values[i] = of(i, r)
	}
	slices.Sort(values)
	if math.IsNaN(values[0]) { // NaNs come first
		return values[0]
	}
	middle := len(values) / 2
	if len(values)%2 == 0 {
		return (values[middle-1] + values[middle]) / 2
	}
	return values[middle]
}

// fastest is the time that a case took in its fastest round, and NaN where one
// lacks it.
func (s *side) fastest(name string) float64 {
	fastest := math.Inf(1)
	for _, r := range s.rounds {
		fastest = min(fastest, r.ns(name))
	}
	return fastest
}
