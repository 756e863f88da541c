package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// table prints a row for each case of the first side, and beside it what the
// same case was on the second.
func table(w io.Writer, sides []*side) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	now := sides[0]
	fmt.Fprint(tw, "ns/op\tallocs\tratio\tfastest\t")
	if len(sides) > 1 {
		fmt.Fprint(tw, "before: ns/op\tallocs\tratio\tfastest\tnow/before\tfastest\t")
	}
	fmt.Fprintln(tw, "  case")
	for _, name := range now.cases {
		now.row(tw, name)
		if len(sides) > 1 {
			then := sides[1]
			then.row(tw, name)
			fmt.Fprint(tw,
				number("%.2f", now.median(func(i int, r round) float64 { return r.ns(name) / then.rounds[i].ns(name) })), "\t",
				number("%.2f", now.fastest(name)/then.fastest(name)), "\t")
		}
		fmt.Fprintln(tw, "  "+name)
	}
	return tw.Flush()
}

func (s *side) row(w io.Writer, name string) {
	benchmark, _, _ := strings.Cut(name, "/")
	bare := benchmark + "/bare"
	fmt.Fprint(w,
		number("%.0f", s.median(func(_ int, r round) float64 { return r.ns(name) })), "\t",
		number("%.0f", s.median(func(_ int, r round) float64 { return r.allocs(name) })), "\t",
		number("%.2f", s.median(func(_ int, r round) float64 { return r.ns(name) / r.ns(bare) })), "\t",
		number("%.2f", s.fastest(name)/s.fastest(bare)), "\t")
}

func (r round) ns(name string) float64     { return r.of(name).ns }
func (r round) allocs(name string) float64 { return r.of(name).allocs }

func (r round) of(name string) figures {
	if f, ok := r[name]; ok {
		return f
	}
	return figures{math.NaN(), math.NaN()}
}

func number(format string, n float64) string {
	if math.IsNaN(n) {
		return "-"
	}
	return fmt.Sprintf(format, n)
}
