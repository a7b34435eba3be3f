package types

import errorsmod "cosmossdk.io/errors"

// Errors of x/sprints. Codes are never reused.
var (
	// ErrParams: a param is out of its limits, or does not fit the base model.
	ErrParams = errorsmod.Register(ModuleName, 2, "invalid params")
	// ErrGenesis: the genesis state contradicts itself.
	ErrGenesis = errorsmod.Register(ModuleName, 3, "invalid genesis")
	// ErrNoWindow: no window of that number takes commits.
	ErrNoWindow = errorsmod.Register(ModuleName, 4, "no open window")
	// ErrLate: the window, or the time to open leaves, is over.
	ErrLate = errorsmod.Register(ModuleName, 5, "too late")
	// ErrCommitted: one commit a participant and window.
	ErrCommitted = errorsmod.Register(ModuleName, 6, "committed already")
	// ErrCount: no leaves, or more than can be claimed.
	ErrCount = errorsmod.Register(ModuleName, 7, "invalid count")
	// ErrLength: a root or value is not of its length.
	ErrLength = errorsmod.Register(ModuleName, 8, "invalid length")
	// ErrNotServing: the participant has not joined, or does not serve the base model.
	ErrNotServing = errorsmod.Register(ModuleName, 9, "not serving")
	// ErrBond: less bond is free than the commit puts at risk.
	ErrBond = errorsmod.Register(ModuleName, 10, "bond too low")
	// ErrNotAudited: nothing is to be opened.
	ErrNotAudited = errorsmod.Register(ModuleName, 11, "not audited")
	// ErrOpened: the leaves were opened already.
	ErrOpened = errorsmod.Register(ModuleName, 12, "opened already")
	// ErrLeaves: not the leaves that were asked for: too few, too many, others, twice, or not ascending.
	ErrLeaves = errorsmod.Register(ModuleName, 13, "not the leaves asked for")
	// ErrProof: a value is not what the root commits to.
	ErrProof = errorsmod.Register(ModuleName, 14, "wrong proof")
	// ErrAddress: an address is not well-formed.
	ErrAddress = errorsmod.Register(ModuleName, 15, "invalid address")
	// ErrProgram: the base model is no sprint program, or not there.
	ErrProgram = errorsmod.Register(ModuleName, 16, "not a sprint program")
	// ErrInvariant: records contradict each other; no message may cause it.
	ErrInvariant = errorsmod.Register(ModuleName, 17, "invariant broken")
)
