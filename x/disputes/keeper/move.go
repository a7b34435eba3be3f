package keeper

import (
	"context"
	"errors"
	"fmt"
	"math/bits"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/engine"
	"poaid/game"
	"poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

// makeMove makes a move. A game that is moot, or lost by silence before the move came, ends in place of it.
func (k Keeper) makeMove(ctx context.Context, participant string, msg *types.MsgMove) (*types.MsgMoveResponse, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	size := msg.Size()
	if size > types.MaxMoveBytes {
		return nil, errorsmod.Wrapf(types.ErrLength, "move: a message of %d bytes, limit %d", size, types.MaxMoveBytes)
	}
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(params.GasPerMove+params.GasPerByte*uint64(size), "dispute move")
	g, err := k.runningGame(ctx, msg.TaskId, msg.Game)
	if err != nil {
		return nil, err
	}
	if participant != g.Defender && participant != g.Challenger {
		return nil, errorsmod.Wrapf(types.ErrTurn, "participant: %s does not play game %d of task %d", participant, g.Index, g.TaskId)
	}
	if msg.Moves != g.Moves {
		return nil, errorsmod.Wrapf(types.ErrStale, "moves: %d, game %d of task %d is at %d", msg.Moves, g.Index, g.TaskId, g.Moves)
	}
	move, err := types.DecodeMove(&msg.Move)
	if err != nil {
		return nil, err
	}
	c, err := k.Cases.Get(ctx, collections.Join(g.TaskId, g.Attempt))
	if err != nil {
		return nil, err
	}
	t, err := k.table(ctx, &c)
	if err != nil {
		return nil, err
	}
	illegal, err := k.play(ctx, params, t, g, participant, move)
	if err != nil {
		return nil, err
	}
	return &types.MsgMoveResponse{Result: g.Result, Winner: g.Winner, Illegal: illegal}, nil
}

// CheckMove tells cheaply whether a move may be made now: the game runs, it is the signer's turn, no move was made in between, and the
// message is well formed. Mempools ask it, so that nobody but who is to move takes room in the lane.
func (k Keeper) CheckMove(ctx context.Context, msg *types.MsgMove) error {
	g, err := k.runningGame(ctx, msg.TaskId, msg.Game)
	if err != nil {
		return err
	}
	mover := g.Defender
	if game.Side(g.Position.Mover) == game.Challenger {
		mover = g.Challenger
	}
	switch {
	case msg.Moves != g.Moves:
		return errorsmod.Wrapf(types.ErrStale, "moves: %d, game %d of task %d is at %d", msg.Moves, g.Index, g.TaskId, g.Moves)
	case msg.Participant != mover:
		return errorsmod.Wrapf(types.ErrTurn, "participant: game %d of task %d waits for %s", g.Index, g.TaskId, mover)
	case msg.Size() > types.MaxMoveBytes:
		return errorsmod.Wrapf(types.ErrLength, "move: a message of %d bytes, limit %d", msg.Size(), types.MaxMoveBytes)
	}
	_, err = types.DecodeMove(&msg.Move)
	return err
}

// CheckClaim tells cheaply whether somebody could claim about a task now, for mempools as CheckMove.
func (k Keeper) CheckClaim(ctx context.Context, msg *types.MsgClaim) error {
	_, st, err := k.tasks.GetTask(ctx, msg.TaskId)
	if err != nil {
		return notFound(err, types.ErrUnknownTask, "task_id: %d", msg.TaskId)
	}
	if st.State == taskstypes.STATE_REVEALED {
		return k.checkBond(ctx, msg.Participant)
	}
	c, err := k.openCaseOf(ctx, msg.TaskId)
	if err != nil {
		return err
	}
	if height(ctx) > c.SupportUntil {
		return errorsmod.Wrapf(types.ErrDeadline, "task_id: roots of task %d could be claimed until height %d", msg.TaskId, c.SupportUntil)
	}
	if has, err := k.ByParticipant.Has(ctx, collections.Join3(msg.Participant, c.TaskId, c.Attempt)); err != nil {
		return err
	} else if has {
		return errorsmod.Wrapf(types.ErrClaimed, "participant: %s stands behind a root of task %d", msg.Participant, msg.TaskId)
	}
	return k.checkBond(ctx, msg.Participant)
}

// checkBond keeps out who has not joined.
func (k Keeper) checkBond(ctx context.Context, participant string) error {
	_, err := k.poai.GetParticipant(ctx, participant)
	return notFound(err, types.ErrNotParty, "participant: %s has not joined", participant)
}

// CheckParty tells cheaply whether somebody has a living claim about a task, without which there is neither attack nor defence; for mempools.
func (k Keeper) CheckParty(ctx context.Context, task uint64, participant string) error {
	c, err := k.openCaseOf(ctx, task)
	if err != nil {
		return err
	}
	_, err = k.livingClaimOf(ctx, c, participant)
	return err
}

// CheckProduce tells cheaply whether bytes are awaited; for mempools.
func (k Keeper) CheckProduce(ctx context.Context, msg *types.MsgProduceBytes) error {
	d, err := k.openDemand(ctx, msg.TaskId, msg.Demand)
	if err == nil && height(ctx) > d.Deadline {
		err = errorsmod.Wrapf(types.ErrDeadline, "demand: %d of task %d was open until height %d", d.Index, d.TaskId, d.Deadline)
	}
	return err
}

// play runs the clock, makes the move and stores the game, or ends it. A move that a rule forbids is not made and costs its player a tick:
// otherwise somebody could fill the lane with such moves, which stops all clocks, and its own with them.
func (k Keeper) play(ctx context.Context, params types.Params, t *table, g *types.Game, participant string, move game.Move) (illegal string, err error) {
	ended, at, err := k.runClock(ctx, t, g)
	if err != nil || ended {
		return "", err
	}
	mover := g.Defender
	if at.Turn() == game.Challenger {
		mover = g.Challenger
	}
	if participant != mover {
		return "", errorsmod.Wrapf(types.ErrTurn, "participant: game %d of task %d waits for %s", g.Index, g.TaskId, mover)
	}
	if err := chargeJudgement(ctx, params, t, at, move); err != nil {
		return "", err
	}
	next, err := at.Apply(move)
	var rule *game.IllegalMoveError
	if errors.As(err, &rule) {
		return rule.Error(), k.penalise(ctx, t, g, at)
	}
	if err != nil {
		return "", errorsmod.Wrapf(types.ErrIllegalMove, "game %d of task %d: %s", g.Index, g.TaskId, err)
	}
	g.Moves++
	g.LastMove = describe(at, next, move)
	g.Record = append(g.Record, at.Turn().String()+" "+g.LastMove)
	if err := k.emitMove(ctx, g, participant, next); err != nil {
		return "", err
	}
	if next.Phase == game.PhaseOver {
		return "", k.finish(ctx, t, g, resultOf(next.Reason), next)
	}
	return "", k.keepPlaying(ctx, g, next)
}

// penalise takes a tick off the mover's clock.
func (k Keeper) penalise(ctx context.Context, t *table, g *types.Game, at game.Game) error {
	at = at.Advance(1)
	if at.Phase == game.PhaseOver {
		return k.finish(ctx, t, g, resultOf(at.Reason), at)
	}
	return k.keepPlaying(ctx, g, at)
}

// keepPlaying stores a game after a move and queues its next clock.
func (k Keeper) keepPlaying(ctx context.Context, g *types.Game, at game.Game) error {
	tick, err := k.Tick.Get(ctx)
	if err != nil {
		return err
	}
	if err := k.DueGames.Remove(ctx, collections.Join3(g.Due, g.TaskId, g.Index)); err != nil {
		return err
	}
	g.Position, g.Tick, g.Due = types.EncodePosition(at.Position), tick, tick+at.Left()
	if err := k.DueGames.Set(ctx, collections.Join3(g.Due, g.TaskId, g.Index)); err != nil {
		return err
	}
	return k.Games.Set(ctx, collections.Join(g.TaskId, g.Index), *g)
}

// runClock brings a game to the current tick. It ends one that is moot or whose mover was silent for too long.
func (k Keeper) runClock(ctx context.Context, t *table, g *types.Game) (ended bool, at game.Game, err error) {
	if at, err = t.resume(g); err != nil {
		return false, at, err
	}
	p, err := k.players(ctx, t.c, g)
	if err != nil {
		return false, at, err
	}
	if moot(t.c, &p) {
		return true, at, k.finish(ctx, t, g, types.GAME_RESULT_MOOT, at)
	}
	tick, err := k.Tick.Get(ctx)
	if err != nil {
		return false, at, err
	}
	if tick < g.Tick {
		return false, at, fmt.Errorf("task %d, game %d: tick %d is before that of its last move, %d", g.TaskId, g.Index, tick, g.Tick)
	}
	at = at.Advance(tick - g.Tick)
	if at.Phase == game.PhaseOver {
		return true, at, k.finish(ctx, t, g, resultOf(at.Reason), at)
	}
	return false, at, nil
}

// finish ends a game and stores its case.
func (k Keeper) finish(ctx context.Context, t *table, g *types.Game, result types.GameResult, at game.Game) error {
	p, err := k.players(ctx, t.c, g)
	if err != nil {
		return err
	}
	due, err := k.endGame(ctx, t, g, p, result, at)
	if err != nil {
		return err
	}
	return k.store(ctx, t.c, due)
}

// chargeJudgement charges gas for what the referee is about to compute: the share of a node's multiply-adds in the fold steps judged.
func chargeJudgement(ctx context.Context, params types.Params, t *table, at game.Game, move game.Move) error {
	if _, ok := move.(game.Judge); !ok || at.Phase != game.PhaseJudge || at.Tree != game.TreeTensor {
		return nil
	}
	view, _, err := t.machine.Node(at.From, at.Node)
	if err != nil {
		return err
	}
	macs, err := judgedMacs(view, at.Elem, at.FoldTo-at.FoldFrom)
	if err != nil {
		return err
	}
	hi, lo := bits.Mul64(macs, params.GasPerMacMilli)
	if hi >= 1000 {
		return errorsmod.Wrapf(types.ErrIllegalMove, "a judgement of %d multiply-adds", macs)
	}
	gas, _ := bits.Div64(hi, lo, 1000)
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(gas, "judgement")
	return nil
}

// judgedMacs is what so many fold steps of an element cost, in multiply-adds; steps is 0 for an op without a fold.
func judgedMacs(view *engine.NodeView, elem, steps int64) (uint64, error) {
	if view.Op.Cost == nil {
		return uint64(max(steps, 1)), nil
	}
	macs, _, err := view.Op.Cost(view)
	if err != nil {
		return 0, err
	}
	elements, err := engine.Elements(view.Out.Shape)
	if err != nil {
		return 0, err
	}
	folds, err := view.FoldSteps(elem)
	if err != nil {
		return 0, err
	}
	hi, all := bits.Mul64(uint64(max(elements, 1)), uint64(max(folds, 1)))
	each := uint64(1)
	if hi == 0 {
		each = macs/all + 1
	}
	hi, judged := bits.Mul64(each, uint64(max(steps, 1)))
	if hi != 0 {
		return 0, fmt.Errorf("node %q: %d fold steps of %d multiply-adds", view.Name, steps, each)
	}
	return judged, nil
}
