package keeper_test

import (
	"testing"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/stretchr/testify/require"

	"poaid/game"
	"poaid/x/disputes/types"
)

// disputed is a case of a lying worker (variant 1) challenged by person 5.
func disputed(t tb) (*fix, uint64, uint32) {
	t.Helper()
	f := fixture(t)
	id := f.task(1)
	index, err := f.claim(5, id, 0)
	require.NoError(t, err)
	return f, id, index
}

func TestMoveRefused(t *testing.T) {
	f, id, index := disputed(t)
	g := f.game(id, index)
	open, ok := f.next(g, 1)
	require.True(t, ok)
	for name, c := range map[string]struct {
		change func(*types.MsgMove)
		want   error
	}{
		"no address":    {func(m *types.MsgMove) { m.Participant = "x" }, types.ErrAddress},
		"no such game":  {func(m *types.MsgMove) { m.Game = 9 }, types.ErrUnknownGame},
		"no such task":  {func(m *types.MsgMove) { m.TaskId = 9 }, types.ErrUnknownGame},
		"a third party": {func(m *types.MsgMove) { m.Participant = who(6) }, types.ErrTurn},
		"not its turn":  {func(m *types.MsgMove) { m.Participant = who(5) }, types.ErrTurn},
		"stale":         {func(m *types.MsgMove) { m.Moves = 1 }, types.ErrStale},
		"no move":       {func(m *types.MsgMove) { m.Move = types.Move{} }, types.ErrMove},
		"too large":     {func(m *types.MsgMove) { m.Participant = string(make([]byte, types.MaxMoveBytes)) }, types.ErrAddress},
	} {
		msg := &types.MsgMove{Participant: who(0), TaskId: id, Game: index, Move: must(types.EncodeMove(open))}
		c.change(msg)
		_, err := deliver(f, f.msgs.Move, msg)
		require.ErrorIs(t, err, c.want, name)
	}
	big := types.Move{Sum: &types.Move_Judge{Judge: &types.Judge{Evidence: types.Evidence{Operands: []types.OperandProof{{
		Root: make([]byte, 32), Ranges: []types.RangeProof{{Data: make([]byte, types.MaxMoveBytes-60)}},
	}}}}}}
	_, err := deliver(f, f.msgs.Move, &types.MsgMove{Participant: who(0), TaskId: id, Game: index, Move: big})
	require.ErrorIs(t, err, types.ErrLength, "the whole message counts")

	require.Equal(t, g, f.game(id, index), "nothing changed")
	f.play(id, index, 1)
	_, err = f.send(who(0), g, open)
	require.ErrorIs(t, err, types.ErrStale, "no move is made twice")
	f.through(id, index)
	_, err = f.send(who(0), g, open)
	require.ErrorIs(t, err, types.ErrOver)
}

// An illegal move is not made and costs a tick: whoever makes nothing else loses by silence, though no block passes.
func TestIllegalMoveCostsATick(t *testing.T) {
	f, id, index := disputed(t)
	before := f.game(id, index)
	for i := uint64(1); ; i++ {
		move := game.Move(game.Open{})
		if i%2 == 0 {
			move = game.Chunk{Data: []byte{1}}
		}
		msg := &types.MsgMove{Participant: who(0), TaskId: id, Game: index, Move: must(types.EncodeMove(move))}
		require.NoError(t, f.keeper.CheckMove(f.ctx, msg), "the turn is right")
		res, err := deliver(f, f.msgs.Move, msg)
		require.NoError(t, err)
		require.Contains(t, res.Illegal, "illegal move")
		g := f.game(id, index)
		require.Zero(t, g.Moves)
		if res.Result != types.GAME_RESULT_UNSPECIFIED {
			require.Equal(t, types.GAME_RESULT_SILENCE, res.Result)
			require.Equal(t, who(5), res.Winner)
			require.Equal(t, before.Position.MoveLeft+1, i)
			break
		}
		require.Equal(t, before.Position.MoveLeft-i, g.Position.MoveLeft)
		require.Equal(t, before.Position.TotalLeftDefender-i, g.Position.TotalLeftDefender)
		f.check()
	}
	f.check()
}

func TestCheckMove(t *testing.T) {
	f, id, index := disputed(t)
	open := must(types.EncodeMove(game.Open{}))
	good := types.MsgMove{Participant: who(0), TaskId: id, Game: index, Move: open}
	require.NoError(t, f.keeper.CheckMove(f.ctx, &good))
	for name, c := range map[string]struct {
		change func(*types.MsgMove)
		want   error
	}{
		"no such game": {func(m *types.MsgMove) { m.Game = 9 }, types.ErrUnknownGame},
		"not its turn": {func(m *types.MsgMove) { m.Participant = who(5) }, types.ErrTurn},
		"third party":  {func(m *types.MsgMove) { m.Participant = who(6) }, types.ErrTurn},
		"stale":        {func(m *types.MsgMove) { m.Moves = 1 }, types.ErrStale},
		"malformed":    {func(m *types.MsgMove) { m.Move = types.Move{} }, types.ErrMove},
	} {
		msg := good
		c.change(&msg)
		require.ErrorIs(t, f.keeper.CheckMove(f.ctx, &msg), c.want, name)
	}
}

