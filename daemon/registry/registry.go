// Package registry turns a model package into a registration: its artifacts go into a store, their content ids and what the
// chain keeps into a MsgRegisterModel.
package registry

import (
	"context"
	"crypto/sha256"
	"fmt"

	"poaid/daemon/artifacts"
	"poaid/model"
	modelstypes "poaid/x/models/types"
)

// Options of a registration.
type Options struct {
	// ID is the model's name on chain.
	ID string
	// Owner is the bech32 address that registers it.
	Owner string
	// RoyaltyBps is the owner's share of each fee, in 1/10,000.
	RoyaltyBps uint32
	// Parents are what the model descends from; they share its royalties.
	Parents []modelstypes.Parent
	// MaxVocabularyBytes is the chain's limit; a larger vocabulary is left out, and token outputs are then shown as numbers.
	// 0 means x/models' default.
	MaxVocabularyBytes int
}

// Message stores the package's weights, tokenizer and model card and returns the message that registers it.
func Message(ctx context.Context, store *artifacts.Store, p *model.Package, o Options) (*modelstypes.MsgRegisterModel, error) {
	files, err := p.Files()
	if err != nil {
		return nil, err
	}
	msg := &modelstypes.MsgRegisterModel{
		Owner: o.Owner, Id: o.ID, Description: p.Meta.Description, Class: modelstypes.CLASS_EXACT, Program: p.Program.Proto(),
		WeightsRoot: p.Meta.WeightsRoot[:], RoyaltyBps: o.RoyaltyBps, Labels: p.Meta.Labels, Parents: o.Parents,
	}
	card := sha256.Sum256(files[model.FileMeta])
	msg.MetadataHash = card[:]
	if _, err := store.PutBytes(ctx, files[model.FileMeta]); err != nil {
		return nil, fmt.Errorf("store %s: %w", model.FileMeta, err)
	}
	if msg.WeightsCid, err = store.PutBytes(ctx, files[model.FileWeights]); err != nil {
		return nil, fmt.Errorf("store %s: %w", model.FileWeights, err)
	}
	if p.Tokenizer != nil {
		if msg.TokenizerCid, err = store.PutBytes(ctx, files[p.Tokenizer.File()]); err != nil {
			return nil, fmt.Errorf("store %s: %w", p.Tokenizer.File(), err)
		}
		msg.Vocabulary = vocabulary(p.Tokenizer, o.MaxVocabularyBytes)
	}
	for _, out := range p.Meta.Outputs {
		r, ok := renderings[out.Render]
		if !ok {
			return nil, fmt.Errorf("output %s: rendering %q is unknown", out.Name, out.Render)
		}
		msg.Outputs = append(msg.Outputs, modelstypes.OutputInfo{Name: out.Name, Rendering: r, CountOutput: out.CountOutput})
	}
	return msg, nil
}

var renderings = map[string]modelstypes.Rendering{
	model.RenderNumbers: modelstypes.RENDERING_UNSPECIFIED,
	model.RenderLabel:   modelstypes.RENDERING_LABEL,
	model.RenderTokens:  modelstypes.RENDERING_TOKENS,
}

// vocabulary is nil when it is larger than limit bytes.
func vocabulary(t *model.Tokenizer, limit int) *modelstypes.Vocabulary {
	if limit == 0 {
		limit = modelstypes.DefaultMaxVocabularyBytes
	}
	v := &modelstypes.Vocabulary{Pieces: t.Pieces()}
	if v.Size() > limit {
		return nil
	}
	return v
}
