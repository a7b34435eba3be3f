package keeper

import (
	"container/list"
	"context"
	"sync"

	errorsmod "cosmossdk.io/errors"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/engine"
	"poaid/x/models/types"
)

const (
	// gasPerLoad is what asking for a validated program costs, whether it is at hand or has to be read: gas is part of consensus, and
	// what a node has at hand is not.
	gasPerLoad storetypes.Gas = 20_000
	// cachedPrograms is how many validated programs a node keeps.
	cachedPrograms = 32
)

// LoadProgram returns a model's program, validated; types.ErrModelNotFound when there is no model. What it returns is shared and
// immutable. Its gas does not depend on what is kept in memory.
func (k Keeper) LoadProgram(ctx context.Context, id string) (*engine.Program, error) {
	m, err := k.GetModel(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(m.ProgramHash) != len([32]byte{}) {
		return nil, errorsmod.Wrapf(types.ErrState, "program_hash of %q: %d bytes", id, len(m.ProgramHash))
	}
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	sdkCtx.GasMeter().ConsumeGas(gasPerLoad, "load program")
	hash := [32]byte(m.ProgramHash)
	if p, ok := k.programs.get(hash); ok {
		return p, nil
	}
	bz, err := throughBase(sdkCtx.WithGasMeter(storetypes.NewInfiniteGasMeter()), k, k.Programs, id)
	if err != nil {
		return nil, err
	}
	// Params are never looser than the engine's own limits, whatever they were at registration.
	p, err := engine.Decode(bz, engine.DefaultLimits())
	if err != nil || p.Hash() != hash {
		return nil, errorsmod.Wrapf(types.ErrState, "program of %q: does not load or has another hash: %v", id, err)
	}
	k.programs.add(hash, p)
	return p, nil
}

// RunCost are the constants that a model's units were computed with, whatever params say since; types.ErrModelNotFound.
func (k Keeper) RunCost(ctx context.Context, id string) (engine.CostParams, error) {
	u, err := throughBase(ctx, k, k.Units, id)
	return engine.CostParams{MacsPerUnit: u.MacsPerUnit, BytesPerUnit: u.BytesPerUnit}, err
}

// CostParams are the constants that units of new models are computed with.
func (k Keeper) CostParams(ctx context.Context) (engine.CostParams, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return engine.CostParams{}, err
	}
	return params.Cost(), nil
}

// programCache keeps the programs used last, by their hash: what is found in it can only be what the hash says, whichever branch
// of the state asks. Transactions may run in parallel, so it is guarded.
type programCache struct {
	mu    sync.Mutex
	order *list.List // of *cachedProgram, used last first
	byKey map[[32]byte]*list.Element
}

type cachedProgram struct {
	hash    [32]byte
	program *engine.Program
}

func newProgramCache() *programCache {
	return &programCache{order: list.New(), byKey: make(map[[32]byte]*list.Element)}
}

func (c *programCache) get(hash [32]byte) (*engine.Program, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[hash]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cachedProgram).program, true
}

func (c *programCache) add(hash [32]byte, p *engine.Program) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byKey[hash]; ok {
		return
	}
	c.byKey[hash] = c.order.PushFront(&cachedProgram{hash, p})
	if c.order.Len() > cachedPrograms {
		last := c.order.Back()
		delete(c.byKey, c.order.Remove(last).(*cachedProgram).hash)
	}
}
