package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"
	abci "github.com/cometbft/cometbft/abci/types"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"poaid/internal/events"
	"poaid/x/beacon/types"
)

// SetValidators takes the validator set that CometBFT starts with at the given height.
func (k *Keeper) SetValidators(ctx context.Context, height int64, set []abci.ValidatorUpdate) error {
	for _, u := range set {
		if err := k.queue(ctx, height, u); err != nil {
			return err
		}
	}
	return k.advance(ctx, height)
}

// EndBlock takes the updates of the validator set that the block returns to CometBFT, and brings the set to what it is at the next height.
// It follows CometBFT's set and not x/staking's, which is two blocks ahead: a proposer must never be asked for more than the set that
// chose it allows.
func (k *Keeper) EndBlock(ctx context.Context, updates []abci.ValidatorUpdate) error {
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	for _, u := range updates {
		if err := k.queue(ctx, height+types.ValidatorUpdateDelay, u); err != nil {
			return err
		}
	}
	return k.advance(ctx, height+1)
}

// queue keeps an update until the height at which it holds. The operator is looked up now: x/staking may have forgotten the validator by
// the time it last proposes.
func (k *Keeper) queue(ctx context.Context, height int64, u abci.ValidatorUpdate) error {
	key, err := cryptocodec.FromCmtProtoPublicKey(u.PubKey)
	if err != nil {
		return fmt.Errorf("validator update: %w", err)
	}
	p := types.Proposer{Power: u.Power}
	if u.Power > 0 {
		v, err := k.staking.GetValidatorByConsAddr(ctx, sdk.ConsAddress(key.Address()))
		switch {
		case err == nil:
			p.Operator = v.GetOperator()
		case !errors.Is(err, stakingtypes.ErrNoValidatorFound):
			return err
		}
	}
	return k.Updates.Set(ctx, collections.Join(height, []byte(key.Address())), p)
}

// advance applies what holds from a height on, and counts again if anything does.
func (k *Keeper) advance(ctx context.Context, height int64) error {
	updated, err := k.applyUpdates(ctx, height)
	if err != nil {
		return err
	}
	activated, err := k.takeActivations(ctx, height)
	if err != nil {
		return err
	}
	if !updated && !activated {
		return nil
	}
	return k.count(ctx, height)
}

func (k *Keeper) applyUpdates(ctx context.Context, height int64) (bool, error) {
	type update struct {
		key   collections.Pair[int64, []byte]
		value types.Proposer
	}
	var due []update
	err := k.Updates.Walk(ctx, nil, func(key collections.Pair[int64, []byte], value types.Proposer) (bool, error) {
		if key.K1() > height {
			return true, nil
		}
		due = append(due, update{key, value})
		return false, nil
	})
	if err != nil {
		return false, err
	}
	for _, u := range due {
		if err := k.Updates.Remove(ctx, u.key); err != nil {
			return false, err
		}
		if u.value.Power == 0 {
			err = k.Proposers.Remove(ctx, u.key.K2())
		} else {
			err = k.Proposers.Set(ctx, u.key.K2(), u.value)
		}
		if err != nil {
			return false, err
		}
	}
	return len(due) > 0, nil
}

// takeActivations drops the entries that are due and tells whether there were any. Entries of keys that were replaced before they acted
// cost a count in vain.
func (k *Keeper) takeActivations(ctx context.Context, height int64) (bool, error) {
	var due []collections.Pair[int64, []byte]
	err := k.Activations.Walk(ctx, nil, func(key collections.Pair[int64, []byte]) (bool, error) {
		if key.K1() > height {
			return true, nil
		}
		due = append(due, key)
		return false, nil
	})
	if err != nil {
		return false, err
	}
	for _, key := range due {
		if err := k.Activations.Remove(ctx, key); err != nil {
			return false, err
		}
	}
	return len(due) > 0, nil
}

// count keeps the standing of a height, and announces it where proofs begin or cease to be required.
func (k *Keeper) count(ctx context.Context, height int64) error {
	before, err := k.standing(ctx)
	if err != nil {
		return err
	}
	s, err := k.tally(ctx, height)
	if err != nil {
		return err
	}
	if err := k.Standing.Set(ctx, s); err != nil {
		return err
	}
	if s.Required() == before.Required() {
		return nil
	}
	return events.Emit(ctx, &types.EventProofsRequired{Height: height, Required: s.Required()})
}

// tally adds up the set of a height and how much of it has acting keys.
func (k *Keeper) tally(ctx context.Context, height int64) (types.Standing, error) {
	s := types.Standing{Height: height}
	err := k.Proposers.Walk(ctx, nil, func(_ []byte, p types.Proposer) (bool, error) {
		s.TotalPower += p.Power
		key, err := k.actingKey(ctx, p.Operator, height)
		if key != nil {
			s.KeyedPower += p.Power
		}
		return false, err
	})
	return s, err
}

// standing of the next height, as of the last count; the zero value before the first.
func (k *Keeper) standing(ctx context.Context) (types.Standing, error) {
	s, err := k.Standing.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return types.Standing{}, nil
	}
	return s, err
}
