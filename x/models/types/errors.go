package types

import errorsmod "cosmossdk.io/errors"

// Errors of x/models. Codes are never reused.
var (
	// ErrInvalidParams: a param is out of its range.
	ErrInvalidParams = errorsmod.Register(ModuleName, 2, "invalid params")
	// ErrModelNotFound: no model has the id.
	ErrModelNotFound = errorsmod.Register(ModuleName, 3, "model not found")
	// ErrModelExists: the id is taken, for ever.
	ErrModelExists = errorsmod.Register(ModuleName, 4, "model id taken")
	// ErrInvalidModel: a field of a registration is malformed or beyond its limit.
	ErrInvalidModel = errorsmod.Register(ModuleName, 5, "invalid model")
	// ErrInvalidProgram: the engine refuses the program.
	ErrInvalidProgram = errorsmod.Register(ModuleName, 6, "invalid program")
	// ErrUnitsOverflow: the longest run costs more units than 64 bits hold, or than the clocks of disputes count.
	ErrUnitsOverflow = errorsmod.Register(ModuleName, 7, "units overflow")
	// ErrTooCostly: working out the units takes more evaluations than max_evaluations.
	ErrTooCostly = errorsmod.Register(ModuleName, 8, "units too costly to compute")
	// ErrInvalidRun: steps or prompt rows are outside what the program allows.
	ErrInvalidRun = errorsmod.Register(ModuleName, 9, "invalid run")
	// ErrNotOwner: the sender does not own the model.
	ErrNotOwner = errorsmod.Register(ModuleName, 10, "not the owner")
	// ErrRetired: the model is retired.
	ErrRetired = errorsmod.Register(ModuleName, 11, "model retired")
	// ErrInvalidRoyalty: the royalty exceeds max_royalty_bps.
	ErrInvalidRoyalty = errorsmod.Register(ModuleName, 12, "invalid royalty")
	// ErrInvalidAddress: an address is not well-formed.
	ErrInvalidAddress = errorsmod.Register(ModuleName, 13, "invalid address")
	// ErrInvalidGenesis: the genesis state contradicts itself.
	ErrInvalidGenesis = errorsmod.Register(ModuleName, 14, "invalid genesis")
	// ErrState: the stored records of a model contradict each other; no message may cause it.
	ErrState = errorsmod.Register(ModuleName, 15, "state broken")
	// ErrNoLineage: parents are given and nobody keeps lineage.
	ErrNoLineage = errorsmod.Register(ModuleName, 40, "nobody keeps lineage")
	// ErrInvalidWeightsCID: a content id cannot be set.
	ErrInvalidWeightsCID = errorsmod.Register(ModuleName, 41, "invalid weights_cid")
)
