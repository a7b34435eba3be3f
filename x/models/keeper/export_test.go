package keeper

import "poaid/engine"

// CachedPrograms is how many programs are kept.
const CachedPrograms = cachedPrograms

// WithJudge is the keeper with another idea of what can be judged: no op of today's table needs more evidence than a move holds.
func (k Keeper) WithJudge(judge func(*engine.Program) error) Keeper {
	k.judgeable = judge
	return k
}

// Cached tells how many programs are at hand.
func (k Keeper) Cached() int { return len(k.programs.byKey) }
