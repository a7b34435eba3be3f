package keeper

import (
	"context"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"

	"poaid/internal/split"
	"poaid/x/tasks/types"
)

// payOut pays the fee of the units done and refunds the rest. The royalty comes first, then the jackpot's part; what remains is shared between worker, the
// pot that members are paid from, runners and what burns (types.Parts), by the terms at submission and the rate of this run's audit. The place of a
// runner that nobody filled is refunded. The tip is the worker's, whole. Every coin is booked, and together they are the escrow.
func (k Keeper) payOut(
	ctx context.Context, params types.Params, task types.Task, st types.Status, owner string, agreed, matched []string,
) (types.Payment, error) {
	fee, tip := charge(params, task, st)
	royalty, jackpot, parts := divide(params, task, st, fee)
	pay, burn, refund := types.NewPayment(), parts.Burn, task.MaxFee.Amount.Sub(fee).Sub(tip)
	if err := k.bookPots(&pay, jackpot, parts.Audits); err != nil {
		return pay, err
	}
	unpaid, err := k.giveRoyalty(ctx, task, &pay, owner, royalty)
	if err != nil {
		return pay, err
	}
	burn = burn.Add(unpaid)
	flows := []types.Flow{
		{Purpose: types.PURPOSE_WORKER, Recipient: st.Worker, Amount: parts.Worker},
		{Purpose: types.PURPOSE_TIP, Recipient: st.Worker, Amount: tip},
	}
	for i, place := range split.Evenly(parts.Runners, int(task.MaxRunners())) {
		if i < len(matched) {
			flows = append(flows, types.Flow{Purpose: types.PURPOSE_RUNNER, Recipient: matched[i], Amount: place})
		} else {
			refund = refund.Add(place)
		}
	}
	flows = append(flows, types.Flow{Purpose: types.PURPOSE_REFUND, Recipient: task.Submitter, Amount: refund})
	for _, f := range flows {
		left, err := k.give(ctx, task, &pay, f)
		if err != nil {
			return pay, err
		}
		burn = burn.Add(left)
	}
	if err := k.burn(ctx, params, task, &pay, burn); err != nil {
		return pay, err
	}
	if err := k.payMembers(ctx, params, task, st, &pay, agreed); err != nil {
		return pay, err
	}
	return pay, k.prizes(ctx, task, st, &pay, agreed)
}

// divide shares a fee: the royalty, the jackpot's part, and what is left by where it goes. The jackpot's part is at most what it costs not to deliver: a worker
// knows whether its error is forced, and must not gain by letting all others time out. With c a part, ε the rate of forced errors and s that cost, doing so
// would bring ε·(c/ε − c) and cost (1 − ε)·s a task.
func divide(params types.Params, task types.Task, st types.Status, fee math.Int) (royalty, jackpot math.Int, parts types.Parts) {
	royalty = fee.MulRaw(int64(task.RoyaltyBps)).QuoRaw(types.BpsOne)
	silence := types.Exchange(task.Lock.MulRaw(int64(params.TimeoutSlashBps)).QuoRaw(types.BpsOne), task.Rate())
	jackpot = math.MinInt(fee.Sub(royalty).MulRaw(int64(task.JackpotBps)).QuoRaw(types.BpsOne), silence)
	return royalty, jackpot, task.PartsOf(fee.Sub(royalty).Sub(jackpot), st.AuditPpm, params.CommitteeSize)
}

// bookPots books what goes into the pots. It stays in the module's account.
func (k Keeper) bookPots(pay *types.Payment, jackpot, audits math.Int) error {
	module, err := k.account.AddressCodec().BytesToString(k.account.GetModuleAddress(types.ModuleName))
	if err != nil {
		return err
	}
	pay.Book(types.PURPOSE_JACKPOT, module, jackpot)
	pay.Book(types.PURPOSE_AUDITS, module, audits)
	return nil
}

// withheld is what of an escrow its submitter does not get back.
type withheld struct{ burn, jackpot, audits math.Int }

func nothing() withheld { return withheld{math.ZeroInt(), math.ZeroInt(), math.ZeroInt()} }

