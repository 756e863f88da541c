// Command ratio prints what handlers cost beside the bare one: it runs the
// benchmarks of the current folder that have a case called bare, and divides
// each case by it. With -before it also runs the benchmarks of another folder in
// turn, and divides by these too.
//
// A round runs every case once, in a process of its own. Figures are medians of
// the rounds; so are ratios, each taken within one round. Beside
// them are the ratios of the fastest rounds, which are steadier on a machine
// that is busy with other things.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("ratio: ")
	before := flag.String("before", "", "folder of the benchmarks to compare with")
	rounds := flag.Int("rounds", 30, "`number` of rounds")
	pattern := flag.String("bench", "^Benchmark(Post|Get|Authorizer|Replay)$", "`regexp` of the benchmarks")
	duration := flag.String("benchtime", "30ms", "`time` of a case in a round")
	flag.Parse()
	if flag.NArg() > 0 || *rounds < 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*before, *rounds, "-test.bench="+*pattern, "-test.benchtime="+*duration); err != nil {
		log.Fatal(err)
	}
}

func run(before string, rounds int, args ...string) error {
	tmp, err := os.MkdirTemp("", "ratio")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)

	now, err := build(".", filepath.Join(tmp, "now"))
	if err != nil {
		return err
	}
	sides := []*side{now}
	if before != "" {
		then, err := build(before, filepath.Join(tmp, "before"))
		if err != nil {
			return err
		}
		then.env = []string{"LAMBDARMOR_MIDDY="} // Node is the same on both sides
		sides = append(sides, then)
	}
	for i := range rounds {
		fmt.Fprintf(os.Stderr, "\rround %d of %d", i+1, rounds)
		for j := range sides {
			if err := sides[(i+j)%len(sides)].round(args); err != nil { // each goes first in turn
				return err
			}
		}
	}
	fmt.Fprintln(os.Stderr)
	return table(os.Stdout, sides)
}
