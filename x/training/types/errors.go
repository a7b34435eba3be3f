package types

import errorsmod "cosmossdk.io/errors"

// Errors of x/training. Codes are never reused.
var (
	// ErrParams is returned for params out of their limits.
	ErrParams = errorsmod.Register(ModuleName, 2, "invalid params")
	// ErrGenesis is returned for a genesis that contradicts itself.
	ErrGenesis = errorsmod.Register(ModuleName, 3, "invalid genesis")
	// ErrAddress is returned for a malformed address or one that cannot be paid.
	ErrAddress = errorsmod.Register(ModuleName, 4, "invalid address")
	// ErrSegments is returned for steps that cannot be cut as asked.
	ErrSegments = errorsmod.Register(ModuleName, 5, "invalid segments")
	// ErrBudget is returned for a budget of the wrong denom, or one that does not pay the first segment.
	ErrBudget = errorsmod.Register(ModuleName, 6, "invalid budget")
	// ErrRoots is returned for tensor roots that are not those the chain holds the root of.
	ErrRoots = errorsmod.Register(ModuleName, 7, "roots do not match")
	// ErrPlan is returned for a result that the training cannot come to.
	ErrPlan = errorsmod.Register(ModuleName, 8, "invalid result")
	// ErrRecipe is returned for a recipe that there is not, or that a job does not follow.
	ErrRecipe = errorsmod.Register(ModuleName, 9, "invalid recipe")
	// ErrUnknownJob is returned when there is no job with that id.
	ErrUnknownJob = errorsmod.Register(ModuleName, 10, "unknown job")
	// ErrNotOwner is returned when somebody else wants to do what is the owner's.
	ErrNotOwner = errorsmod.Register(ModuleName, 11, "not the owner")
	// ErrState is returned when the job's state does not allow the message.
	ErrState = errorsmod.Register(ModuleName, 12, "wrong state")
	// ErrCheckpoint is returned for a checkpoint that there is not, or that is lost.
	ErrCheckpoint = errorsmod.Register(ModuleName, 13, "no such checkpoint")
	// ErrTooManyJobs is returned when ids run out: 256 jobs a transaction, 65,536 transactions a block.
	ErrTooManyJobs = errorsmod.Register(ModuleName, 14, "too many jobs")
	// ErrInvariant is returned by a broken invariant.
	ErrInvariant = errorsmod.Register(ModuleName, 15, "invariant broken")
)
