package receipt_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	cmtmath "github.com/cometbft/cometbft/libs/math"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/stretchr/testify/require"

	"poaid/receipt"
	modelstypes "poaid/x/models/types"
	taskstypes "poaid/x/tasks/types"
)

// every is all that Verify may say is wrong.
func every() []error {
	return []error{
		receipt.ErrFormat, receipt.ErrChain, receipt.ErrHeader, receipt.ErrValidators, receipt.ErrSignatures, receipt.ErrUntrusted, receipt.ErrHash,
		receipt.ErrPeriod, receipt.ErrStoreProof, receipt.ErrProof, receipt.ErrReceipt, receipt.ErrModel, receipt.ErrOutputs, receipt.ErrContent, receipt.ErrTrust,
	}
}

func known(err error) bool {
	for _, e := range every() {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func TestVerify(t *testing.T) {
	c := newToy(t, newSigners(10, 20, 30, 40))
	for _, x := range []struct {
		id      uint64
		content string
		want    *receipt.Match
	}{
		{storyID, "Once upon a time", &receipt.Match{Output: "tokens", How: receipt.AsText}},
		{storyID, "Once upon a time\n", &receipt.Match{Output: "tokens", How: receipt.AsText}},
		{storyID, string(i32(3, 4, 5, 6, 0)), &receipt.Match{Output: "tokens", How: receipt.AsBytes}},
		{storyID, "\x04\x00\x00\x00\x00\x00\x00\x00", &receipt.Match{Output: "count", How: receipt.AsBytes}},
		{digitID, "one", &receipt.Match{Output: "label", How: receipt.AsText}},
		{largeID, string(large()), &receipt.Match{Output: "image", How: receipt.AsBytes}},
		{storyID, "Once upon a time\n\n", nil},
		{storyID, "once upon a time", nil},
		{storyID, "", nil},
		{digitID, "zero", nil},
		{largeID, string(large()[1:]), nil},
	} {
		s, err := receipt.Verify(c.export(x.id), c.trust(), []byte(x.content))
		if x.want == nil {
			require.ErrorIs(t, err, receipt.ErrContent, "%q", x.content)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, x.want, s.Match)
		require.Equal(t, x.id, s.Receipt.TaskId)
		require.Equal(t, []int64{100, 100}, []int64{s.SignedPower, s.TrustedPower})
	}
	s, err := receipt.Verify(c.export(storyID), c.trust(), nil)
	require.NoError(t, err)
	require.Nil(t, s.Match)
	require.Equal(t, "Once upon a time", s.Outputs[0].Text)
}

func TestExportRefuses(t *testing.T) {
	c := newToy(t, newSigners(1))
	_, err := receipt.Export(context.Background(), c, 5)
	require.ErrorIs(t, err, receipt.ErrNotFound)
}

// TestEveryBitCounts flips one bit of each byte of a bundle's binary fields, and has every flip refused with an error of its kind.
func TestEveryBitCounts(t *testing.T) {
	c := newToy(t, newSigners(10, 20, 30, 40))
	trust := c.trust()
	good := c.export(storyID)
	_, err := receipt.Verify(good, trust, []byte("Once upon a time"))
	require.NoError(t, err)
	for name, field := range map[string]func(*receipt.Bundle) []byte{
		"signed_header":          func(b *receipt.Bundle) []byte { return b.SignedHeader },
		"receipt.key":            func(b *receipt.Bundle) []byte { return b.Receipt.Key },
		"receipt.value":          func(b *receipt.Bundle) []byte { return b.Receipt.Value },
		"receipt.proof":          func(b *receipt.Bundle) []byte { return b.Receipt.Proof },
		"receipt.store_proof":    func(b *receipt.Bundle) []byte { return b.Receipt.StoreProof },
		"model.key":              func(b *receipt.Bundle) []byte { return b.Model.Key },
		"model.value":            func(b *receipt.Bundle) []byte { return b.Model.Value },
		"model.proof":            func(b *receipt.Bundle) []byte { return b.Model.Proof },
		"model.store_proof":      func(b *receipt.Bundle) []byte { return b.Model.StoreProof },
		"vocabulary.value":       func(b *receipt.Bundle) []byte { return b.Vocabulary.Value },
		"vocabulary.proof":       func(b *receipt.Bundle) []byte { return b.Vocabulary.Proof },
		"vocabulary.store_proof": func(b *receipt.Bundle) []byte { return b.Vocabulary.StoreProof },
		"outputs[0].data":        func(b *receipt.Bundle) []byte { return b.Outputs[0].Data },
		"outputs[1].data":        func(b *receipt.Bundle) []byte { return b.Outputs[1].Data },
		"validators[2].pub_key":  func(b *receipt.Bundle) []byte { return b.Validators[2].PubKey },
	} {
		t.Run(name, func(t *testing.T) {
			for i := range field(good) {
				b := copyOf(t, good)
				field(b)[i] ^= 1 << (i % 8)
				_, err := receipt.Verify(b, trust, nil)
				require.Error(t, err, "byte %d", i)
				require.True(t, known(err), "byte %d: %v", i, err)
			}
		})
	}
}

func copyOf(t *testing.T, b *receipt.Bundle) *receipt.Bundle {
	t.Helper()
	bz, err := json.Marshal(b)
	require.NoError(t, err)
	again, err := receipt.Parse(bz)
	require.NoError(t, err)
	return again
}

// TestRefusals spoils one thing at a time and names the error.
func TestRefusals(t *testing.T) {
	c := newToy(t, newSigners(10, 20, 30, 40))
	other := newToy(t, newSigners(10, 20, 30, 40))
	other.put("bank", []byte("more"), []byte{1})
	other.stores.Commit()
	elsewhere := newToy(t, newSigners(10, 20, 30, 40))
	elsewhere.chain = "poai-toy-2"
	for name, x := range map[string]struct {
		spoil func(*receipt.Bundle, *receipt.Trust)
		want  error
	}{
		"chain_id":                {func(b *receipt.Bundle, _ *receipt.Trust) { b.ChainID = "x" }, receipt.ErrChain},
		"another chain":           {func(b *receipt.Bundle, _ *receipt.Trust) { *b = *elsewhere.export(storyID) }, receipt.ErrChain},
		"another chain in secret": {func(b *receipt.Bundle, _ *receipt.Trust) { *b = *elsewhere.export(storyID); b.ChainID = chainID }, receipt.ErrChain},
		"header of another state": {func(b *receipt.Bundle, _ *receipt.Trust) { b.SignedHeader = other.export(storyID).SignedHeader }, receipt.ErrStoreProof},
		"proof of another state": {func(b *receipt.Bundle, _ *receipt.Trust) {
			b.Receipt.StoreProof = other.export(storyID).Receipt.StoreProof
		}, receipt.ErrStoreProof},
		"store of another name": {func(b *receipt.Bundle, _ *receipt.Trust) { b.Receipt.StoreProof = b.Model.StoreProof }, receipt.ErrStoreProof},
		"record of another task": {func(b *receipt.Bundle, _ *receipt.Trust) {
			b.Receipt = c.export(digitID).Receipt
		}, receipt.ErrProof},
		"key of another task":     {func(b *receipt.Bundle, _ *receipt.Trust) { b.Receipt.Key = taskstypes.ReceiptKey(digitID) }, receipt.ErrProof},
		"record is no receipt":    {func(b *receipt.Bundle, _ *receipt.Trust) { b.Receipt.Value = []byte{0xff} }, receipt.ErrReceipt},
		"record that was not":     {func(b *receipt.Bundle, _ *receipt.Trust) { b.Receipt.Value = edited(t, b.Receipt.Value) }, receipt.ErrProof},
		"model of another task":   {func(b *receipt.Bundle, _ *receipt.Trust) { b.Model = c.export(digitID).Model }, receipt.ErrProof},
		"labels that were not":    {func(b *receipt.Bundle, _ *receipt.Trust) { b.Model.Value = append(b.Model.Value, 0x72, 1, 'x') }, receipt.ErrProof},
		"vocabulary as model":     {func(b *receipt.Bundle, _ *receipt.Trust) { b.Model = b.Vocabulary }, receipt.ErrProof},
		"vocabulary without":      {func(b *receipt.Bundle, _ *receipt.Trust) { b.Model = nil }, receipt.ErrModel},
		"proof of absence":        {func(b *receipt.Bundle, _ *receipt.Trust) { b.Receipt.Proof = nil }, receipt.ErrFormat},
		"output missing":          {func(b *receipt.Bundle, _ *receipt.Trust) { b.Outputs = b.Outputs[:1] }, receipt.ErrOutputs},
		"outputs swapped":         {func(b *receipt.Bundle, _ *receipt.Trust) { b.Outputs[0], b.Outputs[1] = b.Outputs[1], b.Outputs[0] }, receipt.ErrOutputs},
		"output renamed":          {func(b *receipt.Bundle, _ *receipt.Trust) { b.Outputs[0].Name = "x" }, receipt.ErrOutputs},
		"output of another shape": {func(b *receipt.Bundle, _ *receipt.Trust) { b.Outputs[0].Shape = []int64{1, 5} }, receipt.ErrOutputs},
		"output of another size":  {func(b *receipt.Bundle, _ *receipt.Trust) { b.Outputs[0].Shape = []int64{4} }, receipt.ErrOutputs},
		"output of another dtype": {func(b *receipt.Bundle, _ *receipt.Trust) { b.Outputs[0].DType = "f32" }, receipt.ErrOutputs},
		"output of no dtype":      {func(b *receipt.Bundle, _ *receipt.Trust) { b.Outputs[0].DType = "f64" }, receipt.ErrFormat},
		"output of nothing":       {func(b *receipt.Bundle, _ *receipt.Trust) { b.Outputs[0].Data = nil }, receipt.ErrFormat},
		"data and root":           {func(b *receipt.Bundle, _ *receipt.Trust) { b.Outputs[0].Root = make([]byte, 32) }, receipt.ErrFormat},
		"header with more":        {func(b *receipt.Bundle, _ *receipt.Trust) { b.SignedHeader = append(b.SignedHeader, 0x78, 1) }, receipt.ErrFormat},
		"proof with more":         {func(b *receipt.Bundle, _ *receipt.Trust) { b.Receipt.Proof = append(b.Receipt.Proof, 0x78, 1) }, receipt.ErrFormat},
		"no header":               {func(b *receipt.Bundle, _ *receipt.Trust) { b.SignedHeader = nil }, receipt.ErrFormat},
		"no validators":           {func(b *receipt.Bundle, _ *receipt.Trust) { b.Validators = nil }, receipt.ErrFormat},
		"validator missing":       {func(b *receipt.Bundle, _ *receipt.Trust) { b.Validators = b.Validators[1:] }, receipt.ErrValidators},
		"validator twice":         {func(b *receipt.Bundle, _ *receipt.Trust) { b.Validators[0] = b.Validators[1] }, receipt.ErrFormat},
		"validator of more power": {func(b *receipt.Bundle, _ *receipt.Trust) { b.Validators[0].Power++ }, receipt.ErrValidators},
		"validator of no power":   {func(b *receipt.Bundle, _ *receipt.Trust) { b.Validators[0].Power = 0 }, receipt.ErrFormat},
		"too much power": {func(b *receipt.Bundle, _ *receipt.Trust) {
			b.Validators[0].Power, b.Validators[1].Power = cmttypes.MaxTotalVotingPower, cmttypes.MaxTotalVotingPower
		}, receipt.ErrFormat},
		"another kind of key": {func(b *receipt.Bundle, _ *receipt.Trust) { b.Validators[0].Type = "secp256k1" }, receipt.ErrFormat},
		"a short key":         {func(b *receipt.Bundle, _ *receipt.Trust) { b.Validators[0].PubKey = []byte{1} }, receipt.ErrFormat},
		"strangers trusted": {func(_ *receipt.Bundle, trust *receipt.Trust) {
			trust.Validators = newSigners(0, 0, 0, 0, 5)[4:].set()
		}, receipt.ErrUntrusted},
		"nothing trusted": {func(_ *receipt.Bundle, trust *receipt.Trust) { trust.Validators = nil }, receipt.ErrTrust},
		"too low a level": {func(_ *receipt.Bundle, trust *receipt.Trust) {
			trust.Level = cmtmath.Fraction{Numerator: 1, Denominator: 4}
		}, receipt.ErrTrust},
		"level of nothing":  {func(_ *receipt.Bundle, trust *receipt.Trust) { trust.Level = cmtmath.Fraction{Numerator: 1} }, receipt.ErrTrust},
		"another header":    {func(_ *receipt.Bundle, trust *receipt.Trust) { trust.HeaderHash = make([]byte, 32) }, receipt.ErrHash},
		"validators of old": {func(_ *receipt.Bundle, trust *receipt.Trust) { trust.Time = trust.Time.Add(-2 * time.Hour) }, receipt.ErrPeriod},
		"validators to be":  {func(_ *receipt.Bundle, trust *receipt.Trust) { trust.Time = trust.Time.Add(2 * time.Hour) }, receipt.ErrPeriod},
	} {
		t.Run(name, func(t *testing.T) {
			b, trust := c.export(storyID), c.trust()
			x.spoil(b, &trust)
			_, err := receipt.Verify(b, trust, nil)
			require.ErrorIs(t, err, x.want)
		})
	}
}

// edited is a receipt of another model.
func edited(t *testing.T, value []byte) []byte {
	t.Helper()
	var r taskstypes.Receipt
	require.NoError(t, r.Unmarshal(value))
	r.Model = "other"
	bz, err := r.Marshal()
	require.NoError(t, err)
	return bz
}

// TestModelIsTheReceipts: a record that is proven, but has other weights than the receipt.
func TestModelIsTheReceipts(t *testing.T) {
	c := newToy(t, newSigners(1))
	var m modelstypes.Model
	require.NoError(t, m.Unmarshal(c.export(digitID).Model.Value))
	m.WeightsRoot = hashOf("other weights")
	bz, err := m.Marshal()
	require.NoError(t, err)
	c.put(modelstypes.StoreKey, modelstypes.ModelKey("digits"), bz)
	c.stores.Commit()
	_, err = receipt.Verify(c.export(digitID), c.trust(), nil)
	require.ErrorIs(t, err, receipt.ErrModel)
}

// TestReceiptIsOlderThanItsHeader: the app hash of a header cannot hold what became final at its height.
func TestReceiptIsOlderThanItsHeader(t *testing.T) {
	c := newToy(t, newSigners(1))
	var r taskstypes.Receipt
	require.NoError(t, r.Unmarshal(c.export(digitID).Receipt.Value))
	r.Height = 5
	bz, err := r.Marshal()
	require.NoError(t, err)
	c.put(taskstypes.StoreKey, taskstypes.ReceiptKey(digitID), bz)
	c.stores.Commit()
	_, err = receipt.Verify(c.export(digitID), c.trust(), nil)
	require.ErrorIs(t, err, receipt.ErrReceipt)
}

// TestWhoSigned: two thirds are not enough, one more is, of the header's own validators and of those that are trusted.
func TestWhoSigned(t *testing.T) {
	now := newSigners(1, 1, 1)
	c := newToy(t, now)
	trust := c.trust()
	c.absent = []int{0}
	_, err := receipt.Verify(c.export(digitID), trust, nil)
	require.ErrorIs(t, err, receipt.ErrSignatures)

	c = newToy(t, newSigners(2, 1, 1, 3))
	c.absent = []int{0}
	trust = c.trust() // all that the node has: signed by 5 of 7
	s, err := receipt.Verify(c.export(digitID), trust, nil)
	require.NoError(t, err)
	require.Equal(t, []int64{5, 7}, []int64{s.SignedPower, s.TrustedPower})
	trust.Validators = newSigners(2, 1, 1, 1).set() // power has moved since: 3 of the trusted 5 signed
	_, err = receipt.Verify(c.export(digitID), trust, nil)
	require.ErrorIs(t, err, receipt.ErrUntrusted)
	trust.Level = cmtmath.Fraction{Numerator: 1, Denominator: 2}
	_, err = receipt.Verify(c.export(digitID), trust, nil)
	require.NoError(t, err, "a lower level was asked for")
	trust.Validators = newSigners(4, 1, 1, 2).set() // exactly half
	_, err = receipt.Verify(c.export(digitID), trust, nil)
	require.ErrorIs(t, err, receipt.ErrUntrusted)
}

// TestTrustByHash needs no validators but the header's own.
func TestTrustByHash(t *testing.T) {
	c := newToy(t, newSigners(10, 20))
	b := c.export(digitID)
	h, err := c.SignedHeader(context.Background(), 4)
	require.NoError(t, err)
	s, err := receipt.Verify(b, receipt.Trust{ChainID: chainID, HeaderHash: h.Hash()}, []byte("one"))
	require.NoError(t, err)
	require.Zero(t, s.TrustedPower)
	require.Equal(t, int64(4), s.Height)
}

// TestSignatureOfAnother: a commit with two signatures exchanged, or one of a validator at another's place.
func TestSignatureOfAnother(t *testing.T) {
	c := newToy(t, newSigners(10, 20, 30, 40))
	for name, spoil := range map[string]func(*cmtproto.Commit){
		"exchanged": func(m *cmtproto.Commit) { m.Signatures[0], m.Signatures[1] = m.Signatures[1], m.Signatures[0] },
		"address":   func(m *cmtproto.Commit) { m.Signatures[0].ValidatorAddress = m.Signatures[1].ValidatorAddress },
		"one more":  func(m *cmtproto.Commit) { m.Signatures = append(m.Signatures, m.Signatures[0]) },
		"for nil":   func(m *cmtproto.Commit) { m.Signatures[3].BlockIdFlag = cmtproto.BlockIDFlagNil },
		"bad one":   func(m *cmtproto.Commit) { m.Signatures[3].Signature = bytes.Clone(m.Signatures[2].Signature) },
	} {
		b := c.export(digitID)
		var sh cmtproto.SignedHeader
		require.NoError(t, sh.Unmarshal(b.SignedHeader))
		spoil(sh.Commit)
		var err error
		b.SignedHeader, err = sh.Marshal()
		require.NoError(t, err)
		_, err = receipt.Verify(b, c.trust(), nil)
		require.ErrorIs(t, err, receipt.ErrSignatures, name)
	}
}

func TestParseRefuses(t *testing.T) {
	c := newToy(t, newSigners(1))
	good, err := c.export(digitID).Encode()
	require.NoError(t, err)
	for name, data := range map[string][]byte{
		"empty":         nil,
		"no JSON":       []byte("receipt"),
		"two":           append(bytes.Clone(good), good...),
		"unknown field": bytes.Replace(good, []byte(`"format"`), []byte(`"more": 1, "format"`), 1),
		"version":       bytes.Replace(good, []byte(receipt.Format), []byte("poaid-receipt/2"), 1),
		"hex":           bytes.Replace(good, []byte(`"key": "`), []byte(`"key": "x`), 1),
		"too large":     make([]byte, receipt.MaxBundleBytes+1),
	} {
		_, err := receipt.Parse(data)
		require.ErrorIs(t, err, receipt.ErrFormat, name)
	}
	f, err := receipt.ReadValidators(context.Background(), c, 0)
	require.NoError(t, err)
	f.Hash = make([]byte, 32)
	bz, err := f.Encode()
	require.NoError(t, err)
	_, err = receipt.ParseValidators(bz)
	require.ErrorIs(t, err, receipt.ErrValidators)
	_, err = receipt.ParseValidators(bytes.Replace(bz, []byte(receipt.ValidatorsFormat), []byte("x"), 1))
	require.ErrorIs(t, err, receipt.ErrFormat)
}

// FuzzBundle: whatever the bytes, parser and verifier return one of the errors, and accept only what says what the chain said.
func FuzzBundle(f *testing.F) {
	c := newToy(f, newSigners(10, 20))
	trust := c.trust()
	for _, id := range []uint64{storyID, digitID, largeID} {
		bz, err := c.export(id).Encode()
		require.NoError(f, err)
		f.Add(bz)
		f.Add(bz[:len(bz)/2])
	}
	f.Add([]byte(`{"format":"poaid-receipt/1","chain_id":"poai-toy-1","receipt":{"key":"","value":"","proof":"","store_proof":""},"outputs":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := receipt.Parse(data)
		if err != nil {
			require.ErrorIs(t, err, receipt.ErrFormat)
			return
		}
		s, err := receipt.Verify(b, trust, nil)
		if err != nil {
			require.True(t, known(err), "%v", err)
			return
		}
		value, _, err := c.Prove(context.Background(), taskstypes.StoreKey, taskstypes.ReceiptKey(s.Receipt.TaskId), 3)
		require.NoError(t, err)
		require.Equal(t, value, b.Receipt.Value)
	})
}

// FuzzProofs puts bytes where proofs and headers are, past the JSON.
func FuzzProofs(f *testing.F) {
	c := newToy(f, newSigners(10, 20))
	trust, good := c.trust(), c.export(storyID)
	f.Add(good.Receipt.Proof, good.Receipt.StoreProof, good.SignedHeader)
	f.Add(good.Receipt.StoreProof, good.Receipt.Proof, good.SignedHeader[:40])
	f.Fuzz(func(t *testing.T, proof, storeProof, header []byte) {
		b := *good
		b.Receipt.Proof, b.Receipt.StoreProof, b.SignedHeader = proof, storeProof, header
		same := bytes.Equal(proof, good.Receipt.Proof) && bytes.Equal(storeProof, good.Receipt.StoreProof) && bytes.Equal(header, good.SignedHeader)
		_, err := receipt.Verify(&b, trust, nil)
		require.Equal(t, same, err == nil, "%v", err)
		require.True(t, err == nil || known(err), "%v", err)
	})
}
