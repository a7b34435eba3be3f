package receipt_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"cosmossdk.io/log/v2"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/crypto/tmhash"
	cmtcrypto "github.com/cometbft/cometbft/proto/tendermint/crypto"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmtversion "github.com/cometbft/cometbft/proto/tendermint/version"
	cmttypes "github.com/cometbft/cometbft/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/cosmos-sdk/store/v2/rootmulti"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/engine/graphpb"
	"poaid/receipt"
	modelstypes "poaid/x/models/types"
	taskstypes "poaid/x/tasks/types"
)

const (
	chainID = "poai-toy-1"
	storyID = 7 << 24
	digitID = 8 << 24
	largeID = 9 << 24
)

// signers are validators with their keys; a header's own ones sign it.
type signers []signer

type signer struct {
	key   ed25519.PrivKey
	power int64
}

func newSigners(powers ...int64) signers {
	out := make(signers, len(powers))
	for i, p := range powers {
		out[i] = signer{ed25519.GenPrivKeyFromSecret([]byte(fmt.Sprintf("validator %d", i))), p}
	}
	return out
}

func (s signers) set() *cmttypes.ValidatorSet {
	vals := make([]*cmttypes.Validator, len(s))
	for i, v := range s {
		vals[i] = cmttypes.NewValidator(v.key.PubKey(), v.power)
	}
	return cmttypes.NewValidatorSet(vals)
}

// sign makes a header with an app hash and has it signed by all but the absent.
func (s signers) sign(chain string, height int64, appHash []byte, absent ...int) *cmttypes.SignedHeader {
	set := s.set()
	hash := func(name string) []byte { return tmhash.Sum([]byte(name)) }
	at := time.Unix(1_700_000_000+height, 0).UTC()
	h := &cmttypes.Header{
		Version: cmtversion.Consensus{Block: 11}, ChainID: chain, Height: height, Time: at,
		LastBlockID:    cmttypes.BlockID{Hash: hash("last"), PartSetHeader: cmttypes.PartSetHeader{Total: 1, Hash: hash("parts")}},
		LastCommitHash: hash("commit"), DataHash: hash("data"), ValidatorsHash: set.Hash(), NextValidatorsHash: set.Hash(), ConsensusHash: hash("params"),
		AppHash: appHash, LastResultsHash: hash("results"), EvidenceHash: hash("evidence"), ProposerAddress: set.Validators[0].Address,
	}
	c := &cmttypes.Commit{
		Height: height, BlockID: cmttypes.BlockID{Hash: h.Hash(), PartSetHeader: cmttypes.PartSetHeader{Total: 1, Hash: hash("block")}},
		Signatures: make([]cmttypes.CommitSig, set.Size()),
	}
	for i := range c.Signatures {
		c.Signatures[i] = cmttypes.NewCommitSigAbsent()
	}
	for i, v := range s {
		if contains(absent, i) {
			continue
		}
		at, val := set.GetByAddress(v.key.PubKey().Address())
		vote := cmttypes.Vote{
			Type: cmtproto.PrecommitType, Height: height, BlockID: c.BlockID, Timestamp: h.Time.Add(time.Second), ValidatorAddress: val.Address, ValidatorIndex: at,
		}
		sig, err := v.key.Sign(cmttypes.VoteSignBytes(chain, vote.ToProto()))
		if err != nil {
			panic(err)
		}
		c.Signatures[at] = cmttypes.CommitSig{
			BlockIDFlag: cmttypes.BlockIDFlagCommit, ValidatorAddress: val.Address, Timestamp: vote.Timestamp, Signature: sig,
		}
	}
	return &cmttypes.SignedHeader{Header: h, Commit: c}
}

func contains(list []int, v int) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}

// toy is a chain that has the stores and nothing else, signed by real keys.
type toy struct {
	tb     testing.TB
	stores *rootmulti.Store
	keys   map[string]*storetypes.KVStoreKey
	vals   signers
	absent []int
	chain  string
}

// newToy holds three FINAL tasks: a text, a label, and a tensor too large for the chain.
func newToy(tb testing.TB, vals signers) *toy {
	tb.Helper()
	c := &toy{
		tb: tb, stores: rootmulti.NewStore(dbm.NewMemDB(), log.NewNopLogger()), keys: map[string]*storetypes.KVStoreKey{}, vals: vals, chain: chainID,
	}
	for _, name := range []string{"bank", modelstypes.StoreKey, taskstypes.StoreKey} {
		c.keys[name] = storetypes.NewKVStoreKey(name)
		c.stores.MountStoreWithDB(c.keys[name], storetypes.StoreTypeIAVL, nil)
	}
	require.NoError(tb, c.stores.LoadLatestVersion())
	story := modelstypes.Model{Id: "story", Outputs: []modelstypes.OutputInfo{{Name: "tokens", Rendering: modelstypes.RENDERING_TOKENS, CountOutput: "count"}}}
	c.addModel(story, "<unk>", "<s>", "</s>", "Once", " upon", " a", " time")
	digits := modelstypes.Model{Id: "digits", Labels: []string{"zero", "one"}, Outputs: []modelstypes.OutputInfo{{Name: "label", Rendering: modelstypes.RENDERING_LABEL}}}
	c.addModel(digits)
	c.addModel(modelstypes.Model{Id: "large"})
	for i := range 40 { // neighbours, so that proofs have some length
		c.put("bank", []byte(fmt.Sprint("balance", i)), []byte{1})
		c.put(taskstypes.StoreKey, taskstypes.ReceiptKey(uint64(i)<<20+1), []byte{1})
	}
	c.addTask(storyID, "story",
		taskstypes.NamedTensor{Name: "tokens", Dtype: graphpb.DTYPE_I32, Shape: []int64{5}, Data: i32(3, 4, 5, 6, 0)},
		taskstypes.NamedTensor{Name: "count", Dtype: graphpb.DTYPE_I64, Shape: []int64{1}, Data: binary.LittleEndian.AppendUint64(nil, 4)})
	c.addTask(digitID, "digits", taskstypes.NamedTensor{Name: "label", Dtype: graphpb.DTYPE_I64, Shape: []int64{1}, Data: binary.LittleEndian.AppendUint64(nil, 1)})
	root, err := commit.TensorRoot(commit.U8, []int64{5000}, large())
	require.NoError(tb, err)
	c.addTask(largeID, "large", taskstypes.NamedTensor{Name: "image", Dtype: graphpb.DTYPE_U8, Shape: []int64{5000}, Root: root[:], Cid: "cid"})
	for range 3 {
		c.stores.Commit()
	}
	return c
}

