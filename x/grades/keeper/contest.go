package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/grades/types"
)

// maxNumber bounds contests, so that numbers fit into what seals are for.
const maxNumber = 1<<32 - 1

// create registers a contest, which waits for coins and entries.
func (k Keeper) create(ctx context.Context, msg *types.MsgCreateContest) (uint64, error) {
	addr, owner, err := k.payable("owner", msg.Owner)
	if err != nil {
		return 0, err
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return 0, err
	}
	if err := msg.Validate(params); err != nil {
		return 0, err
	}
	if taken, err := k.Names.Has(ctx, msg.Id); err != nil {
		return 0, err
	} else if taken {
		return 0, errorsmod.Wrapf(types.ErrExists, "id: %q", msg.Id)
	}
	last, err := k.Number.Next(ctx)
	if err != nil {
		return 0, err
	}
	number := last + 1
	if number > maxNumber {
		return 0, errorsmod.Wrapf(types.ErrContest, "id: %d contests, the limit", uint64(maxNumber))
	}
	if err := k.burnFee(ctx, addr, params.FeeDenom, params.CreateFee); err != nil {
		return 0, errorsmod.Wrap(err, "create_fee")
	}
	c := types.Contest{
		Id: msg.Id, Number: number, Owner: owner, Description: msg.Description, Criteria: msg.Criteria, Seats: msg.Seats,
		MaxEntries: msg.MaxEntries, SealBlocks: msg.SealBlocks, RevealBlocks: msg.RevealBlocks, PauseBlocks: msg.PauseBlocks,
		Pot: msg.Pot.Amount, GraderBps: msg.GraderBps, Balance: math.ZeroInt(), Paid: math.ZeroInt(), Phase: types.PHASE_IDLE,
	}
	if err := k.Names.Set(ctx, c.Id, number); err != nil {
		return 0, err
	}
	if err := k.Contests.Set(ctx, number, c); err != nil {
		return 0, err
	}
	return number, emit(ctx, &types.EventContestCreated{Contest: c.Id, Owner: owner})
}

// fund adds coins, and begins a round if it was coins that were missing.
func (k Keeper) fund(ctx context.Context, msg *types.MsgFundContest) error {
	addr, sponsor, err := k.address("sponsor", msg.Sponsor)
	if err != nil {
		return err
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	if err := types.CheckCoin("amount", msg.Amount, params.FeeDenom); err != nil {
		return err
	}
	c, err := k.open(ctx, msg.Contest)
	if err != nil {
		return err
	}
	if err := k.bank.SendCoinsFromAccountToModuleVirtual(ctx, addr, types.ModuleName, sdk.NewCoins(msg.Amount)); err != nil {
		return errorsmod.Wrap(err, "amount")
	}
	c.Balance = c.Balance.Add(msg.Amount.Amount)
	if err := emit(ctx, &types.EventContestFunded{Contest: c.Id, Sponsor: sponsor, Amount: msg.Amount.String()}); err != nil {
		return err
	}
	return k.begin(ctx, params, c)
}

// open reads a contest that is not closed, nor about to be.
func (k Keeper) open(ctx context.Context, id string) (types.Contest, error) {
	c, err := k.contest(ctx, id)
	if err == nil && (c.Closing || c.Phase == types.PHASE_CLOSED) {
		err = errorsmod.Wrapf(types.ErrClosed, "contest: %q", id)
	}
	return c, err
}

// close ends a contest, at the end of the running round if there is one. What is left is refunded in EndBlock, since coins that were put in
// in this block can be spent no earlier.
func (k Keeper) close(ctx context.Context, msg *types.MsgCloseContest) error {
	_, owner, err := k.address("owner", msg.Owner)
	if err != nil {
		return err
	}
	c, err := k.open(ctx, msg.Contest)
	if err != nil {
		return err
	}
	if c.Owner != owner {
		return errorsmod.Wrapf(types.ErrNotOwner, "owner: %q is of %s", c.Id, c.Owner)
	}
	c.Closing = true
	if !c.Running() {
		return k.schedule(ctx, c, height(ctx))
	}
	return k.Contests.Set(ctx, c.Number, c)
}

// begin stores a contest and begins a round if it is idle, does not pause, has a round's pot and two entries. Otherwise whoever brings what is
// missing begins it.
func (k Keeper) begin(ctx context.Context, params types.Params, c types.Contest) error {
	if c.Phase != types.PHASE_IDLE || c.Due > 0 || c.Closing || c.Entries < 2 || c.Balance.LT(c.Pot) {
		return k.Contests.Set(ctx, c.Number, c)
	}
	c.Phase = types.PHASE_DRAWING
	c.Round++
	return k.move(ctx, c, height(ctx)+params.DrawDelay)
}

// move announces a phase and stores when it ends.
func (k Keeper) move(ctx context.Context, c types.Contest, due int64) error {
	c.Deadline = due
	if err := emit(ctx, &types.EventPhase{Contest: c.Id, Round: c.Round, Phase: c.Phase, Deadline: due}); err != nil {
		return err
	}
	return k.schedule(ctx, c, due)
}

// schedule stores a contest whose next transition is due at a height; 0: none is.
func (k Keeper) schedule(ctx context.Context, c types.Contest, due int64) error {
	if c.Due > 0 {
		if err := k.Due.Remove(ctx, collections.Join(c.Due, c.Number)); err != nil {
			return err
		}
	}
	c.Due = due
	if due > 0 {
		if err := k.Due.Set(ctx, collections.Join(due, c.Number)); err != nil {
			return err
		}
	}
	return k.Contests.Set(ctx, c.Number, c)
}

// end refunds and closes for good. Entries stay, with what they earned.
func (k Keeper) end(ctx context.Context, params types.Params, c types.Contest) error {
	refund := c.Balance
	if refund.IsPositive() {
		owner, _, err := k.address("owner", c.Owner)
		if err != nil {
			return err
		}
		if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, owner, coins(params.FeeDenom, refund)); err != nil {
			return fmt.Errorf("refund: %w", err)
		}
	}
	c.Balance, c.Phase = math.ZeroInt(), types.PHASE_CLOSED
	if err := emit(ctx, &types.EventContestClosed{Contest: c.Id, Refund: refund.String()}); err != nil {
		return err
	}
	return k.schedule(ctx, c, 0)
}
