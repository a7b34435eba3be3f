package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/tasks/types"
)

// InitGenesis stores the tasks and rebuilds queue and indexes. The module's account must hold the escrows.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := g.Validate(); err != nil {
		return err
	}
	if k.account.GetModuleAccount(ctx, types.ModuleName) == nil {
		return fmt.Errorf("module account %s is not set up", types.ModuleName)
	}
	if err := k.Params.Set(ctx, g.Params); err != nil {
		return err
	}
	for _, t := range g.Tasks {
		if err := k.initTask(ctx, t); err != nil {
			return errorsmod.Wrapf(err, "task %d", t.Task.Id)
		}
	}
	for _, s := range g.Seen {
		if err := k.Seen.Set(ctx, collections.Join(s.Model, s.InputRoot), s.TaskId); err != nil {
			return err
		}
	}
	for _, c := range g.AuditPot {
		if err := k.AuditPot.Set(ctx, c.Denom, c.Amount); err != nil {
			return err
		}
	}
	for _, c := range g.Jackpot {
		if err := k.Jackpot.Set(ctx, c.Denom, c.Amount); err != nil {
			return err
		}
	}
	if g.Price != nil {
		if err := k.Price.Set(ctx, *g.Price); err != nil {
			return err
		}
	}
	return k.checkEscrow(ctx)
}

func (k Keeper) initTask(ctx context.Context, t types.GenesisTask) error {
	id := t.Task.Id
	submitter, _, err := k.address("submitter", t.Task.Submitter)
	if err != nil {
		return err
	}
	if err := k.Tasks.Set(ctx, id, t.Task); err != nil {
		return err
	}
	if err := k.BySubmitter.Set(ctx, collections.Join(submitter, id)); err != nil {
		return err
	}
	if err := k.store(ctx, id, t.Status); err != nil {
		return err
	}
	if t.Status.State.Active() {
		if err := k.index(ctx, t.Status.Worker, id); err != nil {
			return err
		}
	}
	if err := k.initComers(ctx, t); err != nil {
		return err
	}
	if err := setIf(ctx, k.Inputs, id, t.Inputs); err != nil {
		return err
	}
	if err := setIf(ctx, k.Results, id, t.Result); err != nil {
		return err
	}
	if err := setIf(ctx, k.Receipts, id, t.Receipt); err != nil {
		return err
	}
	return setIf(ctx, k.Payments, id, t.Payment)
}

func setIf[V any](ctx context.Context, m collections.Map[uint64, V], id uint64, v *V) error {
	if v == nil {
		return nil
	}
	return m.Set(ctx, id, *v)
}

// ExportGenesis reads everything that InitGenesis cannot rebuild.
func (k Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	g := &types.GenesisState{Params: params}
	err = k.Tasks.Walk(ctx, nil, func(id uint64, task types.Task) (bool, error) {
		t := types.GenesisTask{Task: task}
		var err error
		if t.Status, err = k.Statuses.Get(ctx, id); err != nil {
			return true, err
		}
		if t.Inputs, err = optional(k.Inputs.Get(ctx, id)); err != nil {
			return true, err
		}
		if t.Result, err = optional(k.Results.Get(ctx, id)); err != nil {
			return true, err
		}
		if t.Runners, err = k.runners(ctx, t.Status, id); err != nil {
			return true, err
		}
		if t.Payment, err = optional(k.Payments.Get(ctx, id)); err != nil {
			return true, err
		}
		if t.Receipt, err = optional(k.Receipts.Get(ctx, id)); err != nil {
			return true, err
		}
		g.Tasks = append(g.Tasks, t)
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	err = k.Seen.Walk(ctx, nil, func(key collections.Pair[string, []byte], id uint64) (bool, error) {
		g.Seen = append(g.Seen, types.SeenInput{Model: key.K1(), InputRoot: key.K2(), TaskId: id})
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	if g.Price, err = optional(k.Price.Get(ctx)); err != nil {
		return nil, err
	}
	if g.AuditPot, err = potCoins(ctx, k.AuditPot); err != nil {
		return nil, err
	}
	g.Jackpot, err = potCoins(ctx, k.Jackpot)
	return g, err
}

// potCoins lists what is in a pot.
func potCoins(ctx context.Context, pot collections.Map[string, math.Int]) (coins sdk.Coins, err error) {
	err = pot.Walk(ctx, nil, func(denom string, amount math.Int) (bool, error) {
		coins = append(coins, sdk.Coin{Denom: denom, Amount: amount})
		return false, nil
	})
	return coins, err
}

// checkEscrow checks that the module's account holds the escrow of every task that was not paid out and the pots, no more and no less.
func (k Keeper) checkEscrow(ctx context.Context) error {
	owed, err := potCoins(ctx, k.Jackpot)
	if err != nil {
		return err
	}
	audits, err := potCoins(ctx, k.AuditPot)
	if err != nil {
		return err
	}
	if !owed.IsValid() || !audits.IsValid() {
		return errorsmod.Wrapf(types.ErrInvariant, "jackpot: %s, audit pot: %s", owed, audits)
	}
	owed = owed.Add(audits...)
	err = k.Tasks.Walk(ctx, nil, func(id uint64, task types.Task) (bool, error) {
		paid, err := k.Payments.Has(ctx, id)
		if err != nil {
			return true, err
		}
		if !paid {
			owed = owed.Add(task.MaxFee)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	denoms := []string{params.FeeDenom}
	for _, r := range params.FeeRates {
		denoms = append(denoms, r.Denom)
	}
	for _, c := range owed {
		denoms = append(denoms, c.Denom)
	}
	account := k.account.GetModuleAddress(types.ModuleName)
	for _, denom := range denoms {
		if held, c := k.bank.GetBalance(ctx, account, denom), owed.AmountOf(denom); !held.Amount.Equal(c) {
			return errorsmod.Wrapf(types.ErrInvariant, "escrow: the module holds %s, unfinished tasks and the pots are owed %s", held, c)
		}
	}
	return nil
}
