package keeper_test

import (
	"context"
	"testing"
	"time"

	"cosmossdk.io/core/header"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/stretchr/testify/require"

	"poaid/internal/vrfkey"
	"poaid/x/beacon/keeper"
	"poaid/x/beacon/types"
	"poaid/x/beacon/vrf"
)

const (
	authority = "authority"
	chainID   = "beacon-test"
	delay     = types.MinActivationBlocks
)

// validator is a validator with its keys.
type validator struct {
	operator sdk.ValAddress
	name     string // bech32
	cons     *ed25519.PrivKey
	secret   vrf.SecretKey
}

func newValidator(t testing.TB, n byte) *validator {
	t.Helper()
	secret, err := vrf.NewSecretKey(append(make([]byte, 31), n))
	require.NoError(t, err)
	operator := sdk.ValAddress(append(make([]byte, 19), n))
	return &validator{
		operator: operator, name: operator.String(), cons: ed25519.GenPrivKeyFromSecret([]byte{n}), secret: secret,
	}
}

func (v *validator) addr() sdk.ConsAddress { return sdk.ConsAddress(v.cons.PubKey().Address()) }

// genesisKey registers the validator's key from a height on.
func (v *validator) genesisKey(from int64) types.OperatorKeys {
	key := vrfkey.Register(v.secret, v.operator)
	key.ActiveFrom = from
	return types.OperatorKeys{Operator: v.name, Next: key}
}

// update gives the validator a power in CometBFT's set.
func (v *validator) update(t testing.TB, power int64) abci.ValidatorUpdate {
	t.Helper()
	pk, err := cryptocodec.ToCmtProtoPublicKey(v.cons.PubKey())
	require.NoError(t, err)
	return abci.ValidatorUpdate{PubKey: pk, Power: power}
}

// fakeStaking knows validators by operator and by consensus address.
type fakeStaking struct{ validators []*validator }

func (s *fakeStaking) GetValidator(_ context.Context, operator sdk.ValAddress) (stakingtypes.Validator, error) {
	for _, v := range s.validators {
		if v.operator.Equals(operator) {
			return stakingtypes.Validator{OperatorAddress: v.name}, nil
		}
	}
	return stakingtypes.Validator{}, stakingtypes.ErrNoValidatorFound
}

func (s *fakeStaking) GetValidatorByConsAddr(ctx context.Context, cons sdk.ConsAddress) (stakingtypes.Validator, error) {
	for _, v := range s.validators {
		if v.addr().Equals(cons) {
			return s.GetValidator(ctx, v.operator)
		}
	}
	return stakingtypes.Validator{}, stakingtypes.ErrNoValidatorFound
}

type fixture struct {
	*keeper.Keeper
	t       testing.TB
	ctx     sdk.Context
	cdc     codec.Codec
	staking *fakeStaking
}

func newFixture(t testing.TB, gs types.GenesisState, validators ...*validator) *fixture {
	t.Helper()
	key := storetypes.NewKVStoreKey(types.StoreKey)
	tc := testutil.DefaultContextWithDB(t, key, storetypes.NewTransientStoreKey("t"))
	cdc := codec.NewProtoCodec(codectypes.NewInterfaceRegistry())
	staking := &fakeStaking{validators}
	operators := address.NewBech32Codec(sdk.GetConfig().GetBech32ValidatorAddrPrefix())
	k := keeper.NewKeeper(cdc, runtime.NewKVStoreService(key), operators, staking, authority)
	f := &fixture{Keeper: k, t: t, ctx: tc.Ctx.WithChainID(chainID), cdc: cdc, staking: staking}
	require.NoError(t, f.InitGenesis(f.ctx, gs))
	return f
}

func genesis(history uint64, keys ...types.OperatorKeys) types.GenesisState {
	gs := types.GenesisState{Params: types.Params{History: history, ActivationBlocks: delay}}
	types.AddKeys(&gs, keys...)
	return gs
}

// at moves to a height whose header is fixed by it and a variant.
func (f *fixture) at(height int64, variant byte) {
	f.ctx = f.ctx.WithBlockHeader(cmtproto.Header{Height: height, ProposerAddress: []byte{variant}, ChainID: chainID}).
		WithBlockTime(time.Unix(height, 7)).
		WithHeaderInfo(header.Info{Height: height, AppHash: []byte{variant, byte(height)}})
}

// block begins a block of a proposer that the set does not know.
func (f *fixture) block(height int64, variant byte) []byte {
	f.t.Helper()
	f.at(height, variant)
	require.NoError(f.t, f.PreBlock(f.ctx, nil))
	value, err := f.Randomness(f.ctx, height)
	require.NoError(f.t, err)
	require.Len(f.t, value, types.ValueSize)
	return value
}

// proposedBy moves to the height's block by a validator.
func (f *fixture) proposedBy(height int64, v *validator) {
	f.at(height, 1)
	f.ctx = f.ctx.WithProposer(v.addr())
}

// proof is what the validator's key makes for the height of ctx.
func (f *fixture) proof(v *validator) []byte {
	f.t.Helper()
	input, err := f.Input(f.ctx)
	require.NoError(f.t, err)
	return v.secret.Prove(input)
}

// run makes a whole block and returns its randomness. The proposer proves where it has an acting key.
func (f *fixture) run(height int64, v *validator, updates ...abci.ValidatorUpdate) types.Randomness {
	f.t.Helper()
	f.proposedBy(height, v)
	key, err := f.ProposerKey(f.ctx, height, v.addr())
	require.NoError(f.t, err)
	var proof []byte
	if key != nil {
		proof = f.proof(v)
	}
	require.NoError(f.t, f.CheckProposal(f.ctx, v.addr(), proof))
	require.NoError(f.t, f.PreBlock(f.ctx, proof))
	require.NoError(f.t, f.EndBlock(f.ctx, updates))
	require.NoError(f.t, f.CheckInvariants(f.ctx))
	r, err := f.At(f.ctx, height)
	require.NoError(f.t, err)
	return r
}

// set is the validator set as x/beacon keeps it.
func (f *fixture) set(t testing.TB, validators ...*validator) []abci.ValidatorUpdate {
	t.Helper()
	var out []abci.ValidatorUpdate
	for _, v := range validators {
		p, err := f.Proposers.Get(f.ctx, v.addr())
		require.NoError(t, err)
		out = append(out, v.update(t, p.Power))
	}
	return out
}
