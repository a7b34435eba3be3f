package types

import (
	errorsmod "cosmossdk.io/errors"

	"poaid/commit"
)

// DefaultGenesis has no cases.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// caseKey is a task and an attempt at it.
type caseKey struct {
	task    uint64
	attempt uint32
}

// Validate checks everything that needs no other module.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	cases := make(map[caseKey]Case, len(g.Cases))
	for i, c := range g.Cases {
		key := caseKey{c.TaskId, c.Attempt}
		if _, ok := cases[key]; ok {
			return errorsmod.Wrapf(ErrGenesis, "cases[%d]: task %d, attempt %d is there twice", i, c.TaskId, c.Attempt)
		}
		if err := c.validate(); err != nil {
			return errorsmod.Wrapf(err, "cases[%d]", i)
		}
		cases[key] = c
	}
	if err := g.validateClaims(cases); err != nil {
		return err
	}
	return g.validateRest(cases)
}

func (c Case) validate() error {
	switch {
	case c.Attempt == 0:
		return errorsmod.Wrap(ErrGenesis, "attempt: 0, they count from 1")
	case c.State < CASE_STATE_OPEN || c.State > CASE_STATE_CLOSED:
		return errorsmod.Wrapf(ErrGenesis, "state: %d is unknown", c.State)
	case c.Outcome < OUTCOME_UNSPECIFIED || c.Outcome > OUTCOME_VOID || (c.Outcome == OUTCOME_UNSPECIFIED) != (c.State == CASE_STATE_OPEN):
		return errorsmod.Wrapf(ErrGenesis, "outcome: %d in %s", c.Outcome, c.State)
	case len(c.WorkerRoot) != commit.Size || len(c.ValidRoot) != 0 && len(c.ValidRoot) != commit.Size:
		return errorsmod.Wrapf(ErrGenesis, "worker_root or valid_root: not %d bytes", commit.Size)
	case c.Lock.IsNil() || c.Lock.IsNegative():
		return errorsmod.Wrap(ErrGenesis, "lock: missing or negative")
	case c.Settled > c.Claims:
		return errorsmod.Wrapf(ErrGenesis, "settled: %d of %d claims", c.Settled, c.Claims)
	case c.SupportUntil < c.ClaimUntil:
		return errorsmod.Wrapf(ErrGenesis, "support_until: %d is before claim_until %d", c.SupportUntil, c.ClaimUntil)
	}
	return nil
}

func (g GenesisState) validateClaims(cases map[caseKey]Case) error {
	next := make(map[caseKey]uint32, len(cases))
	type holder struct {
		caseKey
		participant string
	}
	holders := make(map[holder]bool, len(g.Claims))
	for i, c := range g.Claims {
		key := caseKey{c.TaskId, c.Attempt}
		of, ok := cases[key]
		if !ok {
			return errorsmod.Wrapf(ErrGenesis, "claims[%d]: task %d, attempt %d has no case", i, c.TaskId, c.Attempt)
		}
		if of.State == CASE_STATE_CLOSED && next[key] == 0 {
			next[key] = c.Order // those before were dropped
		}
		switch {
		case c.Order != next[key]:
			return errorsmod.Wrapf(ErrGenesis, "claims[%d]: order %d, want %d", i, c.Order, next[key])
		case len(c.ResultRoot) != commit.Size:
			return errorsmod.Wrapf(ErrGenesis, "claims[%d]: result_root of %d bytes", i, len(c.ResultRoot))
		case c.Kind < CLAIM_KIND_WORKER || c.Kind > CLAIM_KIND_RUNNER:
			return errorsmod.Wrapf(ErrGenesis, "claims[%d]: kind %d is unknown", i, c.Kind)
		case holders[holder{key, c.Participant}]:
			return errorsmod.Wrapf(ErrGenesis, "claims[%d]: %s has two", i, c.Participant)
		}
		holders[holder{key, c.Participant}] = true
		next[key]++
	}
	for _, c := range g.Cases {
		if n := next[caseKey{c.TaskId, c.Attempt}]; n != c.Claims && (c.State != CASE_STATE_CLOSED || n != 0) {
			return errorsmod.Wrapf(ErrGenesis, "task %d, attempt %d: %d claims, want %d", c.TaskId, c.Attempt, n, c.Claims)
		}
	}
	return nil
}

func (g GenesisState) validateRest(cases map[caseKey]Case) error {
	type numbered struct {
		task  uint64
		index uint32
	}
	games := make(map[numbered]bool, len(g.Games))
	for i, x := range g.Games {
		key := numbered{x.TaskId, x.Index}
		if games[key] || x.Index == 0 {
			return errorsmod.Wrapf(ErrGenesis, "games[%d]: index %d of task %d is 0 or there twice", i, x.Index, x.TaskId)
		}
		games[key] = true
		if _, ok := cases[caseKey{x.TaskId, x.Attempt}]; !ok {
			return errorsmod.Wrapf(ErrGenesis, "games[%d]: task %d, attempt %d has no case", i, x.TaskId, x.Attempt)
		}
		if x.Stake.IsNil() || x.Stake.IsNegative() || len(x.Root) != commit.Size || len(x.Rival) != commit.Size {
			return errorsmod.Wrapf(ErrGenesis, "games[%d]: stake or roots malformed", i)
		}
		if _, err := DecodePosition(x.Position); err != nil {
			return errorsmod.Wrapf(ErrGenesis, "games[%d]: %s", i, err)
		}
		if x.Result < GAME_RESULT_UNSPECIFIED || x.Result > GAME_RESULT_REPLACED || x.Tick > g.Tick {
			return errorsmod.Wrapf(ErrGenesis, "games[%d]: result %d or tick %d", i, x.Result, x.Tick)
		}
	}
	demands := make(map[numbered]bool, len(g.Demands))
	for i, d := range g.Demands {
		key := numbered{d.TaskId, d.Index}
		if demands[key] || d.Index == 0 || d.Fee.IsNil() || !d.Fee.IsPositive() || d.Count == 0 || d.Count > MaxDemandChunks {
			return errorsmod.Wrapf(ErrGenesis, "demands[%d]: malformed or there twice", i)
		}
		demands[key] = true
	}
	ops := make(map[string]bool, len(g.Quarantines))
	for i, q := range g.Quarantines {
		if q.Op == "" || ops[q.Op] || q.Until < 0 {
			return errorsmod.Wrapf(ErrGenesis, "quarantines[%d]: malformed or there twice", i)
		}
		ops[q.Op] = true
	}
	return nil
}

// Open tells whether the bytes are still awaited.
func (d Demand) Open() bool { return d.Producer == "" && !d.Expired }
