// Package verifier is the role that sits on committees: it executes tasks again from their inputs, seals what it found and reveals it
// once every seat is sealed or closed. It never looks at the worker's result.
package verifier

import (
	"context"
	"errors"

	"poaid/commit"
	"poaid/daemon/agent"
	"poaid/daemon/chain"
	"poaid/daemon/executor"
	"poaid/daemon/journal"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// Chain is what the role reads.
type Chain interface {
	EachDuty(ctx context.Context, participant string, fn func(poaitypes.Duty) error) error
	Task(ctx context.Context, id uint64) (taskstypes.TaskView, error)
}

// Role implements agent.Role.
type Role struct {
	chain       Chain
	participant string
}

var _ agent.Role = (*Role)(nil)

// New returns the role of participant.
func New(c Chain, participant string) *Role { return &Role{chain: c, participant: participant} }

// Name implements agent.Role.
func (r *Role) Name() journal.Role { return journal.Verifier }

// Due implements agent.Role.
func (r *Role) Due(ctx context.Context, fn func(agent.Item) error) error {
	return r.chain.EachDuty(ctx, r.participant, func(d poaitypes.Duty) error {
		it, ok := Classify(d, r.participant)
		if !ok {
			return nil
		}
		return fn(it)
	})
}

// Classify says what a seat needs of its holder; false: nothing now or later.
func Classify(d poaitypes.Duty, participant string) (agent.Item, bool) {
	if d.Seat.Participant != participant {
		return agent.Item{}, false
	}
	it := agent.Item{Task: d.Seat.TaskId, Deadline: d.Committee.Deadline}
	if len(d.Seat.Seal) == commit.Size {
		it.Seal = commit.Hash(d.Seat.Seal)
	}
	switch {
	case d.Seat.State == poaitypes.SEAT_STATE_OPEN && d.Committee.Phase == poaitypes.COMMITTEE_PHASE_SEALING:
		it.Need = agent.NeedSeal
	case d.Seat.State == poaitypes.SEAT_STATE_SEALED && d.Committee.Phase == poaitypes.COMMITTEE_PHASE_SEALING:
		it.Need = agent.NeedNothing
	case d.Seat.State == poaitypes.SEAT_STATE_SEALED && d.Committee.Phase == poaitypes.COMMITTEE_PHASE_REVEALING:
		it.Need = agent.NeedReveal
	default:
		return agent.Item{}, false
	}
	return it, true
}

// Over implements agent.Role.
func (r *Role) Over(ctx context.Context, task uint64) (bool, error) {
	v, err := r.chain.Task(ctx, task)
	if errors.Is(err, chain.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	switch v.Status.State {
	case taskstypes.STATE_FINAL, taskstypes.STATE_CANCELLED, taskstypes.STATE_EXPIRED, taskstypes.STATE_REFUNDED:
		return true, nil
	}
	return false, nil
}

// Record implements agent.Role. An attestation is a root; outputs are the worker's to reveal.
func (r *Role) Record(_ context.Context, _ taskstypes.TaskView, res executor.Result) (journal.Record, error) {
	return journal.Record{ResultRoot: res.ResultRoot, StateRoot: res.StateRoot, OutputRoot: res.OutputRoot}, nil
}

// Seal implements agent.Role.
func (r *Role) Seal(rec journal.Record, deadline int64) chain.Item {
	return chain.SealAttestation(rec.Task, rec.Seal[:], deadline)
}

// Reveal implements agent.Role.
func (r *Role) Reveal(rec journal.Record, deadline int64) chain.Item {
	return chain.RevealAttestation(poaitypes.AttestationReveal{TaskId: rec.Task, ResultRoot: rec.ResultRoot[:], Salt: rec.Salt[:]}, deadline)
}
