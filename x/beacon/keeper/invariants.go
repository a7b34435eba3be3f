package keeper

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"poaid/x/beacon/types"
)

// CheckInvariants checks a state at the end of a block. It walks everything, so it is for tests and exports.
func (k *Keeper) CheckInvariants(ctx context.Context) error {
	for _, check := range []func(context.Context, int64) error{k.checkHistory, k.checkKeys, k.checkActivations, k.checkProposers, k.checkStanding} {
		if err := check(ctx, sdk.UnwrapSDKContext(ctx).BlockHeight()); err != nil {
			return err
		}
	}
	return nil
}

// checkHistory: one value for every height from the oldest kept one to this, no two alike.
func (k *Keeper) checkHistory(ctx context.Context, now int64) error {
	last, values := int64(-1), map[string]int64{}
	err := k.History.Walk(ctx, nil, func(height int64, r types.Randomness) (bool, error) {
		if r.Height != height || len(r.Value) != types.ValueSize {
			return false, fmt.Errorf("history[%d]: height %d, %d bytes", height, r.Height, len(r.Value))
		}
		if last >= 0 && height != last+1 {
			return false, fmt.Errorf("history: %d follows %d", height, last)
		}
		if same, ok := values[string(r.Value)]; ok {
			return false, fmt.Errorf("history: heights %d and %d have the same value", same, height)
		}
		last, values[string(r.Value)] = height, height
		return false, nil
	})
	if err != nil {
		return err
	}
	if last != now {
		return fmt.Errorf("history: ends at %d, the height is %d", last, now)
	}
	return nil
}

// checkKeys: what is registered has been proven to be its operator's, acts later than what it replaces, and is waited for.
func (k *Keeper) checkKeys(ctx context.Context, now int64) error {
	var all []types.OperatorKeys
	err := k.Keys.Walk(ctx, nil, func(operator []byte, keys types.OperatorKeys) (bool, error) {
		addr, err := k.operators.StringToBytes(keys.Operator)
		if err != nil || !bytes.Equal(addr, operator) {
			return false, fmt.Errorf("keys[%X]: of operator %q (%w)", operator, keys.Operator, err)
		}
		all = append(all, keys)
		for _, key := range []types.Key{keys.Current, keys.Next} {
			if key.ActiveFrom <= now+1 {
				continue
			}
			waited, err := k.Activations.Has(ctx, collections.Join(key.ActiveFrom, operator))
			if err != nil {
				return false, err
			}
			if !waited {
				return false, fmt.Errorf("keys[%s]: nothing waits for height %d, from which a key acts", keys.Operator, key.ActiveFrom)
			}
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	return types.GenesisState{Params: types.DefaultParams(), Keys: all}.Validate()
}

// checkActivations: what is due was taken.
func (k *Keeper) checkActivations(ctx context.Context, now int64) error {
	return k.Activations.Walk(ctx, nil, func(key collections.Pair[int64, []byte]) (bool, error) {
		if key.K1() <= now+1 {
			return false, fmt.Errorf("activations: height %d of %X is over", key.K1(), key.K2())
		}
		if has, err := k.Keys.Has(ctx, key.K2()); err != nil || !has {
			return false, fmt.Errorf("activations: height %d: operator %X has no keys (%w)", key.K1(), key.K2(), err)
		}
		return false, nil
	})
}

// checkProposers: only updates of the height after the next are pending, and every operator is the one that x/staking knows by the
// consensus address, if it still knows one.
func (k *Keeper) checkProposers(ctx context.Context, now int64) error {
	err := k.Updates.Walk(ctx, nil, func(key collections.Pair[int64, []byte], _ types.Proposer) (bool, error) {
		if key.K1() != now+types.ValidatorUpdateDelay {
			return false, fmt.Errorf("updates: of height %d, the height is %d", key.K1(), now)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	return k.Proposers.Walk(ctx, nil, func(cons []byte, p types.Proposer) (bool, error) {
		if p.Power <= 0 {
			return false, fmt.Errorf("proposers[%X]: power %d", cons, p.Power)
		}
		v, err := k.staking.GetValidatorByConsAddr(ctx, cons)
		switch {
		case errors.Is(err, stakingtypes.ErrNoValidatorFound):
			return false, nil
		case err != nil:
			return false, err
		case v.GetOperator() != p.Operator:
			return false, fmt.Errorf("proposers[%X]: operator %q, x/staking says %q", cons, p.Operator, v.GetOperator())
		}
		return false, nil
	})
}

// checkStanding: it is what a count of the next height's set says.
func (k *Keeper) checkStanding(ctx context.Context, now int64) error {
	kept, err := k.standing(ctx)
	if err != nil {
		return err
	}
	counted, err := k.tally(ctx, now+1)
	if err != nil {
		return err
	}
	if kept.TotalPower != counted.TotalPower || kept.KeyedPower != counted.KeyedPower {
		return fmt.Errorf("standing: %d of %d, counted %d of %d", kept.KeyedPower, kept.TotalPower, counted.KeyedPower, counted.TotalPower)
	}
	return nil
}
