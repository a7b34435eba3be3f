package types

import (
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
)

// DefaultGenesisState has no pools.
func DefaultGenesisState() *GenesisState { return &GenesisState{Params: DefaultParams()} }

func invalid(format string, args ...any) error {
	return errorsmod.Wrapf(ErrInvalidGenesis, format, args...)
}

func bad(amounts ...math.Int) bool {
	for _, a := range amounts {
		if a.IsNil() || a.IsNegative() {
			return true
		}
	}
	return false
}

type (
	generationID struct {
		participant string
		number      uint64
	}
	startID struct {
		generationID
		epoch uint64
	}
)

// Validate checks each entry and that they refer to each other. Sums, balances and x/poai's side are checked on import.
func (gs GenesisState) Validate() error {
	if err := gs.Params.Validate(); err != nil {
		return err
	}
	pools, err := gs.validatePools()
	if err != nil {
		return err
	}
	endings := make(map[generationID]bool, len(gs.Endings))
	for i, e := range gs.Endings {
		id := generationID{e.Participant, e.Generation}
		if p, ok := pools[e.Participant]; !ok || endings[id] || e.Generation >= p.Generation {
			return invalid("endings[%d]: generation %d of %s: twice, or has not ended", i, e.Generation, e.Participant)
		}
		endings[id] = true
		if bad(e.Index, e.Shares, e.Coins) || e.MatureHeight < 0 {
			return invalid("endings[%d]: negative amounts", i)
		}
	}
	if err := gs.validateDelegations(pools, endings); err != nil {
		return err
	}
	type unbondingID struct {
		holder, participant string
		height              int64
	}
	unbondings := make(map[unbondingID]bool, len(gs.Unbondings))
	for i, u := range gs.Unbondings {
		id := unbondingID{u.Holder, u.Participant, u.MatureHeight}
		if u.Holder == "" || u.Participant == "" || unbondings[id] || bad(u.Amount) || !u.Amount.IsPositive() || u.MatureHeight < 0 {
			return invalid("unbondings[%d]: twice, without holder or participant, or not positive", i)
		}
		unbondings[id] = true
	}
	return nil
}

func (gs GenesisState) validatePools() (map[string]Pool, error) {
	pools := make(map[string]Pool, len(gs.Pools))
	for i, p := range gs.Pools {
		if _, twice := pools[p.Participant]; twice || p.Participant == "" {
			return nil, invalid("pools[%d]: participant %q is listed twice or empty", i, p.Participant)
		}
		pools[p.Participant] = p
		if bad(p.Active, p.Pending, p.Index, p.Remainder, p.Unpaid) || p.Shares().BigInt().BitLen() > MaxShareBits {
			return nil, invalid("pools[%d]: negative or too large amounts", i)
		}
		if err := CheckTerms(0, p.MaxChangeBps); err != nil {
			return nil, errorsmod.Wrapf(err, "pools[%d]", i)
		}
	}
	type commissionID struct {
		participant string
		epoch       uint64
	}
	commissions := make(map[commissionID]bool, len(gs.Commissions))
	has := make(map[string]bool, len(gs.Pools))
	for i, c := range gs.Commissions {
		id := commissionID{c.Participant, c.Epoch}
		if _, ok := pools[c.Participant]; !ok || commissions[id] {
			return nil, invalid("commissions[%d]: of no pool, or twice for epoch %d", i, c.Epoch)
		}
		commissions[id], has[c.Participant] = true, true
		if err := CheckTerms(c.Bps, 0); err != nil {
			return nil, errorsmod.Wrapf(err, "commissions[%d]", i)
		}
	}
	for i, p := range gs.Pools {
		if !has[p.Participant] {
			return nil, invalid("pools[%d]: %s has no commission", i, p.Participant)
		}
	}
	return pools, nil
}

func (gs GenesisState) validateDelegations(pools map[string]Pool, endings map[generationID]bool) error {
	starts := make(map[startID]bool, len(gs.Starts))
	for i, s := range gs.Starts {
		id := startID{generationID{s.Participant, s.Generation}, s.Epoch}
		if p, ok := pools[s.Participant]; !ok || starts[id] || s.Generation > p.Generation || bad(s.Index) || s.Holders == 0 {
			return invalid("starts[%d]: of no pool, twice, or without holders", i)
		}
		starts[id] = true
	}
	type delegationID struct{ participant, holder string }
	seen := make(map[delegationID]bool, len(gs.Delegations))
	for i, d := range gs.Delegations {
		p, ok := pools[d.Participant]
		if id := (delegationID{d.Participant, d.Holder}); !ok || d.Holder == "" || seen[id] {
			return invalid("delegations[%d]: of no pool, or %s is listed twice", i, d.Holder)
		}
		seen[delegationID{d.Participant, d.Holder}] = true
		if bad(d.Active, d.Index, d.Pending, d.Owed) || d.Generation > p.Generation {
			return invalid("delegations[%d]: negative amounts, or of generation %d, pool %d", i, d.Generation, p.Generation)
		}
		generation := generationID{d.Participant, d.Generation}
		// Without shares nothing of it was left in the generation, and its ending may be gone; what it is owed is its own.
		if d.Generation < p.Generation && d.Shares().IsPositive() && !endings[generation] {
			return invalid("delegations[%d]: the ending of generation %d is missing", i, d.Generation)
		}
		if d.Pending.IsPositive() && !starts[startID{generation, d.PendingEpoch}] {
			return invalid("delegations[%d]: the start of epoch %d is missing", i, d.PendingEpoch)
		}
	}
	return nil
}
