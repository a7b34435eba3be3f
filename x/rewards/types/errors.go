package types

import errorsmod "cosmossdk.io/errors"

// Errors of x/rewards. Codes are never reused.
var (
	// ErrInvalidParams: a param is out of its range.
	ErrInvalidParams = errorsmod.Register(ModuleName, 2, "invalid params")
	// ErrInvalidEpochs: the epochs of a claim are empty, too many, or not strictly ascending.
	ErrInvalidEpochs = errorsmod.Register(ModuleName, 3, "invalid epochs")
	// ErrEpochNotClosed: the epoch has no pool, because it is not closed yet or does not exist.
	ErrEpochNotClosed = errorsmod.Register(ModuleName, 4, "epoch not closed")
	// ErrAlreadyClaimed: the participant has claimed the epoch before, or its share was swept.
	ErrAlreadyClaimed = errorsmod.Register(ModuleName, 5, "already claimed")
	// ErrNoScore: the participant has no score in the epoch.
	ErrNoScore = errorsmod.Register(ModuleName, 6, "no score")
	// ErrForfeited: the share was lost to a proven lie.
	ErrForfeited = errorsmod.Register(ModuleName, 7, "share forfeited")
	// ErrNotForfeited: the share still belongs to the participant.
	ErrNotForfeited = errorsmod.Register(ModuleName, 8, "share not forfeited")
	// ErrNothingToRelease: nothing has vested since the last release.
	ErrNothingToRelease = errorsmod.Register(ModuleName, 9, "nothing to release")
	// ErrInvalidAddress: an address is not well-formed.
	ErrInvalidAddress = errorsmod.Register(ModuleName, 10, "invalid address")
	// ErrInvalidGenesis: the genesis state contradicts itself.
	ErrInvalidGenesis = errorsmod.Register(ModuleName, 11, "invalid genesis")
	// ErrPoolExists: an epoch was announced as closed twice.
	ErrPoolExists = errorsmod.Register(ModuleName, 12, "epoch pool exists")
	// ErrAccounting: scores and pools contradict each other; no message may cause it.
	ErrAccounting = errorsmod.Register(ModuleName, 13, "accounting broken")
	// ErrInvalidRequest: a query request is malformed.
	ErrInvalidRequest = errorsmod.Register(ModuleName, 14, "invalid request")
	// ErrInvalidAutoBond: the part is too large, or what is paid is not what bonds are in.
	ErrInvalidAutoBond = errorsmod.Register(ModuleName, 15, "invalid auto-bond")
	// ErrTooEarly: the participant may still claim the epoch itself.
	ErrTooEarly = errorsmod.Register(ModuleName, 16, "too early to claim for another")
	// ErrNotDelegated: no part of the epoch's share belongs to anybody but the participant.
	ErrNotDelegated = errorsmod.Register(ModuleName, 17, "nothing of it was delegated")
)
