package keeper

import (
	"bytes"
	"context"
	"slices"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/commit"
	poaitypes "poaid/x/poai/types"
	"poaid/x/tasks/types"
)

// dispute freezes a task: escrow, the worker's lock, seats and claims stay until it is resolved. Claims are taken until the
// challenge window is over.
func (k Keeper) dispute(ctx context.Context, task types.Task, st types.Status, until int64, cause string) error {
	enter(&st, types.STATE_DISPUTED, 0, until)
	if err := emit(ctx, &types.EventTaskDisputed{TaskId: task.Id, Cause: cause}); err != nil {
		return err
	}
	return k.move(ctx, task.Id, st)
}

// challenge lets a participant stand behind a root other than the worker's.
func (k Keeper) challenge(ctx context.Context, msg *types.MsgChallenge) error {
	addr, challenger, err := k.address("challenger", msg.Challenger)
	if err != nil {
		return err
	}
	st, err := k.status(ctx, msg.TaskId)
	if err != nil {
		return err
	}
	if err := checkChallenge(st, challenger, msg, height(ctx)); err != nil {
		return err
	}
	task, err := k.Tasks.Get(ctx, msg.TaskId)
	if err != nil {
		return err
	}
	claims, err := k.claims(ctx, task.Id)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(claims, func(c types.Claim) bool { return c.Challenger == challenger }) {
		return errorsmod.Wrapf(types.ErrClaim, "challenger: %s has a claim on task %d already", challenger, task.Id)
	}
	if len(claims) >= types.MaxClaims {
		return errorsmod.Wrapf(types.ErrClaim, "task_id: %d has %d claims, limit %d", task.Id, len(claims), types.MaxClaims)
	}
	if err := k.poai.LockBond(ctx, poaitypes.Lock{
		Participant: challenger, Kind: poaitypes.LOCK_KIND_CLAIM, Item: task.Id, Amount: task.Lock,
	}); err != nil {
		return errorsmod.Wrapf(err, "challenger: bond of %s", task.Lock)
	}
	claim := types.Claim{TaskId: task.Id, Challenger: challenger, ResultRoot: msg.ResultRoot, Height: height(ctx)}
	if err := k.Claims.Set(ctx, collections.Join(task.Id, addr), claim); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventRootClaimed{TaskId: task.Id, Challenger: challenger, ResultRoot: msg.ResultRoot}); err != nil {
		return err
	}
	if st.State == types.STATE_DISPUTED {
		return nil
	}
	return k.dispute(ctx, task, st, st.Deadline, "challenge")
}

func checkChallenge(st types.Status, challenger string, msg *types.MsgChallenge, now int64) error {
	switch {
	case len(msg.ResultRoot) != commit.Size:
		return errorsmod.Wrapf(types.ErrLength, "result_root: %d bytes, want %d", len(msg.ResultRoot), commit.Size)
	case st.State != types.STATE_REVEALED && st.State != types.STATE_DISPUTED:
		return errorsmod.Wrapf(types.ErrState, "task_id: %d is %s, want %s or %s", msg.TaskId, st.State, types.STATE_REVEALED, types.STATE_DISPUTED)
	case now > st.Deadline:
		return errorsmod.Wrapf(types.ErrDeadline, "task_id: %d could be challenged until height %d, it is %d", msg.TaskId, st.Deadline, now)
	case challenger == st.Worker:
		return errorsmod.Wrapf(types.ErrParty, "challenger: %s is the worker of task %d", challenger, msg.TaskId)
	case bytes.Equal(msg.ResultRoot, st.ResultRoot):
		return errorsmod.Wrapf(types.ErrClaim, "result_root: equals the worker's")
	}
	return nil
}

