package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

func BenchmarkTake(b *testing.B) {
	batch := make([]record, 1000)
	for i := range batch {
		batch[i] = said(fmt.Sprintf(`{"level":"INFO","message":"order placed","order":"%016x","total":%d}`, i*7919, i))
	}
	buf := newBuffer(usual(), "orders")
	b.SetBytes(int64(len(batch[0].Raw) * len(batch)))
	for b.Loop() {
		batch[0].Time = batch[0].Time.Add(time.Millisecond)
		if err := buf.take(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkInvoke invokes a function that writes 10 lines, and BenchmarkColdStart one
// that has to be started for it: without the shipper and with it, in turn, as the
// machine is busier at times.
func BenchmarkInvoke(b *testing.B) {
	s := newStore(b)
	functions := []*guardtest.Function{s.start(b, false), s.start(b, true)}
	for _, fn := range functions {
		order(b, fn, "first", 10)
	}
	compare(b, func(i int) time.Duration {
		before := time.Now()
		order(b, functions[i], "o", 10)
		return time.Since(before)
	})
	b.ReportMetric(memoryOf(b, binaries.shipper), "MB-peak")
}

func BenchmarkColdStart(b *testing.B) {
	s := newStore(b)
	compare(b, func(i int) time.Duration {
		fn := s.start(b, i == 1)
		defer fn.Close()
		before := time.Now()
		order(b, fn, "first", 10)
		return time.Since(before)
	})
}

// BenchmarkOutage writes 1,000 lines each time while S3 refuses, and shows the memory
// that the shipper then takes.
func BenchmarkOutage(b *testing.B) {
	s := newStore(b)
	s.Meet("", refuse(403, "AccessDenied"))
	fn := s.start(b, true)
	for b.Loop() {
		order(b, fn, rand.Text(), 1000)
	}
	b.ReportMetric(memoryOf(b, binaries.shipper), "MB-peak")
	s.Forgive()
}

func (s *store) start(b *testing.B, shipper bool) *guardtest.Function {
	b.Helper()
	binaries.build(b)
	cfg := guardtest.Config{Name: "orders", Memory: 512, Timeout: time.Minute, InitTimeout: time.Minute, Env: s.env("LOGSHIPPER_AGE=1s"), Log: io.Discard}
	if shipper {
		cfg.Extensions = filepath.Dir(binaries.shipper)
	}
	return guardtest.Start(b, binaries.function, cfg)
}

// compare measures without the shipper (0) and with it (1).
func compare(b *testing.B, measure func(i int) time.Duration) {
	var took [2][]time.Duration
	for b.Loop() {
		for i := range took {
			took[i] = append(took[i], measure(i))
		}
	}
	b.ReportMetric(0, "ns/op") // of both
	for _, percent := range []int{50, 99} {
		var at [2]float64
		for i, all := range took {
			slices.Sort(all)
			at[i] = float64(all[(len(all)-1)*percent/100]) / float64(time.Millisecond)
		}
		b.ReportMetric(at[0], fmt.Sprintf("ms-p%d-without", percent))
		b.ReportMetric(at[1], fmt.Sprintf("ms-p%d-with", percent))
		b.ReportMetric(at[1]/at[0], fmt.Sprintf("ratio-p%d", percent))
	}
}

// memoryOf returns the peak of the memory of a program that runs, in MB; 0 where
// there is no /proc.
func memoryOf(t testing.TB, program string) (peak float64) {
	t.Helper()
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		if path, err := os.Readlink(link); err != nil || path != program {
			continue
		}
		status, err := os.ReadFile(filepath.Join(filepath.Dir(link), "status"))
		if err != nil {
			t.Fatal(err)
		}
		for text := range strings.Lines(string(status)) {
			if fields := strings.Fields(text); fields[0] == "VmHWM:" {
				_, _ = fmt.Sscan(fields[1], &peak)
			}
		}
	}
	return peak / 1024
}
