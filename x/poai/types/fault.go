package types

import (
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
)

// Limits of the params of faults and of minting.
const (
	maxTimeouts    = 1_000_000
	maxCorrelation = 1_000 * uint64(PPM)
	maxOperators   = 1_000_000
)

// DefaultFaultParams suit blocks of about a second: four hours of jail for a first lie, three weeks at most, a week of memory, two weeks for an
// appeal.
func DefaultFaultParams() FaultParams {
	return FaultParams{
		JailBlocks:        14_400,
		MaxJailBlocks:     1_814_400,
		MemoryBlocks:      604_800,
		MaxTimeouts:       20,
		TimeoutJailBlocks: 600,
		CorrelationPpm:    3 * PPM,
		RepeatPpm:         10_000,
		AppealBlocks:      1_209_600,
	}
}

// DefaultMintingParams are those of a network that anybody may join.
func DefaultMintingParams() MintingParams {
	return MintingParams{MinOperators: 4, MaxOperatorSharePpm: 333_334}
}

// Validate checks every param.
func (p FaultParams) Validate() error {
	for _, r := range []struct {
		name       string
		value, min int64
	}{
		{"jail_blocks", p.JailBlocks, 1},
		{"max_jail_blocks", p.MaxJailBlocks, max(p.JailBlocks, p.TimeoutJailBlocks)},
		{"memory_blocks", p.MemoryBlocks, 1},
		{"timeout_jail_blocks", p.TimeoutJailBlocks, 1},
		{"appeal_blocks", p.AppealBlocks, 1},
	} {
		if r.value < r.min || r.value > maxBlocks {
			return errorsmod.Wrapf(ErrInvalidParams, "fault.%s %d: must be %d to %d", r.name, r.value, r.min, maxBlocks)
		}
	}
	for _, r := range []struct {
		name       string
		value, max uint64
	}{
		{"max_timeouts", uint64(p.MaxTimeouts), maxTimeouts},
		{"correlation_ppm", p.CorrelationPpm, maxCorrelation},
		{"repeat_ppm", p.RepeatPpm, PPM},
	} {
		if r.value > r.max {
			return errorsmod.Wrapf(ErrInvalidParams, "fault.%s %d: must be 0 to %d", r.name, r.value, r.max)
		}
	}
	return nil
}

// Validate checks every param.
func (p MintingParams) Validate() error {
	if p.MinOperators < 1 || p.MinOperators > maxOperators {
		return errorsmod.Wrapf(ErrInvalidParams, "minting.min_operators %d: must be 1 to %d", p.MinOperators, maxOperators)
	}
	if p.MaxOperatorSharePpm < 1 || p.MaxOperatorSharePpm > PPM {
		return errorsmod.Wrapf(ErrInvalidParams, "minting.max_operator_share_ppm %d: must be 1 to %d", p.MaxOperatorSharePpm, PPM)
	}
	// With shares below 1/n n operators could never earn, however evenly they serve.
	if uint64(p.MinOperators)*p.MaxOperatorSharePpm < PPM {
		return errorsmod.Wrapf(ErrInvalidParams, "minting.max_operator_share_ppm %d: %d operators of equal weight would have more",
			p.MaxOperatorSharePpm, p.MinOperators)
	}
	return nil
}

// MaxWeight is the most weight that a worker whose task earns score may have, of a total.
func (p MintingParams) MaxWeight(total uint64) uint64 {
	return math.NewIntFromUint64(total).Mul(math.NewIntFromUint64(p.MaxOperatorSharePpm)).QuoRaw(PPM).Uint64()
}

// JailFor is how many blocks of jail the n-th lie that is remembered brings, n from 1.
func (p FaultParams) JailFor(lies uint32) int64 {
	blocks := p.JailBlocks
	for ; lies > 1 && blocks < p.MaxJailBlocks; lies-- {
		blocks *= 2 // both are below 2^27
	}
	return min(blocks, p.MaxJailBlocks)
}

// Extra is what a lie costs besides its lock: free × min(1, correlation × lost / total + repeat × lies), rounded down. lost is what lies before
// it have cost in the epoch, total all bond, lies those of the same participant in the epoch before it. It is never more than free.
func (p FaultParams) Extra(free, lost, total math.Int, lies uint32) math.Int {
	if !free.IsPositive() {
		return math.ZeroInt()
	}
	total = math.MaxInt(total, free.Add(lost)) // so much there is or was, even where the total is not up to date
	one := total.MulRaw(PPM)
	part := one
	if repeat := uint64(lies) * p.RepeatPpm; repeat < PPM { // below 2^52
		part = math.NewIntFromUint64(p.CorrelationPpm).Mul(lost).Add(total.Mul(math.NewIntFromUint64(repeat)))
	}
	return free.Mul(math.MinInt(part, one)).Quo(one)
}

// Jailed tells whether a participant is in jail.
func (p Participant) Jailed() bool { return p.Conduct.JailedUntil > 0 }

