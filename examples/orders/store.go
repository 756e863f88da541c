package main

import (
	"context"
	"errors"
	"os"
	"sync"
)

// store keeps orders.
type store interface {
	put(ctx context.Context, o order) error
	get(ctx context.Context, id string) (order, bool, error)
}

// openStore gives a store in memory to a local run, and to nothing else: a
// function that forgets its orders must not start by mistake.
func openStore() (store, error) {
	if os.Getenv("AWS_SAM_LOCAL") != "true" {
		return nil, errors.New("orders are kept in memory, which is for a local run: AWS_SAM_LOCAL is not set")
	}
	return &memory{orders: map[string]order{}}, nil
}

// memory keeps orders for as long as the process lives.
type memory struct {
	mu     sync.RWMutex
	orders map[string]order
}

func (m *memory) put(_ context.Context, o order) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.orders[o.ID] = o
	return nil
}

func (m *memory) get(_ context.Context, id string) (order, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	o, ok := m.orders[id]
	return o, ok, nil
}
