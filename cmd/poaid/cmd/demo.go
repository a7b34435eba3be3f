package cmd

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/spf13/cobra"

	"poaid/demo"
	"poaid/localnet"
)

// Flags of demo and localnet.
const (
	flagValidators   = "validators"
	flagParticipants = "participants"
	flagBasePort     = "base-port"
	flagBlockTime    = "block-time"
	flagExit         = "exit"
	flagScenario     = "scenario"
	flagJSON         = "json"
	flagTimeout      = "timeout"
)

// addNetFlags declares what describes a local network.
func addNetFlags(cmd *cobra.Command, validators, participants int) {
	f := cmd.Flags()
	f.Int(flagValidators, validators, "Validator nodes")
	f.Int(flagParticipants, participants, "Worker and verifier processes")
	f.Int(flagBasePort, 0, "First of the ports to use; 0 takes free ones")
	f.Duration(flagBlockTime, 200*time.Millisecond, "Pause between blocks")
}

// netConfig reads the flags. The network lies in home.
func netConfig(cmd *cobra.Command, home, chainID string) (localnet.Config, error) {
	c := localnet.Config{ChainID: chainID, Home: home}
	var err error
	if c.Binary, err = os.Executable(); err != nil {
		return c, fmt.Errorf("find this program: %w", err)
	}
	f := cmd.Flags()
	if c.Validators, err = f.GetInt(flagValidators); err != nil {
		return c, err
	}
	if c.Participants, err = f.GetInt(flagParticipants); err != nil {
		return c, err
	}
	if c.BasePort, err = f.GetInt(flagBasePort); err != nil {
		return c, err
	}
	if c.BlockTime, err = f.GetDuration(flagBlockTime); err != nil {
		return c, err
	}
	return c, c.Validate()
}

func demoCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a whole network on this machine and let it do real AI work",
		Long: `Starts a local network of real processes, registers two models, has governance make them eligible, submits a batch of tasks (pictures
of handwritten digits, beginnings of fairy tales), and shows how they are computed, audited, revealed, paid, scored and rewarded.

It exits with an error unless every task is FINAL, the answers are right as far as they are known, every coin is accounted for and
somebody claimed a reward. The network keeps running until Ctrl-C; with --exit it ends. Everything lies in the folder demo under
--home; an earlier demo there is wiped.`,
		Example: `  poaid demo
  poaid demo --validators 2 --exit
  poaid demo --exit --json > report.json
  poaid demo --scenario lying-majority --exit`,
		Args: cobra.NoArgs,
		RunE: runDemo,
	}
	addNetFlags(cmd, 1, 4)
	cmd.Flags().String(flagScenario, "", "Show what happens to liars instead: lying-worker, lying-verifier or lying-majority")
	cmd.Flags().Bool(flagExit, false, "Stop the network after the report")
	cmd.Flags().Bool(flagJSON, false, "Print the report as one JSON document on standard output; progress goes to standard error")
	cmd.Flags().Duration(flagTimeout, 10*time.Minute, "Give up on the job after this time")
	return cmd
}

func runDemo(cmd *cobra.Command, _ []string) error {
	net, err := netConfig(cmd, filepath.Join(client.GetClientContextFromCmd(cmd).HomeDir, "demo"), "poaid-demo")
	if err != nil {
		return err
	}
	enc, err := localnet.NewEncoding()
	if err != nil {
		return err
	}
	o := demo.Options{Net: net, Encoding: enc, Out: cmd.OutOrStdout()}
	if o.Scenario, err = scenario(cmd, &o.Net); err != nil {
		return err
	}
	if o.Exit, err = cmd.Flags().GetBool(flagExit); err != nil {
		return err
	}
	if o.Timeout, err = cmd.Flags().GetDuration(flagTimeout); err != nil {
		return err
	}
	asJSON, err := cmd.Flags().GetBool(flagJSON)
	if err != nil {
		return err
	}
	if asJSON {
		o.JSON, o.Out = cmd.OutOrStdout(), cmd.ErrOrStderr()
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return demo.Run(ctx, o)
}

// scenario reads the flag; a scenario has as many participants as it needs.
func scenario(cmd *cobra.Command, net *localnet.Config) (*demo.Scenario, error) {
	name, err := cmd.Flags().GetString(flagScenario)
	if err != nil || name == "" {
		return nil, err
	}
	s, err := demo.ScenarioNamed(name)
	net.Participants = s.Participants
	return &s, err
}
