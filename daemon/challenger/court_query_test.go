package challenger_test

import (
	"context"
	"maps"
	"slices"

	"cosmossdk.io/math"

	"poaid/daemon/chain"
	"poaid/engine"
	"poaid/engine/graphpb"
	disputestypes "poaid/x/disputes/types"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

func (c *court) read(call string) error {
	if c.faults != nil {
		return c.faults(call)
	}
	return nil
}

// News implements challenger.Chain.
func (c *court) News(_ context.Context, height int64) (chain.News, error) {
	if err := c.read("news"); err != nil {
		return chain.News{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.news[height], nil
}

// Task implements challenger.Chain.
func (c *court) Task(_ context.Context, id uint64) (taskstypes.TaskView, error) {
	if err := c.read("task"); err != nil {
		return taskstypes.TaskView{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m, ok := c.matters[id]
	if !ok {
		return taskstypes.TaskView{}, chain.ErrNotFound
	}
	return taskstypes.TaskView{Task: m.task, Status: m.status}, nil
}

// DisputesParams implements challenger.Chain.
func (c *court) DisputesParams(context.Context) (disputestypes.Params, uint64, error) {
	if err := c.read("params"); err != nil {
		return disputestypes.Params{}, 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.params, c.tick, nil
}

// EachCase implements challenger.Chain.
func (c *court) EachCase(_ context.Context, fn func(disputestypes.Case) error) error {
	if err := c.read("cases"); err != nil {
		return err
	}
	c.mu.Lock()
	var open []disputestypes.Case
	for _, id := range slices.Sorted(maps.Keys(c.matters)) {
		if m := c.matters[id]; m.cs != nil && m.cs.State != disputestypes.CASE_STATE_CLOSED {
			open = append(open, *m.cs)
		}
	}
	c.mu.Unlock()
	for _, cs := range open {
		if err := fn(cs); err != nil {
			return err
		}
	}
	return nil
}

func listOf[T any](c *court, call string, task uint64, pick func(*matter) []T) ([]T, error) {
	if err := c.read(call); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m, ok := c.matters[task]
	if !ok {
		return nil, chain.ErrNotFound
	}
	return slices.Clone(pick(m)), nil
}

// Claims implements challenger.Chain.
func (c *court) Claims(_ context.Context, task uint64) ([]disputestypes.Claim, error) {
	return listOf(c, "claims", task, func(m *matter) []disputestypes.Claim { return m.claims })
}

// Games implements challenger.Chain.
func (c *court) Games(_ context.Context, task uint64) ([]disputestypes.Game, error) {
	return listOf(c, "games", task, func(m *matter) []disputestypes.Game { return m.games })
}

// Demands implements challenger.Chain.
func (c *court) Demands(_ context.Context, task uint64) ([]disputestypes.Demand, error) {
	return listOf(c, "demands", task, func(m *matter) []disputestypes.Demand { return m.demands })
}

// Serves implements challenger.Chain.
func (c *court) Serves(_ context.Context, address string) (poaitypes.Participant, []string, error) {
	if err := c.read("serves"); err != nil {
		return poaitypes.Participant{}, nil, err
	}
	bond := math.NewInt(1_000_000)
	return poaitypes.Participant{Address: address, Bond: bond, Locked: math.ZeroInt()}, slices.Sorted(maps.Keys(c.models)), nil
}

// Model implements challenger.Facts and executor.Chain.
func (c *court) Model(_ context.Context, id string) (modelstypes.Model, error) {
	if err := c.read("model"); err != nil {
		return modelstypes.Model{}, err
	}
	return c.models[id].model, nil
}

// Program implements the same.
func (c *court) Program(_ context.Context, id string) (*graphpb.Program, error) {
	return c.models[id].prog.Proto(), c.read("program")
}

// Inputs implements the same.
func (c *court) Inputs(_ context.Context, task uint64) ([]taskstypes.NamedTensor, error) {
	return listOf(c, "inputs", task, func(m *matter) []taskstypes.NamedTensor { return m.inputs })
}

var courtCost = engine.CostParams{MacsPerUnit: 64, BytesPerUnit: 64}

// CostParams implements challenger.Facts.
func (c *court) CostParams(context.Context) (engine.CostParams, error) {
	return courtCost, c.read("cost")
}
