package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/grades/types"
)

// joinGraders makes a participant a candidate. Nobody is drawn who did not ask for it: a contest that its graders did not choose could have them slashed.
func (k Keeper) joinGraders(ctx context.Context, grader, contest string) error {
	_, grader, err := k.address("grader", grader)
	if err != nil {
		return err
	}
	c, err := k.open(ctx, contest)
	if err != nil {
		return err
	}
	if err := k.poai.JoinPool(ctx, grader, c.Pool()); err != nil {
		return err
	}
	return emit(ctx, &types.EventGraderChanged{Contest: c.Id, Grader: grader, Joined: true})
}

// leaveGraders ends that. A seat that was drawn stays due.
func (k Keeper) leaveGraders(ctx context.Context, grader, contest string) error {
	_, grader, err := k.address("grader", grader)
	if err != nil {
		return err
	}
	c, err := k.contest(ctx, contest)
	if err != nil {
		return err
	}
	if err := k.poai.LeavePool(ctx, grader, c.Pool()); err != nil {
		return err
	}
	return emit(ctx, &types.EventGraderChanged{Contest: c.Id, Grader: grader})
}

// seal commits a grader's grades. Once everybody has sealed the reveals open.
func (k Keeper) seal(ctx context.Context, msg *types.MsgSealGrades) error {
	c, seat, err := k.seat(ctx, msg.Grader, msg.Contest, msg.Round, types.PHASE_SEALING)
	if err != nil {
		return err
	}
	if err := types.CheckHash("seal", msg.Seal); err != nil {
		return err
	}
	if len(seat.Seal) > 0 {
		return errorsmod.Wrapf(types.ErrTwice, "grader: %s has sealed round %d", seat.Grader, c.Round)
	}
	seat.Seal = msg.Seal
	if err := k.Seats.Set(ctx, collections.Join(c.Number, seat.Grader), seat); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventGraded{Contest: c.Id, Round: c.Round, Grader: seat.Grader}); err != nil {
		return err
	}
	c.Sealed++
	if c.Sealed == c.Drawn {
		return k.openReveals(ctx, c)
	}
	return k.Contests.Set(ctx, c.Number, c)
}

// reveal opens a seal. Once everybody who sealed has revealed, the round is settled at the end of the block.
func (k Keeper) reveal(ctx context.Context, msg *types.MsgRevealGrades) error {
	c, seat, err := k.seat(ctx, msg.Grader, msg.Contest, msg.Round, types.PHASE_REVEALING)
	if err != nil {
		return err
	}
	if err := types.CheckHash("salt", msg.Salt); err != nil {
		return err
	}
	if err := types.CheckGrades(msg.Grades, c.MaxEntries); err != nil {
		return err
	}
	switch {
	case seat.Revealed:
		return errorsmod.Wrapf(types.ErrTwice, "grader: %s has revealed round %d", seat.Grader, c.Round)
	case len(seat.Seal) == 0:
		return errorsmod.Wrapf(types.ErrSeal, "grader: %s has sealed nothing in round %d", seat.Grader, c.Round)
	}
	chain := sdk.UnwrapSDKContext(ctx).ChainID()
	want := types.Seal(chain, c.Number, c.Round, seat.Grader, msg.Grades, [types.HashBytes]byte(msg.Salt))
	if !bytes.Equal(want[:], seat.Seal) {
		return errorsmod.Wrapf(types.ErrSeal, "grades, salt: not what %s sealed for round %d of %q", seat.Grader, c.Round, c.Id)
	}
	seat.Revealed, seat.Grades = true, msg.Grades
	if err := k.Seats.Set(ctx, collections.Join(c.Number, seat.Grader), seat); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventGraded{Contest: c.Id, Round: c.Round, Grader: seat.Grader, Revealed: true}); err != nil {
		return err
	}
	c.Revealed++
	if c.Revealed == c.Sealed {
		return k.schedule(ctx, c, height(ctx))
	}
	return k.Contests.Set(ctx, c.Number, c)
}

// seat reads what a grader's message needs, and refuses one for another round or phase, or too late.
func (k Keeper) seat(ctx context.Context, grader, contest string, round uint64, phase types.Phase) (types.Contest, types.Seat, error) {
	_, grader, err := k.address("grader", grader)
	if err != nil {
		return types.Contest{}, types.Seat{}, err
	}
	c, err := k.contest(ctx, contest)
	if err != nil {
		return c, types.Seat{}, err
	}
	if c.Phase != phase || c.Round != round {
		return c, types.Seat{}, errorsmod.Wrapf(types.ErrPhase, "round: %q is in %s of round %d, want %s of round %d", c.Id, c.Phase, c.Round, phase, round)
	}
	if now := height(ctx); now > c.Deadline {
		return c, types.Seat{}, errorsmod.Wrapf(types.ErrPhase, "round: %s of %q was due at height %d, it is %d", phase, c.Id, c.Deadline, now)
	}
	seat, err := k.Seats.Get(ctx, collections.Join(c.Number, grader))
	if errors.Is(err, collections.ErrNotFound) {
		err = errorsmod.Wrapf(types.ErrNotGrader, "grader: %s in round %d of %q", grader, round, c.Id)
	}
	return c, seat, err
}
