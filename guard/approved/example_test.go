package approved_test

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/approved"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// In a function it comes from the file beside main.go, by //go:embed approved.txt.
var list string

func handle(context.Context, struct{}) (string, error) { return "hello", nil }

// A binary that was not approved ends here, with every difference in its log.
func ExampleMust() {
	main := func() {
		approved.Must(list)
		guard.Start(guard.Func(handle), guard.Default(logging.New(os.Stdout)))
	}
	_ = main
}

// For the first days, until the list is right: the function starts in any case.
func ExampleReport() {
	main := func() {
		log := logging.New(os.Stdout)
		approved.Report(list, log)
		guard.Start(guard.Func(handle), guard.Default(log))
	}
	_ = main
}

// A tool of your own that looks at a binary before it is uploaded.
func ExampleCompare() {
	info, err := buildinfo.ReadFile("bootstrap")
	if err != nil { // as here, where there is none
		info = &debug.BuildInfo{
			GoVersion: "go1.26.8",
			Path:      "example.com/shop",
			Deps:      []*debug.Module{{Path: "example.com/prices", Version: "v1.4.1", Sum: "h1:gXoTeBaBZ3pJe6x4ZQZ5kTcS2tqZQYdvHvhV1Pg8eJE="}},
			Settings:  []debug.BuildSetting{{Key: "-race", Value: "true"}},
		}
	}
	err = approved.Compare(`
main: example.com/shop
go: go1.26.8

example.com/prices v1.4.0 h1:RtJ3PjRjGNQ7EJKvyQmTcSaTSbRVYH5FXr4Of6VrBxg=
example.com/stock v0.1.0 h1:RtJ3PjRjGNQ7EJKvyQmTcSaTSbRVYH5FXr4Of6VrBxg=
`, info)
	var differs *approved.Error
	if errors.As(err, &differs) {
		for _, d := range differs.Differences {
			fmt.Println(d.Kind, d.Name)
		}
	}
	// Output:
	// build -race
	// changed example.com/prices
	// gone example.com/stock
}

func ExampleFormat() {
	fmt.Print(approved.Format(&debug.BuildInfo{
		GoVersion: "go1.26.8",
		Path:      "example.com/shop",
		Deps:      []*debug.Module{{Path: "example.com/prices", Version: "v1.4.0", Sum: "h1:RtJ3PjRjGNQ7EJKvyQmTcSaTSbRVYH5FXr4Of6VrBxg="}},
		Settings:  []debug.BuildSetting{{Key: "-ldflags", Value: "-s -w"}, {Key: "GOARCH", Value: "arm64"}},
	}))
	// Output:
	// main: example.com/shop
	// go: go1.26.8
	// build: -ldflags=-s -w
	// build: GOARCH=arm64
	//
	// example.com/prices v1.4.0 h1:RtJ3PjRjGNQ7EJKvyQmTcSaTSbRVYH5FXr4Of6VrBxg=
}