func large() []byte { return []byte(strings.Repeat("large", 1000)) }

func i32(v ...int32) (out []byte) {
	for _, x := range v {
		out = binary.LittleEndian.AppendUint32(out, uint32(x))
	}
	return out
}

func (c *toy) put(store string, key, value []byte) {
	c.stores.GetKVStore(c.keys[store]).Set(key, value)
}

func hashOf(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

func (c *toy) addModel(m modelstypes.Model, pieces ...string) {
	m.ProgramHash, m.WeightsRoot = hashOf(m.Id+" program"), hashOf(m.Id+" weights")
	bz, err := m.Marshal()
	require.NoError(c.tb, err)
	c.put(modelstypes.StoreKey, modelstypes.ModelKey(m.Id), bz)
	if len(pieces) == 0 {
		return
	}
	var v modelstypes.Vocabulary
	for _, p := range pieces {
		v.Pieces = append(v.Pieces, []byte(p))
	}
	bz, err = v.Marshal()
	require.NoError(c.tb, err)
	c.put(modelstypes.StoreKey, modelstypes.VocabularyKey(m.Id), bz)
}

func (c *toy) addTask(id uint64, model string, outputs ...taskstypes.NamedTensor) {
	entries := make([]commit.Named, len(outputs))
	for i := range outputs {
		t := &outputs[i]
		if t.Cid == "" {
			root, err := commit.TensorRoot(uint8(t.Dtype), t.Shape, t.Data)
			require.NoError(c.tb, err)
			t.Root = root[:]
		}
		entries[i] = commit.Named{Name: t.Name, Root: commit.Hash(t.Root)}
	}
	root := commit.NamedRoot(entries)
	r := taskstypes.Receipt{
		TaskId: id, Model: model, ProgramHash: hashOf(model + " program"), WeightsRoot: hashOf(model + " weights"), InputRoot: hashOf("input"),
		OutputRoot: root[:], ResultRoot: hashOf("result"), Steps: 5, Worker: "poai1worker", Height: 1,
	}
	bz, err := r.Marshal()
	require.NoError(c.tb, err)
	c.put(taskstypes.StoreKey, taskstypes.ReceiptKey(id), bz)
	result := taskstypes.Result{OutputRoot: root[:], Outputs: outputs, StepsDone: 5}
	bz, err = result.Marshal()
	require.NoError(c.tb, err)
	c.put(taskstypes.StoreKey, taskstypes.ResultKey(id), bz)
}

// Height implements receipt.Source: the header that covers the stores is one above them.
func (c *toy) Height(context.Context) (int64, error) { return c.stores.LastCommitID().Version + 1, nil }

func (c *toy) Prove(_ context.Context, store string, key []byte, height int64) ([]byte, *cmtcrypto.ProofOps, error) {
	res, err := c.stores.Query(&storetypes.RequestQuery{Path: "/" + store + "/key", Data: key, Height: height, Prove: true})
	if err != nil {
		return nil, nil, err
	}
	return res.Value, res.ProofOps, nil
}

func (c *toy) SignedHeader(_ context.Context, height int64) (*cmttypes.SignedHeader, error) {
	return c.vals.sign(c.chain, height, c.stores.LastCommitID().Hash, c.absent...), nil
}

func (c *toy) Validators(context.Context, int64) ([]*cmttypes.Validator, error) {
	return c.vals.set().Validators, nil
}

func (c *toy) export(id uint64) *receipt.Bundle {
	c.tb.Helper()
	b, err := receipt.Export(context.Background(), c, id)
	require.NoError(c.tb, err)
	bz, err := b.Encode()
	require.NoError(c.tb, err)
	again, err := receipt.Parse(bz)
	require.NoError(c.tb, err)
	return again
}

func (c *toy) trust() receipt.Trust {
	c.tb.Helper()
	f, err := receipt.ReadValidators(context.Background(), c, 0)
	require.NoError(c.tb, err)
	bz, err := f.Encode()
	require.NoError(c.tb, err)
	f, err = receipt.ParseValidators(bz)
	require.NoError(c.tb, err)
	trust, err := f.Trust(time.Hour)
	require.NoError(c.tb, err)
	return trust
}
