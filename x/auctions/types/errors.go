package types

import errorsmod "cosmossdk.io/errors"

// Errors of x/auctions. Codes are never reused.
var (
	// ErrParams is returned for params out of their limits.
	ErrParams = errorsmod.Register(ModuleName, 2, "invalid params")
	// ErrGenesis is returned for a genesis that contradicts itself.
	ErrGenesis = errorsmod.Register(ModuleName, 3, "invalid genesis")
	// ErrAddress is returned for a malformed address.
	ErrAddress = errorsmod.Register(ModuleName, 4, "invalid address")
	// ErrUnknownAuction is returned where a task is not up for auction.
	ErrUnknownAuction = errorsmod.Register(ModuleName, 5, "no such auction")
	// ErrKind is returned for an open bid where bids are sealed, and the other way round.
	ErrKind = errorsmod.Register(ModuleName, 6, "wrong kind of bid")
	// ErrPhase is returned when the auction has closed, or is not over yet.
	ErrPhase = errorsmod.Register(ModuleName, 7, "wrong phase")
	// ErrDeadline is returned for a message that comes too late, or too early.
	ErrDeadline = errorsmod.Register(ModuleName, 8, "not the time for it")
	// ErrPrice is returned for a price out of the auction's limits, or one that does not lower a bid.
	ErrPrice = errorsmod.Register(ModuleName, 9, "invalid price")
	// ErrBidExists is returned for the second sealed bid of a bidder.
	ErrBidExists = errorsmod.Register(ModuleName, 10, "bid exists")
	// ErrUnknownBid is returned where there is no bid.
	ErrUnknownBid = errorsmod.Register(ModuleName, 11, "no such bid")
	// ErrLength is returned when a commitment or a salt is not 32 bytes.
	ErrLength = errorsmod.Register(ModuleName, 12, "invalid length")
	// ErrReveal is returned for a reveal that does not match, or the second one.
	ErrReveal = errorsmod.Register(ModuleName, 13, "reveal does not match the bid")
	// ErrBatch is returned for an empty or too large batch.
	ErrBatch = errorsmod.Register(ModuleName, 14, "invalid batch")
	// ErrDuplicate is returned for a task that is in a batch twice.
	ErrDuplicate = errorsmod.Register(ModuleName, 15, "duplicate item")
	// ErrReserved is returned for the withdrawal of a bid that may still have to run the task.
	ErrReserved = errorsmod.Register(ModuleName, 16, "bid is in reserve")
	// ErrInvariant is returned by a broken invariant.
	ErrInvariant = errorsmod.Register(ModuleName, 17, "invariant broken")
)
