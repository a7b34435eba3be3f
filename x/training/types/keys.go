package types

import "cosmossdk.io/collections"

const (
	// ModuleName names the module and its account, which holds the budgets of jobs.
	ModuleName = "training"
	// StoreKey is the store of the module.
	StoreKey = ModuleName
)

// Prefixes of the collections; see the state table in README.md.
var (
	ParamsKey         = collections.NewPrefix(0)
	JobsKey           = collections.NewPrefix(1)
	ProgressKey       = collections.NewPrefix(2)
	CheckpointsKey    = collections.NewPrefix(3)
	ByOwnerKey        = collections.NewPrefix(4)
	ByTaskKey         = collections.NewPrefix(5)
	DueKey            = collections.NewPrefix(6)
	RecipesKey        = collections.NewPrefix(7)
	RecipeProgressKey = collections.NewPrefix(8)
)
