package sprinter

import (
	"context"
	"errors"

	"cosmossdk.io/math"

	"poaid/engine"
)

// ErrNotFound is returned by a Chain for what the chain does not have.
var ErrNotFound = errors.New("not found on chain")

// Window is a window as the chain has it.
type Window struct {
	Number uint64
	// Open: a commit in the next block would be taken.
	Open bool
	// Opened and Close are its first block and the last one that takes commits.
	Opened, Close int64
	// Model is the seeded model that is run, Pool the base model: who serves it may commit.
	Model, Pool string
	// Random is the beacon's value that tokens come from.
	Random []byte
	// Period is the number of tokens of a leaf.
	Period uint64
	// MaxCount bounds the leaves of a commit.
	MaxCount uint64
}

// Commit is what the chain has of this participant in one window.
type Commit struct {
	Root  []byte
	Count uint64
	// Over: nothing more is asked of it.
	Over bool
	// State is what became of it, for people.
	State string
}

// Audit asks for the opening of leaves.
type Audit struct {
	Window, Task uint64
	// Leaves are the numbers, distinct and ascending.
	Leaves []uint64
	// Deadline is the last height at which an opening counts.
	Deadline int64
	Opened   bool
}

// Opening is one leaf with its proof.
type Opening struct {
	Number uint64
	Value  []byte
	Proof  [][]byte
}

// Standing is how the participant stands.
type Standing struct {
	// Free bond, in the base denom: what locks may still take.
	Free math.Int
	// Models it serves.
	Models []string
}

// Chain is what the sprinter reads.
type Chain interface {
	ChainID() string
	// SprintWindow returns the window that was opened last; ErrNotFound before the first.
	SprintWindow(ctx context.Context) (Window, error)
	// SprintWindowAt returns a window that is kept.
	SprintWindowAt(ctx context.Context, number uint64) (Window, error)
	// SprintCommit returns a participant's commit, ErrNotFound when there is none.
	SprintCommit(ctx context.Context, window uint64, participant string) (Commit, error)
	// SprintAudits lists a participant's audits that are not over.
	SprintAudits(ctx context.Context, participant string) ([]Audit, error)
	// SprintLock is what a commit of so many leaves would lock now.
	SprintLock(ctx context.Context, count uint64) (math.Int, error)
	Standing(ctx context.Context, participant string) (Standing, error)
}

// Models gives models ready to run; release lets them be dropped from memory.
type Models interface {
	Load(ctx context.Context, id string) (prog *engine.Program, weights *engine.Weights, release func(), err error)
}

// Outbox sends what was decided. Sending the same again while it is on its way, or done, does nothing. asOf is the height at which the chain was seen.
type Outbox interface {
	CommitSprint(window uint64, root []byte, count uint64, deadline, asOf int64)
	OpenSprint(window uint64, leaves []Opening, deadline, asOf int64)
}

// Metrics is told what happens. Methods must not block.
type Metrics interface {
	// Computed: leaves computed in a window, in seconds, on so many threads.
	Computed(leaves uint64, seconds float64, threads int)
	// Window: how a window ended for this participant: committed, skipped or error.
	Window(outcome string)
	// Opened: audits answered.
	Opened()
}

// NoMetrics ignores everything.
type NoMetrics struct{}

// Computed implements Metrics.
func (NoMetrics) Computed(uint64, float64, int) {}

// Window implements Metrics.
func (NoMetrics) Window(string) {}

// Opened implements Metrics.
func (NoMetrics) Opened() {}
