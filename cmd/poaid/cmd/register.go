package cmd

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/spf13/cobra"

	"poaid/daemon/artifacts"
	"poaid/daemon/registry"
	"poaid/model"
	lineagetypes "poaid/x/lineage/types"
	modelstypes "poaid/x/models/types"
)

func modelsTxCmd() *cobra.Command {
	return group("models", "Transactions of models", registerCmd())
}

func registerCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "register DIR",
		Short: "Register the model package in a folder",
		Long: `Check the package in DIR (model.json, program.pb, weights.safetensors, tokenizer.bin), put its files into the artifact store and
register it. The chain validates the program and computes its units. Weights must be served to those who will run the model: with
poaid artifacts serve, or from a worker's store.

--parent model/ID:BPS or dataset/ID:BPS, repeated, names what the model descends from and its share of the model's royalties in 1/10,000.
Parents and shares never change.`,
		Example: "  poaid tx models register ./digits --id digits --royalty-bps 100 --from alice\n" +
			"  poaid tx models register ./tuned --id tuned --royalty-bps 300 --parent model/digits:3000 --parent dataset/mnist:500 --from alice",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd, func(store *artifacts.Store) error { return runRegister(cmd, store, args[0]) })
		},
	}
	cmd.Flags().String("id", "", "Id of the model on chain (default: the package's name)")
	cmd.Flags().Uint32("royalty-bps", 0, "Your share of each fee, in 1/10,000")
	cmd.Flags().StringSlice("parent", nil, "What the model descends from, and its share of the royalties: model/ID:BPS or dataset/ID:BPS")
	cmd.Flags().Bool(flagJSONOut, false, "Print JSON")
	addArtifactsFlag(cmd)
	flags.AddTxFlagsToCmd(cmd)
	return cmd
}

// parseParents reads the values of --parent.
func parseParents(texts []string) ([]modelstypes.Parent, error) {
	parents := make([]modelstypes.Parent, len(texts))
	for i, text := range texts {
		var err error
		if parents[i], err = lineagetypes.ParseParent(text); err != nil {
			return nil, fmt.Errorf("--parent %s: %w", text, err)
		}
	}
	return parents, nil
}

func runRegister(cmd *cobra.Command, store *artifacts.Store, dir string) (err error) {
	clientCtx, err := client.GetClientTxContext(cmd)
	if err != nil {
		return err
	}
	v := flagReader{set: cmd}
	opt := registry.Options{ID: v.text("id"), Owner: clientCtx.GetFromAddress().String(), RoyaltyBps: read(&v, cmd.Flags().GetUint32, "royalty-bps")}
	asJSON, parents := v.is(flagJSONOut), read(&v, cmd.Flags().GetStringSlice, "parent")
	if v.err != nil {
		return v.err
	}
	if opt.Parents, err = parseParents(parents); err != nil {
		return err
	}
	pkg, err := model.Load(dir)
	if err != nil {
		return err
	}
	if opt.ID == "" {
		opt.ID = pkg.Meta.Name
	}
	msg, err := registry.Message(cmd.Context(), store, pkg, opt)
	if err != nil {
		return err
	}
	node, err := dialFlags(cmd.Context(), clientCtx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.Close()) }()
	var res modelstypes.MsgRegisterModelResponse
	hash, err := send(cmd, clientCtx, node, fmt.Sprintf("register model %s", opt.ID), msg, &res)
	if errors.Is(err, errHandled) {
		return nil
	}
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{
			"id": opt.ID, "program_hash": fmt.Sprintf("%x", res.ProgramHash), "weights_cid": msg.WeightsCid, "tokenizer_cid": msg.TokenizerCid,
			"units_step": fmt.Sprint(res.UnitsStep), "units_forced": fmt.Sprint(res.UnitsForced), "tx": fmt.Sprintf("%X", hash),
		})
	}
	fmt.Fprintf(cmd.OutOrStdout(), "model %s registered\n  program  %x\n  units    %d a step, %d a forced step\n  weights  %s\n",
		opt.ID, res.ProgramHash, res.UnitsStep, res.UnitsForced, msg.WeightsCid)
	return nil
}
