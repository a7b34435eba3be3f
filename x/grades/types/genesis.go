package types

import (
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"poaid/x/poai/yuma"
)

// DefaultGenesis has no contest.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

type member struct{ contest, who string }

// Validate checks everything that needs no other module.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	contests := make(map[string]Contest, len(g.Contests))
	last := uint64(0)
	for i, c := range g.Contests {
		if err := c.validate(); err != nil {
			return errorsmod.Wrapf(err, "contests[%d]", i)
		}
		if _, twice := contests[c.Id]; twice || c.Number <= last {
			return errorsmod.Wrapf(ErrGenesis, "contests[%d]: id %q twice, or number %d does not follow %d", i, c.Id, c.Number, last)
		}
		last = c.Number
		contests[c.Id] = c
	}
	if err := g.validateEntries(contests); err != nil {
		return err
	}
	if err := g.validateGraders(contests); err != nil {
		return err
	}
	for i, r := range g.Rounds {
		c, ok := contests[r.Contest]
		if !ok || r.Round < 1 || r.Round > c.Round {
			return errorsmod.Wrapf(ErrGenesis, "rounds[%d]: contest %q has no round %d", i, r.Contest, r.Round)
		}
	}
	return nil
}

func (c Contest) validate() error {
	if err := CheckID(c.Id); err != nil {
		return err
	}
	for _, a := range []struct {
		name string
		v    math.Int
	}{{"pot", c.Pot}, {"balance", c.Balance}, {"paid", c.Paid}} {
		if a.v.IsNil() || a.v.IsNegative() || a.v.BigInt().BitLen() > 2*maxAmountBits {
			return errorsmod.Wrapf(ErrGenesis, "%s: negative, missing or too large", a.name)
		}
	}
	switch {
	case len(c.Criteria) != HashBytes || c.Owner == "":
		return errorsmod.Wrap(ErrGenesis, "criteria, owner: missing")
	case c.Phase < PHASE_IDLE || c.Phase > PHASE_CLOSED:
		return errorsmod.Wrapf(ErrGenesis, "phase: %d is unknown", c.Phase)
	case c.Seats < 1 || c.Seats > maxSide || c.MaxEntries < 2 || c.MaxEntries > maxSide || c.Entries > c.MaxEntries || c.GraderBps > BpsOne:
		return errorsmod.Wrap(ErrGenesis, "seats, max_entries, entries, grader_bps: out of their limits")
	case c.SealBlocks < 1 || c.RevealBlocks < 1 || c.PauseBlocks < 0:
		return errorsmod.Wrap(ErrGenesis, "seal_blocks, reveal_blocks, pause_blocks: out of their limits")
	case c.Running() != (c.Due > 0) && c.Phase != PHASE_IDLE || c.Due < 0:
		return errorsmod.Wrapf(ErrGenesis, "due: %d in %s", c.Due, c.Phase)
	case c.Running() && c.Round < 1 || c.Round >= 1<<32:
		return errorsmod.Wrapf(ErrGenesis, "round: %d in %s", c.Round, c.Phase)
	case c.Phase == PHASE_CLOSED && !c.Balance.IsZero():
		return errorsmod.Wrap(ErrGenesis, "balance: a closed contest has none")
	}
	return nil
}

func (g GenesisState) validateEntries(contests map[string]Contest) error {
	count := make(map[string]uint32, len(contests))
	owners := make(map[member]bool, len(g.Entries))
	slots := make(map[string]map[uint32]bool, len(contests))
	for i, e := range g.Entries {
		c, ok := contests[e.Contest]
		if !ok || e.Slot >= c.MaxEntries || len(e.Hash) != HashBytes || e.Earned.IsNil() || e.Earned.IsNegative() {
			return errorsmod.Wrapf(ErrGenesis, "entries[%d]: contest, slot, hash or earned", i)
		}
		if e.ConsensusPpb > yuma.One || e.IncentivePpb > yuma.One || e.FirstRound < 1 {
			return errorsmod.Wrapf(ErrGenesis, "entries[%d]: consensus_ppb, incentive_ppb or first_round", i)
		}
		if slots[e.Contest] == nil {
			slots[e.Contest] = map[uint32]bool{}
		}
		key := member{e.Contest, e.Owner}
		if owners[key] || slots[e.Contest][e.Slot] {
			return errorsmod.Wrapf(ErrGenesis, "entries[%d]: owner or slot twice", i)
		}
		owners[key], slots[e.Contest][e.Slot] = true, true
		count[e.Contest]++
	}
	for _, c := range g.Contests {
		if count[c.Id] != c.Entries {
			return errorsmod.Wrapf(ErrGenesis, "contest %q: %d entries, says %d", c.Id, count[c.Id], c.Entries)
		}
	}
	return nil
}

func (g GenesisState) validateGraders(contests map[string]Contest) error {
	type counts struct{ drawn, sealed, revealed uint32 }
	count := make(map[string]counts, len(contests))
	seats := make(map[member]bool, len(g.Seats))
	for i, s := range g.Seats {
		c, ok := contests[s.Contest]
		if !ok || seats[member{s.Contest, s.Grader}] || len(s.Seal) != 0 && len(s.Seal) != HashBytes || s.Revealed && len(s.Seal) == 0 {
			return errorsmod.Wrapf(ErrGenesis, "seats[%d]: contest, grader or seal", i)
		}
		if err := CheckGrades(s.Grades, c.MaxEntries); err != nil {
			return errorsmod.Wrapf(err, "seats[%d]", i)
		}
		seats[member{s.Contest, s.Grader}] = true
		n := count[s.Contest]
		n.drawn++
		if len(s.Seal) > 0 {
			n.sealed++
		}
		if s.Revealed {
			n.revealed++
		}
		count[s.Contest] = n
	}
	for _, c := range g.Contests {
		if n := count[c.Id]; n != (counts{c.Drawn, c.Sealed, c.Revealed}) {
			return errorsmod.Wrapf(ErrGenesis, "contest %q: drawn, sealed, revealed do not fit its seats", c.Id)
		}
	}
	bonds := make(map[member]bool, len(g.Bonds))
	for i, b := range g.Bonds {
		c, ok := contests[b.Contest]
		if !ok || bonds[member{b.Contest, b.Grader}] || len(b.Ppb) > int(c.MaxEntries) || b.Round > c.Round {
			return errorsmod.Wrapf(ErrGenesis, "bonds[%d]: contest, grader, ppb or round", i)
		}
		for _, v := range b.Ppb {
			if v > yuma.One {
				return errorsmod.Wrapf(ErrGenesis, "bonds[%d]: ppb %d", i, v)
			}
		}
		bonds[member{b.Contest, b.Grader}] = true
	}
	return nil
}
