package agent

import (
	"context"

	"poaid/commit"
	"poaid/daemon/chain"
	"poaid/daemon/executor"
	"poaid/daemon/journal"
	taskstypes "poaid/x/tasks/types"
)

// Need is what the chain wants of an item.
type Need int

// What the chain may want, most urgent first.
const (
	// NeedReveal: sealed, and the reveal is open.
	NeedReveal Need = iota + 1
	// NeedSeal: no seal yet.
	NeedSeal
	// NeedNothing: sealed, and a reveal will be wanted later.
	NeedNothing
)

// String names the need in logs.
func (n Need) String() string {
	switch n {
	case NeedReveal:
		return "reveal"
	case NeedSeal:
		return "seal"
	}
	return "nothing"
}

// Item is one task as it stands for a role.
type Item struct {
	Task uint64
	Need Need
	// Deadline is the last height at which that counts.
	Deadline int64
	// Seal is the seal on the chain, zero while there is none.
	Seal commit.Hash
}

// Role knows the work of a worker, or of a verifier: what is due, and how a record is sealed and revealed.
type Role interface {
	Name() journal.Role
	// Due calls fn for every item that may need something now or later.
	Due(ctx context.Context, fn func(Item) error) error
	// Over tells whether a task needs nothing of this role any more, so that its record may go.
	Over(ctx context.Context, task uint64) (bool, error)
	// Record turns a result into what will be promised; salt and seal are filled in by the agent. It stores outputs that the
	// reveal will refer to.
	Record(ctx context.Context, view taskstypes.TaskView, res executor.Result) (journal.Record, error)
	Seal(r journal.Record, deadline int64) chain.Item
	Reveal(r journal.Record, deadline int64) chain.Item
}

// Book is the journal as the agent uses it.
type Book interface {
	Put(r journal.Record) error
	Get(role journal.Role, task uint64) (journal.Record, error)
	Delete(role journal.Role, task uint64) error
	Tasks(role journal.Role, after uint64, limit int) ([]uint64, error)
}

// Outbox sends items; chain.Sender is one.
type Outbox interface {
	Enqueue(it chain.Item, asOf int64) bool
	Advance(height int64)
	Busy() (waiting, inFlight int)
}

// Tasks reads tasks.
type Tasks interface {
	ChainID() string
	Task(ctx context.Context, id uint64) (taskstypes.TaskView, error)
}