// owedToPots is what a run that is given up would have brought the pots. Who asks, works and keeps the bytes back could otherwise have every run given up that
// does not pay, and be paid from the pots with the others: the worker knows from the draw on whether its error is forced, and everybody whether a run was
// audited. What a run to its last step would bring counts, since nobody has checked where it stopped.
func owedToPots(params types.Params, task types.Task, st types.Status) (jackpot, audits math.Int) {
	st.UnitsDone = task.Units
	fee, _ := charge(params, task, st)
	_, jackpot, parts := divide(params, task, st, fee)
	audits = parts.Audits // nothing before the audit was drawn
	if st.Audited {
		audits = math.ZeroInt()
	}
	if len(st.VrfKey) == 0 || task.ByCid { // no prize to pick
		jackpot = math.ZeroInt()
	}
	return jackpot, audits
}

// fillPots adds what was booked for the pots to them, where nothing is paid from them.
func (k Keeper) fillPots(ctx context.Context, denom string, pay types.Payment) error {
	for _, p := range []struct {
		pot    collections.Map[string, math.Int]
		amount math.Int
	}{{k.Jackpot, pay.Jackpot}, {k.AuditPot, pay.Audits}} {
		held, err := potOf(ctx, p.pot, denom)
		if err != nil {
			return err
		}
		if err := setPot(ctx, p.pot, denom, held.Add(p.amount)); err != nil {
			return err
		}
	}
	return nil
}

// payMembers puts a task's part into the pot of its denom and pays the members who agreed from it. A part c is paid out where there was an audit, which has
// the probability p: each of the committee's k seats gets c/(p·k), so that in expectation what comes in goes out, and a member is paid for what it computed, whether
// audits are rare or not. Never more than there is; what seats without the right root do not get stays.
func (k Keeper) payMembers(ctx context.Context, params types.Params, task types.Task, st types.Status, pay *types.Payment, agreed []string) error {
	denom := task.MaxFee.Denom
	pot, err := potOf(ctx, k.AuditPot, denom)
	if err != nil {
		return err
	}
	pot = pot.Add(pay.Audits)
	if n := len(agreed); n > 0 && st.AuditPpm > 0 && pay.Audits.IsPositive() {
		seats := max(int64(params.CommitteeSize), int64(n))
		all := pay.Audits.MulRaw(types.PpmOne).MulRaw(int64(n)).QuoRaw(int64(st.AuditPpm) * seats)
		if _, err := k.fromPot(ctx, task, pay, types.PURPOSE_VERIFIER, &pot, all, agreed); err != nil {
			return err
		}
	}
	return setPot(ctx, k.AuditPot, denom, pot)
}

// give makes a flow from the escrow and books it. It returns what the recipient may not receive, which is for the caller to burn.
func (k Keeper) give(ctx context.Context, task types.Task, pay *types.Payment, f types.Flow) (left math.Int, err error) {
	left, err = k.pay(ctx, task, f.Recipient, f.Amount)
	if err == nil {
		pay.Book(f.Purpose, f.Recipient, f.Amount.Sub(left))
	}
	return left, err
}

// charge is the fee of the units done, and the tip.
func charge(params types.Params, task types.Task, st types.Status) (fee, tip math.Int) {
	if task.Auctioned() && st.Price != nil {
		return task.ChargeBid(*st.Price, st.UnitsDone, params.MinFee), math.ZeroInt()
	}
	return task.Charge(st.UnitsDone, params.MinFee)
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

// burn burns a part of the escrow. Of a denom that is not the chain's own it goes to the community pool instead: destroying somebody else's coin takes
// nothing out of our supply, and leaves what backs it locked on its own chain for nobody.
func (k Keeper) burn(ctx context.Context, params types.Params, task types.Task, pay *types.Payment, amount math.Int) error {
	if !amount.IsPositive() {
		return nil
	}
	c := coins(task.MaxFee.Denom, amount)
	if task.MaxFee.Denom == params.FeeDenom {
		pay.Book(types.PURPOSE_BURN, "", amount)
		return k.bank.BurnCoins(ctx, types.ModuleName, c)
	}
	pool, err := k.account.AddressCodec().BytesToString(k.account.GetModuleAddress(distrtypes.ModuleName))
	if err != nil {
		return err
	}
	pay.Book(types.PURPOSE_COMMUNITY, pool, amount)
	return k.community.FundCommunityPool(ctx, c, k.account.GetModuleAddress(types.ModuleName))
}
