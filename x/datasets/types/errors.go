package types

import errorsmod "cosmossdk.io/errors"

// Errors of x/datasets. Codes are never reused.
var (
	// ErrInvalidParams: a param is out of its range.
	ErrInvalidParams = errorsmod.Register(ModuleName, 2, "invalid params")
	// ErrNotFound: no dataset has the id.
	ErrNotFound = errorsmod.Register(ModuleName, 3, "dataset not found")
	// ErrExists: the id is taken, for ever.
	ErrExists = errorsmod.Register(ModuleName, 4, "dataset id taken")
	// ErrInvalidDataset: a field of a registration is malformed or beyond its limit.
	ErrInvalidDataset = errorsmod.Register(ModuleName, 5, "invalid dataset")
	// ErrRootTaken: a tensor root belongs to a dataset already.
	ErrRootTaken = errorsmod.Register(ModuleName, 6, "tensor root taken")
	// ErrInvalidTerms: a term is out of its range.
	ErrInvalidTerms = errorsmod.Register(ModuleName, 7, "invalid terms")
	// ErrNotOwner: the sender does not own the dataset.
	ErrNotOwner = errorsmod.Register(ModuleName, 8, "not the owner")
	// ErrRetired: the dataset is retired.
	ErrRetired = errorsmod.Register(ModuleName, 9, "dataset retired")
	// ErrInvalidAddress: an address is not well-formed, or cannot be paid.
	ErrInvalidAddress = errorsmod.Register(ModuleName, 10, "invalid address")
	// ErrInvalidGenesis: the genesis state contradicts itself.
	ErrInvalidGenesis = errorsmod.Register(ModuleName, 11, "invalid genesis")
	// ErrNoPrice: nobody needs a grant.
	ErrNoPrice = errorsmod.Register(ModuleName, 12, "nothing to buy")
	// ErrPrice: the price is more than the buyer will pay, or in another denom.
	ErrPrice = errorsmod.Register(ModuleName, 13, "price too high")
	// ErrGrantTooLong: the grant would last beyond max_grant_blocks from now.
	ErrGrantTooLong = errorsmod.Register(ModuleName, 14, "grant too long")
	// ErrProgram: a program hash is malformed, on the allowlist as asked, or not on it.
	ErrProgram = errorsmod.Register(ModuleName, 15, "invalid program")
	// ErrClosed: the dataset is closed and the program is not on its allowlist.
	ErrClosed = errorsmod.Register(ModuleName, 16, "program not allowed")
	// ErrNoGrant: the user has no grant, or an expired one.
	ErrNoGrant = errorsmod.Register(ModuleName, 17, "no grant")
	// ErrTooManyRoots: more roots than one use may name.
	ErrTooManyRoots = errorsmod.Register(ModuleName, 18, "too many roots")
	// ErrState: the stored records contradict each other; no message may cause it.
	ErrState = errorsmod.Register(ModuleName, 19, "state broken")
	// ErrRoot: a root is malformed, listed twice, or not of the dataset.
	ErrRoot = errorsmod.Register(ModuleName, 20, "invalid root")
	// ErrOverflow: a counter or height would overflow.
	ErrOverflow = errorsmod.Register(ModuleName, 21, "overflow")
)
