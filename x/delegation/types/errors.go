package types

import errorsmod "cosmossdk.io/errors"

// Errors of x/delegation. Codes are never reused.
var (
	// ErrInvalidParams: a param is out of its range.
	ErrInvalidParams = errorsmod.Register(ModuleName, 2, "invalid params")
	// ErrInvalidGenesis: the genesis state contradicts itself.
	ErrInvalidGenesis = errorsmod.Register(ModuleName, 3, "invalid genesis")
	// ErrInvalidAddress: an address is not well-formed, or not written as it must be.
	ErrInvalidAddress = errorsmod.Register(ModuleName, 4, "invalid address")
	// ErrInvalidTerms: commission or its change is out of range.
	ErrInvalidTerms = errorsmod.Register(ModuleName, 5, "invalid terms")
	// ErrUnknownParticipant: has not joined x/poai.
	ErrUnknownParticipant = errorsmod.Register(ModuleName, 6, "unknown participant")
	// ErrNoPool: the participant takes no delegations.
	ErrNoPool = errorsmod.Register(ModuleName, 7, "no pool")
	// ErrPoolClosed: the pool takes no further delegations, or must be closed first.
	ErrPoolClosed = errorsmod.Register(ModuleName, 8, "pool is closed or must be")
	// ErrInvalidCoin: wrong denom, or an amount that is not positive or too small.
	ErrInvalidCoin = errorsmod.Register(ModuleName, 9, "invalid coin")
	// ErrSelfDelegation: a participant adds to its bond by x/poai.
	ErrSelfDelegation = errorsmod.Register(ModuleName, 10, "own bond is not delegated")
	// ErrLeverage: more would be delegated than max_leverage times the participant's own bond.
	ErrLeverage = errorsmod.Register(ModuleName, 11, "too much for the participant's own bond")
	// ErrInvalidShares: none, or more than there are.
	ErrInvalidShares = errorsmod.Register(ModuleName, 12, "invalid shares")
	// ErrNothing: there is nothing to claim, withdraw or dissolve.
	ErrNothing = errorsmod.Register(ModuleName, 13, "nothing there")
	// ErrOverflow: a number would get too large.
	ErrOverflow = errorsmod.Register(ModuleName, 14, "number too large")
	// ErrAccounting: the state contradicts itself; no message may cause it.
	ErrAccounting = errorsmod.Register(ModuleName, 15, "accounting broken")
)
