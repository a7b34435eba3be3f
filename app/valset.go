package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"cosmossdk.io/math"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtcrypto "github.com/cometbft/cometbft/proto/tendermint/crypto"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/cosmos/cosmos-sdk/codec"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	"github.com/cosmos/cosmos-sdk/x/staking"
	stakingkeeper "github.com/cosmos/cosmos-sdk/x/staking/keeper"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	poaikeeper "poaid/x/poai/keeper"
	poaitypes "poaid/x/poai/types"
)

var (
	_ module.HasABCIGenesis       = stakingModule{}
	_ module.HasABCIEndBlock      = stakingModule{}
	_ genutiltypes.StakingKeeper  = validatorSet{}
	_ slashingtypes.StakingKeeper = bondSlasher{}
)

// validatorSet is the set that CometBFT is told of: x/staking says who is bonded, x/poai what power each has.
type validatorSet struct {
	staking *stakingkeeper.Keeper
	poai    *poaikeeper.Keeper
}

// stakingModule is x/staking with its books and without its validator updates: those are x/poai's.
type stakingModule struct {
	staking.AppModule
	set validatorSet
}

// InitGenesis has x/staking store its genesis and returns the validators that it bonds, with the power that x/poai gives them. x/poai's
// genesis must have been stored before. Where validators come by genesis transactions only there are none yet, and genutil returns them.
func (m stakingModule) InitGenesis(ctx sdk.Context, cdc codec.JSONCodec, bz json.RawMessage) []abci.ValidatorUpdate {
	m.AppModule.InitGenesis(ctx, cdc, bz)
	updates, err := m.set.start(ctx)
	if err != nil {
		panic(fmt.Errorf("validators of the genesis: %w", err))
	}
	return updates
}

// EndBlock has x/staking keep its books and returns what x/poai makes of them.
func (m stakingModule) EndBlock(ctx context.Context) ([]abci.ValidatorUpdate, error) {
	updates, err := m.AppModule.EndBlock(ctx)
	if err != nil {
		return nil, err
	}
	ended, err := m.set.poai.EpochEnded(ctx)
	if err != nil || !ended && len(updates) == 0 {
		return nil, err
	}
	bonded, err := m.set.bonded(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := m.set.keys(ctx, sdk.UnwrapSDKContext(ctx).BlockHeight()+stakingtypes.ConsensusUpdateDelay)
	if err != nil {
		return nil, err
	}
	return m.set.poai.UpdateValidators(ctx, bonded, keys, ended)
}

// ApplyAndReturnValidatorSetUpdates bonds the validators of genesis transactions, for genutil.
func (v validatorSet) ApplyAndReturnValidatorSetUpdates(ctx context.Context) ([]abci.ValidatorUpdate, error) {
	if _, err := v.staking.ApplyAndReturnValidatorSetUpdates(ctx); err != nil {
		return nil, err
	}
	return v.start(ctx)
}

// start returns the set of the first block. What is noted now was so at the end of the block before it.
func (v validatorSet) start(ctx context.Context) ([]abci.ValidatorUpdate, error) {
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	first := max(sdkCtx.BlockHeight(), 1)
	before := sdkCtx.WithBlockHeight(first - 1)
	bonded, err := v.bonded(before)
	if err != nil {
		return nil, err
	}
	keys, err := v.keys(before, first)
	if err != nil {
		return nil, err
	}
	return v.poai.StartValidators(before, bonded, keys)
}

// bonded lists the validators that x/staking has bonded, by operator address.
func (v validatorSet) bonded(ctx context.Context) ([]poaitypes.BondedValidator, error) {
	var (
		out    []poaitypes.BondedValidator
		failed error
	)
	reduction := v.staking.PowerReduction(ctx)
	err := v.staking.IterateLastValidatorPowers(ctx, func(operator sdk.ValAddress, bond int64) bool {
		var text string
		if text, failed = v.staking.ValidatorAddressCodec().BytesToString(operator); failed != nil {
			return true
		}
		out = append(out, poaitypes.BondedValidator{Address: operator, Operator: text, Bond: bond, Stake: reduction.MulRaw(bond)})
		return false
	})
	return out, errors.Join(err, failed)
}

// keys finds the key that CometBFT must know an operator by: the one that a rotation leads to, where it holds at the given height, or the
// one that x/staking has. x/staking itself goes over to a new key when CometBFT's set of that height is in use.
func (v validatorSet) keys(ctx context.Context, height int64) (poaitypes.ConsensusKeys, error) {
	rotations, err := v.staking.PendingConsKeyRotations(ctx)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, operator string) (cmtcrypto.PublicKey, error) {
		address, err := v.staking.ValidatorAddressCodec().StringToBytes(operator)
		if err != nil {
			return cmtcrypto.PublicKey{}, err
		}
		validator, err := v.staking.GetValidator(ctx, address)
		if err != nil {
			return cmtcrypto.PublicKey{}, fmt.Errorf("validator %s: %w", operator, err)
		}
		key, err := rotations.EffectiveKeyForGenesis(address, validator, height)
		if err != nil {
			return cmtcrypto.PublicKey{}, err
		}
		return cryptocodec.ToCmtProtoPublicKey(key)
	}, nil
}

