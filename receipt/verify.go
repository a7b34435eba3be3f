package receipt

import (
	"bytes"
	"fmt"
	"time"

	cmtmath "github.com/cometbft/cometbft/libs/math"
	cmttypes "github.com/cometbft/cometbft/types"
	ics23 "github.com/cosmos/ics23/go"

	"poaid/commit"
	modelstypes "poaid/x/models/types"
	"poaid/x/tasks/render"
	taskstypes "poaid/x/tasks/types"
)

// Trust is what one believes before looking at a bundle. Either Validators or HeaderHash must be given; where both are, both must hold.
type Trust struct {
	// ChainID of the chain that is meant.
	ChainID string
	// Validators: more than Level of their power must have signed the header.
	Validators *cmttypes.ValidatorSet
	// Level is 2/3 if left out, at least 1/3. The header's own validators may be others than those trusted, since power follows work; with 2/3 no third of
	// them can have lied, with 1/3 one honest validator was among the signers, which is what light clients ask for.
	Level cmtmath.Fraction
	// Time when Validators were read, and how far the header's time may be from it; no Period: any. Validators of another time may have nothing
	// to lose any more.
	Time   time.Time
	Period time.Duration
	// HeaderHash of a header that one knows.
	HeaderHash []byte
}

// Statement is what a bundle proves.
type Statement struct {
	Receipt taskstypes.Receipt
	// Model is nil where the bundle has none.
	Model *modelstypes.Model
	// Height, Time and HeaderHash of the header that covers it.
	Height     int64
	Time       time.Time
	HeaderHash []byte
	// SignedPower of TrustedPower signed; both 0 where only a hash is trusted.
	SignedPower, TrustedPower int64
	// Outputs as people read them; those without bytes have no values.
	Outputs []taskstypes.RenderedOutput
	// Match is the output that the content is; nil where no content was given.
	Match *Match
}

// How content can be an output.
const (
	// AsBytes: the raw little-endian bytes of the tensor.
	AsBytes = "bytes"
	// AsText: the label or text that the model's record says it stands for.
	AsText = "text"
)

// Match says which output the content is.
type Match struct {
	Output string
	How    string
}

// Verify checks that a bundle proves a receipt to whoever trusts trust and, unless content is nil, that the content is one of its outputs: the raw bytes
// of a tensor, or the text it stands for, with or without a line feed at its end.
func Verify(b *Bundle, trust Trust, content []byte) (*Statement, error) {
	header, err := checkHeader(b, trust)
	if err != nil {
		return nil, err
	}
	s := &Statement{Height: header.Height, Time: header.Time, HeaderHash: header.Hash()}
	s.SignedPower, s.TrustedPower = power(header.Commit, trust.Validators)
	if err := s.readReceipt(b, header.AppHash); err != nil {
		return nil, err
	}
	pieces, err := s.readModel(b, header.AppHash)
	if err != nil {
		return nil, err
	}
	tensors, err := s.readOutputs(b)
	if err != nil {
		return nil, err
	}
	var model modelstypes.Model
	if s.Model != nil {
		model = *s.Model
	}
	s.Outputs = render.Outputs(model, pieces, tensors)
	if content == nil {
		return s, nil
	}
	s.Match, err = s.match(tensors, content)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// checkHeader checks the header, who signed it, and whether they are trusted.
func checkHeader(b *Bundle, trust Trust) (*cmttypes.SignedHeader, error) {
	level, err := trust.level()
	if err != nil {
		return nil, err
	}
	if b.ChainID != trust.ChainID {
		return nil, fmt.Errorf("%w: chain_id: %q, trusted is %q", ErrChain, clip(b.ChainID), trust.ChainID)
	}
	header, err := b.header()
	if err != nil {
		return nil, err
	}
	if header.ChainID != trust.ChainID {
		return nil, fmt.Errorf("%w: header: %q, trusted is %q", ErrChain, clip(header.ChainID), trust.ChainID)
	}
	if err := header.ValidateBasic(trust.ChainID); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHeader, err)
	}
	if err := checkOwn(b, header); err != nil {
		return nil, err
	}
	if len(trust.HeaderHash) > 0 && !bytes.Equal(header.Hash(), trust.HeaderHash) {
		return nil, fmt.Errorf("%w: header of height %d is %X, trusted is %X", ErrHash, header.Height, header.Hash(), trust.HeaderHash)
	}
	if trust.Validators == nil {
		return header, nil
	}
	if err := cmttypes.VerifyCommitLightTrustingAllSignatures(trust.ChainID, trust.Validators, header.Commit, level); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	if apart := header.Time.Sub(trust.Time).Abs(); trust.Period > 0 && apart > trust.Period {
		return nil, fmt.Errorf("%w: header is of %s, validators are of %s: more than %s apart",
			ErrPeriod, header.Time.Format(time.RFC3339), trust.Time.Format(time.RFC3339), trust.Period)
	}
	return header, nil
}

