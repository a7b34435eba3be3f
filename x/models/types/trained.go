package types

import errorsmod "cosmossdk.io/errors"

// TrainedModel asks for a model whose weights were trained on the chain.
type TrainedModel struct {
	// Base is the model whose program the weights are for; it may be a trained one itself.
	Base string
	// ID, Owner and what follows are as in MsgRegisterModel. Outputs, labels and vocabulary are those of Base.
	ID, Owner, Description string
	WeightsRoot            []byte
	// WeightsCID is where the weights are; empty where that is not known yet: the owner sets it by MsgSetWeightsCID.
	WeightsCID   string
	MetadataHash []byte
	RoyaltyBps   uint32
	Parents      []Parent
}

// Trained tells that a model shares another's program and has weights of its own, as opposed to one whose weights follow from a seed.
func (m Model) Trained() bool { return m.ProgramOf != "" && len(m.Seed) == 0 }

// Seeded tells that the chain made a model from a seed on the program of another.
func (m Model) Seeded() bool { return m.ProgramOf != "" && len(m.Seed) > 0 }

// Validate checks what can be checked without the state; errors name the field and the limit.
func (t TrainedModel) Validate(p Params) error {
	if err := ValidateID(t.ID); err != nil {
		return err
	}
	if IsSeededID(t.ID) {
		return errorsmod.Wrapf(ErrInvalidModel, "id: the prefix %q is kept for models that the chain makes", SeededPrefix)
	}
	if err := checkText("description", t.Description, 0, MaxDescriptionBytes); err != nil {
		return err
	}
	if t.RoyaltyBps > p.MaxRoyaltyBps {
		return errorsmod.Wrapf(ErrInvalidRoyalty, "royalty_bps: %d, limit %d", t.RoyaltyBps, p.MaxRoyaltyBps)
	}
	if len(t.WeightsRoot) != HashBytes {
		return errorsmod.Wrapf(ErrInvalidModel, "weights_root: %d bytes, want %d", len(t.WeightsRoot), HashBytes)
	}
	if n := len(t.MetadataHash); n != 0 && n != HashBytes {
		return errorsmod.Wrapf(ErrInvalidModel, "metadata_hash: %d bytes, want none or %d", n, HashBytes)
	}
	return checkCID("weights_cid", t.WeightsCID)
}
