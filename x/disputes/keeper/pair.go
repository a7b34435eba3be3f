package keeper

import (
	"bytes"
	"context"
	"fmt"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/game"
	"poaid/x/disputes/types"
)

// gasPerValue pays for pricing a step of a program, per result and operand, when a game is opened.
const gasPerValue = 50

// chargeOpening charges gas for opening a game, before the work.
func chargeOpening(ctx context.Context, params types.Params, t *table) {
	gas := sdk.UnwrapSDKContext(ctx).GasMeter()
	gas.ConsumeGas(params.GasPerMove+gasPerValue*(t.program.NumValues(false)+t.program.NumValues(true)), "open game")
}

// challengeOldest has a claim of a new root challenge the worker or, if that is beaten, the oldest living claim of another root.
func (k Keeper) challengeOldest(ctx context.Context, params types.Params, c *types.Case, claim *types.Claim) (uint32, error) {
	defender, err := k.Claims.Get(ctx, collections.Join3(c.TaskId, c.Attempt, uint32(0)))
	if err != nil {
		return 0, err
	}
	if defender.Beaten {
		numbers, roots, err := k.livingRoots(ctx, c, 2)
		if err != nil {
			return 0, err
		}
		if len(numbers) < 2 { // whoever beat the last claim of a root lives
			return 0, fmt.Errorf("task %d: nobody to challenge", c.TaskId)
		}
		other := numbers[0]
		if bytes.Equal(roots[0].ResultRoot, claim.ResultRoot) { // one that fell keeps its number
			other = numbers[1]
		}
		if defender, err = k.oldest(ctx, c, other); err != nil {
			return 0, err
		}
	}
	t, err := k.table(ctx, c)
	if err != nil {
		return 0, err
	}
	chargeOpening(ctx, params, t)
	return k.openGame(ctx, t, &defender, claim, challenge{rules: params.RulesOf(false)})
}

// pair lets the oldest living claims of the first two living roots play; the older defends. The caller stores the case.
func (k Keeper) pair(ctx context.Context, params types.Params, c *types.Case) error {
	numbers, _, err := k.livingRoots(ctx, c, 2)
	if err != nil {
		return err
	}
	if len(numbers) < 2 {
		return fmt.Errorf("task %d: %d living roots, the case says %d", c.TaskId, len(numbers), c.Roots)
	}
	defender, err := k.oldest(ctx, c, numbers[0])
	if err != nil {
		return err
	}
	challenger, err := k.oldest(ctx, c, numbers[1])
	if err != nil {
		return err
	}
	if challenger.Order < defender.Order {
		defender, challenger = challenger, defender
	}
	t, err := k.table(ctx, c)
	if err != nil {
		return err
	}
	_, err = k.openGame(ctx, t, &defender, &challenger, challenge{rules: params.RulesOf(false)})
	return err
}

// attack opens a game against a living claim of another root, with a stake that prepays its moves.
func (k Keeper) attack(ctx context.Context, from sdk.AccAddress, participant string, task uint64, target string) (uint32, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return 0, err
	}
	c, err := k.openCaseOf(ctx, task)
	if err != nil {
		return 0, err
	}
	mine, err := k.livingClaimOf(ctx, c, participant)
	if err != nil {
		return 0, err
	}
	theirs, err := k.livingClaimOf(ctx, c, target)
	if err != nil {
		return 0, err
	}
	if bytes.Equal(mine.ResultRoot, theirs.ResultRoot) {
		return 0, errorsmod.Wrapf(types.ErrSameRoot, "target: %s stands behind the signer's root", target)
	}
	if mine.Attacking >= params.MaxParallel {
		return 0, errorsmod.Wrapf(types.ErrParallel, "the signer challenges in %d games of task %d, limit %d", mine.Attacking, task, params.MaxParallel)
	}
	t, err := k.table(ctx, c)
	if err != nil {
		return 0, err
	}
	chargeOpening(ctx, params, t)
	index, err := k.openGame(ctx, t, &theirs, &mine, challenge{rules: params.RulesOf(true), attacker: from, attack: true})
	if err != nil {
		return 0, err
	}
	return index, k.store(ctx, c, c.Due)
}

// defend takes the chair of a defender of the same root that has used up half of its move's clock. The game is replaced by a new one
// from the beginning, with the same rules and stake. A claim is relieved once, and takes no chair afterwards: two that relieve each other
// in turn would never lose.
func (k Keeper) defend(ctx context.Context, participant string, task uint64, index uint32) (uint32, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return 0, err
	}
	c, err := k.openCaseOf(ctx, task)
	if err != nil {
		return 0, err
	}
	g, err := k.runningGame(ctx, task, index)
	if err != nil {
		return 0, err
	}
	mine, err := k.livingClaimOf(ctx, c, participant)
	if err != nil {
		return 0, err
	}
	p, err := k.players(ctx, c, g)
	if err != nil {
		return 0, err
	}
	switch {
	case moot(c, &p):
		return 0, errorsmod.Wrapf(types.ErrOver, "a player of game %d was beaten in another one", index)
	case !bytes.Equal(mine.ResultRoot, g.Root) || mine.Order == p.defender.Order:
		return 0, errorsmod.Wrapf(types.ErrSameRoot, "game: only who else stands behind the defended root may take the chair of game %d", index)
	case mine.Relieved || p.defender.Relieved:
		return 0, errorsmod.Wrapf(types.ErrRelieved, "the signer or the defender of game %d", index)
	}
	t, err := k.table(ctx, c)
	if err != nil {
		return 0, err
	}
	chargeOpening(ctx, params, t)
	at, err := t.resume(g)
	if err != nil {
		return 0, err
	}
	tick, err := k.Tick.Get(ctx)
	if err != nil {
		return 0, err
	}
	if waited := tick - g.Tick; at.Turn() != game.Defender || 2*waited < at.Left() {
		return 0, errorsmod.Wrapf(types.ErrNotSilent, "game %d: %s is to move, %d ticks used of %d", index, at.Turn(), waited, at.Left())
	} else if waited > at.Left() {
		return 0, errorsmod.Wrapf(types.ErrDeadline, "game %d: the defender's clock ran out", index)
	}
	return k.replace(ctx, t, g, p, &mine, at)
}

func (k Keeper) replace(ctx context.Context, t *table, g *types.Game, p players, supporter *types.Claim, at game.Game) (uint32, error) {
	stake, rules := g.Stake, g.Rules
	p.defender.Relieved = true
	if err := k.Claims.Set(ctx, claimKeyOf(&p.defender), p.defender); err != nil {
		return 0, err
	}
	if _, err := k.endGame(ctx, t, g, p, types.GAME_RESULT_REPLACED, at); err != nil {
		return 0, err
	}
	challenger, err := k.claimOf(ctx, t.c, g.Challenger)
	if err != nil {
		return 0, err
	}
	index, err := k.openGame(ctx, t, supporter, &challenger, challenge{rules: rules, stake: stake})
	if err != nil {
		return 0, err
	}
	return index, k.store(ctx, t.c, t.c.Due)
}

// runningGame reads a game that is not over. ErrUnknownGame, ErrOver.
func (k Keeper) runningGame(ctx context.Context, task uint64, index uint32) (*types.Game, error) {
	g, err := k.Games.Get(ctx, collections.Join(task, index))
	if err != nil {
		return nil, notFound(err, types.ErrUnknownGame, "game: %d of task %d", index, task)
	}
	if g.Result != types.GAME_RESULT_UNSPECIFIED {
		return nil, errorsmod.Wrapf(types.ErrOver, "game %d of task %d: %s", index, task, g.Result)
	}
	return &g, nil
}
