package keeper_test

import (
	"context"
	"errors"

	"poaid/x/tasks/types"
)

var _ types.DisputeHooks = fakeDisputes{}

var errQuarantined = errors.New("the model uses an op in quarantine")

// disputeState is what was announced.
type disputeState struct {
	Opened []types.Dispute
	Pruned []uint64
}

// fakeDisputes remembers what it was told, and keeps one model in quarantine.
type fakeDisputes struct {
	kv
	quarantined *string
}

func (d fakeDisputes) state(ctx context.Context) *disputeState {
	s := &disputeState{}
	d.load(ctx, "disputes", s)
	return s
}

func (d fakeDisputes) AfterRootsDiffer(ctx context.Context, dispute types.Dispute) error {
	s := d.state(ctx)
	s.Opened = append(s.Opened, dispute)
	d.save(ctx, "disputes", s)
	return nil
}

func (d fakeDisputes) BeforeTaskSubmitted(_ context.Context, model string) error {
	if *d.quarantined == model {
		return errQuarantined
	}
	return nil
}

func (d fakeDisputes) AfterTaskPruned(ctx context.Context, task uint64) error {
	s := d.state(ctx)
	s.Pruned = append(s.Pruned, task)
	d.save(ctx, "disputes", s)
	return nil
}
