package types

import "cosmossdk.io/collections"

const (
	// ModuleName names the module and its account, which holds the stakes of running attacks and the fees of open demands.
	ModuleName = "disputes"
	// StoreKey is the store of the module.
	StoreKey = ModuleName
)

// Prefixes of the collections; see the state table in README.md.
var (
	ParamsKey        = collections.NewPrefix(0)
	TickKey          = collections.NewPrefix(1)
	LaneFullKey      = collections.NewPrefix(2)
	CasesKey         = collections.NewPrefix(3)
	ClaimsKey        = collections.NewPrefix(4)
	ByParticipantKey = collections.NewPrefix(5)
	RootOfKey        = collections.NewPrefix(6)
	RootsKey         = collections.NewPrefix(7)
	LivingKey        = collections.NewPrefix(8)
	GamesKey         = collections.NewPrefix(9)
	GameCountsKey    = collections.NewPrefix(10)
	PlayingKey       = collections.NewPrefix(11)
	PairsKey         = collections.NewPrefix(12)
	DueGamesKey      = collections.NewPrefix(13)
	DueCasesKey      = collections.NewPrefix(14)
	DemandsKey       = collections.NewPrefix(15)
	OpenDemandsKey   = collections.NewPrefix(16)
	DueDemandsKey    = collections.NewPrefix(17)
	QuarantinesKey   = collections.NewPrefix(18)
	PruningKey       = collections.NewPrefix(19)
	DemandCountsKey  = collections.NewPrefix(20)
	OpenCasesKey     = collections.NewPrefix(21)
)
