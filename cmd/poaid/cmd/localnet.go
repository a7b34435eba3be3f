package cmd

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/spf13/cobra"

	"poaid/localnet"
	"poaid/localnet/live"
	"poaid/localnet/setup"
)

// Flags of localnet.
const (
	flagKeep  = "keep"
	flagServe = "serve"
	flagTasks = "tasks"
)

// localnetFolder is where a network lies under --home.
const localnetFolder = "localnet"

func localnetCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "localnet",
		Short: "Run a local network of validators and participants until Ctrl-C",
		Long: `Lays out a network of real processes on this machine and runs it: validators, and participants whose daemons work on tasks and verify
others' work. Participants join and serve the models --serve, which governance makes eligible for block reward. Addresses, accounts and
logs are printed; then a table shows heights, peers, app hashes, scores and tasks until Ctrl-C, which stops everything.

With --home the network lies in the folder localnet under it, and the same command goes on with it later. Without, it lies in a
temporary folder that is removed in the end, unless --keep is given. Free ports are taken, so that several networks run side by side.
With --participants 0 there are validators only. A validator or daemon that is killed is shown as such; the network goes on.`,
		Example: `  poaid localnet --validators 4 --participants 6
  poaid localnet --tasks 40
  poaid localnet --home ~/net --validators 4     # and again: goes on where it stopped
  poaid localnet --serve digits,./my-model --keep`,
		Args: cobra.NoArgs,
		RunE: runLocalnet,
	}
	addNetFlags(cmd, 4, 6)
	f := cmd.Flags()
	f.Bool(flagKeep, false, "Keep the temporary folder when the network stops")
	f.StringSlice(flagServe, []string{setup.Digits, setup.Story}, "Models to serve: digits, story, or the folder of a model package")
	f.Int(flagTasks, 0, "Tasks to submit for a look, pictures for digits and beginnings for story")
	return cmd
}

func runLocalnet(cmd *cobra.Command, _ []string) error {
	v := flagReader{set: cmd}
	o := live.Options{Tasks: v.number(flagTasks), Out: cmd.OutOrStdout()}
	serve, keep := v.list(flagServe), v.is(flagKeep)
	if v.err != nil {
		return v.err
	}
	var err error
	if o.Models, err = setup.OpenModels(serve...); err != nil {
		return err
	}
	home, temporary, err := localnetHome(cmd)
	if err != nil {
		return err
	}
	o.Temporary = temporary && !keep
	if o.Net, err = netConfig(cmd, filepath.Join(home, localnetFolder), "poaid-local"); err == nil {
		err = continues(cmd, &o.Net)
	}
	if err == nil {
		o.Encoding, err = localnet.NewEncoding()
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = live.Run(ctx, o)
	}
	if o.Temporary {
		err = errors.Join(err, os.RemoveAll(home))
	}
	return err
}

// localnetHome is --home where somebody gave one, otherwise a new temporary folder.
func localnetHome(cmd *cobra.Command) (home string, temporary bool, err error) {
	if cmd.Flags().Changed(flags.FlagHome) || os.Getenv(EnvPrefix+"_HOME") != "" {
		home, err = filepath.Abs(client.GetClientContextFromCmd(cmd).HomeDir)
		return home, false, err
	}
	home, err = os.MkdirTemp("", "poaid-localnet-")
	return home, true, err
}

// continues takes the settings of a network that lies in the home already, and refuses flags that say otherwise.
func continues(cmd *cobra.Command, c *localnet.Config) error {
	if _, err := os.Stat(filepath.Join(c.Home, localnet.LayoutFile)); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("home: %w", err)
	}
	old, err := localnet.Load(c.Home)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name      string
		had, want any
	}{
		{flagValidators, old.Config.Validators, c.Validators},
		{flagParticipants, old.Config.Participants, c.Participants},
		{flagBasePort, old.Config.BasePort, c.BasePort},
		{flagBlockTime, old.Config.BlockTime, c.BlockTime},
	} {
		if cmd.Flags().Changed(f.name) && f.had != f.want {
			return fmt.Errorf("%s: the network in %s has %v, not %v; give another --home for a new one", f.name, c.Home, f.had, f.want)
		}
	}
	binary := c.Binary
	*c = old.Config
	c.Binary = binary
	return nil
}
