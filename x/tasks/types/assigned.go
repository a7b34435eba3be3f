package types

import (
	"context"

	"cosmossdk.io/math"

	poaitypes "poaid/x/poai/types"
)

// AuditRequest asks for a run that a participant owes.
type AuditRequest struct {
	// Requester stands as the submitter: the address of the module that asks.
	Requester string
	// Worker must do the run.
	Worker string
	// Model may be retired.
	Model string
	// Pool is the model whose servers are drawn for the committee; empty: Model's.
	Pool  string
	Steps uint64
	// Inputs are inline.
	Inputs []NamedTensor
}

// Ended is how a task that a module had opened came to its end.
type Ended struct {
	Task   Task
	Worker string
	// State is FINAL; EXPIRED where the worker failed it: silent, late, or wrong; REFUNDED where nobody was at fault.
	State State
	// Result of a FINAL task.
	Result *Result
	// Refund came back to the requester out of the escrow; nil where there was none.
	Refund math.Int
	// NotFinite tells of a FINAL task that its finite_output is no output of finite numbers; StartLost of a REFUNDED one that nobody had
	// the states it begins with.
	NotFinite, StartLost bool
	// Heirs have a part of what the worker loses elsewhere: those who found it wrong.
	Heirs []string
	// Reason says why it failed, which is a lie of the worker that nobody has taken anything for yet.
	Reason string
	// Evidence against the worker where it failed.
	Evidence poaitypes.Evidence
}

// TaskHooks are called by x/tasks about tasks that it opened for another module. x/sprints and x/training implement them.
type TaskHooks interface {
	// AfterTaskEnded is called once a task that the module opened has ended. An error puts the end off.
	AfterTaskEnded(ctx context.Context, e Ended) error
}

// Assigned tells whether the task was opened by a module for a worker that owes it.
func (t Task) Assigned() bool { return t.Allocation == ALLOCATION_ASSIGNED }

// CommitteePool is the model whose servers are drawn for the task's committee.
func (t Task) CommitteePool() string {
	if t.Pool != "" {
		return t.Pool
	}
	return t.Model
}

// hasValidEscrow checks the escrow of a task in a genesis: what a module opened has none.
func (t Task) hasValidEscrow() bool {
	if t.MaxFee.Amount.IsNil() || t.MaxFee.Validate() != nil {
		return false
	}
	if t.Assigned() {
		return t.MaxFee.IsZero() && !t.Fee.IsNil() && t.Fee.IsZero()
	}
	return !t.MaxFee.IsZero()
}
