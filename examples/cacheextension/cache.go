package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"github.com/aws/aws-sdk-go-v2/config"
)

// cache is what the extension serves, and where.
type cache struct {
	settings
	store     store
	listeners [2]net.Listener // of the simple routes and of AWS's
	log       *slog.Logger
}

func prepare(ctx context.Context, log *slog.Logger) (*cache, error) {
	s, err := readSettings()
	if err != nil {
		return nil, err
	}
	values, err := readConfig(s.config)
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	c := &cache{settings: s, store: newStore(values, cfg, s.ttl, log), log: log}
	for i, port := range []string{s.port, s.awsPort} {
		if c.listeners[i], err = listen(port); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// serve serves on both ports until the context ends, and closes the channel when
// what was under way is answered.
func (c *cache) serve(ctx context.Context) <-chan struct{} {
	simple := door{routes: c.store.simpleRoutes(), token: c.token, log: c.log}
	if c.openPort {
		simple.token = ""
	}
	var serving sync.WaitGroup
	for i, d := range []door{simple, {routes: c.store.awsRoutes(), token: c.token, log: c.log}} {
		serving.Go(func() {
			if err := serve(ctx, newServer(d, c.log), c.listeners[i]); err != nil {
				c.log.Error("cannot serve", "cause", err.Error())
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		serving.Wait()
		close(ended)
	}()
	return ended
}
