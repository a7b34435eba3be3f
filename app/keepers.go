package app

import (
	"fmt"
	"path/filepath"

	"cosmossdk.io/core/store"
	"cosmossdk.io/log/v2"
	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/address"
	"github.com/cosmos/cosmos-sdk/runtime"
	"github.com/cosmos/cosmos-sdk/server"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	authzkeeper "github.com/cosmos/cosmos-sdk/x/authz/keeper"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	consensuskeeper "github.com/cosmos/cosmos-sdk/x/consensus/keeper"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"
	distrkeeper "github.com/cosmos/cosmos-sdk/x/distribution/keeper"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	evidencekeeper "github.com/cosmos/cosmos-sdk/x/evidence/keeper"
	evidencetypes "github.com/cosmos/cosmos-sdk/x/evidence/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	feegrantkeeper "github.com/cosmos/cosmos-sdk/x/feegrant/keeper"
	govkeeper "github.com/cosmos/cosmos-sdk/x/gov/keeper"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1beta1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1beta1"
	slashingkeeper "github.com/cosmos/cosmos-sdk/x/slashing/keeper"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingkeeper "github.com/cosmos/cosmos-sdk/x/staking/keeper"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	upgradekeeper "github.com/cosmos/cosmos-sdk/x/upgrade/keeper"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"
	"github.com/spf13/cast"

	"poaid/app/params"
	auctionskeeper "poaid/x/auctions/keeper"
	auctionstypes "poaid/x/auctions/types"
	beaconkeeper "poaid/x/beacon/keeper"
	beacontypes "poaid/x/beacon/types"
	datasetskeeper "poaid/x/datasets/keeper"
	datasetstypes "poaid/x/datasets/types"
	delegationkeeper "poaid/x/delegation/keeper"
	delegationtypes "poaid/x/delegation/types"
	disputeskeeper "poaid/x/disputes/keeper"
	disputestypes "poaid/x/disputes/types"
	gradeskeeper "poaid/x/grades/keeper"
	gradestypes "poaid/x/grades/types"
	lineagekeeper "poaid/x/lineage/keeper"
	lineagetypes "poaid/x/lineage/types"
	modelskeeper "poaid/x/models/keeper"
	modelstypes "poaid/x/models/types"
	poaikeeper "poaid/x/poai/keeper"
	poaitypes "poaid/x/poai/types"
	rewardskeeper "poaid/x/rewards/keeper"
	rewardstypes "poaid/x/rewards/types"
	sprintskeeper "poaid/x/sprints/keeper"
	sprintstypes "poaid/x/sprints/types"
	taskskeeper "poaid/x/tasks/keeper"
	taskstypes "poaid/x/tasks/types"
	trainingkeeper "poaid/x/training/keeper"
	trainingtypes "poaid/x/training/types"
)

// Keepers are the state of every module. They are exported for tests, genesis export and upgrade handlers.
type Keepers struct {
	Auth         authkeeper.AccountKeeper
	Bank         bankkeeper.BaseKeeper
	Staking      *stakingkeeper.Keeper
	Slashing     slashingkeeper.Keeper
	Evidence     *evidencekeeper.Keeper
	Distribution distrkeeper.Keeper
	Gov          *govkeeper.Keeper
	Authz        authzkeeper.Keeper
	FeeGrant     feegrantkeeper.Keeper
	Consensus    consensuskeeper.Keeper
	Upgrade      *upgradekeeper.Keeper

	Beacon   *beaconkeeper.Keeper
	Models   modelskeeper.Keeper
	Poai     *poaikeeper.Keeper
	Tasks    taskskeeper.Keeper
	Disputes disputeskeeper.Keeper
	Rewards  rewardskeeper.Keeper
	Sprints  sprintskeeper.Keeper
	Training trainingkeeper.Keeper
	Grades   gradeskeeper.Keeper
	Datasets datasetskeeper.Keeper
	Lineage  lineagekeeper.Keeper
	Auctions auctionskeeper.Keeper

	Delegation delegationkeeper.Keeper
}

