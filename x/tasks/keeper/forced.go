package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/commit"
	"poaid/internal/split"
	"poaid/x/beacon/vrf"
	"poaid/x/tasks/types"
)

// workerPrizeBps of what a forced error is worth go to the worker, so that sealing the wrong root pays; the rest to the members.
const workerPrizeBps = 1_000

// arm notes key and input by which the worker that was just drawn, with the randomness of the height that was due, learns whether its error is
// forced. A key that acts at that height was chosen before the randomness could be known. Both are kept here because x/beacon forgets and keys
// are replaced.
func (k Keeper) arm(ctx context.Context, task types.Task, st *types.Status) error {
	if task.ForcedErrorPpm == 0 {
		return nil
	}
	worker, err := k.poai.GetParticipant(ctx, st.Worker)
	if err != nil {
		return err
	}
	key := worker.ActingVRFKey(st.Due)
	if key == nil {
		return nil
	}
	random, err := k.beacon.Randomness(ctx, st.Due)
	if err != nil {
		return err
	}
	input := types.ForcedInput(sdk.UnwrapSDKContext(ctx).ChainID(), task.Id, st.Attempt, random)
	st.VrfKey, st.VrfInput = key, input[:]
	return nil
}

// checkForced checks a worker's proof that its error was forced.
func checkForced(task types.Task, st types.Status, proof []byte) error {
	if len(st.VrfKey) == 0 {
		return errorsmod.Wrapf(types.ErrForced, "forced_proof: %s had no VRF key when it was drawn for task %d", st.Worker, task.Id)
	}
	output, err := vrf.Verify(st.VrfKey, st.VrfInput, proof)
	if err != nil {
		return errorsmod.Wrapf(types.ErrForced, "forced_proof: %s", err)
	}
	if !types.IsForced(output, task.ForcedErrorPpm) {
		return errorsmod.Wrapf(types.ErrForced, "forced_proof: task %d is not among the %d in a million", task.Id, task.ForcedErrorPpm)
	}
	return nil
}

// trap is the wrong root that the worker had to seal; nil where it sealed what it revealed. It is the result of no run, so whoever attested it did not
// compute, whatever the right root is.
func trap(st types.Status) []byte {
	if !st.Forced || len(st.ResultRoot) != commit.Size {
		return nil
	}
	root := commit.ForcedRoot(commit.Hash(st.ResultRoot))
	return root[:]
}

// potOf reads what is in a pot in a denom.
func potOf(ctx context.Context, pots collections.Map[string, math.Int], denom string) (math.Int, error) {
	pot, err := pots.Get(ctx, denom)
	if errors.Is(err, collections.ErrNotFound) {
		return math.ZeroInt(), nil
	}
	return pot, err
}

// setPot stores it, without entries of zero.
func setPot(ctx context.Context, pots collections.Map[string, math.Int], denom string, pot math.Int) error {
	if pot.IsZero() {
		return pots.Remove(ctx, denom)
	}
	return pots.Set(ctx, denom, pot)
}

// prizes adds a task's part to the jackpot and, if its error was forced, pays from it. In expectation over VRF and audit, at most what comes in goes out: a
// part c of the fee is worth c/ε where the error is forced; of that workerPrizeBps are the worker's, and the rest, over the probability p of the audit, are the
// members'. Never more than there is. Where giving a task up costs a worker nothing (inputs by CID) it could pick the forced ones, so there is no prize.
func (k Keeper) prizes(ctx context.Context, task types.Task, st types.Status, pay *types.Payment, agreed []string) error {
	denom := task.MaxFee.Denom
	pot, err := potOf(ctx, k.Jackpot, denom)
	if err != nil {
		return err
	}
	pot = pot.Add(pay.Jackpot)
	if st.Forced && !task.ByCid && task.ForcedErrorPpm > 0 {
		worth := pay.Jackpot.MulRaw(types.PpmOne).QuoRaw(int64(task.ForcedErrorPpm))
		first := worth.MulRaw(workerPrizeBps).QuoRaw(types.BpsOne)
		if pay.WorkerPrize, err = k.fromPot(ctx, task, pay, types.PURPOSE_PRIZE, &pot, first, []string{st.Worker}); err != nil {
			return err
		}
		if len(agreed) > 0 && st.AuditPpm > 0 {
			rest := worth.Sub(first).MulRaw(types.PpmOne).QuoRaw(int64(st.AuditPpm))
			if pay.MemberPrizes, err = k.fromPot(ctx, task, pay, types.PURPOSE_PRIZE, &pot, rest, agreed); err != nil {
				return err
			}
		}
		if err := emit(ctx, &types.EventJackpotPaid{
			TaskId: task.Id, WorkerPrize: pay.WorkerPrize.String(), MemberPrizes: pay.MemberPrizes.String(), Left: pot.String(),
		}); err != nil {
			return err
		}
	}
	return setPot(ctx, k.Jackpot, denom, pot)
}

// fromPot shares an amount, at most the pot, evenly, books it, and takes what was paid from the pot; who may not receive coins gets nothing.
func (k Keeper) fromPot(
	ctx context.Context, task types.Task, pay *types.Payment, purpose types.Purpose, pot *math.Int, amount math.Int, to []string,
) (paid math.Int, err error) {
	paid = math.ZeroInt()
	each := split.Evenly(math.MinInt(amount, *pot), len(to))
	for i, p := range to {
		left, err := k.give(ctx, task, pay, types.Flow{Purpose: purpose, Recipient: p, Amount: each[i]})
		if err != nil {
			return paid, err
		}
		paid = paid.Add(each[i].Sub(left))
	}
	*pot = pot.Sub(paid)
	return paid, nil
}