// Mempools keep out what of the lane would be refused, and take what would not.
func TestCheckOtherMessages(t *testing.T) {
	f, id, _ := disputed(t)
	claim := func(person int, task uint64) error {
		return f.keeper.CheckClaim(f.ctx, &types.MsgClaim{Participant: who(person), TaskId: task, ResultRoot: f.world.roots[0][:]})
	}
	require.NoError(t, claim(6, id))
	require.ErrorIs(t, claim(5, id), types.ErrClaimed)
	require.ErrorIs(t, claim(people+1, id), types.ErrNotParty)
	require.ErrorIs(t, claim(6, 99), types.ErrUnknownTask)
	quiet := f.task(0)
	require.NoError(t, claim(6, quiet))
	require.ErrorIs(t, claim(people+1, quiet), types.ErrNotParty)

	require.NoError(t, f.keeper.CheckParty(f.ctx, id, who(0)))
	require.ErrorIs(t, f.keeper.CheckParty(f.ctx, id, who(6)), types.ErrNoClaim)
	require.ErrorIs(t, f.keeper.CheckParty(f.ctx, quiet, who(0)), types.ErrUnknownCase)
	require.ErrorIs(t, f.keeper.CheckProduce(f.ctx, &types.MsgProduceBytes{TaskId: id, Demand: 1}), types.ErrUnknownDemand)

	f.through(id, 1)
	require.ErrorIs(t, f.keeper.CheckParty(f.ctx, id, who(0)), types.ErrBeaten)
	f.keepAlive(id, f.one(id).SupportUntil)
	require.NoError(t, claim(6, id))
	f.keepAlive(id, f.one(id).SupportUntil+1)
	require.Error(t, claim(6, id))
}

// A move is paid for by its bytes and by what the referee computes, before it is computed.
func TestMoveGas(t *testing.T) {
	f, id, index := disputed(t)
	gas := func(g types.Game, m game.Move, limit uint64) uint64 {
		ctx, _ := f.ctx.WithGasMeter(storetypes.NewGasMeter(limit)).CacheContext()
		msg := &types.MsgMove{Participant: mover(g), TaskId: id, Game: index, Moves: g.Moves, Move: must(types.EncodeMove(m))}
		_, err := f.msgs.Move(ctx, msg)
		require.NoError(t, err)
		return ctx.GasMeter().GasConsumed()
	}
	g := f.game(id, index)
	for phaseOf(g) != game.PhaseJudge {
		m, ok := f.next(g, map[string]int{who(0): 1, who(5): 0}[mover(g)])
		require.True(t, ok)
		require.Greater(t, gas(g, m, 1<<40), uint64(50_000))
		_, err := f.send(mover(g), g, m)
		require.NoError(t, err)
		g = f.game(id, index)
	}
	m, ok := f.next(g, 0)
	require.True(t, ok)
	all := gas(g, m, 1<<40)
	f.params(func(p *types.Params) { p.GasPerMacMilli = 1_000 }) // as many bytes: reading params costs the same
	half := gas(g, m, 1<<40)
	at := f.at(g)
	require.Positive(t, at.FoldTo-at.FoldFrom)
	require.Equal(t, 2*uint64(at.FoldTo-at.FoldFrom), all-half, "two multiply-adds a step at most, one gas less each")
	require.Panics(t, func() { gas(g, m, half-1) })
}

func phaseOf(g types.Game) game.Phase { return game.Phase(g.Position.Phase) }

