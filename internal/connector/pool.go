package connector

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/fault"
)

// Pool opens systems once and keeps them open, by a key that names tenant, version and system.
type Pool struct {
	registry Registry
	getenv   func(string) string

	mu   sync.Mutex
	open map[string]System
}

// NewPool makes a pool over the kinds of a registry. getenv resolves the secrets of data maps.
func NewPool(r Registry, getenv func(string) string) *Pool {
	return &Pool{registry: r, getenv: getenv, open: map[string]System{}}
}

// System gives an open system. A kind that is not in the registry, and a system that does not answer, are
// fault.Unavailable naming the system.
func (p *Pool) System(ctx context.Context, key string, sys *datamap.System) (System, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key += "/" + sys.Name
	if s, ok := p.open[key]; ok {
		return s, nil
	}
	opener, ok := p.registry[sys.Kind]
	if !ok {
		return nil, fault.New(fault.Unavailable, "no_connector", "The system %s is of kind %s, which is not carried out by machine yet.", sys.Name, sys.Kind)
	}
	s, err := opener(ctx, sys, p.getenv)
	if err != nil {
		return nil, fmt.Errorf("opening the system %s: %w", sys.Name, err)
	}
	p.open[key] = s
	return s, nil
}

// Has tells whether systems of the kind are carried out by machine.
func (p *Pool) Has(kind datamap.Kind) bool {
	_, ok := p.registry[kind]
	return ok
}

// Getenv gives what resolves the secrets of data maps.
func (p *Pool) Getenv() func(string) string { return p.getenv }

// Close closes all systems.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for k, s := range p.open {
		errs = append(errs, s.Close())
		delete(p.open, k)
	}
	return errors.Join(errs...)
}
