package types

import errorsmod "cosmossdk.io/errors"

// Errors of x/tasks. Codes are never reused.
var (
	// ErrParams is returned for params out of their limits.
	ErrParams = errorsmod.Register(ModuleName, 2, "invalid params")
	// ErrGenesis is returned for a genesis that contradicts itself.
	ErrGenesis = errorsmod.Register(ModuleName, 3, "invalid genesis")
	// ErrModel is returned when the model is unknown, retired or cannot run the task.
	ErrModel = errorsmod.Register(ModuleName, 4, "invalid model")
	// ErrInput is returned when the inputs do not fit the model's program.
	ErrInput = errorsmod.Register(ModuleName, 5, "invalid input")
	// ErrInputSize is returned when the inline inputs are larger than max_inline_input_bytes.
	ErrInputSize = errorsmod.Register(ModuleName, 6, "inputs too large")
	// ErrSteps is returned when steps is out of the program's limits.
	ErrSteps = errorsmod.Register(ModuleName, 7, "invalid steps")
	// ErrAllocation is returned for an allocation that is not offered.
	ErrAllocation = errorsmod.Register(ModuleName, 8, "invalid allocation")
	// ErrFee is returned when max_fee has the wrong denom, is not positive or does not cover the run.
	ErrFee = errorsmod.Register(ModuleName, 9, "invalid fee")
	// ErrAddress is returned for a malformed address or one that cannot be paid.
	ErrAddress = errorsmod.Register(ModuleName, 10, "invalid address")
	// ErrTooManyTasks is returned when ids run out: 256 tasks a message, 65,536 transactions a block.
	ErrTooManyTasks = errorsmod.Register(ModuleName, 11, "too many tasks")
	// ErrUnknownTask is returned when there is no task with that id.
	ErrUnknownTask = errorsmod.Register(ModuleName, 12, "unknown task")
	// ErrNotSubmitter is returned when somebody else wants to cancel a task.
	ErrNotSubmitter = errorsmod.Register(ModuleName, 13, "not the submitter")
	// ErrNotWorker is returned when the task is not assigned to the signer.
	ErrNotWorker = errorsmod.Register(ModuleName, 14, "not the worker")
	// ErrState is returned when the task's state does not allow the message.
	ErrState = errorsmod.Register(ModuleName, 15, "wrong state")
	// ErrDeadline is returned when the message comes too late.
	ErrDeadline = errorsmod.Register(ModuleName, 16, "past the deadline")
	// ErrBatch is returned for an empty or too large batch.
	ErrBatch = errorsmod.Register(ModuleName, 17, "invalid batch")
	// ErrDuplicate is returned for the second item of a task in one batch.
	ErrDuplicate = errorsmod.Register(ModuleName, 18, "duplicate item")
	// ErrLength is returned when a hash, seal or salt is not 32 bytes.
	ErrLength = errorsmod.Register(ModuleName, 19, "invalid length")
	// ErrOutput is returned when revealed outputs do not fit the program.
	ErrOutput = errorsmod.Register(ModuleName, 20, "invalid output")
	// ErrSeal is returned when a reveal does not match the seal.
	ErrSeal = errorsmod.Register(ModuleName, 21, "reveal does not match the seal")
	// ErrInvariant is returned by a broken invariant.
	ErrInvariant = errorsmod.Register(ModuleName, 24, "invariant broken")
	// ErrUnits is returned when a run takes longer than any task may.
	ErrUnits = errorsmod.Register(ModuleName, 25, "too many units")
	// ErrNoHooks is returned when a module opens a task and nobody would be told how it ended.
	ErrNoHooks = errorsmod.Register(ModuleName, 32, "nobody listens to the task's end")
	// ErrRedundancy is returned for more results than a race may take, or for any where it is no race.
	ErrRedundancy = errorsmod.Register(ModuleName, 60, "invalid redundancy")
	// ErrAuction is returned for options of an auction that are missing, out of place or out of their limits.
	ErrAuction = errorsmod.Register(ModuleName, 61, "invalid auction")
	// ErrRaceFull is returned when a race has taken all results it was to take.
	ErrRaceFull = errorsmod.Register(ModuleName, 62, "the race is full")
	// ErrTried is returned to a worker that failed the task before.
	ErrTried = errorsmod.Register(ModuleName, 63, "failed this task before")
	// ErrNoAuctions is returned where nothing keeps bids.
	ErrNoAuctions = errorsmod.Register(ModuleName, 64, "nobody keeps bids")
	// ErrSegment is returned for a segment of a run that there is not.
	ErrSegment = errorsmod.Register(ModuleName, 80, "invalid segment")
	// ErrForced is returned when a worker claims that its error was forced, and it was not.
	ErrForced = errorsmod.Register(ModuleName, 40, "error was not forced")
	// ErrDenom is returned for a denom that fees cannot be paid in.
	ErrDenom = errorsmod.Register(ModuleName, 70, "fees cannot be paid in this denom")
	// ErrTip is returned when a tip is negative or above max_tip.
	ErrTip = errorsmod.Register(ModuleName, 71, "invalid tip")
	// ErrPayment is returned when the flows of a payment do not add up.
	ErrPayment = errorsmod.Register(ModuleName, 72, "payment does not add up")
)