// resolve releases a disputed task. See the payout table in README.md.
func (k Keeper) resolve(ctx context.Context, id uint64, valid []byte) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	st, err := k.status(ctx, id)
	if err != nil {
		return err
	}
	if st.State != types.STATE_DISPUTED {
		return errorsmod.Wrapf(types.ErrState, "task_id: %d is %s, want %s", id, st.State, types.STATE_DISPUTED)
	}
	if len(valid) != 0 && len(valid) != commit.Size {
		return errorsmod.Wrapf(types.ErrLength, "valid_root: %d bytes, want %d or none", len(valid), commit.Size)
	}
	task, err := k.Tasks.Get(ctx, id)
	if err != nil {
		return err
	}
	seats, err := k.seats(ctx, st, id)
	if err != nil {
		return err
	}
	claims, err := k.claims(ctx, id)
	if err != nil {
		return err
	}
	if err := emit(ctx, &types.EventDisputeResolved{TaskId: id, ValidRoot: valid}); err != nil {
		return err
	}
	if len(valid) == 0 {
		return k.acquit(ctx, params, task, st, seats, claims)
	}
	right := rightParties(st, seats, claims, valid)
	if len(right) == 0 {
		return errorsmod.Wrapf(types.ErrValidRoot, "valid_root: nobody stands behind %X on task %d", valid, id)
	}
	if err := k.settleClaims(ctx, id, claims, valid, right); err != nil {
		return err
	}
	if bytes.Equal(valid, st.ResultRoot) {
		return k.finalise(ctx, params, task, st)
	}
	if err := k.poai.Slash(ctx, lie(st.Worker, poaitypes.LOCK_KIND_TASK, id, "wrong result", right)); err != nil {
		return err
	}
	if len(seats) > 0 {
		if _, err := k.poai.SettleCommittee(ctx, id, poaitypes.CommitteeOutcome{ValidRoot: valid, Beneficiaries: right}); err != nil {
			return err
		}
	}
	return k.refund(ctx, params, task, st, types.STATE_REFUNDED)
}

// acquit releases everybody: the fault is nobody's (or ours, when independent parties agreed on what the referee rejects).
// Seats that sealed and did not reveal are still taken: that is a lie whatever the right root is.
func (k Keeper) acquit(
	ctx context.Context, params types.Params, task types.Task, st types.Status, seats []poaitypes.Seat, claims []types.Claim,
) error {
	for _, c := range claims {
		if err := k.poai.ReleaseLock(ctx, c.Challenger, poaitypes.LOCK_KIND_CLAIM, task.Id); err != nil {
			return err
		}
	}
	if err := k.poai.ReleaseLock(ctx, st.Worker, poaitypes.LOCK_KIND_TASK, task.Id); err != nil {
		return err
	}
	if len(seats) > 0 {
		if _, err := k.poai.SettleCommittee(ctx, task.Id, poaitypes.CommitteeOutcome{}); err != nil {
			return err
		}
	}
	return k.refund(ctx, params, task, st, types.STATE_REFUNDED)
}

// settleClaims releases the claims that were right and takes the others.
func (k Keeper) settleClaims(ctx context.Context, id uint64, claims []types.Claim, valid []byte, right []string) error {
	for _, c := range claims {
		var err error
		if bytes.Equal(c.ResultRoot, valid) {
			err = k.poai.ReleaseLock(ctx, c.Challenger, poaitypes.LOCK_KIND_CLAIM, id)
		} else {
			err = k.poai.Slash(ctx, lie(c.Challenger, poaitypes.LOCK_KIND_CLAIM, id, "wrong claim", right))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rightParties are all who stand behind the valid root, each once: the worker, members in seat order, challengers.
func rightParties(st types.Status, seats []poaitypes.Seat, claims []types.Claim, valid []byte) []string {
	var right []string
	if bytes.Equal(valid, st.ResultRoot) {
		right = append(right, st.Worker)
	}
	right = append(right, holders(seats, valid)...)
	for _, c := range claims {
		if bytes.Equal(c.ResultRoot, valid) && !slices.Contains(right, c.Challenger) {
			right = append(right, c.Challenger)
		}
	}
	return right
}

// claims reads the claims on a task, at most MaxClaims.
func (k Keeper) claims(ctx context.Context, id uint64) ([]types.Claim, error) {
	var out []types.Claim
	err := k.Claims.Walk(ctx, collections.NewPrefixedPairRange[uint64, sdk.AccAddress](id),
		func(_ collections.Pair[uint64, sdk.AccAddress], c types.Claim) (bool, error) {
			out = append(out, c)
			return false, nil
		})
	return out, err
}
