package keeper_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/x/models/keeper"
	"poaid/x/models/types"
)

func TestLoadProgram(t *testing.T) {
	f := fixture(t)
	f.mustRegister(digits())
	f.mustRegister(story())
	m, err := f.k.GetModel(f.ctx, "story")
	require.NoError(t, err)
	var first *engine.Program
	cold := gasOf(f.ctx, func(ctx context.Context) {
		first, err = f.k.LoadProgram(ctx, "story")
		require.NoError(t, err)
	})
	hash := first.Hash()
	require.Equal(t, m.ProgramHash, hash[:])
	var second *engine.Program
	warm := gasOf(f.ctx, func(ctx context.Context) {
		second, err = f.k.LoadProgram(ctx, "story")
		require.NoError(t, err)
	})
	require.Same(t, first, second)
	require.Equal(t, cold, warm, "what a node has at hand is not part of consensus")
	_, err = f.k.LoadProgram(f.ctx, "nobody")
	require.ErrorIs(t, err, types.ErrModelNotFound)

	cost, err := f.k.CostParams(f.ctx)
	require.NoError(t, err)
	require.Equal(t, engine.CostParams{MacsPerUnit: 3, BytesPerUnit: 7}, cost)
	f.setParams(with(func(p *types.Params) { p.MacsPerUnit = 5 }))
	was, err := f.k.RunCost(f.ctx, "story")
	require.NoError(t, err)
	require.Equal(t, cost, was, "models keep the constants that they were priced with")
	_, err = f.k.RunCost(f.ctx, "nobody")
	require.ErrorIs(t, err, types.ErrModelNotFound)
}

// Two models with the same program share it; another program under the id would not be found.
func TestProgramsAreKeptByContent(t *testing.T) {
	f := fixture(t)
	f.mustRegister(digits())
	twin := digits()
	twin.Id = "twin"
	f.mustRegister(twin)
	a, err := f.k.LoadProgram(f.ctx, "digits")
	require.NoError(t, err)
	b, err := f.k.LoadProgram(f.ctx, "twin")
	require.NoError(t, err)
	require.Same(t, a, b)
	require.Equal(t, 1, f.k.Cached())

	m, err := f.k.GetModel(f.ctx, "twin")
	require.NoError(t, err)
	m.ProgramHash[0] ^= 1
	require.NoError(t, f.k.Models.Set(f.ctx, "twin", m))
	_, err = f.k.LoadProgram(f.ctx, "twin")
	require.ErrorIs(t, err, types.ErrState)
}

func TestProgramCacheIsBounded(t *testing.T) {
	f := fixture(t)
	for i := range keeper.CachedPrograms + 3 {
		msg := story()
		msg.Id, msg.Program = fmt.Sprintf("story-%d", i), talker(600, 700, int64(40+i))
		f.mustRegister(msg)
		_, err := f.k.LoadProgram(f.ctx, msg.Id)
		require.NoError(t, err)
		_, err = f.k.LoadProgram(f.ctx, "story-0") // used, so it stays
		require.NoError(t, err)
	}
	require.Equal(t, keeper.CachedPrograms, f.k.Cached())
	kept, err := f.k.LoadProgram(f.ctx, "story-0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 40 {
				_, err := f.k.LoadProgram(f.ctx, "story-0")
				if err != nil {
					panic(err)
				}
			}
		}()
	}
	wg.Wait()
	again, err := f.k.LoadProgram(f.ctx, "story-0")
	require.NoError(t, err)
	require.Same(t, kept, again)
}

func TestUnjudgeableProgramsAreRefused(t *testing.T) {
	f := fixture(t)
	asked := 0
	f.msg = keeper.NewMsgServer(f.k.WithJudge(func(p *engine.Program) error {
		asked++
		require.Equal(t, uint64(1), p.MaxSteps())
		return errors.New("node 0 needs more evidence than a move holds")
	}))
	_, err := f.register(digits())
	require.ErrorIs(t, err, types.ErrInvalidProgram)
	require.ErrorContains(t, err, "node 0")
	require.Equal(t, 1, asked)
	found, err := f.k.HasModel(f.ctx, "digits")
	require.NoError(t, err)
	require.False(t, found)
}
