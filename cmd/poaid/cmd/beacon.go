package cmd

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/genutil"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	"github.com/spf13/cobra"

	"poaid/internal/vrfkey"
	beacontypes "poaid/x/beacon/types"
)

const flagNewKey = "new"

func beaconCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "beacon",
		Short: "The key with which this node proves the randomness of its blocks",
		RunE:  client.ValidateCmd,
	}
	cmd.PersistentFlags().String(flags.FlagHome, DefaultHome(), "the node's home")
	cmd.AddCommand(beaconKeyCmd(), beaconGenesisKeyCmd())
	return cmd
}

// shownKey is what beacon key prints.
type shownKey struct {
	File     string `json:"file"`
	PubKey   string `json:"pub_key"`
	Operator string `json:"operator,omitempty"`
	// Proof of possession for the operator.
	Proof    string `json:"proof,omitempty"`
	Register string `json:"register,omitempty"`
}

func beaconKeyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Show the node's latest VRF key and what registers it",
		Long: `Show the public part of the node's latest VRF key, and with --operator the proof of possession that registers it.

To replace a key, run it with --new, register the new key, and restart the node: it needs both until the new one acts.`,
		Example: "poaid beacon key --home ./node --operator poaivaloper1...",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			operator, err := cmd.Flags().GetString(flagOperator)
			if err != nil {
				return err
			}
			shown, err := showKey(cmd, operator)
			if err != nil {
				return err
			}
			bz, err := json.MarshalIndent(shown, "", "  ")
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), string(bz))
			return err
		},
	}
	cmd.Flags().String(flagOperator, "", "the validator's operator address")
	cmd.Flags().Bool(flagNewKey, false, "add a new key to the file")
	return cmd
}

func showKey(cmd *cobra.Command, operator string) (shownKey, error) {
	path := vrfkey.Path(client.GetClientContextFromCmd(cmd).HomeDir)
	open := vrfkey.LoadOrCreate
	if fresh, err := cmd.Flags().GetBool(flagNewKey); err != nil {
		return shownKey{}, err
	} else if fresh {
		open = vrfkey.Add
	}
	keys, err := open(path)
	if err != nil {
		return shownKey{}, err
	}
	secret, ok := keys.Latest()
	if !ok {
		return shownKey{}, fmt.Errorf("%s: no keys", path)
	}
	shown := shownKey{File: path, PubKey: hex.EncodeToString(secret.Public())}
	if operator == "" {
		return shown, nil
	}
	addr, err := sdk.ValAddressFromBech32(operator)
	if err != nil {
		return shownKey{}, fmt.Errorf("%s: %w", flagOperator, err)
	}
	shown.Operator, shown.Proof = operator, hex.EncodeToString(vrfkey.Register(secret, addr).Proof)
	shown.Register = fmt.Sprintf("poaid tx beacon register-key %s %s --from %s", shown.PubKey, shown.Proof, sdk.AccAddress(addr))
	return shown, nil
}

func beaconGenesisKeyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add-genesis-key",
		Short: "Register the node's VRF key in its genesis, where it acts from the first block on",
		Long: `Register the node's VRF key in config/genesis.json, where it acts from the first block on.

For the key of another node give --pub-key and --proof, as "poaid beacon key" printed them there.`,
		Example: "poaid beacon add-genesis-key --home ./node --operator poaivaloper1...",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			key, operator, err := genesisKey(cmd)
			if err != nil {
				return err
			}
			return addGenesisKey(client.GetClientContextFromCmd(cmd), operator, key)
		},
	}
	cmd.Flags().String(flagOperator, "", "the validator's operator address")
	cmd.Flags().BytesHex("pub-key", nil, "public key of another node")
	cmd.Flags().BytesHex("proof", nil, "its proof of possession")
	cmd.MarkFlagsRequiredTogether("pub-key", "proof")
	return cmd
}

func genesisKey(cmd *cobra.Command) (beacontypes.Key, sdk.ValAddress, error) {
	var key beacontypes.Key
	text, err := cmd.Flags().GetString(flagOperator)
	if err != nil {
		return key, nil, err
	}
	operator, err := sdk.ValAddressFromBech32(text)
	if err != nil {
		return key, nil, fmt.Errorf("%s: %w", flagOperator, err)
	}
	if key.PubKey, err = cmd.Flags().GetBytesHex("pub-key"); err != nil {
		return key, nil, err
	}
	if key.Proof, err = cmd.Flags().GetBytesHex("proof"); err != nil {
		return key, nil, err
	}
	if key.IsSet() {
		return key, operator, beacontypes.CheckPossession(operator, key.PubKey, key.Proof)
	}
	keys, err := vrfkey.LoadOrCreate(vrfkey.Path(client.GetClientContextFromCmd(cmd).HomeDir))
	if err != nil {
		return key, nil, err
	}
	secret, ok := keys.Latest()
	if !ok {
		return key, nil, errors.New("the node has no VRF key")
	}
	return vrfkey.Register(secret, operator), operator, nil
}

func addGenesisKey(clientCtx client.Context, operator sdk.ValAddress, key beacontypes.Key) error {
	file := filepath.Join(clientCtx.HomeDir, "config", "genesis.json")
	state, gen, err := genutiltypes.GenesisStateFromGenFile(file)
	if err != nil {
		return fmt.Errorf("read genesis: %w", err)
	}
	var gs beacontypes.GenesisState
	if err := clientCtx.Codec.UnmarshalJSON(state[beacontypes.ModuleName], &gs); err != nil {
		return fmt.Errorf("genesis of x/%s: %w", beacontypes.ModuleName, err)
	}
	beacontypes.AddKeys(&gs, beacontypes.OperatorKeys{Operator: operator.String(), Next: key})
	if err := gs.Validate(); err != nil {
		return err
	}
	if state[beacontypes.ModuleName], err = clientCtx.Codec.MarshalJSON(&gs); err != nil {
		return err
	}
	if gen.AppState, err = json.MarshalIndent(state, "", "  "); err != nil {
		return err
	}
	return genutil.ExportGenesisFile(gen, file)
}
