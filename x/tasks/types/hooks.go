package types

import "context"

// Party stands behind a result root.
type Party struct {
	Participant string
	Root        []byte // 32 bytes
	Runner      bool   // it came to a race by itself, nobody drew it
}

// Dispute is a task about whose result there is more than one opinion.
type Dispute struct {
	Task    Task
	Attempt uint32
	Worker  Party
	// Members are those of the committee that revealed, in seat order, and then the runners of a race, whatever their root.
	Members []Party
	// Until is the last height of the challenge window.
	Until int64
	// Cause is attestation or claim.
	Cause string
}

// DisputeHooks are called by x/tasks about what may be argued over. x/disputes implements them.
type DisputeHooks interface {
	// AfterRootsDiffer is called when the members of a committee revealed another root than the worker. The task is DISPUTED,
	// and stays so until Keeper.ResolveDispute or Keeper.VoidTask.
	AfterRootsDiffer(ctx context.Context, d Dispute) error
	// BeforeTaskSubmitted may refuse a task of a model.
	BeforeTaskSubmitted(ctx context.Context, model string) error
	// AfterTaskPruned is called when a task's inputs and committee are dropped.
	AfterTaskPruned(ctx context.Context, task uint64) error
}

// Resolution is what x/disputes found.
type Resolution struct {
	// ValidRoot is the one root that is left. Nil: nobody was at fault, everything is released and the submitter refunded.
	ValidRoot []byte
	// Beneficiaries share the unburnt part of what the worker and members with other roots lose.
	Beneficiaries []string
}
