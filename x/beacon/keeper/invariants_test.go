package keeper_test

import (
	"testing"

	"cosmossdk.io/collections"
	"github.com/stretchr/testify/require"

	"poaid/x/beacon/types"
)

// TestInvariantsFind what they are there to find.
func TestInvariantsFind(t *testing.T) {
	a, b := newValidator(t, 1), newValidator(t, 2)
	value := make([]byte, types.ValueSize)
	for name, damage := range map[string]func(f *fixture) error{
		"history: 3 follows 1":    func(f *fixture) error { return f.History.Remove(f.ctx, 2) },
		"history: ends at 2":      func(f *fixture) error { return f.History.Remove(f.ctx, 3) },
		"history: ends at 4":      func(f *fixture) error { return f.History.Set(f.ctx, 4, types.Randomness{Height: 4, Value: value}) },
		"history[3]: height 2":    func(f *fixture) error { return f.History.Set(f.ctx, 3, types.Randomness{Height: 2, Value: value}) },
		"history[3]: height 3, 0": func(f *fixture) error { return f.History.Set(f.ctx, 3, types.Randomness{Height: 3}) },
		"the same value": func(f *fixture) error {
			r, err := f.History.Get(f.ctx, 2)
			require.NoError(t, err)
			return f.History.Set(f.ctx, 3, types.Randomness{Height: 3, Value: r.Value})
		},
		"of operator": func(f *fixture) error { return f.Keys.Set(f.ctx, b.operator, a.genesisKey(0)) },
		"proof of possession": func(f *fixture) error {
			return f.Keys.Set(f.ctx, b.operator, types.OperatorKeys{Operator: b.name, Next: a.genesisKey(0).Next})
		},
		"nothing waits": func(f *fixture) error { return f.Keys.Set(f.ctx, a.operator, a.genesisKey(9)) },
		"is over": func(f *fixture) error {
			return f.Activations.Set(f.ctx, collections.Join(int64(4), []byte(a.operator)))
		},
		"has no keys": func(f *fixture) error { return f.Activations.Set(f.ctx, collections.Join(int64(9), []byte("x"))) },
		"updates: of height 4": func(f *fixture) error {
			return f.Updates.Set(f.ctx, collections.Join(int64(4), []byte("x")), types.Proposer{Power: 1})
		},
		"power 0": func(f *fixture) error { return f.Proposers.Set(f.ctx, a.addr(), types.Proposer{Operator: a.name}) },
		"x/staking says": func(f *fixture) error {
			return f.Proposers.Set(f.ctx, a.addr(), types.Proposer{Operator: b.name, Power: 5})
		},
		"counted 5 of 6": func(f *fixture) error { return f.Proposers.Set(f.ctx, []byte("x"), types.Proposer{Power: 1}) },
		"counted 0 of 5": func(f *fixture) error { return f.Keys.Remove(f.ctx, a.operator) },
	} {
		f := started(t, genesis(10, a.genesisKey(0)), map[*validator]int64{a: 5}, a, b)
		for h := int64(1); h <= 3; h++ {
			f.run(h, a)
		}
		require.NoError(t, damage(f), name)
		require.ErrorContains(t, f.CheckInvariants(f.ctx), name)
	}
}

// TestExportInTheMiddleOfActivation: a chain that goes on from an export waits for the same keys, and comes to the same values.
func TestExportInTheMiddleOfActivation(t *testing.T) {
	a, b := newValidator(t, 1), newValidator(t, 2)
	fresh := *a
	fresh.secret = newValidator(t, 7).secret
	powers := map[*validator]int64{a: 5, b: 4}
	rotating := a.genesisKey(0)
	rotating.Current, rotating.Next = rotating.Next, fresh.genesisKey(12).Next
	f := started(t, genesis(100, rotating, b.genesisKey(9)), powers, a, b)
	by := func(h int64) *validator {
		if h >= 12 {
			return &fresh
		}
		return a
	}
	for h := int64(1); h <= 5; h++ {
		f.run(h, by(h))
	}
	gs, err := f.ExportGenesis(f.ctx)
	require.NoError(t, err)
	g := newFixture(t, *gs, a, b)
	g.at(5, 1)
	require.NoError(t, g.SetValidators(g.ctx, 6, f.set(t, a, b)))
	again, err := g.ExportGenesis(g.ctx)
	require.NoError(t, err)
	require.Equal(t, gs, again)
	for h := int64(6); h <= 15; h++ {
		want := f.run(h, by(h))
		require.Equal(t, want, g.run(h, by(h)), "height %d", h)
		require.True(t, want.Proven)
	}

	// A key that is current, and acts no more than its successor, in a chain that starts below both heights.
	late := a.genesisKey(0)
	late.Current, late.Next = a.genesisKey(4).Next, fresh.genesisKey(8).Next
	l := started(t, genesis(100, late), map[*validator]int64{a: 5}, a)
	for h := int64(1); h <= 9; h++ {
		v := a
		if h >= 8 {
			v = &fresh
		}
		require.Equal(t, h >= 4, l.run(h, v).Proven, "height %d", h)
	}
}