// Authority is the address that may change params: the governance module's.
func Authority() string { return authtypes.NewModuleAddress(govtypes.ModuleName).String() }

// newKeepers builds every keeper. Order matters: a keeper is built after those it reads.
func newKeepers(cdc codec.Codec, amino *codec.LegacyAmino, s stores, bApp *baseapp.BaseApp, logger log.Logger, opts servertypes.AppOptions) (Keepers, error) {
	var k Keepers
	authority := Authority()
	kv := func(name string) store.KVStoreService { return runtime.NewKVStoreService(s.kv[name]) }
	accounts := address.NewBech32Codec(params.Bech32Prefix)

	k.Consensus = consensuskeeper.NewKeeper(cdc, kv(consensustypes.StoreKey), authority, runtime.EventService{})
	k.Auth = authkeeper.NewAccountKeeper(cdc, kv(authtypes.StoreKey), authtypes.ProtoBaseAccount, moduleAccountPerms(), accounts, params.Bech32Prefix, authority)
	// The object store lets transactions credit module accounts without touching one shared balance.
	k.Bank = bankkeeper.NewBaseKeeper(cdc, kv(banktypes.StoreKey), k.Auth, blockedAddresses(), authority, logger).
		WithObjStoreKey(s.obj[banktypes.ObjectStoreKey])
	k.Staking = stakingkeeper.NewKeeper(cdc, kv(stakingtypes.StoreKey), k.Auth, k.Bank, authority,
		address.NewBech32Codec(params.Bech32PrefixValAddr), address.NewBech32Codec(params.Bech32PrefixConAddr))
	k.Distribution = distrkeeper.NewKeeper(cdc, kv(distrtypes.StoreKey), k.Auth, k.Bank, k.Staking, authtypes.FeeCollectorName, authority)
	k.addOwn(cdc, kv, authority)
	k.Slashing = slashingkeeper.NewKeeper(cdc, amino, kv(slashingtypes.StoreKey), k.slasher(), authority)
	k.Staking.SetHooks(stakingtypes.NewMultiStakingHooks(k.Distribution.Hooks(), k.Slashing.Hooks()))
	k.Evidence = evidencekeeper.NewKeeper(cdc, kv(evidencetypes.StoreKey), k.Staking, k.Slashing, accounts, runtime.ProvideCometInfoService())
	k.FeeGrant = feegrantkeeper.NewKeeper(cdc, kv(feegrant.StoreKey), k.Auth)
	k.Authz = authzkeeper.NewKeeper(kv(authzkeeper.StoreKey), cdc, bApp.MsgServiceRouter(), k.Auth)
	if err := k.addUpgrade(cdc, kv(upgradetypes.StoreKey), bApp, opts, authority); err != nil {
		return Keepers{}, err
	}
	k.Gov = govkeeper.NewKeeper(cdc, kv(govtypes.StoreKey), k.Auth, k.Bank, k.Distribution, bApp.MsgServiceRouter(),
		govtypes.DefaultConfig(), authority, newTally(k.Poai, accounts, govkeeper.NewDefaultCalculateVoteResultsAndVotingPower(k.Staking)))
	k.Gov.SetLegacyRouter(govv1beta1.NewRouter().AddRoute(govtypes.RouterKey, govv1beta1.ProposalHandler))
	return k, nil
}

// validators is what tells CometBFT who validates.
func (k *Keepers) validators() validatorSet { return validatorSet{staking: k.Staking, poai: k.Poai} }

// slasher is what x/slashing and x/evidence take bonds from.
func (k *Keepers) slasher() bondSlasher { return bondSlasher{Keeper: k.Staking, poai: k.Poai} }

