package keeper

import (
	"context"

	"cosmossdk.io/math"

	"poaid/internal/split"
	"poaid/x/tasks/types"
)

// payOut pays the fee of the units done and refunds the rest. The royalty comes first, then the jackpot's part; what remains is shared by worker_bps,
// verifier_bps and burn_bps, as they were at submission. Without a member who agreed the verifiers' share is refunded. The parts add up to the escrow.
func (k Keeper) payOut(
	ctx context.Context, params types.Params, task types.Task, st types.Status, owner string, agreed []string,
) (types.Payment, error) {
	fee := math.MinInt(task.Fee, types.Fee(st.UnitsDone, task.UnitPrice, params.MinFee))
	royalty := fee.MulRaw(int64(task.RoyaltyBps)).QuoRaw(types.BpsOne)
	jackpot := fee.Sub(royalty).MulRaw(int64(task.JackpotBps)).QuoRaw(types.BpsOne)
	parts := split.Weighted(fee.Sub(royalty).Sub(jackpot), uint64(task.WorkerBps), uint64(task.VerifierBps), uint64(task.BurnBps))
	pay := types.NewPayment()
	pay.Refund, pay.Jackpot = task.MaxFee.Amount.Sub(fee), jackpot
	burn := parts[2]
	if len(agreed) == 0 {
		pay.Refund = pay.Refund.Add(parts[1])
	} else {
		each := split.Evenly(parts[1], len(agreed))
		for i, member := range agreed {
			left, err := k.pay(ctx, task, member, each[i])
			if err != nil {
				return pay, err
			}
			pay.Verifiers, burn = pay.Verifiers.Add(each[i].Sub(left)), burn.Add(left)
		}
	}
	for _, p := range []struct {
		to     string
		amount math.Int
		paid   *math.Int
	}{{owner, royalty, &pay.Royalty}, {st.Worker, parts[0], &pay.Worker}, {task.Submitter, pay.Refund, &pay.Refund}} {
		left, err := k.pay(ctx, task, p.to, p.amount)
		if err != nil {
			return pay, err
		}
		*p.paid, burn = p.amount.Sub(left), burn.Add(left)
	}
	if err := k.burn(ctx, task, &pay, burn); err != nil {
		return pay, err
	}
	return pay, k.prizes(ctx, task, st, &pay, agreed)
}

// pay pays from the escrow. It returns what could not be paid because the recipient may not receive coins: an escrow must end with
// someone, and one recipient must not hold up the others.
func (k Keeper) pay(ctx context.Context, task types.Task, to string, amount math.Int) (left math.Int, err error) {
	if !amount.IsPositive() {
		return math.ZeroInt(), nil
	}
	addr, _, err := k.address("recipient", to)
	if err != nil {
		return amount, err
	}
	if o, ok := k.openers[to]; ok {
		return math.ZeroInt(), k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, o.module, coins(task.MaxFee.Denom, amount))
	}
	if k.bank.BlockedAddr(addr) {
		return amount, nil
	}
	return math.ZeroInt(), k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, addr, coins(task.MaxFee.Denom, amount))
}

func (k Keeper) burn(ctx context.Context, task types.Task, pay *types.Payment, amount math.Int) error {
	pay.Burnt = amount
	if !amount.IsPositive() {
		return nil
	}
	return k.bank.BurnCoins(ctx, types.ModuleName, coins(task.MaxFee.Denom, amount))
}
