package types

import (
	"context"

	"cosmossdk.io/core/address"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/engine/graphpb"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
)

// BeaconKeeper gives randomness.
type BeaconKeeper interface {
	// Randomness returns 32 bytes for a height at or below the current one, within the kept history.
	Randomness(ctx context.Context, height int64) ([]byte, error)
}

// ModelsKeeper reads registered models.
type ModelsKeeper interface {
	GetModel(ctx context.Context, id string) (modelstypes.Model, error)
	// Interface returns the program without its graphs: weights, inputs, states, outputs and limits.
	Interface(ctx context.Context, id string) (*graphpb.Program, error)
	// RunUnits returns the units of a run, and those of them that count for score. O(1) reads.
	RunUnits(ctx context.Context, id string, steps, promptRows uint64) (units, scoreUnits uint64, err error)
	GetVocabulary(ctx context.Context, id string) (modelstypes.Vocabulary, error)
}

// PoaiKeeper draws participants, holds what they risk and credits what they prove.
type PoaiKeeper interface {
	// DrawWorker draws, locks and occupies one worker; found is false when nobody qualifies.
	DrawWorker(ctx context.Context, req poaitypes.DrawRequest) (worker string, found bool, err error)
	// ReleaseWorker frees the worker's place (not its lock) once it has revealed or failed.
	ReleaseWorker(ctx context.Context, worker string) error
	// Enlist locks and occupies a worker that came for a task by itself; poaitypes.ErrUnfit where it does not qualify.
	Enlist(ctx context.Context, req poaitypes.QualifyRequest, task uint64) error
	// AssignWorker occupies a worker that owes a task, and locks nothing.
	AssignWorker(ctx context.Context, worker string, task uint64) error
	// OpenCommittee draws a committee; fewer seats than asked, even none, when there are not enough candidates.
	OpenCommittee(ctx context.Context, req poaitypes.CommitteeRequest) (poaitypes.Committee, error)
	// CloseOverdueSeats closes seats still open after the sealing deadline and draws replacements until deadline.
	// When none can be drawn and every seat is sealed or closed the committee enters the revealing phase (through the
	// hook AfterCommitteeSealed), which the returned committee shows.
	CloseOverdueSeats(ctx context.Context, task uint64, seed []byte, deadline int64) (poaitypes.Committee, error)
	// GetCommittee returns the committee and its seats in order; ErrNotFound when the task has none.
	GetCommittee(ctx context.Context, task uint64) (poaitypes.Committee, []poaitypes.Seat, error)
	// SettleCommittee ends a committee: seats that sealed and did not reveal lose their whole lock, revealed roots that
	// differ from a non-nil ValidRoot too; all other locks and places are released. It returns who revealed ValidRoot.
	SettleCommittee(ctx context.Context, task uint64, out poaitypes.CommitteeOutcome) (agreed []string, err error)
	// PruneCommittee drops a settled committee and its seats.
	PruneCommittee(ctx context.Context, task uint64) error
	// LockBond, ReleaseLock and Slash work on one lock of the ledger.
	LockBond(ctx context.Context, l poaitypes.Lock) error
	ReleaseLock(ctx context.Context, participant string, kind poaitypes.LockKind, task uint64) error
	Slash(ctx context.Context, req poaitypes.SlashRequest) error
	// MayScore tells whether a task of a model that is given to a worker now may earn score: enough participants serve it, and the worker is no
	// large part of them.
	MayScore(ctx context.Context, model, worker string) (bool, error)
	// Credit adds score and moves reliability.
	Credit(ctx context.Context, req poaitypes.CreditRequest) error
	// CurrentEpoch is the number of the running epoch.
	CurrentEpoch(ctx context.Context) (uint64, error)
	// GetParticipant returns a participant; ErrNotFound from collections when unknown.
	GetParticipant(ctx context.Context, address string) (poaitypes.Participant, error)
}

// LineageKeeper takes royalties of models that have parents.
type LineageKeeper interface {
	// Royalty takes what a use of a model pays to those behind it from the account of module from, and returns the account that has it
	// now. Empty: the model has no parents, nothing was taken, and its owner is to be paid.
	Royalty(ctx context.Context, model, from string, amount sdk.Coin) (holder string, err error)
}

// BankKeeper moves coins. Escrow goes in through the virtual send, so that transactions do not serialise on one balance.
type BankKeeper interface {
	SendCoinsFromAccountToModuleVirtual(ctx context.Context, sender sdk.AccAddress, module string, amt sdk.Coins) error
	SendCoinsFromModuleToAccount(ctx context.Context, module string, recipient sdk.AccAddress, amt sdk.Coins) error
	SendCoinsFromModuleToModule(ctx context.Context, from, to string, amt sdk.Coins) error
	BurnCoins(ctx context.Context, module string, amt sdk.Coins) error
	GetBalance(ctx context.Context, addr sdk.AccAddress, denom string) sdk.Coin
	// BlockedAddr tells that coins cannot be sent to addr.
	BlockedAddr(addr sdk.AccAddress) bool
}

// CommunityPool takes coins for the community.
type CommunityPool interface {
	FundCommunityPool(ctx context.Context, amount sdk.Coins, sender sdk.AccAddress) error
}

// AccountKeeper gives module addresses and reads address strings.
type AccountKeeper interface {
	AddressCodec() address.Codec
	GetModuleAddress(name string) sdk.AccAddress
	// GetModuleAccount creates the account where it does not exist yet.
	GetModuleAccount(ctx context.Context, name string) sdk.ModuleAccountI
}
