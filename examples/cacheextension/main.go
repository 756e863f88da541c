// Command cacheextension is an example of a Lambda extension: a cache of parameters,
// secrets and items of tables, which a function in any language asks over HTTP.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"github.com/lambdarmor/lambdarmor/guard/extension"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

func main() {
	log := logging.New(os.Stdout).With("extension", "cacheextension")
	if err := run(context.Background(), log); err != nil {
		log.Error("cannot run", "cause", err.Error())
		os.Exit(1)
	}
}

// run is the life of the extension. The ports are open before it registers, because
// Lambda starts the function then.
func run(ctx context.Context, log *slog.Logger) error {
	c, broken := prepare(ctx, log)
	ext, err := extension.Register(ctx, extension.ShutdownOnly())
	if err != nil {
		return errors.Join(broken, err)
	}
	if broken != nil {
		_ = ext.InitError(ctx, broken)
		return broken
	}
	serving, stop := context.WithCancel(ctx)
	ended := c.serve(serving)
	if c.load {
		c.store.load(ctx)
	}
	for _, err = range ext.Events(ctx) {
		if err != nil {
			_ = ext.ExitError(ctx, err)
		}
	}
	stop()
	<-ended
	return err
}
