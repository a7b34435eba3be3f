package receipt

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	cmttypes "github.com/cometbft/cometbft/types"
)

// ValidatorsFormat is the first field of every validators file.
const ValidatorsFormat = "poaid-validators/1"

// ed25519Type is the only type of key that validators of the chain may have.
const ed25519Type = "ed25519"

// ValidatorsFile is a set of validators that somebody trusts: read from a node of one's own, or from one whose word one takes.
type ValidatorsFile struct {
	Format  string `json:"format"`
	ChainID string `json:"chain_id"`
	Height  int64  `json:"height"`
	// Time of the block of that height.
	Time time.Time `json:"time"`
	// Hash of the set, as headers name it; to compare with others.
	Hash       Hex         `json:"hash"`
	Validators []Validator `json:"validators"`
}

// Validator is one of a set, in the set's order.
type Validator struct {
	Type   string `json:"type"`
	PubKey []byte `json:"pub_key"`
	Power  int64  `json:"power"`
}

// ParseValidators reads a validators file: ErrFormat, or ErrValidators where the hash is not that of the set.
func ParseValidators(data []byte) (*ValidatorsFile, error) {
	var f ValidatorsFile
	if err := decode(data, &f); err != nil {
		return nil, err
	}
	if f.Format != ValidatorsFormat {
		return nil, fmt.Errorf("%w: format: %q, want %q", ErrFormat, clip(f.Format), ValidatorsFormat)
	}
	set, err := setOf(f.Validators)
	if err != nil {
		return nil, err
	}
	if got := set.Hash(); string(got) != string(f.Hash) {
		return nil, fmt.Errorf("%w: hash: %X, the set's is %X", ErrValidators, []byte(f.Hash), got)
	}
	return &f, nil
}

// Encode writes the file as JSON.
func (f *ValidatorsFile) Encode() ([]byte, error) { return json.MarshalIndent(f, "", " ") }

// Trust is the trust in the file's validators: more than 2/3 of their power must have signed.
func (f *ValidatorsFile) Trust(period time.Duration) (Trust, error) {
	set, err := setOf(f.Validators)
	return Trust{ChainID: f.ChainID, Validators: set, Time: f.Time, Period: period}, err
}

// setOf builds a set; it refuses what CometBFT would panic on.
func setOf(list []Validator) (*cmttypes.ValidatorSet, error) {
	if len(list) == 0 || len(list) > MaxValidators {
		return nil, fmt.Errorf("%w: validators: %d, want 1..%d", ErrFormat, len(list), MaxValidators)
	}
	vals, seen := make([]*cmttypes.Validator, len(list)), make(map[string]bool, len(list))
	for i, v := range list {
		switch {
		case v.Type != ed25519Type:
			return nil, fmt.Errorf("%w: validators[%d].type: %q, want %q", ErrFormat, i, clip(v.Type), ed25519Type)
		case len(v.PubKey) != ed25519.PubKeySize:
			return nil, fmt.Errorf("%w: validators[%d].pub_key: %d bytes, want %d", ErrFormat, i, len(v.PubKey), ed25519.PubKeySize)
		case v.Power < 1 || v.Power > cmttypes.MaxTotalVotingPower:
			return nil, fmt.Errorf("%w: validators[%d].power: %d, want 1..%d", ErrFormat, i, v.Power, cmttypes.MaxTotalVotingPower)
		case seen[string(v.PubKey)]:
			return nil, fmt.Errorf("%w: validators[%d].pub_key: twice in the set", ErrFormat, i)
		}
		seen[string(v.PubKey)] = true
		vals[i] = cmttypes.NewValidator(ed25519.PubKey(v.PubKey), v.Power)
	}
	set, err := cmttypes.ValidatorSetFromExistingValidators(vals)
	if err != nil {
		return nil, fmt.Errorf("%w: validators: %w", ErrFormat, err)
	}
	return set, nil
}

// listOf is how files write validators.
func listOf(vals []*cmttypes.Validator) ([]Validator, error) {
	out := make([]Validator, len(vals))
	for i, v := range vals {
		key, ok := v.PubKey.(ed25519.PubKey)
		if !ok {
			return nil, fmt.Errorf("%w: validator %X: key is %s, want %s", ErrFormat, v.Address, v.PubKey.Type(), ed25519Type)
		}
		out[i] = Validator{Type: ed25519Type, PubKey: key, Power: v.VotingPower}
	}
	return out, nil
}
