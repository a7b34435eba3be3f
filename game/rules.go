package game

import (
	"errors"
	"fmt"
)

// ErrIllegal is wrapped by every error about a move that the rules do not allow; the game stays as it was.
var ErrIllegal = errors.New("illegal move")

// Rule names one rule of the game. Every refusal of Apply cites the rule that it rests on.
type Rule string

// The rules.
const (
	// RuleOver: no move after the game is decided.
	// Rationale: a verdict moves coins; it must not be possible to play on until one likes it.
	RuleOver Rule = "the game is over"

	// RuleTurn: only the party whose clock runs may move.
	// Rationale: whoever is silent loses, so it must always be clear who is silent.
	RuleTurn Rule = "not this party's turn"

	// RulePhase: a phase takes its own moves only.
	// Rationale: each phase narrows what the one before has narrowed; skipping one would leave something that is not agreed.
	RulePhase Rule = "this phase does not take this move"

	// RuleSize: a move is at most MaxMessage bytes.
	// Rationale: a move has to fit a transaction, and an honest party must never be unable to answer because answers are large.
	RuleSize Rule = "message too large"

	// RuleResult: the opened state and output roots hash, with T, to the defended result root.
	// Rationale: the seal bound D to that root before it knew who would look; opening it differently would be a second chance.
	RuleResult Rule = "the opening does not hash to the defended root"

	// RuleCount: D posts exactly as many hashes, children or accumulators as the position has places for.
	// Rationale: shapes come from the program; a party that could choose them could hide an element from the game.
	RuleCount Rule = "wrong number of entries"

	// RuleHash: what D posts hashes to what it posted or sealed before.
	// Rationale: D is held to one tree. Without this it could answer every question with another tree and never be contradicted.
	RuleHash Rule = "does not hash to the parent"

	// RuleChoice: C names something that is there.
	// Rationale: the game goes on inside what C named.
	RuleChoice Rule = "no such choice"

	// RuleChunk: the opened chunk has exactly the bytes that the tensor has there.
	// Rationale: a short chunk would leave elements without a value.
	RuleChunk Rule = "wrong length of a chunk"

	// RuleAccumulator: an accumulator is at most engine.MaxAcc bytes.
	// Rationale: it bounds the message; whether it is well formed shows when it is compared or folded on.
	RuleAccumulator Rule = "accumulator too large"

	// RuleStop: a step is the identity only if the stop state before it is not zero, shown against the agreed state.
	// Rationale: after a stop the program has no nodes to argue about; either party may say so, neither may pretend it.
	RuleStop Rule = "the run has not stopped before this step"

	// RuleEvidence: every byte that the referee reads is proven against a root that both sides stand by.
	// Rationale: this is what makes judging one element enough: its inputs are agreed, so only the op is left to differ.
	RuleEvidence Rule = "evidence does not prove what the judgement needs"
)

// IllegalMoveError is the error of a move that a rule forbids. It wraps ErrIllegal.
type IllegalMoveError struct {
	Rule   Rule
	Detail string
}

// Error names the rule and what broke it.
func (e *IllegalMoveError) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("%v: %s", ErrIllegal, e.Rule)
	}
	return fmt.Sprintf("%v: %s: %s", ErrIllegal, e.Rule, e.Detail)
}

// Unwrap makes errors.Is(err, ErrIllegal) true.
func (e *IllegalMoveError) Unwrap() error { return ErrIllegal }

func illegal(rule Rule, format string, args ...any) error {
	return &IllegalMoveError{Rule: rule, Detail: fmt.Sprintf(format, args...)}
}
