package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/split"
	"poaid/x/poai/types"
)

// Slash takes part of a lock, releases the rest and keeps a record. A lie costs reliability as a fault does, jails, and takes from the free bond
// too where others, or the same participant, lied in the epoch; anything else costs what an abstention does. A lock is gone afterwards, so that
// nothing is slashed twice. ErrLockNotFound when there is no such lock, ErrInvalidSlash when Bps is above 10,000.
func (k *Keeper) Slash(ctx context.Context, req types.SlashRequest) error {
	p, err := k.participant(ctx, req.Participant)
	if err != nil {
		return err
	}
	return k.slash(ctx, &p, req)
}

// slash works on a loaded participant and stores it.
func (k *Keeper) slash(ctx context.Context, p *types.Participant, req types.SlashRequest) error {
	if req.Bps > types.BPS {
		return errorsmod.Wrapf(types.ErrInvalidSlash, "bps %d: limit %d", req.Bps, types.BPS)
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	locked, err := k.unlock(ctx, p, req.Kind, req.Task)
	if err != nil {
		return err
	}
	f, err := k.newFault(ctx, p, req)
	if err != nil {
		return err
	}
	f.Taken = locked.MulRaw(int64(req.Bps)).QuoRaw(types.BPS)
	if req.Lie {
		err = k.lied(ctx, p, &f, params)
	} else {
		err = k.timedOut(ctx, p, &f, params)
	}
	if err != nil {
		return err
	}
	if err := k.Participants.Set(ctx, p.Address, *p); err != nil {
		return err
	}
	if err := k.distribute(ctx, &f, req.Beneficiaries, params); err != nil {
		return err
	}
	if err := k.record(ctx, f, params.Fault); err != nil || !req.Lie || k.epochHooks == nil {
		return err
	}
	return k.epochHooks.AfterLieProven(ctx, p.Address)
}

// lied takes what a lie costs from p's bond, cuts its reliability and jails it. It fills in f.
func (k *Keeper) lied(ctx context.Context, p *types.Participant, f *types.Fault, params types.Params) error {
	if err := k.takeBond(ctx, p, f.Taken); err != nil {
		return err
	}
	total, err := k.TotalBonded(ctx)
	if err != nil {
		return err
	}
	losses, err := k.losses(ctx, f.Epoch)
	if err != nil {
		return err
	}
	before := p.Conduct.NoteLie(params.Fault, f.Height, f.Epoch)
	f.Extra = params.Fault.Extra(p.Bond.Sub(p.Locked), losses.Lost, total, before)
	if err := k.takeBond(ctx, p, f.Extra); err != nil {
		return err
	}
	losses.Lost = losses.Lost.Add(f.Taken)
	if err := k.Losses.Set(ctx, losses); err != nil {
		return err
	}
	p.Faults++
	p.ReliabilityPpm = p.ReliabilityPpm * params.ReliabilityFaultPpm / types.PPM
	p.PendingUnits = 0
	f.ReliabilityAfterPpm, f.JailedUntil = p.ReliabilityPpm, p.Conduct.JailedUntil
	return k.jailed(ctx, p, params, f.Reason)
}

// timedOut takes what a timeout costs, and jails p if it was one too many in a row. It fills in f.
func (k *Keeper) timedOut(ctx context.Context, p *types.Participant, f *types.Fault, params types.Params) error {
	if err := k.takeBond(ctx, p, f.Taken); err != nil {
		return err
	}
	jailed, err := k.silent(ctx, p, params)
	if err != nil {
		return err
	}
	f.ReliabilityAfterPpm = p.ReliabilityPpm
	if jailed {
		f.JailedUntil = p.Conduct.JailedUntil
	}
	return nil
}

// silent notes that p did not do what was due: it costs a little reliability, and jails after max_timeouts in a row. It changes p, which the
// caller stores.
func (k *Keeper) silent(ctx context.Context, p *types.Participant, params types.Params) (jailed bool, err error) {
	p.ReliabilityPpm = p.ReliabilityPpm * params.ReliabilityAbstainPpm / types.PPM
	if p.Conduct.NoteTimeout(params.Fault, sdk.UnwrapSDKContext(ctx).BlockHeight()) {
		return true, k.jailed(ctx, p, params, "too many timeouts in a row")
	}
	return false, k.stale(ctx, *p)
}

// distribute burns at least slash_burn_bps of what was taken. The rest of the lock is split between the beneficiaries; that of the extra goes to
// the community pool, so that nobody gains by how many others lie, and an acquittal finds something there.
func (k *Keeper) distribute(ctx context.Context, f *types.Fault, beneficiaries []string, params types.Params) error {
	burnt := [2]math.Int{burn(f.Taken, params), burn(f.Extra, params)}
	f.Burnt = burnt[0].Add(burnt[1])
	if f.Burnt.IsPositive() {
		if err := k.bank.BurnCoins(ctx, types.ModuleName, sdk.NewCoins(sdk.NewCoin(params.BondDenom, f.Burnt))); err != nil {
			return err
		}
	}
	accounts, err := k.beneficiaries(f.Participant, beneficiaries)
	if err != nil {
		return err
	}
	rest, community := f.Taken.Sub(burnt[0]), f.Extra.Sub(burnt[1])
	if len(accounts) == 0 {
		rest, community = math.ZeroInt(), community.Add(rest)
	}
	if community.IsPositive() {
		module := k.accounts.GetModuleAddress(types.ModuleName)
		if err := k.community.FundCommunityPool(ctx, sdk.NewCoins(sdk.NewCoin(params.BondDenom, community)), module); err != nil {
			return err
		}
	}
	for i, share := range split.Evenly(rest, len(accounts)) {
		if !share.IsPositive() {
			continue
		}
		coins := sdk.NewCoins(sdk.NewCoin(params.BondDenom, share))
		if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, accounts[i], coins); err != nil {
			return err
		}
	}
	return nil
}

// burn is the part that burns, rounded up: it is what deters, so it is never less than its share.
func burn(taken math.Int, params types.Params) math.Int {
	return taken.MulRaw(int64(params.SlashBurnBps)).AddRaw(types.BPS - 1).QuoRaw(types.BPS)
}

// beneficiaries are those of the list who can be paid. The slashed participant is never among them: it must not win back what it lost, and
// whoever lists beneficiaries of several slashes at once need not know who is slashed.
func (k *Keeper) beneficiaries(slashed string, list []string) (accounts []sdk.AccAddress, err error) {
	for _, b := range list {
		if b == slashed {
			continue
		}
		account, err := k.accountOf(b)
		if err != nil {
			return nil, err
		}
		if !k.bank.BlockedAddr(account) {
			accounts = append(accounts, account)
		}
	}
	return accounts, nil
}
