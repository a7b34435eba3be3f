package types

import errorsmod "cosmossdk.io/errors"

// Sentinel errors of x/beacon. Codes are never reused.
var (
	ErrInvalidParams  = errorsmod.Register(ModuleName, 2, "invalid params")
	ErrInvalidGenesis = errorsmod.Register(ModuleName, 3, "invalid genesis")
	ErrFuture         = errorsmod.Register(ModuleName, 4, "height has no randomness yet")
	ErrPruned         = errorsmod.Register(ModuleName, 5, "height is outside the kept history")
	ErrInvalidKey     = errorsmod.Register(ModuleName, 6, "invalid key")
	ErrNoValidator    = errorsmod.Register(ModuleName, 7, "no such validator")
	ErrInvalidProof   = errorsmod.Register(ModuleName, 8, "invalid proof")
	ErrMissingProof   = errorsmod.Register(ModuleName, 9, "block without the proposer's proof")
	ErrNoKey          = errorsmod.Register(ModuleName, 10, "proposer has no acting key")
)
