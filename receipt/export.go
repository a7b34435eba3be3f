package receipt

import (
	"context"
	"fmt"

	cmtcrypto "github.com/cometbft/cometbft/proto/tendermint/crypto"
	cmttypes "github.com/cometbft/cometbft/types"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"

	modelstypes "poaid/x/models/types"
	"poaid/x/tasks/render"
	taskstypes "poaid/x/tasks/types"
)

// Source is a node of the chain.
type Source interface {
	// Height of the newest block.
	Height(ctx context.Context) (int64, error)
	// Prove reads a key of a store as of a height, with its proof: empty where there is none.
	Prove(ctx context.Context, store string, key []byte, height int64) (value []byte, proof *cmtcrypto.ProofOps, err error)
	// SignedHeader of a height.
	SignedHeader(ctx context.Context, height int64) (*cmttypes.SignedHeader, error)
	// Validators of a height, in the order of their set.
	Validators(ctx context.Context, height int64) ([]*cmttypes.Validator, error)
}

// Export collects the bundle of a task's receipt. It is proven by the newest header, which covers the state of the block before: ErrNotFound for a
// receipt that is younger, or of a task that is not FINAL.
func Export(ctx context.Context, from Source, task uint64) (*Bundle, error) {
	latest, err := from.Height(ctx)
	if err != nil {
		return nil, fmt.Errorf("newest block: %w", err)
	}
	header, err := from.SignedHeader(ctx, latest)
	if err != nil {
		return nil, fmt.Errorf("header of height %d: %w", latest, err)
	}
	b := &Bundle{Format: Format, ChainID: header.ChainID}
	if b.SignedHeader, err = header.ToProto().Marshal(); err != nil {
		return nil, err
	}
	vals, err := from.Validators(ctx, latest)
	if err != nil {
		return nil, fmt.Errorf("validators of height %d: %w", latest, err)
	}
	if b.Validators, err = listOf(vals); err != nil {
		return nil, err
	}
	r := reader{Source: from, height: latest - 1}
	e, err := r.entry(ctx, taskstypes.StoreKey, taskstypes.ReceiptKey(task))
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, fmt.Errorf("%w: task %d at height %d: it is not final, or only just; see poaid query tasks task %d", ErrNotFound, task, r.height, task)
	}
	b.Receipt = *e
	if err := r.addOutputs(ctx, b, task); err != nil {
		return nil, err
	}
	return b, r.addModel(ctx, b)
}

// reader reads records as of one height.
type reader struct {
	Source
	height int64
}

// entry reads a record with its proofs; nil where there is none.
func (r reader) entry(ctx context.Context, store string, key []byte) (*Entry, error) {
	value, proof, err := r.Prove(ctx, store, key, r.height)
	if err != nil {
		return nil, fmt.Errorf("store %s, key %X at height %d: %w", store, key, r.height, err)
	}
	if len(value) == 0 {
		return nil, nil
	}
	if proof == nil || len(proof.Ops) != 2 || proof.Ops[0].Type != storetypes.ProofOpIAVLCommitment || proof.Ops[1].Type != storetypes.ProofOpSimpleMerkleCommitment {
		return nil, fmt.Errorf("%w: store %s, key %X: the node gave no proof", ErrProof, store, key)
	}
	return &Entry{Key: key, Value: value, Proof: proof.Ops[0].Data, StoreProof: proof.Ops[1].Data}, nil
}

// addOutputs adds what the worker revealed.
func (r reader) addOutputs(ctx context.Context, b *Bundle, task uint64) error {
	e, err := r.entry(ctx, taskstypes.StoreKey, taskstypes.ResultKey(task))
	if err != nil {
		return err
	}
	if e == nil {
		return fmt.Errorf("%w: task %d has no result", ErrNotFound, task)
	}
	var result taskstypes.Result
	if err := result.Unmarshal(e.Value); err != nil {
		return fmt.Errorf("result of task %d: %w", task, err)
	}
	for _, t := range result.Outputs {
		o, err := outputOf(t)
		if err != nil {
			return err
		}
		b.Outputs = append(b.Outputs, o)
	}
	return nil
}

// addModel adds what renders the outputs; a model that is gone leaves numbers.
func (r reader) addModel(ctx context.Context, b *Bundle) error {
	var receipt taskstypes.Receipt
	if err := receipt.Unmarshal(b.Receipt.Value); err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	var err error
	if b.Model, err = r.entry(ctx, modelstypes.StoreKey, modelstypes.ModelKey(receipt.Model)); err != nil || b.Model == nil {
		return err
	}
	var m modelstypes.Model
	if err := m.Unmarshal(b.Model.Value); err != nil {
		return fmt.Errorf("model %s: %w", receipt.Model, err)
	}
	if render.NeedsVocabulary(m) {
		b.Vocabulary, err = r.entry(ctx, modelstypes.StoreKey, modelstypes.VocabularyKey(receipt.Model))
	}
	return err
}

// ReadValidators reads the validators of a height, 0 for the newest, from a node that is trusted.
func ReadValidators(ctx context.Context, from Source, height int64) (*ValidatorsFile, error) {
	var err error
	if height == 0 {
		if height, err = from.Height(ctx); err != nil {
			return nil, fmt.Errorf("newest block: %w", err)
		}
	}
	header, err := from.SignedHeader(ctx, height)
	if err != nil {
		return nil, fmt.Errorf("header of height %d: %w", height, err)
	}
	vals, err := from.Validators(ctx, height)
	if err != nil {
		return nil, fmt.Errorf("validators of height %d: %w", height, err)
	}
	f := &ValidatorsFile{Format: ValidatorsFormat, ChainID: header.ChainID, Height: height, Time: header.Time, Hash: Hex(header.ValidatorsHash)}
	if f.Validators, err = listOf(vals); err != nil {
		return nil, err
	}
	set, err := setOf(f.Validators)
	if err != nil {
		return nil, err
	}
	if hash := set.Hash(); string(hash) != string(header.ValidatorsHash) {
		return nil, fmt.Errorf("%w: at height %d their hash is %X, the header names %X", ErrValidators, height, hash, header.ValidatorsHash)
	}
	return f, nil
}
