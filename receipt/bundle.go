package receipt

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
	ics23 "github.com/cosmos/ics23/go"

	"poaid/commit"
	"poaid/engine/graphpb"
	taskstypes "poaid/x/tasks/types"
)

// Format is the first field of every bundle.
const Format = "poaid-receipt/1"

// Limits of what is read.
const (
	// MaxBundleBytes bounds the JSON of a bundle: outputs and a vocabulary are in it.
	MaxBundleBytes = 64 << 20
	// MaxOutputs bounds its outputs.
	MaxOutputs = 4096
	// MaxValidators bounds a set, as CometBFT does.
	MaxValidators = cmttypes.MaxVotesCount
)

// Bundle is a receipt with everything that proves it.
type Bundle struct {
	Format  string `json:"format"`
	ChainID string `json:"chain_id"`
	// Receipt is a types.Receipt of x/tasks under its key.
	Receipt Entry `json:"receipt"`
	// Model is the record of x/models; without it outputs are numbers.
	Model *Entry `json:"model,omitempty"`
	// Vocabulary of a model whose output is text.
	Vocabulary *Entry   `json:"vocabulary,omitempty"`
	Outputs    []Output `json:"outputs"`
	// SignedHeader is the header whose app hash covers the records, and its commit: tendermint.types.SignedHeader.
	SignedHeader []byte `json:"signed_header"`
	// Validators of that header.
	Validators []Validator `json:"validators"`
}

// Entry is a record of a store and its proof.
type Entry struct {
	Key   Hex    `json:"key"`
	Value []byte `json:"value"`
	// Proof leads from key and value to the root of the store, StoreProof from there to the app hash: ics23.CommitmentProof.
	Proof      []byte `json:"proof"`
	StoreProof []byte `json:"store_proof"`
}

// Output is a tensor that came out: its bytes, or only its root where they were too large for the chain.
type Output struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	// Shape, row-major.
	Shape []int64 `json:"shape"`
	// Data is little-endian.
	Data []byte `json:"data,omitempty"`
	Root Hex    `json:"root,omitempty"`
}

// Hex is bytes that JSON shows in hex.
type Hex []byte

// MarshalText implements encoding.TextMarshaler.
func (h Hex) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hex) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// Parse reads a bundle. It checks the form alone; ErrFormat.
func Parse(data []byte) (*Bundle, error) {
	var b Bundle
	if err := decode(data, &b); err != nil {
		return nil, err
	}
	switch {
	case b.Format != Format:
		return nil, fmt.Errorf("%w: format: %q, want %q", ErrFormat, clip(b.Format), Format)
	case len(b.Outputs) > MaxOutputs:
		return nil, fmt.Errorf("%w: outputs: %d, at most %d", ErrFormat, len(b.Outputs), MaxOutputs)
	case len(b.Validators) > MaxValidators:
		return nil, fmt.Errorf("%w: validators: %d, at most %d", ErrFormat, len(b.Validators), MaxValidators)
	}
	return &b, nil
}

// Encode writes a bundle as JSON.
func (b *Bundle) Encode() ([]byte, error) { return json.MarshalIndent(b, "", " ") }

// decode reads one JSON value without fields that are not known, and nothing after it.
func decode(data []byte, v any) error {
	if len(data) > MaxBundleBytes {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrFormat, len(data), MaxBundleBytes)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: something follows it", ErrFormat)
	}
	return nil
}

// header decodes the signed header; what would not be encoded again as it is given is refused, so that a bundle says a thing in one way.
func (b *Bundle) header() (*cmttypes.SignedHeader, error) {
	var p cmtproto.SignedHeader
	if err := p.Unmarshal(b.SignedHeader); err != nil {
		return nil, fmt.Errorf("%w: signed_header: %w", ErrFormat, err)
	}
	if again, err := p.Marshal(); err != nil || !bytes.Equal(again, b.SignedHeader) {
		return nil, fmt.Errorf("%w: signed_header: not in its canonical form", ErrFormat)
	}
	if p.Header == nil || p.Commit == nil {
		return nil, fmt.Errorf("%w: signed_header: header or commit missing", ErrFormat)
	}
	h, err := cmttypes.SignedHeaderFromProto(&p)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHeader, err)
	}
	return h, nil
}

// existence decodes a proof that something is there.
func existence(field string, data []byte) (*ics23.ExistenceProof, error) {
	var p ics23.CommitmentProof
	if err := p.Unmarshal(data); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFormat, field, err)
	}
	if again, err := p.Marshal(); err != nil || !bytes.Equal(again, data) {
		return nil, fmt.Errorf("%w: %s: not in its canonical form", ErrFormat, field)
	}
	exist := p.GetExist()
	if exist == nil {
		return nil, fmt.Errorf("%w: %s: proves no existence", ErrFormat, field)
	}
	return exist, nil
}

// tensor is an output as the chain knows it, with its root.
func (o Output) tensor() (taskstypes.NamedTensor, commit.Hash, error) {
	t := taskstypes.NamedTensor{Name: o.Name, Shape: o.Shape, Data: o.Data}
	dtype, ok := dtypes()[o.DType]
	if !ok {
		return t, commit.Hash{}, fmt.Errorf("%w: output %q: dtype: %q is unknown", ErrFormat, clip(o.Name), clip(o.DType))
	}
	t.Dtype = dtype
	if len(o.Data) == 0 {
		root, err := commit.HashFromBytes(o.Root)
		if err != nil {
			return t, root, fmt.Errorf("%w: output %q: neither data nor root: %w", ErrFormat, clip(o.Name), err)
		}
		return t, root, nil
	}
	if len(o.Root) > 0 {
		return t, commit.Hash{}, fmt.Errorf("%w: output %q: data and root: both given", ErrFormat, clip(o.Name))
	}
	root, err := commit.TensorRoot(uint8(dtype), o.Shape, o.Data)
	if err != nil {
		return t, root, fmt.Errorf("%w: output %q: %w", ErrOutputs, clip(o.Name), err)
	}
	return t, root, nil
}

// outputOf is how a bundle writes an output of a result.
func outputOf(t taskstypes.NamedTensor) (Output, error) {
	o := Output{Name: t.Name, Shape: t.Shape, Data: t.Data}
	if len(t.Data) == 0 {
		o.Root = t.Root
	}
	for name, dtype := range dtypes() {
		if dtype == t.Dtype {
			o.DType = name
			return o, nil
		}
	}
	return o, fmt.Errorf("%w: output %q: dtype %d is unknown", ErrFormat, t.Name, t.Dtype)
}

func dtypes() map[string]graphpb.DType {
	return map[string]graphpb.DType{
		"f32": graphpb.DTYPE_F32, "i32": graphpb.DTYPE_I32, "i64": graphpb.DTYPE_I64, "i8": graphpb.DTYPE_I8, "u8": graphpb.DTYPE_U8,
	}
}

// clip keeps what a stranger wrote short in an error.
func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}