// genesisValidators are the validators for the genesis of a chain that goes on at a height.
func (v validatorSet) genesisValidators(ctx context.Context, height int64) ([]cmttypes.GenesisValidator, error) {
	keys, err := v.keys(ctx, height)
	if err != nil {
		return nil, err
	}
	var out []cmttypes.GenesisValidator
	err = v.poai.Powers.Walk(ctx, nil, func(operator string, p poaitypes.ValidatorPower) (bool, error) {
		if p.Power == 0 {
			return false, nil
		}
		key, err := keys(ctx, operator)
		if err != nil {
			return true, err
		}
		pub, err := cmttypes.PB2TM.ValidatorUpdates([]abci.ValidatorUpdate{{PubKey: key, Power: p.Power}})
		if err != nil {
			return true, err
		}
		address, err := v.staking.ValidatorAddressCodec().StringToBytes(operator)
		if err != nil {
			return true, err
		}
		validator, err := v.staking.GetValidator(ctx, address)
		if err != nil {
			return true, err
		}
		out = append(out, cmttypes.GenesisValidator{Address: pub[0].Address, PubKey: pub[0].PubKey, Power: p.Power, Name: validator.GetMoniker()})
		return false, nil
	})
	return out, err
}

// bondSlasher is x/staking for those who slash. They name the power that CometBFT knows, which x/staking takes for bond: a score would be
// turned into coins. So it is given the bond that the validator had when that power was decided.
type bondSlasher struct {
	*stakingkeeper.Keeper
	poai *poaikeeper.Keeper
}

// Slash takes a fraction of the bond that backed what happened at a height.
func (s bondSlasher) Slash(ctx context.Context, validator sdk.ConsAddress, height, _ int64, fraction math.LegacyDec) (math.Int, error) {
	bond, err := s.bondAt(ctx, validator, height)
	if err != nil {
		return math.ZeroInt(), err
	}
	return s.Keeper.Slash(ctx, validator, height, bond, fraction)
}

// SlashWithInfractionReason is Slash.
func (s bondSlasher) SlashWithInfractionReason(
	ctx context.Context, validator sdk.ConsAddress, height, power int64, fraction math.LegacyDec, _ stakingtypes.Infraction,
) (math.Int, error) {
	return s.Slash(ctx, validator, height, power, fraction)
}

// bondAt is the bond at the end of the block before height: what is unbonded from height on counts as unbonded after the fact.
// For a validator that is not there any more it is 0, and x/staking ignores the slash.
func (s bondSlasher) bondAt(ctx context.Context, address sdk.ConsAddress, height int64) (int64, error) {
	validator, err := s.GetValidatorByConsAddr(ctx, address)
	if errors.Is(err, stakingtypes.ErrNoValidatorFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	bond, found, err := s.poai.BondAt(ctx, validator.GetOperator(), height-1)
	if err != nil || found {
		return bond, err
	}
	// It was never bonded as far as anybody remembers.
	return validator.PotentialConsensusPower(s.PowerReduction(ctx)), nil
}

// rotationKeys is x/staking for x/beacon, which asks whose a key is as soon as CometBFT is told of it. While a rotation is under way
// x/staking itself finds its validator by the old key only.
type rotationKeys struct{ *stakingkeeper.Keeper }

// GetValidatorByConsAddr finds a validator by the key it has, or by the one it is going over to.
func (r rotationKeys) GetValidatorByConsAddr(ctx context.Context, address sdk.ConsAddress) (stakingtypes.Validator, error) {
	validator, err := r.Keeper.GetValidatorByConsAddr(ctx, address)
	if !errors.Is(err, stakingtypes.ErrNoValidatorFound) {
		return validator, err
	}
	kind, operator, found, lookup := r.GetRotationLockedConsAddr(ctx, address)
	if lookup != nil {
		return stakingtypes.Validator{}, lookup
	}
	if !found || kind != stakingtypes.ConsAddrLockPendingTo {
		return stakingtypes.Validator{}, err
	}
	return r.GetValidator(ctx, operator)
}