// NoteLie counts a lie proven at a height of an epoch and jails for it. It returns how many lies of that epoch came before.
func (c *Conduct) NoteLie(params FaultParams, height int64, epoch uint64) (before uint32) {
	if c.Lies == 0 || height-c.LastLieHeight > params.MemoryBlocks {
		c.Lies, c.FirstLieHeight = 0, height
	}
	if c.Epoch != epoch {
		c.Epoch, c.EpochLies = epoch, 0
	}
	before = c.EpochLies
	c.Lies, c.LastLieHeight, c.EpochLies = c.Lies+1, height, c.EpochLies+1
	c.JailedUntil = max(c.JailedUntil, height+params.JailFor(c.Lies))
	c.JailedForLie = true
	return before
}

// NoteTimeout counts a timeout and tells whether it jails.
func (c *Conduct) NoteTimeout(params FaultParams, height int64) bool {
	c.Timeouts++
	if params.MaxTimeouts == 0 || c.Timeouts < params.MaxTimeouts || c.JailedUntil > 0 {
		return false
	}
	c.Timeouts = 0
	c.JailedUntil = height + params.TimeoutJailBlocks
	return true
}

// Release ends jail.
func (c *Conduct) Release() { c.JailedUntil, c.JailedForLie, c.Timeouts = 0, false, 0 }

// Forget takes back what a fault that was none brought. What other lies brought stays.
func (c *Conduct) Forget(params FaultParams, f Fault) {
	if !f.Lie {
		if f.JailedUntil > 0 && f.JailedUntil == c.JailedUntil && !c.JailedForLie {
			c.Release()
		}
		return
	}
	if c.Epoch == f.Epoch && c.EpochLies > 0 {
		c.EpochLies--
	}
	if c.Lies == 0 || f.Height < c.FirstLieHeight {
		return // it was forgotten before
	}
	c.Lies--
	if !c.JailedForLie {
		return
	}
	if c.Lies == 0 {
		c.Release()
		return
	}
	c.JailedUntil = min(c.JailedUntil, c.LastLieHeight+params.JailFor(c.Lies))
}

// validateConduct checks what a genesis says of a participant's faults.
func (p Participant) validateConduct() error {
	c := p.Conduct
	if c.JailedUntil < 0 || c.FirstLieHeight < 0 || c.LastLieHeight < c.FirstLieHeight {
		return invalid("participant %s: jailed until %d, lies from height %d to %d", p.Address, c.JailedUntil, c.FirstLieHeight, c.LastLieHeight)
	}
	if c.JailedForLie && c.JailedUntil == 0 {
		return invalid("participant %s: jailed for a lie and not jailed", p.Address)
	}
	return nil
}

// validateFaults checks that the faults of every participant are there, in order, but for the oldest, which are dropped in time, and what was lost
// in the running epoch.
func (gs GenesisState) validateFaults(byAddress map[string]Participant) error {
	seen, lies, dropped := make(map[string]uint64, len(byAddress)), make(map[string]uint64, len(byAddress)), make(map[string]bool)
	for i, f := range gs.Faults {
		if _, ok := byAddress[f.Participant]; !ok {
			return invalid("faults[%d]: unknown participant %s", i, f.Participant)
		}
		if last := seen[f.Participant]; f.Number == 0 || last > 0 && f.Number != last+1 {
			return invalid("faults[%d]: number %d of %s, want %d", i, f.Number, f.Participant, last+1)
		}
		if seen[f.Participant] == 0 && f.Number > 1 {
			dropped[f.Participant] = true
		}
		seen[f.Participant] = f.Number
		if f.Lie && !f.Acquitted {
			lies[f.Participant]++
		}
		if negative(f.Taken, f.Extra, f.Burnt) || f.Burnt.GT(f.Taken.Add(f.Extra)) || f.Height < 0 {
			return invalid("faults[%d]: taken %s and %s, burnt %s, height %d", i, f.Taken, f.Extra, f.Burnt, f.Height)
		}
		if f.ReliabilityBeforePpm > PPM || f.ReliabilityAfterPpm > f.ReliabilityBeforePpm {
			return invalid("faults[%d]: reliability %d, then %d", i, f.ReliabilityBeforePpm, f.ReliabilityAfterPpm)
		}
	}
	for i, p := range gs.Participants {
		if p.Conduct.Records != seen[p.Address] {
			return invalid("participants[%d]: %d faults, the last that is listed is number %d", i, p.Conduct.Records, seen[p.Address])
		}
		if p.Faults < lies[p.Address] || p.Faults > lies[p.Address] && !dropped[p.Address] {
			return invalid("participants[%d]: %d lies, listed %d", i, p.Faults, lies[p.Address])
		}
	}
	if negative(gs.Losses.Lost) || gs.Losses.Epoch > gs.runningEpoch() {
		return invalid("losses: %s in epoch %d", gs.Losses.Lost, gs.Losses.Epoch)
	}
	return nil
}
