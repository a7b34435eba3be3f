package executor

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"

	"poaid/engine"
	"poaid/model"
	"poaid/sprint"
	modelstypes "poaid/x/models/types"
)

// headerSlack is what a safetensors file may have besides its tensors.
const headerSlack = 16 << 20

// loaded is a model ready to run.
type loaded struct {
	program *engine.Program
	weights *engine.Weights
}

// load fetches a model and checks it against what the chain holds. reserve is called with the bytes it will take before they are
// allocated.
func (e *Executor) load(ctx context.Context, id string, reserve func(int64) error) (*loaded, error) {
	info, err := e.chain.Model(ctx, id)
	if err != nil {
		return nil, err
	}
	pb, err := e.chain.Program(ctx, id)
	if err != nil {
		return nil, err
	}
	prog, err := engine.New(pb, e.opt.Limits)
	if err != nil {
		return nil, fmt.Errorf("program: %w", err)
	}
	if hash := prog.Hash(); !bytes.Equal(hash[:], info.ProgramHash) {
		return nil, fmt.Errorf("program: %w: has %X, the chain says %X", ErrRoot, hash, info.ProgramHash)
	}
	var size int64
	for _, w := range pb.Weights {
		n, err := engine.ByteSize(w.Dtype, w.Shape)
		if err != nil {
			return nil, fmt.Errorf("weight %q: %w", w.Name, err)
		}
		size += n
	}
	// States and results come on top. A program may ask for far more than any machine has, and a daemon killed for it reveals nothing.
	if need := prog.RunBytes(); need > uint64(e.opt.MemoryBytes) {
		return nil, fmt.Errorf("%w: a run takes %d bytes, bound %d", ErrMemory, need, e.opt.MemoryBytes)
	}
	if err := reserve(2 * size); err != nil {
		return nil, err
	}
	weights, err := e.weights(ctx, prog, info, size)
	if err != nil {
		return nil, err
	}
	root, err := weights.Root(e.opt.Threads)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(root[:], info.WeightsRoot) {
		return nil, fmt.Errorf("weights: %w: have %s, the chain says %X", ErrRoot, root, info.WeightsRoot)
	}
	if info.TokenizerCid != "" {
		// Runs do not need it. Whoever has the model keeps its tokenizer too, so that submitters find one; failing that is no fault.
		if _, err := e.blobs.GetBytes(ctx, info.TokenizerCid, model.MaxTokenizerBytes); err != nil && ctx.Err() != nil {
			return nil, err
		}
	}
	return &loaded{program: prog, weights: weights}, nil
}

// weights fetches a model's weights of size bytes, or makes them where the chain made them from a seed.
func (e *Executor) weights(ctx context.Context, prog *engine.Program, info modelstypes.Model, size int64) (*engine.Weights, error) {
	tensors := map[string]*engine.Tensor{}
	switch {
	case len(info.Seed) == sprint.SeedSize:
		return sprint.Weights(prog, [sprint.SeedSize]byte(info.Seed))
	case len(info.Seed) > 0:
		return nil, fmt.Errorf("seed: %d bytes, want %d", len(info.Seed), sprint.SeedSize)
	case size == 0: // no weights
	default:
		raw, err := e.blobs.GetBytes(ctx, info.WeightsCid, size+headerSlack)
		if err != nil {
			return nil, &MissingError{Weights: true, Err: err}
		}
		named, _, err := model.ParseSafetensors(raw)
		if err != nil {
			return nil, fmt.Errorf("weights: %w", err)
		}
		for _, n := range named {
			tensors[n.Name] = n.Tensor
		}
	}
	return engine.WeightsByName(prog, tensors)
}

type loader func(ctx context.Context, id string, reserve func(int64) error) (*loaded, error)

// cache keeps models in memory up to a bound; the least recently used that nobody runs goes first. A model that needs more room than
// is left waits until running ones are done.
type cache struct {
	bound int64
	load  loader

	mu      sync.Mutex
	used    int64
	entries map[string]*entry
	order   *list.List    // of *entry, most recently used first
	freed   chan struct{} // closed and replaced when room may have become free
}

type entry struct {
	id    string
	size  int64
	users int
	ready chan struct{} // closed once loaded or failed
	model *loaded
	err   error
	elem  *list.Element
}

func newCache(bound int64, load loader) *cache {
	return &cache{bound: bound, load: load, entries: map[string]*entry{}, order: list.New(), freed: make(chan struct{})}
}

func (c *cache) bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}

// get returns a model and a function that gives it back. Concurrent callers share one load.
func (c *cache) get(ctx context.Context, id string) (*loaded, func(), error) {
	for {
		c.mu.Lock()
		e, ok := c.entries[id]
		if !ok {
			e = &entry{id: id, ready: make(chan struct{})}
			c.entries[id] = e
		}
		e.users++
		c.mu.Unlock()
		if !ok {
			e.model, e.err = c.load(ctx, id, func(n int64) error { return c.reserve(ctx, e, n) })
			c.loaded(e)
		}
		select {
		case <-ctx.Done():
			c.release(e)
			return nil, nil, ctx.Err()
		case <-e.ready:
		}
		if e.err == nil {
			return e.model, sync.OnceFunc(func() { c.release(e) }), nil
		}
		c.release(e)
		// A loader cancelled by its own caller is no reason for us to fail.
		if !ok || ctx.Err() != nil || !errors.Is(e.err, context.Canceled) && !errors.Is(e.err, context.DeadlineExceeded) {
			return nil, nil, e.err
		}
	}
}

// loaded publishes the end of a load; failures are not kept.
func (c *cache) loaded(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.err != nil {
		delete(c.entries, e.id)
		c.used -= e.size
		e.size = 0
		c.signal()
	} else {
		e.elem = c.order.PushFront(e)
	}
	close(e.ready)
}

func (c *cache) release(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.users--
	if e.elem != nil {
		c.order.MoveToFront(e.elem)
	}
	if e.users == 0 {
		c.signal()
	}
}

func (c *cache) signal() {
	close(c.freed)
	c.freed = make(chan struct{})
}

// reserve makes room for n bytes of e, waiting for running models if it must.
func (c *cache) reserve(ctx context.Context, e *entry, n int64) error {
	if n > c.bound {
		return fmt.Errorf("%w: takes %d bytes, bound %d", ErrMemory, n, c.bound)
	}
	for {
		c.mu.Lock()
		for el := c.order.Back(); el != nil && c.used+n > c.bound; {
			prev := el.Prev()
			if old := el.Value.(*entry); old.users == 0 {
				c.order.Remove(el)
				delete(c.entries, old.id)
				c.used -= old.size
			}
			el = prev
		}
		if c.used+n <= c.bound {
			c.used += n
			e.size = n
			c.mu.Unlock()
			return nil
		}
		freed := c.freed
		c.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-freed:
		}
	}
}