// level is the part of trusted power that must have signed.
func (t Trust) level() (cmtmath.Fraction, error) {
	level := t.Level
	if level == (cmtmath.Fraction{}) {
		level = cmtmath.Fraction{Numerator: 2, Denominator: 3}
	}
	switch {
	case t.Validators == nil && len(t.HeaderHash) == 0:
		return level, fmt.Errorf("%w: neither validators nor the hash of a header", ErrTrust)
	case level.Denominator == 0 || level.Numerator > level.Denominator || level.Denominator > 1<<20 || 3*level.Numerator < level.Denominator:
		return level, fmt.Errorf("%w: level: %d/%d, want 1/3..1", ErrTrust, level.Numerator, level.Denominator)
	}
	return level, nil
}

// checkOwn checks that the bundle's validators are the header's and that more than 2/3 of them signed it; every signature must be good.
func checkOwn(b *Bundle, header *cmttypes.SignedHeader) error {
	own, err := setOf(b.Validators)
	if err != nil {
		return err
	}
	if hash := own.Hash(); !bytes.Equal(hash, header.ValidatorsHash) {
		return fmt.Errorf("%w: their hash is %X, the header names %X", ErrValidators, hash, header.ValidatorsHash)
	}
	if len(header.Commit.Signatures) != own.Size() {
		return fmt.Errorf("%w: %d signatures of %d validators", ErrSignatures, len(header.Commit.Signatures), own.Size())
	}
	for i, sig := range header.Commit.Signatures {
		if sig.BlockIDFlag != cmttypes.BlockIDFlagAbsent && !bytes.Equal(sig.ValidatorAddress, own.Validators[i].Address) {
			return fmt.Errorf("%w: signature %d is of %X, want %X", ErrSignatures, i, sig.ValidatorAddress, own.Validators[i].Address)
		}
	}
	if err := own.VerifyCommit(header.ChainID, header.Commit.BlockID, header.Height, header.Commit); err != nil {
		return fmt.Errorf("%w: %w", ErrSignatures, err)
	}
	return nil
}

// power is how much of the trusted power signed the block, and how much there is.
func power(c *cmttypes.Commit, set *cmttypes.ValidatorSet) (signed, total int64) {
	if set == nil {
		return 0, 0
	}
	for _, sig := range c.Signatures {
		if sig.BlockIDFlag != cmttypes.BlockIDFlagCommit {
			continue
		}
		if _, v := set.GetByAddress(sig.ValidatorAddress); v != nil {
			signed += v.VotingPower
		}
	}
	return signed, set.TotalVotingPower()
}

// prove checks that an entry is in a store under an app hash.
func (e Entry) prove(field, store string, key, appHash []byte) error {
	if !bytes.Equal(e.Key, key) {
		return fmt.Errorf("%w: %s.key: %X, want %X", ErrProof, field, []byte(e.Key), key)
	}
	inStore, err := existence(field+".proof", e.Proof)
	if err != nil {
		return err
	}
	inApp, err := existence(field+".store_proof", e.StoreProof)
	if err != nil {
		return err
	}
	root, err := inStore.Calculate()
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrProof, field, err)
	}
	if err := inStore.Verify(ics23.IavlSpec, root, key, e.Value); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrProof, field, err)
	}
	if err := inApp.Verify(ics23.TendermintSpec, appHash, []byte(store), root); err != nil {
		return fmt.Errorf("%w: %s: store %q: %w", ErrStoreProof, field, store, err)
	}
	return nil
}

