package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"poaid/internal/events"
	"poaid/x/beacon/types"
)

// RegisterKey registers a validator's key, which acts activation_blocks later; a registered key that does not act yet is replaced.
func (k *Keeper) RegisterKey(ctx context.Context, operator string, pubKey, proof []byte) (activeFrom int64, err error) {
	addr, err := k.operators.StringToBytes(operator)
	if err != nil {
		return 0, errorsmod.Wrapf(types.ErrNoValidator, "operator: %s", err)
	}
	if operator, err = k.operators.BytesToString(addr); err != nil {
		return 0, errorsmod.Wrapf(types.ErrNoValidator, "operator: %s", err)
	}
	if _, err := k.staking.GetValidator(ctx, addr); errors.Is(err, stakingtypes.ErrNoValidatorFound) {
		return 0, errorsmod.Wrapf(types.ErrNoValidator, "operator %s", operator)
	} else if err != nil {
		return 0, err
	}
	if err := types.CheckPossession(addr, pubKey, proof); err != nil {
		return 0, err
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return 0, err
	}
	keys, err := k.OperatorKeys(ctx, addr)
	if err != nil {
		return 0, err
	}
	now := sdk.UnwrapSDKContext(ctx).BlockHeight()
	if keys.Next.ActingAt(now) {
		keys.Current = keys.Next
	}
	activeFrom = now + int64(params.ActivationBlocks)
	keys.Operator = operator
	keys.Next = types.Key{PubKey: pubKey, Proof: proof, ActiveFrom: activeFrom}
	if err := k.Keys.Set(ctx, addr, keys); err != nil {
		return 0, err
	}
	if err := k.Activations.Set(ctx, collections.Join(activeFrom, addr)); err != nil {
		return 0, err
	}
	return activeFrom, events.Emit(ctx, &types.EventKeyRegistered{Operator: operator, PubKey: pubKey, ActiveFrom: activeFrom})
}

// OperatorKeys returns a validator's keys; the zero value where it has none.
func (k *Keeper) OperatorKeys(ctx context.Context, operator []byte) (types.OperatorKeys, error) {
	keys, err := k.Keys.Get(ctx, operator)
	if errors.Is(err, collections.ErrNotFound) {
		return types.OperatorKeys{}, nil
	}
	return keys, err
}

// actingKey is the public key of a validator that acts at a height; nil if none does.
func (k *Keeper) actingKey(ctx context.Context, operator string, height int64) ([]byte, error) {
	if operator == "" {
		return nil, nil
	}
	addr, err := k.operators.StringToBytes(operator)
	if err != nil {
		return nil, err
	}
	keys, err := k.OperatorKeys(ctx, addr)
	return keys.Acting(height), err
}

// ProposerKey is the public key that the proposer of a height must prove with; nil if it has none.
func (k *Keeper) ProposerKey(ctx context.Context, height int64, proposer sdk.ConsAddress) ([]byte, error) {
	p, err := k.Proposers.Get(ctx, proposer)
	if errors.Is(err, collections.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return k.actingKey(ctx, p.Operator, height)
}