// An attack prepays its target's moves; whoever is right keeps, and at least half of a lost stake burns.
func TestAttackStakes(t *testing.T) {
	f, id, _ := disputed(t)
	_, err := f.claim(6, id, 2)
	require.NoError(t, err)
	before := f.balance(who(6))
	index, err := f.attack(6, id, 5)
	require.NoError(t, err)
	g := f.game(id, index)
	stake := g.Stake.Int64()
	require.Equal(t, before-stake, f.balance(who(6)))
	require.Equal(t, stake, f.bank.GetBalance(f.ctx, acc(moduleAddr()), denom).Amount.Int64())
	mine := f.balance(who(5))
	g = f.through(id, index)
	require.Equal(t, types.GAME_RESULT_UPHELD, g.Result)
	fees := int64(g.Position.Rounds) * 10
	require.Positive(t, fees)
	require.LessOrEqual(t, 2*fees, stake)
	require.Equal(t, mine+fees, f.balance(who(5)))
	require.Equal(t, stake-fees, f.bank.state(f.ctx).Burnt)

	// The other way round everything comes back, as it does when the target is beaten elsewhere.
	index, err = f.attack(5, id, 0)
	require.ErrorIs(t, err, types.ErrParallel, "it plays the worker already")
	require.Zero(t, index)
	_, err = f.claim(7, id, 0)
	require.NoError(t, err)
	before = f.balance(who(7))
	index, err = f.attack(7, id, 0)
	require.NoError(t, err)
	f.play(id, index, 1)
	f.play(id, index, 0)
	worker := f.balance(who(0))
	require.Equal(t, who(5), f.through(id, 1).Winner)
	g = f.game(id, index)
	res, err := f.send(who(0), g, game.Open{})
	require.NoError(t, err, "the game is moot: the move ends it")
	require.Equal(t, types.GAME_RESULT_MOOT, res.Result)
	require.Equal(t, worker, f.balance(who(0)), "a friend could beat it for the fees")
	require.Equal(t, before, f.balance(who(7)))
	f.blocks(1)
	require.Equal(t, types.OUTCOME_OVERTURNED, f.settle(id).Outcome)
}

// Who attacks somebody and is beaten elsewhere pays the moves that were made.
func TestMootAttackPaysItsTarget(t *testing.T) {
	f := fixture(t)
	id := f.task(0)
	index, err := f.claim(5, id, 1)
	require.NoError(t, err)
	_, err = f.claim(6, id, 0)
	require.NoError(t, err)
	liar, target := f.balance(who(5)), f.balance(who(6))
	attack, err := f.attack(5, id, 6)
	require.NoError(t, err)
	f.play(id, attack, 0)
	require.Equal(t, who(0), f.through(id, index).Winner)
	f.blocks(1)
	require.Equal(t, types.GAME_RESULT_MOOT, f.game(id, attack).Result)
	require.Equal(t, target+10, f.balance(who(6)), "one move was made")
	require.Equal(t, liar-10, f.balance(who(5)))
}

// The other games of a beaten claim end with the block, but no more than a few of them: beating somebody who is attacked by many must not
// cost a block more.
func TestMootGamesEndAtOnce(t *testing.T) {
	f := fixture(t)
	id := f.task(1)
	first, err := f.claim(5, id, 0)
	require.NoError(t, err)
	for i := range 40 {
		f.join(who(people + i))
		_, err := f.claim(people+i, id, 0)
		require.NoError(t, err)
		_, err = f.attack(people+i, id, 0)
		require.NoError(t, err)
	}
	require.Len(t, f.running(id), 41)
	require.Equal(t, types.GAME_RESULT_REFUTED, f.through(id, first).Result)
	f.check()
	f.blocks(1)
	require.Len(t, f.running(id), 40-32)
	f.blocks(8)
	require.Empty(t, f.running(id), "the others end at their clocks")
	require.Equal(t, types.OUTCOME_OVERTURNED, f.settle(id).Outcome)
}

func moduleAddr() string {
	return must(fakeAccounts{}.AddressCodec().BytesToString(fakeAccounts{}.GetModuleAddress(types.ModuleName)))
}

func TestAttackRefused(t *testing.T) {
	f, id, index := disputed(t)
	_, err := f.attack(6, id, 0)
	require.ErrorIs(t, err, types.ErrNoClaim)
	_, err = f.attack(5, id, 6)
	require.ErrorIs(t, err, types.ErrNoClaim)
	_, err = f.attack(5, 99, 0)
	require.ErrorIs(t, err, types.ErrUnknownTask)
	_, err = f.attack(5, f.task(0), 0)
	require.ErrorIs(t, err, types.ErrUnknownCase)
	_, err = f.claim(6, id, 0)
	require.NoError(t, err)
	_, err = f.attack(6, id, 5)
	require.ErrorIs(t, err, types.ErrSameRoot)
	f.params(func(p *types.Params) { p.MaxParallel = 1 })
	_, err = f.claim(7, id, 2)
	require.NoError(t, err)
	_, err = f.attack(7, id, 5)
	require.ErrorIs(t, err, types.ErrParallel, "it challenges the worker")
	b := f.bank.state(f.ctx)
	b.Balances[acc(who(6)).String()] = 3
	f.bank.save(f.ctx, "bank", b)
	_, err = f.attack(6, id, 0)
	require.ErrorContains(t, err, "insufficient")
	require.Equal(t, who(5), f.through(id, index).Winner)
	_, err = f.attack(6, id, 0)
	require.ErrorIs(t, err, types.ErrBeaten)
}

