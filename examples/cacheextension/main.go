// Command cacheextension is an example of a Lambda extension: a cache of parameters,
// secrets and items of tables, which a function in any language asks over HTTP.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/lambdarmor/lambdarmor/guard/logging"
)

func main() {
	log := logging.New(os.Stdout).With("extension", "cacheextension")
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	c, err := prepare(ctx, log)
	if err != nil {
		log.Error("cannot run", "cause", err.Error())
		os.Exit(1)
	}
	<-c.serve(ctx)
}
