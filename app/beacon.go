package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cosmos/cosmos-sdk/client"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/internal/vrfkey"
	beacontypes "poaid/x/beacon/types"
)

// loadVRFKeys reads the node's VRF keys. A node without the file is no proposer, or one that loses its blocks once it has a key on the chain.
func loadVRFKeys(home string) (vrfkey.Keys, error) {
	if home == "" {
		return vrfkey.Keys{}, nil
	}
	keys, err := vrfkey.Load(vrfkey.Path(home))
	if errors.Is(err, fs.ErrNotExist) {
		return vrfkey.Keys{}, nil
	}
	return keys, err
}

// prove makes the entry that a proposer puts in front of its block; nil where it needs none. Without the secret of its acting key it
// cannot make a block that anybody accepts.
func (a *App) prove(ctx sdk.Context, proposer sdk.ConsAddress) ([]byte, error) {
	key, err := a.Beacon.ProposerKey(ctx, ctx.BlockHeight(), proposer)
	if err != nil || key == nil {
		return nil, err
	}
	secret, ok := a.vrfKeys.Find(key)
	if !ok {
		return nil, fmt.Errorf("the secret of the acting VRF key %X is not in %s: this block is lost", key, vrfkey.FileName)
	}
	input, err := a.Beacon.Input(ctx)
	if err != nil {
		return nil, err
	}
	return beacontypes.EncodeProof(secret.Prove(input)), nil
}

// checkProof refuses a block with a bad, missing or duplicate proof, and returns its transactions. The second error is a failure of the
// state, which is no fault of the proposer.
func (a *App) checkProof(ctx sdk.Context, req *abci.RequestProcessProposal) (txs [][]byte, refused, err error) {
	proof, txs, refused := beacontypes.SplitProof(req.Txs)
	if refused != nil {
		return txs, refused, nil
	}
	err = a.Beacon.CheckProposal(ctx, req.ProposerAddress, proof)
	for _, target := range []error{beacontypes.ErrInvalidProof, beacontypes.ErrMissingProof, beacontypes.ErrNoKey} {
		if errors.Is(err, target) {
			return txs, err, nil
		}
	}
	return txs, nil, err
}

// preBlockBeacon stores the height's randomness and returns the block's transactions.
func (a *App) preBlockBeacon(ctx sdk.Context, entries [][]byte) ([][]byte, error) {
	proof, txs, err := beacontypes.SplitProof(entries)
	if err != nil {
		// The block is decided: what is malformed is as good as missing.
		a.Logger().Error("decided block with a malformed proof", "height", ctx.BlockHeight(), "err", err)
	}
	return txs, a.Beacon.PreBlock(ctx, proof)
}

// endBlock runs the modules, and tells x/beacon how the validator set changes.
func (a *App) endBlock(ctx sdk.Context) (sdk.EndBlock, error) {
	res, err := a.modules.EndBlock(ctx)
	if err != nil {
		return res, err
	}
	ctx = ctx.WithEventManager(sdk.NewEventManager())
	if err := a.Beacon.EndBlock(ctx, res.ValidatorUpdates); err != nil {
		return sdk.EndBlock{}, err
	}
	res.Events = append(res.Events, ctx.EventManager().ABCIEvents()...)
	return res, nil
}

// proofRunner answers a block's proof itself: it is no transaction, costs nobody anything and leaves no trace but an empty result. The
// transactions behind it keep the places they would have without it.
type proofRunner struct{ sdk.TxRunner }

func newProofRunner(inner sdk.TxRunner) sdk.TxRunner { return proofRunner{inner} }

// Unwrap tells baseapp what runs the transactions.
func (r proofRunner) Unwrap() sdk.TxRunner { return r.TxRunner }

// Run answers the proof and hands on the transactions.
func (r proofRunner) Run(ctx context.Context, ms storetypes.MultiStore, entries [][]byte, deliver sdk.DeliverTxFunc) ([]*abci.ExecTxResult, error) {
	if len(entries) == 0 || !beacontypes.IsProof(entries[0]) {
		return r.TxRunner.Run(ctx, ms, entries, deliver)
	}
	results, err := r.TxRunner.Run(ctx, ms, entries[1:], deliver)
	if err != nil {
		return nil, err
	}
	return append([]*abci.ExecTxResult{{Code: abci.CodeTypeOK}}, results...), nil
}

// proofMemo is what clients see in place of a block's proof.
const proofMemo = "the proposer's proof of randomness (x/beacon)"

// clientTxConfig shows a block's proof as a transaction without messages. The SDK's queries of blocks and of indexed transactions fail as
// a whole where one entry cannot be decoded. The chain itself never decodes by it.
type clientTxConfig struct{ client.TxConfig }

// ClientTxConfig is the TxConfig for clients and query services.
func (e Encoding) ClientTxConfig() client.TxConfig { return clientTxConfig{e.TxConfig} }

// TxDecoder decodes transactions and proofs.
func (c clientTxConfig) TxDecoder() sdk.TxDecoder {
	decode := c.TxConfig.TxDecoder()
	return func(bz []byte) (sdk.Tx, error) {
		if !beacontypes.IsProof(bz) {
			return decode(bz)
		}
		b := c.NewTxBuilder()
		b.SetMemo(proofMemo)
		return b.GetTx(), nil
	}
}
