package types

import (
	"bytes"
	"slices"
	"strings"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// DefaultGenesisState starts without history.
func DefaultGenesisState() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// AddKeys adds validators' keys to a genesis, in its order; those of an operator that is there already are replaced.
func AddKeys(gs *GenesisState, keys ...OperatorKeys) {
	for _, k := range keys {
		gs.Keys = slices.DeleteFunc(gs.Keys, func(o OperatorKeys) bool { return o.Operator == k.Operator })
		gs.Keys = append(gs.Keys, k)
	}
	slices.SortStableFunc(gs.Keys, func(a, b OperatorKeys) int {
		x, errX := sdk.ValAddressFromBech32(a.Operator)
		y, errY := sdk.ValAddressFromBech32(b.Operator)
		if errX != nil || errY != nil {
			return strings.Compare(a.Operator, b.Operator) // Validate names the one that is wrong
		}
		return bytes.Compare(x, y)
	})
}

// Validate checks the params, that heights ascend and values have 32 bytes, and every key's proof of possession.
func (gs GenesisState) Validate() error {
	if err := gs.Params.Validate(); err != nil {
		return err
	}
	last := int64(-1)
	for i, r := range gs.History {
		if r.Height <= last {
			return errorsmod.Wrapf(ErrInvalidGenesis, "history[%d]: height %d does not ascend", i, r.Height)
		}
		if len(r.Value) != ValueSize {
			return errorsmod.Wrapf(ErrInvalidGenesis, "history[%d]: value has %d bytes, must be %d", i, len(r.Value), ValueSize)
		}
		last = r.Height
	}
	return gs.validateKeys()
}

func (gs GenesisState) validateKeys() error {
	var previous []byte
	for i, keys := range gs.Keys {
		operator, err := sdk.ValAddressFromBech32(keys.Operator)
		if err != nil {
			return errorsmod.Wrapf(ErrInvalidGenesis, "keys[%d]: operator: %s", i, err)
		}
		if i > 0 && bytes.Compare(operator, previous) <= 0 {
			return errorsmod.Wrapf(ErrInvalidGenesis, "keys[%d]: operator %s does not ascend by its bytes", i, keys.Operator)
		}
		previous = operator
		if !keys.Next.IsSet() {
			return errorsmod.Wrapf(ErrInvalidGenesis, "keys[%d]: next: an operator without key need not be listed", i)
		}
		if keys.Current.IsSet() && keys.Current.ActiveFrom >= keys.Next.ActiveFrom {
			return errorsmod.Wrapf(ErrInvalidGenesis, "keys[%d]: next: active_from must be above that of current", i)
		}
		for _, key := range []Key{keys.Current, keys.Next} {
			if key.ActiveFrom < 0 {
				return errorsmod.Wrapf(ErrInvalidGenesis, "keys[%d]: active_from %d is negative", i, key.ActiveFrom)
			}
			if !key.IsSet() {
				continue
			}
			if err := CheckPossession(operator, key.PubKey, key.Proof); err != nil {
				return errorsmod.Wrapf(ErrInvalidGenesis, "keys[%d]: %s", i, err)
			}
		}
	}
	return nil
}