// readReceipt proves the receipt.
func (s *Statement) readReceipt(b *Bundle, appHash []byte) error {
	if err := s.Receipt.Unmarshal(b.Receipt.Value); err != nil {
		return fmt.Errorf("%w: %w", ErrReceipt, err)
	}
	if err := b.Receipt.prove("receipt", taskstypes.StoreKey, taskstypes.ReceiptKey(s.Receipt.TaskId), appHash); err != nil {
		return err
	}
	if err := s.Receipt.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrReceipt, err)
	}
	// The app hash of a header is that of the block before.
	if s.Receipt.Height >= s.Height {
		return fmt.Errorf("%w: of height %d, the header of height %d cannot cover it", ErrReceipt, s.Receipt.Height, s.Height)
	}
	return nil
}

// readModel proves the model's record and vocabulary, where they are given, and returns the vocabulary.
func (s *Statement) readModel(b *Bundle, appHash []byte) (pieces [][]byte, err error) {
	if b.Model == nil {
		if b.Vocabulary != nil {
			return nil, fmt.Errorf("%w: a vocabulary without the model's record", ErrModel)
		}
		return nil, nil
	}
	if err := b.Model.prove("model", modelstypes.StoreKey, modelstypes.ModelKey(s.Receipt.Model), appHash); err != nil {
		return nil, err
	}
	var m modelstypes.Model
	if err := m.Unmarshal(b.Model.Value); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	if m.Id != s.Receipt.Model || !bytes.Equal(m.ProgramHash, s.Receipt.ProgramHash) || !bytes.Equal(m.WeightsRoot, s.Receipt.WeightsRoot) {
		return nil, fmt.Errorf("%w: record of %q, program %X, weights %X", ErrModel, clip(m.Id), m.ProgramHash, m.WeightsRoot)
	}
	s.Model = &m
	if b.Vocabulary == nil {
		return nil, nil
	}
	if err := b.Vocabulary.prove("vocabulary", modelstypes.StoreKey, modelstypes.VocabularyKey(m.Id), appHash); err != nil {
		return nil, err
	}
	var v modelstypes.Vocabulary
	if err := v.Unmarshal(b.Vocabulary.Value); err != nil {
		return nil, fmt.Errorf("%w: vocabulary: %w", ErrModel, err)
	}
	return v.Pieces, nil
}

// readOutputs recomputes the output root.
func (s *Statement) readOutputs(b *Bundle) ([]taskstypes.NamedTensor, error) {
	tensors, entries := make([]taskstypes.NamedTensor, len(b.Outputs)), make([]commit.Named, len(b.Outputs))
	for i, o := range b.Outputs {
		t, root, err := o.tensor()
		if err != nil {
			return nil, err
		}
		t.Root = root[:]
		tensors[i], entries[i] = t, commit.Named{Name: o.Name, Root: root}
	}
	if root := commit.NamedRoot(entries); !bytes.Equal(root[:], s.Receipt.OutputRoot) {
		return nil, fmt.Errorf("%w: their root is %s, the receipt's %X", ErrOutputs, root, s.Receipt.OutputRoot)
	}
	return tensors, nil
}

// match finds the output that the content is.
func (s *Statement) match(tensors []taskstypes.NamedTensor, content []byte) (*Match, error) {
	for i, t := range tensors {
		if isTensor(t, content) {
			return &Match{Output: t.Name, How: AsBytes}, nil
		}
		if text := s.Outputs[i].Text; text != "" && (string(content) == text || string(content) == text+"\n") {
			return &Match{Output: t.Name, How: AsText}, nil
		}
	}
	return nil, fmt.Errorf("%w: %d bytes, %d outputs", ErrContent, len(content), len(tensors))
}

// isTensor compares bytes, or roots where the chain has no more.
func isTensor(t taskstypes.NamedTensor, content []byte) bool {
	if len(t.Data) > 0 {
		return bytes.Equal(t.Data, content)
	}
	root, err := commit.TensorRoot(uint8(t.Dtype), t.Shape, content)
	return err == nil && len(content) > 0 && bytes.Equal(root[:], t.Root)
}
