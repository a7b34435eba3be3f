package types

import errorsmod "cosmossdk.io/errors"

// Errors of x/lineage. Codes are never reused.
var (
	// ErrInvalidParams: a param is out of its range.
	ErrInvalidParams = errorsmod.Register(ModuleName, 2, "invalid params")
	// ErrInvalidNode: a node's name is not model/ID or dataset/ID.
	ErrInvalidNode = errorsmod.Register(ModuleName, 3, "invalid node")
	// ErrUnknownNode: there is no such model or dataset, or it may have no children.
	ErrUnknownNode = errorsmod.Register(ModuleName, 4, "unknown node")
	// ErrTooManyParents: more parents than max_parents.
	ErrTooManyParents = errorsmod.Register(ModuleName, 5, "too many parents")
	// ErrTooDeep: more generations than max_depth.
	ErrTooDeep = errorsmod.Register(ModuleName, 6, "lineage too deep")
	// ErrDuplicateParent: a parent is listed twice.
	ErrDuplicateParent = errorsmod.Register(ModuleName, 7, "parent listed twice")
	// ErrSelf: a model is its own parent.
	ErrSelf = errorsmod.Register(ModuleName, 8, "own parent")
	// ErrShare: a share is zero, or the shares are too large together.
	ErrShare = errorsmod.Register(ModuleName, 9, "invalid share")
	// ErrNoEdge: the one node is no parent of the other.
	ErrNoEdge = errorsmod.Register(ModuleName, 10, "no such edge")
	// ErrInvalidRequest: the edges, denoms or path of a message are malformed, none, or too many.
	ErrInvalidRequest = errorsmod.Register(ModuleName, 11, "invalid request")
	// ErrNothingDue: there is nothing to settle or claim.
	ErrNothingDue = errorsmod.Register(ModuleName, 12, "nothing due")
	// ErrInvalidAddress: an address is not well-formed, or an owner cannot be paid.
	ErrInvalidAddress = errorsmod.Register(ModuleName, 13, "invalid address")
	// ErrInvalidGenesis: the genesis state contradicts itself.
	ErrInvalidGenesis = errorsmod.Register(ModuleName, 14, "invalid genesis")
	// ErrOverflow: a node would have received more than 2^200 of a denom.
	ErrOverflow = errorsmod.Register(ModuleName, 15, "overflow")
	// ErrAccounting: the books contradict each other; no message may cause it.
	ErrAccounting = errorsmod.Register(ModuleName, 16, "accounting broken")
)
