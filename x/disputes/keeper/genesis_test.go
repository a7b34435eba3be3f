package keeper_test

import (
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/types/query"
	"github.com/stretchr/testify/require"

	"poaid/game"
	"poaid/x/disputes/keeper"
	"poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

// midGame is a chain in the middle of things: a case that is closed, one with games, stakes and demands, one that is held.
func midGame(t *testing.T) (*fix, uint64, uint32) {
	t.Helper()
	f, held := suspected(t)
	require.Equal(t, types.CASE_STATE_HELD, f.one(held).State)
	closed := f.task(1, 0)
	f.through(closed, 1)
	f.params(func(p *types.Params) { p.AppealBlocks = 1000 })
	id := f.task(1)
	_, err := f.claim(5, id, 0)
	require.NoError(t, err)
	_, err = f.claim(6, id, 2)
	require.NoError(t, err)
	attack, err := f.attack(6, id, 5)
	require.NoError(t, err)
	_, err = f.claim(7, id, 0)
	require.NoError(t, err)
	_, err = f.demand(7, id, types.SOURCE_WEIGHT, "w", 0, 1)
	require.NoError(t, err)
	for range 5 {
		f.play(id, attack, map[string]int{who(5): 0, who(6): 2}[mover(f.game(id, attack))])
		f.blocks(1)
	}
	require.Equal(t, types.GAME_RESULT_UNSPECIFIED, f.game(id, attack).Result)
	return f, id, attack
}

// A chain that starts from the export of another goes on as that one does.
func TestGenesisRoundTrip(t *testing.T) {
	f, id, attack := midGame(t)
	g, err := f.keeper.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.NoError(t, g.Validate())
	bz, err := g.Marshal()
	require.NoError(t, err)
	var read types.GenesisState
	require.NoError(t, read.Unmarshal(bz))

	// The store of the module is emptied; the other modules stay.
	store := f.ctx.KVStore(f.key)
	var keys [][]byte
	it := store.Iterator(nil, nil)
	before := map[string]string{}
	for ; it.Valid(); it.Next() {
		keys = append(keys, it.Key())
		before[string(it.Key())] = string(it.Value())
	}
	require.NoError(t, it.Close())
	for _, key := range keys {
		store.Delete(key)
	}
	f.connect()
	require.NoError(t, f.keeper.InitGenesis(f.ctx, read))
	f.check()
	after := map[string]string{}
	it = store.Iterator(nil, nil)
	for ; it.Valid(); it.Next() {
		after[string(it.Key())] = string(it.Value())
	}
	require.NoError(t, it.Close())
	delete(before, string(types.LaneFullKey.Bytes()))
	require.Equal(t, before, after, "every record is the same")

	require.Equal(t, types.GAME_RESULT_UPHELD, f.through(id, attack).Result)
	f.through(id, 1)
	f.blocks(1)
	f.settle(id)
}

func TestGenesisRefused(t *testing.T) {
	f := bare(t)
	g := types.DefaultGenesis()
	g.Params.Arity = 3
	require.ErrorIs(t, f.keeper.InitGenesis(f.ctx, *g), types.ErrParams)
}

// After retention claims, games and demands of a task are dropped, the case stays.
func TestPrune(t *testing.T) {
	f := fixture(t)
	id := f.task(1, 0)
	f.through(id, 1)
	_, err := f.demand(0, id, types.SOURCE_WEIGHT, "w", 0, 1)
	require.NoError(t, err)
	hooks := f.keeper.Hooks()
	require.NoError(t, hooks.AfterTaskPruned(f.ctx, 99), "a task that nobody argued about")
	require.NoError(t, hooks.AfterTaskPruned(f.ctx, id))
	f.blocks(3)
	require.Len(t, f.claims(id), 2, "not before it is settled")
	f.settle(id)
	f.blocks(6)
	require.Empty(t, f.claims(id))
	require.Empty(t, must(f.queries.Games(f.ctx, &types.QueryGamesRequest{TaskId: id})).Games)
	require.Empty(t, must(f.queries.Demands(f.ctx, &types.QueryDemandsRequest{TaskId: id})).Demands)
	require.Equal(t, types.CASE_STATE_CLOSED, f.one(id).State)
	keys := 0
	it := f.ctx.KVStore(f.key).Iterator(nil, nil)
	for ; it.Valid(); it.Next() {
		keys++
	}
	require.NoError(t, it.Close())
	require.Equal(t, 4, keys, "params, tick, lane, case")
	g, err := f.keeper.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.NoError(t, g.Validate())
}

// Broken state is found.
func TestInvariantsSeeWhatIsBroken(t *testing.T) {
	key := func(id uint64) collections.Pair[uint64, uint32] { return collections.Join(id, uint32(1)) }
	changeCase := func(change func(*types.Case)) func(*fix, uint64, uint32) error {
		return func(f *fix, id uint64, _ uint32) error {
			c := f.one(id)
			change(&c)
			return f.keeper.Cases.Set(f.ctx, key(id), c)
		}
	}
	for name, breakIt := range map[string]func(*fix, uint64, uint32) error{
		"roots":   changeCase(func(c *types.Case) { c.Roots++ }),
		"running": changeCase(func(c *types.Case) { c.Running++ }),
		"due":     changeCase(func(c *types.Case) { c.Due++ }),
		"settled": changeCase(func(c *types.Case) { c.Settled++ }),
		"closed":  changeCase(func(c *types.Case) { c.State = types.CASE_STATE_CLOSED }),
		"due games": func(f *fix, id uint64, g uint32) error {
			x := f.game(id, g)
			return f.keeper.DueGames.Remove(f.ctx, collections.Join3(x.Due, id, g))
		},
		"two clocks": func(f *fix, id uint64, g uint32) error {
			return f.keeper.DueGames.Set(f.ctx, collections.Join3(uint64(9), id, g))
		},
		"playing": func(f *fix, id uint64, g uint32) error {
			return f.keeper.Playing.Remove(f.ctx, collections.Join3(who(6), id, g))
		},
		"pairs": func(f *fix, id uint64, _ uint32) error {
			return f.keeper.Pairs.Remove(f.ctx, collections.Join3(id, uint32(2), uint32(1)))
		},
		"living": func(f *fix, id uint64, _ uint32) error {
			return f.keeper.Living.Remove(f.ctx, collections.Join4(id, uint32(1), uint32(2), uint32(2)))
		},
		"index": func(f *fix, id uint64, _ uint32) error {
			return f.keeper.ByParticipant.Remove(f.ctx, collections.Join3(who(6), id, uint32(1)))
		},
		"demand": func(f *fix, id uint64, _ uint32) error {
			return f.keeper.OpenDemands.Remove(f.ctx, collections.Join(id, uint32(1)))
		},
		"open cases": func(f *fix, id uint64, _ uint32) error { return f.keeper.OpenCases.Remove(f.ctx, key(id)) },
		"stake": func(f *fix, id uint64, g uint32) error {
			x := f.game(id, g)
			x.Stake = x.Stake.AddRaw(1)
			return f.keeper.Games.Set(f.ctx, collections.Join(id, g), x)
		},
		"attacking": func(f *fix, id uint64, _ uint32) error {
			c := f.claims(id)[2]
			c.Attacking++
			return f.keeper.Claims.Set(f.ctx, collections.Join3(id, uint32(1), uint32(2)), c)
		},
	} {
		f, id, attack := midGame(t)
		require.NoError(t, f.keeper.CheckInvariants(f.ctx))
		require.NoError(t, breakIt(f, id, attack))
		require.ErrorIs(t, f.keeper.CheckInvariants(f.ctx), types.ErrInvariant, name)
	}
}

func TestQueries(t *testing.T) {
	f, id, attack := midGame(t)
	res, err := f.queries.Case(f.ctx, &types.QueryCaseRequest{TaskId: id})
	require.NoError(t, err)
	require.Len(t, res.Claims, 4)
	require.Len(t, res.Games, 3)
	require.Contains(t, res.Games[2].Line, "has to move by tick")
	open, err := f.queries.Cases(f.ctx, &types.QueryCasesRequest{Open: true, Pagination: &query.PageRequest{Limit: 1}})
	require.NoError(t, err)
	require.Len(t, open.Cases, 1)
	require.NotEmpty(t, open.Pagination.NextKey)
	play, err := f.queries.Playing(f.ctx, &types.QueryPlayingRequest{Participant: who(6)})
	require.NoError(t, err)
	require.Len(t, play.Games, 2)
	require.Positive(t, play.Tick)
	_, err = f.queries.Game(f.ctx, &types.QueryGameRequest{TaskId: id, Index: 99})
	require.ErrorContains(t, err, "NotFound")
	_, err = f.queries.Case(f.ctx, &types.QueryCaseRequest{TaskId: 99})
	require.ErrorContains(t, err, "NotFound")
	_, err = f.queries.Games(f.ctx, &types.QueryGamesRequest{TaskId: id, Pagination: &query.PageRequest{Limit: 1001}})
	require.ErrorContains(t, err, "at most 1000")
	demands, err := f.queries.Demands(f.ctx, &types.QueryDemandsRequest{TaskId: id})
	require.NoError(t, err)
	require.Len(t, demands.Demands, 1)
	params, err := f.queries.Params(f.ctx, nil)
	require.NoError(t, err)
	require.Equal(t, play.Tick, params.Tick)
	one, err := f.queries.Game(f.ctx, &types.QueryGameRequest{TaskId: id, Index: attack})
	require.NoError(t, err)
	require.Equal(t, f.game(id, attack), one.Game)
}

// The story names place, op, element as an index, and the two values as numbers.
func TestStory(t *testing.T) {
	f := fixture(t)
	id := f.task(3, 0) // variant 3 lies in step 2 about node 2, the sum
	f.through(id, 1)
	f.settle(id)
	res, err := f.queries.Case(f.ctx, &types.QueryCaseRequest{TaskId: id})
	require.NoError(t, err)
	s := res.Games[0]
	require.Equal(t, "add@1", s.Op)
	require.Equal(t, "step 2, node 2", s.Where, "the node has no name")
	require.Equal(t, "[0 3]", s.Element)
	require.NotEqual(t, s.Claimed, s.Value)
	require.Regexp(t, `^-?[0-9.e+-]+$`, s.Value)
	require.Contains(t, s.Line, who(0)+" says that element [0 3] of step 2")
	require.Contains(t, s.Line, "loses its lock of 1001")
	require.Equal(t, "judge: 2 tensors opened", f.game(id, 1).LastMove)
}

func TestUpdateParams(t *testing.T) {
	f := fixture(t)
	p := testParams()
	p.MoveFee = math.NewInt(11)
	_, err := deliver(f, f.msgs.UpdateParams, &types.MsgUpdateParams{Authority: who(1), Params: p})
	require.Error(t, err)
	_, err = deliver(f, f.msgs.UpdateParams, &types.MsgUpdateParams{Authority: authority, Params: p})
	require.NoError(t, err)
	bad := p
	bad.Arity = 3
	_, err = deliver(f, f.msgs.UpdateParams, &types.MsgUpdateParams{Authority: authority, Params: bad})
	require.ErrorIs(t, err, types.ErrParams)
	require.Equal(t, p, must(f.keeper.Params.Get(f.ctx)))
	require.Equal(t, authority, f.keeper.Authority())
	var _ taskstypes.DisputeHooks = keeper.Hooks{}
}

// BenchmarkMove is a move of a game over the small program, and BenchmarkJudge its last one: state, decoding, rules and all.
func BenchmarkMove(b *testing.B) {
	f, id, index := disputed(b)
	for game.Phase(f.game(id, index).Position.Phase) != game.PhaseDescent {
		f.play(id, index, map[string]int{who(0): 1, who(5): 0}[mover(f.game(id, index))])
	}
	benchmarkNext(b, f, f.game(id, index))
}

// BenchmarkJudge as above.
func BenchmarkJudge(b *testing.B) {
	f, id, index := disputed(b)
	for game.Phase(f.game(id, index).Position.Phase) != game.PhaseJudge {
		f.play(id, index, map[string]int{who(0): 1, who(5): 0}[mover(f.game(id, index))])
	}
	benchmarkNext(b, f, f.game(id, index))
}

func benchmarkNext(b *testing.B, f *fix, g types.Game) {
	b.Helper()
	m, ok := f.next(g, map[string]int{who(0): 1, who(5): 0}[mover(g)])
	require.True(b, ok)
	msg := &types.MsgMove{Participant: mover(g), TaskId: g.TaskId, Game: g.Index, Moves: g.Moves, Move: must(types.EncodeMove(m))}
	for b.Loop() {
		ctx, _ := f.ctx.CacheContext()
		if _, err := f.msgs.Move(ctx, msg); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(msg.Size()), "bytes")
}
