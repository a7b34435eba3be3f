package keeper

import (
	"context"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/commit"
	"poaid/engine"
	"poaid/game"
	"poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

// table is what the games of a case are played on: all that the referee knows of the run.
type table struct {
	c       *types.Case
	task    taskstypes.Task
	program *engine.Program
	machine *game.ProgramMachine
	weights commit.Hash
}

func (k Keeper) table(ctx context.Context, c *types.Case) (*table, error) {
	task, _, err := k.tasks.GetTask(ctx, c.TaskId)
	if err != nil {
		return nil, err
	}
	m, err := k.models.GetModel(ctx, c.Model)
	if err != nil {
		return nil, err
	}
	t := &table{c: c, task: task}
	if t.weights, err = commit.HashFromBytes(m.WeightsRoot); err != nil {
		return nil, errorsmod.Wrapf(types.ErrLength, "weights_root of model %s: %s", c.Model, err)
	}
	if t.program, err = k.models.LoadProgram(ctx, c.Model); err != nil {
		return nil, err
	}
	cost, err := k.models.RunCost(ctx, c.Model)
	if err != nil {
		return nil, err
	}
	t.machine, err = types.MachineOf(t.program, c.Rows, cost)
	return t, err
}

// resume gives a stored game as package game plays it, at the tick of its last move.
func (t *table) resume(g *types.Game) (game.Game, error) {
	setup, err := types.NewSetup(*g, t.machine, t.task, t.weights)
	if err != nil {
		return game.Game{}, err
	}
	p, err := types.DecodePosition(g.Position)
	return game.Resume(setup, p), err
}

// challenge is what a game is opened with.
type challenge struct {
	rules types.Rules
	stake math.Int // nil: none
	// attacker puts up the stake; empty: it is in the module's account.
	attacker sdk.AccAddress
	// attack: the stake is what prepays every move of the defender.
	attack bool
}

// openGame begins a game between two claims. It changes the challenger's claim and the case; the caller stores the case.
func (k Keeper) openGame(ctx context.Context, t *table, defender, challenger *types.Claim, by challenge) (uint32, error) {
	c := t.c
	pair := collections.Join3(c.TaskId, challenger.Order, defender.Order)
	if playing, err := k.Pairs.Has(ctx, pair); err != nil {
		return 0, err
	} else if playing {
		return 0, errorsmod.Wrapf(types.ErrParallel, "%s challenges %s already", challenger.Participant, defender.Participant)
	}
	g := types.Game{
		TaskId: c.TaskId, Attempt: c.Attempt, Defender: defender.Participant, Challenger: challenger.Participant,
		Root: defender.ResultRoot, Rival: challenger.ResultRoot, Rules: by.rules, OpenedHeight: height(ctx), Stake: math.ZeroInt(),
	}
	if !by.stake.IsNil() {
		g.Stake = by.stake
	}
	setup, err := types.NewSetup(g, t.machine, t.task, t.weights)
	if err != nil {
		return 0, err
	}
	if by.attack {
		g.Stake = by.rules.Stake(game.Game{Setup: setup}.MaxRounds())
		if !g.Stake.IsUint64() {
			return 0, errorsmod.Wrapf(types.ErrParams, "move_fee: the stake %s exceeds 64 bits", g.Stake)
		}
		setup.Bonds.Challenger = g.Stake.Uint64()
		if err := k.take(ctx, by.attacker, g.Stake); err != nil {
			return 0, err
		}
	}
	begun, err := game.New(setup)
	if err != nil {
		return 0, errorsmod.Wrapf(types.ErrState, "task %d: no game can be played about it: %s", c.TaskId, err)
	}
	g.Position = types.EncodePosition(begun.Position)
	if g.Tick, err = k.Tick.Get(ctx); err != nil {
		return 0, err
	}
	g.Due = g.Tick + begun.Left()
	return g.Index, k.addGame(ctx, c, &g, challenger, pair)
}

func (k Keeper) addGame(ctx context.Context, c *types.Case, g *types.Game, challenger *types.Claim, pair pairKey) error {
	var err error
	if g.Index, err = next(ctx, k.GameCounts, g.TaskId); err != nil {
		return err
	}
	if err := k.Pairs.Set(ctx, pair, g.Index); err != nil {
		return err
	}
	for _, p := range []string{g.Defender, g.Challenger} {
		if err := k.Playing.Set(ctx, collections.Join3(p, g.TaskId, g.Index)); err != nil {
			return err
		}
	}
	if err := k.DueGames.Set(ctx, collections.Join3(g.Due, g.TaskId, g.Index)); err != nil {
		return err
	}
	challenger.Attacking++
	if err := k.Claims.Set(ctx, claimKeyOf(challenger), *challenger); err != nil {
		return err
	}
	c.Running++
	if err := k.Games.Set(ctx, collections.Join(g.TaskId, g.Index), *g); err != nil {
		return err
	}
	return emit(ctx, &types.EventGameOpened{TaskId: g.TaskId, Game: g.Index, Defender: g.Defender, Challenger: g.Challenger})
}

// players are the claims of a running game.
type players struct{ defender, challenger types.Claim }

func (k Keeper) players(ctx context.Context, c *types.Case, g *types.Game) (p players, err error) {
	if p.defender, err = k.claimOf(ctx, c, g.Defender); err != nil {
		return p, err
	}
	p.challenger, err = k.claimOf(ctx, c, g.Challenger)
	return p, err
}

// moot tells that a game decides nothing any more.
func moot(c *types.Case, p *players) bool {
	return c.State != types.CASE_STATE_OPEN || p.defender.Beaten || p.challenger.Beaten
}

// endGame takes a game out of what runs and settles its stake; position is where it ended. It beats the loser's claim if there is a
// winner, and has EndBlock look at the case once no game runs. The caller stores the case with the due that it returns.
func (k Keeper) endGame(ctx context.Context, t *table, g *types.Game, p players, result types.GameResult, at game.Game) (due int64, err error) {
	c := t.c
	if err := k.removeGame(ctx, g, p); err != nil {
		return 0, err
	}
	p.challenger.Attacking--
	if err := k.Claims.Set(ctx, claimKeyOf(&p.challenger), p.challenger); err != nil {
		return 0, err
	}
	c.Running--
	if err := k.payStake(ctx, g, p, result, at); err != nil {
		return 0, err
	}
	g.Result, g.EndedHeight = result, height(ctx)
	var loser *types.Claim
	switch {
	case result == types.GAME_RESULT_MOOT || result == types.GAME_RESULT_REPLACED:
	case at.Won == game.Defender:
		g.Winner, loser = g.Defender, &p.challenger
	default:
		g.Winner, loser = g.Challenger, &p.defender
	}
	g.Position = types.EncodePosition(trimmed(at.Position))
	if err := k.Games.Set(ctx, collections.Join(g.TaskId, g.Index), *g); err != nil {
		return 0, err
	}
	if err := k.emitOver(ctx, t, g, at, loser); err != nil {
		return 0, err
	}
	if loser != nil {
		if err := k.beat(ctx, c, *loser, g.Winner, g.Index); err != nil {
			return 0, err
		}
		if err := k.suspect(ctx, t, &p.defender, result, at); err != nil {
			return 0, err
		}
	}
	if c.Running == 0 {
		return height(ctx), nil
	}
	return c.Due, nil
}

func (k Keeper) removeGame(ctx context.Context, g *types.Game, p players) error {
	if err := k.DueGames.Remove(ctx, collections.Join3(g.Due, g.TaskId, g.Index)); err != nil {
		return err
	}
	if err := k.Pairs.Remove(ctx, collections.Join3(g.TaskId, p.challenger.Order, p.defender.Order)); err != nil {
		return err
	}
	for _, who := range []string{g.Defender, g.Challenger} {
		if err := k.Playing.Remove(ctx, collections.Join3(who, g.TaskId, g.Index)); err != nil {
			return err
		}
	}
	return nil
}

// payStake settles what an attack put up: the defender's fees if it was right, all of it back to the challenger if it was. In a moot
// game the moves that were made are paid, and the rest returns; but a defender that was beaten meanwhile is not paid, or liars would have a
// friend beat them and charge whoever attacked them. A stake that another game goes on with stays.
func (k Keeper) payStake(ctx context.Context, g *types.Game, p players, result types.GameResult, at game.Game) error {
	if result == types.GAME_RESULT_REPLACED {
		g.Stake = math.ZeroInt()
	}
	if !g.Stake.IsPositive() {
		return nil
	}
	pay := at.Payout()
	if result == types.GAME_RESULT_MOOT {
		fees := uint64(0)
		if !p.defender.Beaten {
			fees = at.Bonds.MoveFee * at.Rounds
		}
		pay = game.Payout{Defender: fees, Challenger: at.Bonds.Challenger - fees}
	}
	if err := k.pay(ctx, g.Defender, math.NewIntFromUint64(pay.Defender)); err != nil {
		return err
	}
	if err := k.pay(ctx, g.Challenger, math.NewIntFromUint64(pay.Challenger)); err != nil {
		return err
	}
	return k.burn(ctx, math.NewIntFromUint64(pay.Burn))
}

// trimmed drops what only a game that goes on needs.
func trimmed(p game.Position) game.Position {
	p.Posted, p.Agreed, p.Chunk, p.Accs, p.Acc = nil, nil, nil, nil, nil
	return p
}

// resultOf translates why a game ended.
func resultOf(r game.Reason) types.GameResult {
	switch r {
	case game.ReasonSilence:
		return types.GAME_RESULT_SILENCE
	case game.ReasonRefuted:
		return types.GAME_RESULT_REFUTED
	case game.ReasonUpheld:
		return types.GAME_RESULT_UPHELD
	default:
		return types.GAME_RESULT_UNSPECIFIED
	}
}
