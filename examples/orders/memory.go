package main

import (
	"context"
	"sync"
)

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
