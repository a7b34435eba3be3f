package app

import (
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	authzkeeper "github.com/cosmos/cosmos-sdk/x/authz/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	evidencetypes "github.com/cosmos/cosmos-sdk/x/evidence/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	auctionstypes "poaid/x/auctions/types"
	beacontypes "poaid/x/beacon/types"
	datasetstypes "poaid/x/datasets/types"
	delegationtypes "poaid/x/delegation/types"
	disputestypes "poaid/x/disputes/types"
	gradestypes "poaid/x/grades/types"
	lineagetypes "poaid/x/lineage/types"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	rewardstypes "poaid/x/rewards/types"
	sprintstypes "poaid/x/sprints/types"
	taskstypes "poaid/x/tasks/types"
	trainingtypes "poaid/x/training/types"
)

// stores are the keys of every store of the application.
type stores struct {
	kv  map[string]*storetypes.KVStoreKey
	obj map[string]*storetypes.ObjectStoreKey
}

func newStores() stores {
	return stores{
		kv: storetypes.NewKVStoreKeys(
			authtypes.StoreKey, banktypes.StoreKey, stakingtypes.StoreKey, slashingtypes.StoreKey, evidencetypes.StoreKey,
			distrtypes.StoreKey, govtypes.StoreKey, authzkeeper.StoreKey, feegrant.StoreKey, consensustypes.StoreKey,
			upgradetypes.StoreKey,
			beacontypes.StoreKey, modelstypes.StoreKey, poaitypes.StoreKey, taskstypes.StoreKey, rewardstypes.StoreKey,
			delegationtypes.StoreKey, disputestypes.StoreKey, sprintstypes.StoreKey, gradestypes.StoreKey,
			datasetstypes.StoreKey, lineagetypes.StoreKey,
			trainingtypes.StoreKey, auctionstypes.StoreKey,
		),
		obj: storetypes.NewObjectStoreKeys(banktypes.ObjectStoreKey),
	}
}

// all lists every key, in no order. Parallel execution must know them all: a store it was not told of would silently alias
// another one, so TestEveryStoreIsKnownToParallelExecution compares this list with what is mounted.
func (s stores) all() []storetypes.StoreKey {
	keys := make([]storetypes.StoreKey, 0, len(s.kv)+len(s.obj))
	for _, k := range s.kv {
		keys = append(keys, k)
	}
	for _, k := range s.obj {
		keys = append(keys, k)
	}
	return keys
}
