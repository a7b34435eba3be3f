package types

import errorsmod "cosmossdk.io/errors"

// Errors of x/disputes. Codes are never reused.
var (
	// ErrParams is returned for params out of their limits.
	ErrParams = errorsmod.Register(ModuleName, 2, "invalid params")
	// ErrGenesis is returned for a genesis that contradicts itself.
	ErrGenesis = errorsmod.Register(ModuleName, 3, "invalid genesis")
	// ErrAddress is returned for a malformed address, or one that cannot be paid.
	ErrAddress = errorsmod.Register(ModuleName, 4, "invalid address")
	// ErrLength is returned for hashes that are not 32 bytes, and for bytes or lists beyond their limits.
	ErrLength = errorsmod.Register(ModuleName, 5, "invalid length")
	// ErrMove is returned for a move that is none: nothing set, or numbers out of their range.
	ErrMove = errorsmod.Register(ModuleName, 6, "malformed move")
	// ErrPosition is returned for a stored position that is malformed.
	ErrPosition = errorsmod.Register(ModuleName, 7, "malformed position")
	// ErrIllegalMove is returned for a move that a rule of the game forbids; the error names the rule.
	ErrIllegalMove = errorsmod.Register(ModuleName, 8, "illegal move")
	// ErrInput is returned when the inputs of a task do not fit its program.
	ErrInput = errorsmod.Register(ModuleName, 9, "invalid input")
	// ErrUnknownTask is returned when there is no task with that id.
	ErrUnknownTask = errorsmod.Register(ModuleName, 10, "unknown task")
	// ErrUnknownCase is returned when a task has no case.
	ErrUnknownCase = errorsmod.Register(ModuleName, 11, "unknown case")
	// ErrUnknownGame is returned when a task has no such game.
	ErrUnknownGame = errorsmod.Register(ModuleName, 12, "unknown game")
	// ErrUnknownDemand is returned when a task has no such demand, or it is not open any more.
	ErrUnknownDemand = errorsmod.Register(ModuleName, 13, "unknown demand")
	// ErrState is returned when the state of the task or its case does not allow the message.
	ErrState = errorsmod.Register(ModuleName, 14, "wrong state")
	// ErrDeadline is returned when the message comes too late.
	ErrDeadline = errorsmod.Register(ModuleName, 15, "past the deadline")
	// ErrNoClaim is returned when somebody stands behind no root of the case.
	ErrNoClaim = errorsmod.Register(ModuleName, 16, "no claim")
	// ErrClaimed is returned for a participant's second claim in a case.
	ErrClaimed = errorsmod.Register(ModuleName, 17, "claimed already")
	// ErrBeaten is returned when a claim that was beaten is used or attacked.
	ErrBeaten = errorsmod.Register(ModuleName, 18, "claim is beaten")
	// ErrFallen is returned for a claim of a root whose last claim was beaten, once new roots are no longer accepted.
	ErrFallen = errorsmod.Register(ModuleName, 19, "root has fallen")
	// ErrSameRoot is returned when there is nothing to argue about.
	ErrSameRoot = errorsmod.Register(ModuleName, 20, "same root")
	// ErrParallel is returned when a claim attacks in max_parallel games, or when the same two play already.
	ErrParallel = errorsmod.Register(ModuleName, 21, "too many games")
	// ErrTurn is returned when the signer is not who has to move.
	ErrTurn = errorsmod.Register(ModuleName, 22, "not the signer's turn")
	// ErrStale is returned for a move that was made for another position.
	ErrStale = errorsmod.Register(ModuleName, 23, "stale move")
	// ErrOver is returned when a game is over.
	ErrOver = errorsmod.Register(ModuleName, 24, "game is over")
	// ErrNotSilent is returned when a defender's chair is taken before half of its clock is used up.
	ErrNotSilent = errorsmod.Register(ModuleName, 25, "defender is not silent")
	// ErrRelieved is returned when a claim that was relieved before takes a chair, or would be relieved again.
	ErrRelieved = errorsmod.Register(ModuleName, 26, "relieved before")
	// ErrNotParty is returned when bytes are demanded by somebody who has no part in the task.
	ErrNotParty = errorsmod.Register(ModuleName, 27, "not a party")
	// ErrDemand is returned for a demand of bytes that there are not, or that stand on the chain.
	ErrDemand = errorsmod.Register(ModuleName, 28, "invalid demand")
	// ErrTooManyDemands is returned when max_demands of a task are open.
	ErrTooManyDemands = errorsmod.Register(ModuleName, 29, "too many demands")
	// ErrProof is returned for bytes that are not what was demanded.
	ErrProof = errorsmod.Register(ModuleName, 30, "invalid proof")
	// ErrQuarantined is returned for a task of a model with a quarantined op.
	ErrQuarantined = errorsmod.Register(ModuleName, 31, "op is quarantined")
	// ErrUnknownQuarantine is returned when an op is not quarantined.
	ErrUnknownQuarantine = errorsmod.Register(ModuleName, 32, "op is not quarantined")
	// ErrInvariant is returned by a broken invariant.
	ErrInvariant = errorsmod.Register(ModuleName, 33, "invariant broken")
)