// addOwn builds this chain's modules. What x/poai announces to the modules above it goes by hooks.
func (k *Keepers) addOwn(cdc codec.Codec, kv func(string) store.KVStoreService, authority string) {
	k.Beacon = beaconkeeper.NewKeeper(cdc, kv(beacontypes.StoreKey), address.NewBech32Codec(params.Bech32PrefixValAddr), rotationKeys{k.Staking}, authority)
	k.Models = modelskeeper.NewKeeper(cdc, kv(modelstypes.StoreKey), k.Auth.AddressCodec(), authority)
	k.Datasets = datasetskeeper.NewKeeper(cdc, kv(datasetstypes.StoreKey), k.Auth.AddressCodec(), k.Bank, k.Distribution, authority)
	k.Lineage = lineagekeeper.NewKeeper(cdc, kv(lineagetypes.StoreKey), k.Auth.AddressCodec(), k.Auth, k.Bank, k.Models, k.Datasets, authority)
	k.Poai = poaikeeper.NewKeeper(cdc, kv(poaitypes.StoreKey), k.Auth, k.Bank, communityPool{k.Distribution, k.Bank}, k.Models, authority)
	k.Tasks = taskskeeper.NewKeeper(cdc, kv(taskstypes.StoreKey), k.Auth, k.Bank, k.Distribution, k.Beacon, k.Models, k.Poai, authority)
	k.Delegation = delegationkeeper.NewKeeper(cdc, kv(delegationtypes.StoreKey), k.Auth, k.Bank, k.Distribution, k.Poai, authority)
	k.Rewards = rewardskeeper.NewKeeper(cdc, kv(rewardstypes.StoreKey), k.Auth.AddressCodec(), k.Auth, k.Bank, k.Distribution, k.Poai, k.Tasks,
		k.Delegation, authority)
	k.Delegation.SetRewards(k.Rewards)
	k.Disputes = disputeskeeper.NewKeeper(cdc, kv(disputestypes.StoreKey), k.Auth, k.Bank, k.Tasks, k.Models, k.Poai, authority)
	k.Sprints = sprintskeeper.NewKeeper(cdc, kv(sprintstypes.StoreKey), k.Auth, k.Beacon, k.Models, k.Tasks, k.Poai, authority)
	k.Grades = gradeskeeper.NewKeeper(cdc, kv(gradestypes.StoreKey), k.Auth, k.Bank, k.Distribution, k.Beacon, k.Poai, authority)
	k.Models.SetLineageHooks(k.Lineage.Hooks())
	k.Tasks.SetLineage(k.Lineage)
	k.Auctions = auctionskeeper.NewKeeper(cdc, kv(auctionstypes.StoreKey), k.Auth, k.Bank, k.Distribution, k.Poai, authority)
	k.Tasks.SetAuctions(k.Auctions)
	k.Tasks.SetDisputeHooks(k.Disputes.Hooks())
	k.Training = trainingkeeper.NewKeeper(cdc, kv(trainingtypes.StoreKey), k.Auth, k.Bank, k.Models, k.Tasks, k.Datasets, authority)
	k.Tasks.SetTaskHooks(sprintstypes.ModuleName, k.Sprints.Hooks())
	k.Tasks.SetTaskHooks(trainingtypes.ModuleName, k.Training.Hooks())
	k.Poai.SetCommitteeHooks(k.Tasks.Hooks())
	k.Poai.SetEpochHooks(k.Rewards.Hooks())
	k.Poai.SetBondHooks(k.Delegation.Hooks())
}

func (k *Keepers) addUpgrade(cdc codec.Codec, kv store.KVStoreService, bApp *baseapp.BaseApp, opts servertypes.AppOptions, authority string) error {
	heights, err := cast.ToIntSliceE(opts.Get(server.FlagUnsafeSkipUpgrades))
	if opts.Get(server.FlagUnsafeSkipUpgrades) != nil && err != nil {
		return fmt.Errorf("%s: %w", server.FlagUnsafeSkipUpgrades, err)
	}
	skip := make(map[int64]bool, len(heights))
	for _, h := range heights {
		skip[int64(h)] = true
	}
	home := filepath.Clean(cast.ToString(opts.Get(flags.FlagHome)))
	k.Upgrade = upgradekeeper.NewKeeper(skip, kv, cdc, home, bApp, authority)
	return nil
}
