package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/split"
	"poaid/x/poai/types"
)

// Slash takes part of a lock and releases the rest. A lie costs reliability as a fault does, anything else as an abstention does. A lock is gone afterwards, so that nothing is slashed twice.
// ErrLockNotFound when there is no such lock, ErrInvalidSlash when Bps is above 10,000.
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
	taken := locked.MulRaw(int64(req.Bps)).QuoRaw(types.BPS)
	fromDelegated := p.TakeBond(taken)
	if req.Lie {
		p.Faults++
		p.ReliabilityPpm = p.ReliabilityPpm * params.ReliabilityFaultPpm / types.PPM
		p.PendingUnits = 0
	} else {
		p.ReliabilityPpm = p.ReliabilityPpm * params.ReliabilityAbstainPpm / types.PPM
	}
	if err := k.stale(ctx, *p); err != nil {
		return err
	}
	if err := k.Participants.Set(ctx, p.Address, *p); err != nil {
		return err
	}
	if err := emitDelegatedSlash(ctx, *p, fromDelegated); err != nil {
		return err
	}
	burnt, err := k.distribute(ctx, taken, req, params)
	if err != nil {
		return err
	}
	err = emit(ctx, &types.EventSlashed{
		Participant: p.Address, Kind: req.Kind, TaskId: req.Task, Amount: taken.String(), Burnt: burnt.String(), Reason: req.Reason,
	})
	if err != nil || !req.Lie || k.epochHooks == nil {
		return err
	}
	return k.epochHooks.AfterLieProven(ctx, p.Address)
}

// distribute burns at least slash_burn_bps of what was taken and splits the rest.
func (k *Keeper) distribute(ctx context.Context, taken math.Int, req types.SlashRequest, params types.Params) (burnt math.Int, err error) {
	// Rounded up: the burnt part is what deters, so it is never less than its share.
	burnt = taken.MulRaw(int64(params.SlashBurnBps)).AddRaw(types.BPS - 1).QuoRaw(types.BPS)
	if burnt.IsPositive() {
		if err := k.bank.BurnCoins(ctx, types.ModuleName, sdk.NewCoins(sdk.NewCoin(params.BondDenom, burnt))); err != nil {
			return burnt, err
		}
	}
	accounts, err := k.beneficiaries(req)
	if err != nil {
		return burnt, err
	}
	rest := taken.Sub(burnt)
	if rest.IsPositive() && len(accounts) == 0 {
		pool := k.accounts.GetModuleAddress(types.ModuleName)
		return burnt, k.community.FundCommunityPool(ctx, sdk.NewCoins(sdk.NewCoin(params.BondDenom, rest)), pool)
	}
	for i, share := range split.Evenly(rest, len(accounts)) {
		if !share.IsPositive() {
			continue
		}
		coins := sdk.NewCoins(sdk.NewCoin(params.BondDenom, share))
		if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, accounts[i], coins); err != nil {
			return burnt, err
		}
	}
	return burnt, nil
}

// beneficiaries are those of the request who can be paid. The slashed participant is never among them: it must not win back
// what it lost, and whoever lists beneficiaries of several slashes at once need not know who is slashed.
func (k *Keeper) beneficiaries(req types.SlashRequest) (accounts []sdk.AccAddress, err error) {
	for _, b := range req.Beneficiaries {
		if b == req.Participant {
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