// A supporter takes the chair of a silent defender; the game begins anew with the same stake.
func TestDefend(t *testing.T) {
	f := fixture(t)
	id := f.task(0)
	_, err := f.claim(5, id, 1)
	require.NoError(t, err)
	for _, p := range []int{6, 7} {
		_, err = f.claim(p, id, 0)
		require.NoError(t, err)
	}
	_, err = f.claim(8, id, 1)
	require.NoError(t, err)
	attack, err := f.attack(8, id, 0)
	require.NoError(t, err)
	stake := f.game(id, attack).Stake

	_, err = f.defend(6, id, attack)
	require.ErrorIs(t, err, types.ErrNotSilent)
	f.blocks(3)
	_, err = f.defend(5, id, attack)
	require.ErrorIs(t, err, types.ErrSameRoot)
	_, err = f.defend(0, id, attack)
	require.ErrorIs(t, err, types.ErrSameRoot, "it sits there")
	_, err = f.defend(9, id, attack)
	require.ErrorIs(t, err, types.ErrNoClaim)
	_, err = f.defend(6, id, 77)
	require.ErrorIs(t, err, types.ErrUnknownGame)
	index, err := f.defend(6, id, attack)
	require.NoError(t, err)
	f.check()
	old, g := f.game(id, attack), f.game(id, index)
	require.Equal(t, types.GAME_RESULT_REPLACED, old.Result)
	require.True(t, old.Stake.IsZero())
	require.Equal(t, stake, g.Stake)
	require.Equal(t, []string{who(6), who(8)}, []string{g.Defender, g.Challenger})
	require.Zero(t, g.Moves)
	require.False(t, f.claims(id)[0].Beaten)

	// The worker was relieved: it is not relieved again, and relieves nobody.
	_, err = f.defend(7, id, 1)
	require.ErrorIs(t, err, types.ErrRelieved)
	f.play(id, 1, 0)
	f.blocks(3)
	_, err = f.defend(0, id, index)
	require.ErrorIs(t, err, types.ErrRelieved)
	require.Equal(t, types.GAME_RESULT_UPHELD, f.through(id, index).Result)
}

func TestClocksStandStillWhileTheLaneIsFull(t *testing.T) {
	f, id, index := disputed(t)
	f.full = true
	f.blocks(50)
	require.Equal(t, types.GAME_RESULT_UNSPECIFIED, f.game(id, index).Result)
	f.full = false
	left := int64(f.at(f.game(id, index)).Left())
	f.blocks(left)
	require.Equal(t, types.GAME_RESULT_UNSPECIFIED, f.game(id, index).Result, "the last tick counts")
	f.play(id, index, 1)
	f.blocks(5) // the mover of the next move has as long
	f.blocks(1)
	g := f.game(id, index)
	require.Equal(t, types.GAME_RESULT_SILENCE, g.Result)
	require.Equal(t, who(0), g.Winner)
}

// What EndBlock could not do in time loses all the same: a move that comes too late ends the game.
func TestLateMove(t *testing.T) {
	f, id, index := disputed(t)
	open, _ := f.next(f.game(id, index), 1)
	tick, err := f.keeper.Tick.Get(f.ctx)
	require.NoError(t, err)
	require.NoError(t, f.keeper.Tick.Set(f.ctx, tick+9))
	res, err := f.send(who(0), f.game(id, index), open)
	require.NoError(t, err)
	require.Equal(t, &types.MsgMoveResponse{Result: types.GAME_RESULT_SILENCE, Winner: who(5)}, res)
	f.check()
}

// No more than max_transitions_per_block, clocks first; the rest comes in the next blocks.
func TestBoundedBlocks(t *testing.T) {
	f := fixture(t)
	f.params(func(p *types.Params) { p.MaxTransitionsPerBlock = 16 })
	var ids []uint64
	for range 30 {
		ids = append(ids, f.task(1, 0))
	}
	over := func() (n int) {
		for _, id := range ids {
			if f.game(id, 1).Result != types.GAME_RESULT_UNSPECIFIED {
				n++
			}
		}
		return n
	}
	for over() == 0 {
		f.blocks(1)
	}
	require.Equal(t, 16, over())
	f.blocks(1)
	require.Equal(t, 12, over()-16, "a quarter is for the cases that wait")
	f.blocks(1)
	require.Equal(t, 30, over())
	for _, id := range ids {
		f.settle(id)
	}
}

// What fails is put off, and tried again.
func TestFailuresArePutOff(t *testing.T) {
	f, id, index := disputed(t)
	require.Equal(t, who(5), f.through(id, index).Winner)
	*f.tasks.fail = true
	f.blocks(40)
	require.Equal(t, types.CASE_STATE_SETTLING, f.one(id).State)
	*f.tasks.fail = false
	require.Equal(t, types.OUTCOME_OVERTURNED, f.settle(id).Outcome)
	require.LessOrEqual(t, f.one(id).ClosedHeight, int64(1+40+16))
}
