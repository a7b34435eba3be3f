package types

import errorsmod "cosmossdk.io/errors"

// Errors of x/grades. Codes are never reused.
var (
	// ErrParams: a param is out of its limits.
	ErrParams = errorsmod.Register(ModuleName, 2, "invalid params")
	// ErrGenesis: the genesis state contradicts itself.
	ErrGenesis = errorsmod.Register(ModuleName, 3, "invalid genesis")
	// ErrContest: a field of a contest is out of its limits.
	ErrContest = errorsmod.Register(ModuleName, 4, "invalid contest")
	// ErrNotFound: there is no such contest, entry or seat.
	ErrNotFound = errorsmod.Register(ModuleName, 5, "not found")
	// ErrExists: the id is taken.
	ErrExists = errorsmod.Register(ModuleName, 6, "exists already")
	// ErrClosed: the contest is closed, or closing.
	ErrClosed = errorsmod.Register(ModuleName, 7, "contest closed")
	// ErrNotOwner: only the owner may.
	ErrNotOwner = errorsmod.Register(ModuleName, 8, "not the owner")
	// ErrAmount: not a positive amount of fee_denom, or below a limit.
	ErrAmount = errorsmod.Register(ModuleName, 9, "invalid amount")
	// ErrFull: the contest has no slot, and no entry that earned nothing.
	ErrFull = errorsmod.Register(ModuleName, 10, "contest full")
	// ErrPhase: the message does not fit the phase or round, or comes too late.
	ErrPhase = errorsmod.Register(ModuleName, 11, "wrong phase")
	// ErrNotGrader: not drawn for this round.
	ErrNotGrader = errorsmod.Register(ModuleName, 12, "not a grader of this round")
	// ErrTwice: sealed or revealed already.
	ErrTwice = errorsmod.Register(ModuleName, 13, "done already")
	// ErrSeal: what is revealed is not what was sealed.
	ErrSeal = errorsmod.Register(ModuleName, 14, "reveal does not match the seal")
	// ErrGrades: too many grades, or one that is too large.
	ErrGrades = errorsmod.Register(ModuleName, 15, "invalid grades")
	// ErrLength: a hash, seal or salt is not of its length.
	ErrLength = errorsmod.Register(ModuleName, 16, "invalid length")
	// ErrAddress: an address is not well-formed, or cannot be paid.
	ErrAddress = errorsmod.Register(ModuleName, 17, "invalid address")
	// ErrInvariant: records contradict each other; no message may cause it.
	ErrInvariant = errorsmod.Register(ModuleName, 18, "invariant broken")
)
