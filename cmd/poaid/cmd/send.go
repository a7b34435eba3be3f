package cmd

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/client/input"
	clienttx "github.com/cosmos/cosmos-sdk/client/tx"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"poaid/app/params"
	"poaid/daemon/artifacts"
	"poaid/daemon/chain"
)

// Defaults of hand-made transaction commands, which simulate unless told otherwise.
const (
	gasAdjustment = 1.5
	includeFor    = time.Minute // how long a transaction is waited for
	includePoll   = 200 * time.Millisecond
)

// errHandled says that the transaction was printed or simulated rather than sent.
var errHandled = errors.New("not sent")

// dialFlags connects to the node that --node names.
func dialFlags(ctx context.Context, clientCtx client.Context) (*chain.Client, error) {
	return chain.Dial(ctx, chain.Config{Nodes: []string{clientCtx.NodeURI}, Encoding: encodingOf(clientCtx)})
}

func encodingOf(c client.Context) chain.Encoding {
	return chain.Encoding{Registry: c.InterfaceRegistry, Codec: c.Codec, TxConfig: c.TxConfig}
}

// send signs a message with --from, broadcasts it, waits until it is in a block and decodes its response.
func send(cmd *cobra.Command, clientCtx client.Context, node *chain.Client, question string, msg sdk.Msg, response proto.Message) (hash []byte, err error) {
	hash, responses, err := sendAll(cmd, clientCtx, node, question, msg)
	if err != nil {
		return nil, err
	}
	return hash, proto.Unmarshal(responses[0], response)
}

// sendAll does the same with several messages in one transaction, and returns their encoded responses.
func sendAll(cmd *cobra.Command, clientCtx client.Context, node *chain.Client, question string, msgs ...sdk.Msg) (hash []byte, responses [][]byte, err error) {
	txf, err := txFactory(cmd, clientCtx)
	if err != nil {
		return nil, nil, err
	}
	if clientCtx.GenerateOnly || clientCtx.Offline || clientCtx.IsAux || clientCtx.Simulate {
		if err := clienttx.GenerateOrBroadcastTxWithFactory(clientCtx, txf, msgs...); err != nil {
			return nil, nil, err
		}
		return nil, nil, errHandled
	}
	if err := confirm(cmd, clientCtx, question); err != nil {
		return nil, nil, err
	}
	if txf, err = txf.Prepare(clientCtx); err != nil {
		return nil, nil, err
	}
	if txf.SimulateAndExecute() {
		_, gas, err := clienttx.CalculateGas(clientCtx, txf, msgs...)
		if err != nil {
			return nil, nil, err
		}
		txf = txf.WithGas(gas)
	}
	b, err := txf.BuildUnsignedTx(msgs...)
	if err != nil {
		return nil, nil, err
	}
	if err := clienttx.Sign(cmd.Context(), txf, clientCtx.FromName, b, true); err != nil {
		return nil, nil, err
	}
	raw, err := clientCtx.TxConfig.TxEncoder()(b.GetTx())
	if err != nil {
		return nil, nil, err
	}
	res, err := broadcastAndWait(cmd.Context(), node, raw)
	if err != nil {
		return nil, nil, err
	}
	var data sdk.TxMsgData
	if err := proto.Unmarshal(res.Data, &data); err != nil {
		return nil, nil, fmt.Errorf("transaction data: %w", err)
	}
	if len(data.MsgResponses) != len(msgs) {
		return nil, nil, fmt.Errorf("transaction data: %d responses, want %d", len(data.MsgResponses), len(msgs))
	}
	for _, r := range data.MsgResponses {
		responses = append(responses, r.Value)
	}
	sum := sha256.Sum256(raw)
	return sum[:], responses, nil
}

// txFactory reads the transaction flags; gas and fees have useful defaults where none are given.
func txFactory(cmd *cobra.Command, clientCtx client.Context) (clienttx.Factory, error) {
	txf, err := clienttx.NewFactoryCLI(clientCtx, cmd.Flags())
	if err != nil {
		return txf, err
	}
	if !cmd.Flags().Changed(flags.FlagGas) && !clientCtx.Offline {
		txf = txf.WithSimulateAndExecute(true)
	}
	if !cmd.Flags().Changed(flags.FlagGasAdjustment) {
		txf = txf.WithGasAdjustment(gasAdjustment)
	}
	if txf.Fees().IsZero() && txf.GasPrices().IsZero() {
		txf = txf.WithGasPrices(params.MinGasPrice + params.Denom)
	}
	return txf, nil
}

// confirm asks, where somebody is there to answer.
func confirm(cmd *cobra.Command, clientCtx client.Context, question string) error {
	if clientCtx.SkipConfirm || question == "" || !term.IsTerminal(int(os.Stdin.Fd())) {
		return nil
	}
	ok, err := input.GetConfirmation(question, bufio.NewReader(clientCtx.Input), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	if !ok {
		return errors.New("not sent: not confirmed")
	}
	return nil
}

func broadcastAndWait(ctx context.Context, node *chain.Client, raw []byte) (chain.TxResult, error) {
	res, err := node.Broadcast(ctx, raw)
	if err != nil {
		return res, fmt.Errorf("broadcast: %w", err)
	}
	if res.Code != 0 {
		return res, fmt.Errorf("transaction refused: %s (%s %d)", res.Log, res.Codespace, res.Code)
	}
	hash := sha256.Sum256(raw)
	ctx, cancel := context.WithTimeout(ctx, includeFor)
	defer cancel()
	for {
		res, err := node.Tx(ctx, hash[:])
		switch {
		case err == nil && res.Code != 0:
			return res, fmt.Errorf("transaction failed: %s (%s %d)", res.Log, res.Codespace, res.Code)
		case err == nil:
			return res, nil
		case !errors.Is(err, chain.ErrNotFound):
			return res, err
		}
		select {
		case <-ctx.Done():
			return res, fmt.Errorf("transaction %X is not in a block after %s; look later with query tx", hash, includeFor)
		case <-time.After(includePoll):
		}
	}
}

// Flags of the artifact store, shared by several commands.
const flagArtifacts = "artifacts"

func addArtifactsFlag(cmd *cobra.Command) {
	cmd.Flags().String(flagArtifacts, "", "Artifact store: a folder, file:///… or s3://bucket?region=… (default HOME/artifacts)")
}

func openArtifacts(cmd *cobra.Command, home string) (*artifacts.Store, error) {
	url, err := cmd.Flags().GetString(flagArtifacts)
	if err != nil {
		return nil, err
	}
	if url == "" {
		url = filepath.Join(home, "artifacts")
	}
	return artifacts.Open(cmd.Context(), url, artifacts.DefaultMaxBytes)
}
