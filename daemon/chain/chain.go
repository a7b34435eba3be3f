package chain

import (
	"context"
	"errors"

	"poaid/engine/graphpb"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// ErrNotFound is returned by queries for what the chain does not have.
var ErrNotFound = errors.New("not found on chain")

// Reader is what a daemon asks of the chain.
type Reader interface {
	ChainID() string
	// EachAssigned calls fn for every unfinished task of a worker, page by page to the end.
	EachAssigned(ctx context.Context, worker string, fn func(taskstypes.TaskView) error) error
	// EachDuty calls fn for every open or sealed seat of a participant, page by page to the end.
	EachDuty(ctx context.Context, participant string, fn func(poaitypes.Duty) error) error
	Task(ctx context.Context, id uint64) (taskstypes.TaskView, error)
	Inputs(ctx context.Context, id uint64) ([]taskstypes.NamedTensor, error)
	Model(ctx context.Context, id string) (modelstypes.Model, error)
	Program(ctx context.Context, id string) (*graphpb.Program, error)
	TasksParams(ctx context.Context) (taskstypes.Params, error)
	PoaiParams(ctx context.Context) (poaitypes.Params, error)
	Participant(ctx context.Context, address string) (poaitypes.Participant, error)
	// Endpoints lists the artifact servers of participants that serve a model (all models when empty).
	Endpoints(ctx context.Context, model string) ([]string, error)
}

// Account is a signer as committed at Height.
type Account struct {
	Number   uint64
	Sequence uint64
	Height   int64
}

// TxResult is what a node says of a transaction. Data and Log are only set once it was executed, or refused.
type TxResult struct {
	Code      uint32
	Codespace string
	Log       string
	Data      []byte
	Height    int64
	GasUsed   int64
}

// Node is what a Sender needs of a node.
type Node interface {
	ChainID() string
	// Account reads number and sequence, and the height at which they were committed.
	Account(ctx context.Context, address string) (Account, error)
	// Simulate returns the gas a transaction would use.
	Simulate(ctx context.Context, tx []byte) (uint64, error)
	// Broadcast hands a transaction to the mempool. An error means that its fate is unknown; a refusal is a result with a code.
	Broadcast(ctx context.Context, tx []byte) (TxResult, error)
	// Tx returns the result of an executed transaction, ErrNotFound when the node has none (or no index).
	Tx(ctx context.Context, hash []byte) (TxResult, error)
}
