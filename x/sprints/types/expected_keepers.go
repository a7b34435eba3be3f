package types

import (
	"context"

	"cosmossdk.io/core/address"
	"cosmossdk.io/math"

	"poaid/engine"
	"poaid/engine/graphpb"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// BeaconKeeper gives randomness.
type BeaconKeeper interface {
	// Randomness returns 32 bytes for a height at or below the current one, within the kept history.
	Randomness(ctx context.Context, height int64) ([]byte, error)
}

// ModelsKeeper keeps the base model and those that are seeded from it.
type ModelsKeeper interface {
	GetModel(ctx context.Context, id string) (modelstypes.Model, error)
	// LoadProgram returns a validated program, which is shared and immutable.
	LoadProgram(ctx context.Context, id string) (*engine.Program, error)
	RunUnits(ctx context.Context, id string, steps, promptRows uint64) (units, scoreUnits uint64, err error)
	// RegisterBase, RegisterSeeded and RemoveSeeded: models whose weights the chain makes.
	RegisterBase(ctx context.Context, id, description string, program *graphpb.Program, seed []byte) error
	RegisterSeeded(ctx context.Context, base, id string, seed []byte) error
	RemoveSeeded(ctx context.Context, id string) error
}

// TasksKeeper runs audits as tasks.
type TasksKeeper interface {
	// OpenAudit opens a task that its worker owes; its end is told to the hook AfterTaskEnded.
	OpenAudit(ctx context.Context, req taskstypes.AuditRequest) (uint64, error)
	// AuditLock is what the members of such a task's committee have at risk.
	AuditLock(ctx context.Context, units uint64) (math.Int, error)
	// CommitteeSize is how many members check a task.
	CommitteeSize(ctx context.Context) (uint32, error)
	// CheckModel refuses models that new tasks must not use now.
	CheckModel(ctx context.Context, model string) error
	GetTask(ctx context.Context, id uint64) (taskstypes.Task, taskstypes.Status, error)
}

// PoaiKeeper holds what participants risk, and their capacity.
type PoaiKeeper interface {
	CurrentEpoch(ctx context.Context) (uint64, error)
	// Serves tells whether a participant serves a model.
	Serves(ctx context.Context, participant, model string) (bool, error)
	// FreeBond is what of a participant's bond backs nothing yet.
	FreeBond(ctx context.Context, participant string) (math.Int, error)
	LockBond(ctx context.Context, l poaitypes.Lock) error
	ReleaseLock(ctx context.Context, participant string, kind poaitypes.LockKind, item uint64) error
	// GetLock returns the amount of a lock; collections.ErrNotFound when there is none.
	GetLock(ctx context.Context, participant string, kind poaitypes.LockKind, item uint64) (math.Int, error)
	Slash(ctx context.Context, req poaitypes.SlashRequest) error
	Credit(ctx context.Context, req poaitypes.CreditRequest) error
	// SetCapacity says what was proven, in units per block; 0 voids.
	SetCapacity(ctx context.Context, participant string, unitsPerBlock uint64) error
}

// AccountKeeper reads address strings.
type AccountKeeper interface {
	AddressCodec() address.Codec
}
