package types

import (
	"context"

	"cosmossdk.io/math"
)

// CommitteeHooks are called by x/poai when a committee moves on. x/tasks implements them.
type CommitteeHooks interface {
	// AfterCommitteeSealed is called once every seat of the task is sealed or closed. It returns the last height at
	// which the committee may reveal.
	AfterCommitteeSealed(ctx context.Context, task uint64) (revealDeadline int64, err error)
	// AfterCommitteeRevealed is called once every sealed seat has revealed.
	AfterCommitteeRevealed(ctx context.Context, task uint64) error
}

// BondHooks are called by x/poai about bonds. x/delegation implements them.
type BondHooks interface {
	// BeforeOwnBondFalls is called before a participant takes out of its own bond, with what would be left of it. An error refuses.
	BeforeOwnBondFalls(ctx context.Context, participant Participant, left math.Int) error
}

// EpochHooks are called by x/poai about scores. x/rewards implements them.
type EpochHooks interface {
	// AfterEpochClosed is called when the epoch's score is final.
	AfterEpochClosed(ctx context.Context, epoch Epoch) error
	// AfterLieProven is called when a participant lost a lock for a proven lie.
	AfterLieProven(ctx context.Context, participant string) error
}
