package types

import (
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
)

// DefaultGenesis has default params and nothing minted.
func DefaultGenesis() *GenesisState {
	return &GenesisState{Params: DefaultParams(), Supply: Supply{Minted: math.ZeroInt(), Carry: math.ZeroInt()}}
}

// Validate checks the parts of a genesis state against each other. Addresses and the module's balance are checked on import.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	if err := checkAmount("supply.minted", g.Supply.Minted, ErrInvalidGenesis); err != nil {
		return err
	}
	if err := checkAmount("supply.carry", g.Supply.Carry, ErrInvalidGenesis); err != nil {
		return err
	}
	pools := make(map[uint64]bool, len(g.Pools))
	for i, p := range g.Pools {
		if pools[p.Epoch] {
			return errorsmod.Wrapf(ErrInvalidGenesis, "pools[%d]: epoch %d is listed twice", i, p.Epoch)
		}
		pools[p.Epoch] = true
		if err := p.Validate(); err != nil {
			return errorsmod.Wrapf(err, "pools[%d]", i)
		}
	}
	vesting := make(map[string]bool, len(g.Vestings))
	for i, v := range g.Vestings {
		if vesting[v.Participant] {
			return errorsmod.Wrapf(ErrInvalidGenesis, "vestings[%d]: participant %s is listed twice", i, v.Participant)
		}
		vesting[v.Participant] = true
		if err := v.Validate(); err != nil {
			return errorsmod.Wrapf(err, "vestings[%d]", i)
		}
	}
	claims := make(map[ClaimRecord]bool, len(g.Claims))
	for i, c := range g.Claims {
		if claims[c] || !pools[c.Epoch] {
			return errorsmod.Wrapf(ErrInvalidGenesis, "claims[%d]: epoch %d has no pool or is claimed twice by %s", i, c.Epoch, c.Participant)
		}
		claims[c] = true
	}
	bonds := make(map[string]bool, len(g.AutoBonds))
	for i, b := range g.AutoBonds {
		if bonds[b.Participant] {
			return errorsmod.Wrapf(ErrInvalidGenesis, "auto_bonds[%d]: participant %s is listed twice", i, b.Participant)
		}
		bonds[b.Participant] = true
		if b.Ppm < 1 || b.Ppm > MaxAutoBondPpm {
			return errorsmod.Wrapf(ErrInvalidGenesis, "auto_bonds[%d]: ppm %d must be 1 to %d", i, b.Ppm, MaxAutoBondPpm)
		}
	}
	lies := make(map[string]bool, len(g.Forfeitures))
	for i, f := range g.Forfeitures {
		if lies[f.Participant] {
			return errorsmod.Wrapf(ErrInvalidGenesis, "forfeitures[%d]: participant %s is listed twice", i, f.Participant)
		}
		lies[f.Participant] = true
	}
	return nil
}

// Validate checks that no more was taken from a pool than it held.
func (p EpochPool) Validate() error {
	for _, a := range []struct {
		name  string
		value math.Int
	}{{"pool", p.Pool}, {"claimed", p.Claimed}, {"carried", p.Carried}} {
		if err := checkAmount(a.name, a.value, ErrInvalidGenesis); err != nil {
			return err
		}
	}
	if p.OpenedHeight < 0 {
		return errorsmod.Wrapf(ErrInvalidGenesis, "opened_height: %d must not be negative", p.OpenedHeight)
	}
	if p.TotalScore.IsNil() || p.ClaimedScore.IsNil() || p.ClaimedScore.IsNegative() || p.ClaimedScore.GT(p.TotalScore) {
		return errorsmod.Wrap(ErrInvalidGenesis, "claimed_score: must be in 0..total_score")
	}
	if p.Outstanding().IsNegative() {
		return errorsmod.Wrapf(ErrInvalidGenesis, "claimed: %s and carried %s exceed the pool of %s", p.Claimed, p.Carried, p.Pool)
	}
	if p.TotalScore.IsPositive() && p.ClaimedScore.Equal(p.TotalScore) && !p.Outstanding().IsZero() {
		return errorsmod.Wrapf(ErrInvalidGenesis, "carried: %s is left though every share was taken", p.Outstanding())
	}
	return nil
}

// Outstanding is what of the pool is still to be claimed.
func (p EpochPool) Outstanding() math.Int { return p.Pool.Sub(p.Claimed).Sub(p.Carried) }

// Validate checks a vesting by itself.
func (v Vesting) Validate() error {
	for _, a := range []struct {
		name            string
		whole, released math.Int
	}{{"", v.Amount, v.Released}, {"holders_", v.Holders, v.HoldersReleased}} {
		if err := checkAmount(a.name+"amount", a.whole, ErrInvalidGenesis); err != nil {
			return err
		}
		if err := checkAmount(a.name+"released", a.released, ErrInvalidGenesis); err != nil {
			return err
		}
		if a.released.GT(a.whole) {
			return errorsmod.Wrapf(ErrInvalidGenesis, "%sreleased: %s exceeds the amount of %s", a.name, a.released, a.whole)
		}
	}
	if v.StartHeight < 0 || v.EndHeight < v.StartHeight {
		return errorsmod.Wrapf(ErrInvalidGenesis, "end_height: %d must not be before start_height %d", v.EndHeight, v.StartHeight)
	}
	return nil
}

// NoVesting is one with nothing in it.
func NoVesting(participant string) Vesting {
	zero := math.ZeroInt()
	return Vesting{Participant: participant, Amount: zero, Released: zero, Holders: zero, HoldersReleased: zero}
}

// Vested is how much of the participant's amount has unlocked at a height, released or not.
func (v Vesting) Vested(height int64) math.Int { return v.unlocked(v.Amount, height) }

// HoldersVested is the same of the holders' amount.
func (v Vesting) HoldersVested(height int64) math.Int { return v.unlocked(v.Holders, height) }

func (v Vesting) unlocked(amount math.Int, height int64) math.Int {
	switch {
	case height >= v.EndHeight:
		return amount
	case height <= v.StartHeight:
		return math.ZeroInt()
	}
	return amount.MulRaw(height - v.StartHeight).QuoRaw(v.EndHeight - v.StartHeight)
}

// Remaining is what of the participant's has not been released yet.
func (v Vesting) Remaining() math.Int { return v.Amount.Sub(v.Released) }

// HoldersRemaining is what of the holders' has not been released yet.
func (v Vesting) HoldersRemaining() math.Int { return v.Holders.Sub(v.HoldersReleased) }

// Empty tells that nothing is left to release.
func (v Vesting) Empty() bool { return v.Remaining().IsZero() && v.HoldersRemaining().IsZero() }
