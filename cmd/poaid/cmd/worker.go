package cmd

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/spf13/cobra"

	"poaid/app/params"
	"poaid/daemon"
	"poaid/daemon/bidder"
	"poaid/daemon/chain"
	"poaid/daemon/challenger"
	"poaid/daemon/executor"
	"poaid/daemon/jail"
	"poaid/demo/liar"
)

// Flags of the daemons.
const (
	flagVerify        = "verify"
	flagNodes         = "node"
	flagOperator      = "operator"
	flagConcurrency   = "concurrency"
	flagThreads       = "threads"
	flagMemory        = "memory-mib"
	flagShard         = "shard"
	flagArtifactsAddr = "artifacts-addr"
	flagArtifactToken = "artifacts-token"
	flagPeers         = "peers"
	flagPublicPeers   = "public-peers"
	flagMetricsAddr   = "metrics-addr"
	flagLinger        = "linger"
	flagGasItem       = "gas-per-item"
	flagLogJSON       = "log-json"
	flagDispute       = "dispute"
	flagWatchRate     = "watch-rate"
	flagWatchModels   = "watch-models"
	flagMaxAttacks    = "max-attacks"
	flagDisputeMemory = "dispute-memory-mib"
	flagProduce       = "produce"
	flagSprints       = "sprints"
	flagRace          = "race"
	flagBid           = "bid"
	flagUnjail        = "unjail"
	flagSprintThreads = "sprint-threads"
	flagLie           = "lie"
)

const daemonLong = `

It signs with the hot key --from of the keyring. If that is not the participant's own key, --operator names the participant, who
must have granted the key its messages with x/authz; with --fee-granter somebody else pays the fees.

Unless --dispute=false it also defends its results and attestations in disputes, and computes again the part --watch-rate of all results
of the models it serves; where one is wrong it claims the right root, with free bond, and plays the games that follow.

When its participant is in jail for not answering in time, it asks to be let out once the time is over; whoever is there for a lie should look
first why its machine computes something else than others (--unjail always and never say otherwise).

Under HOME it keeps daemon/journal.db (what it has promised; written before anything is sent), artifacts/ (weights, inputs, large
outputs) and the keyring. It may be killed at any time and started again: seals and reveals follow from the key, the journal and
the chain.`

func workerCmd() *cobra.Command {
	start := &cobra.Command{
		Use:   "start",
		Short: "Compute the tasks you are drawn for; with --verify also sit on committees",
		Long: "Follow the chain, execute the tasks this participant is drawn for, seal their results and reveal them.\n\n" +
			"With --bid it also bids on auctioned tasks whose requirements it meets, as long as it has free places and bond: units times the price of\n" +
			"1,000,000 units, for the whole run, royalties included. Where that is more than the submitter pays it does not bid. Sealed bids are\n" +
			"written down before they are sent, and revealed in time; deposits are taken back when an auction is over." + daemonLong,
		Example: `  poaid worker start --from hot --operator poai1… --verify --node tcp://127.0.0.1:26657 \
    --artifacts-addr 0.0.0.0:8645 --metrics-addr 127.0.0.1:8646
  poaid worker start --from hot --operator poai1… --bid 80%`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			verify, err := cmd.Flags().GetBool(flagVerify)
			if err != nil {
				return err
			}
			return runDaemon(cmd, true, verify)
		},
	}
	start.Flags().Bool(flagVerify, false, "Verify, too: one process does both")
	start.Flags().Bool(flagSprints, true, "Prove capacity in sprints, on threads that tasks leave idle; needs poaid tx poai serve sprint")
	start.Flags().Bool(flagRace, false, "Join races of the models it serves; who comes second may earn nothing")
	start.Flags().String(flagBid, "", "Bid on auctions of the models it serves, at this price of 1,000,000 units, such as 800000upoai, or at this\npart of the price floor, such as 80% (default: do not bid)")
	start.Flags().Int(flagSprintThreads, 0, "Threads for sprints (0: as many as tasks may use)")
	addDaemonFlags(start, 0.1)
	return group("worker", "Compute tasks", start)
}

func verifierCmd() *cobra.Command {
	start := &cobra.Command{
		Use:     "start",
		Short:   "Sit on committees: execute again, seal and reveal attestations",
		Long:    "Follow the chain, execute again the tasks this participant's seats are about, seal what it found and reveal it." + daemonLong,
		Example: `  poaid verifier start --from hot --operator poai1… --node tcp://127.0.0.1:26657`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDaemon(cmd, false, true) },
	}
	addDaemonFlags(start, 0.1)
	return group("verifier", "Verify tasks", start)
}

func challengerCmd() *cobra.Command {
	start := &cobra.Command{
		Use:   "start",
		Short: "Compute revealed results again and dispute wrong ones",
		Long: "Watch the results of the models this participant serves (and of --watch-models), claim the right root where a wrong one was\n" +
			"revealed, and play the games of disputes. It neither works nor sits on committees." + daemonLong,
		Example: `  poaid challenger start --from hot --operator poai1… --watch-rate 1 --node tcp://127.0.0.1:26657`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDaemon(cmd, false, false) },
	}
	addDaemonFlags(start, 1)
	return group("challenger", "Dispute wrong results", start)
}

func group(use, short string, sub ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, SuggestionsMinimumDistance: 2, RunE: client.ValidateCmd}
	cmd.AddCommand(sub...)
	return cmd
}

func addDaemonFlags(cmd *cobra.Command, watchRate float64) {
	f := cmd.Flags()
	f.String(flags.FlagFrom, "", "Name of the hot key in the keyring (needed)")
	f.String(flagOperator, "", "Address of the participant it works for (default: the key's own)")
	f.StringSlice(flagNodes, nil, "CometBFT RPC addresses; the next is used when one fails (default: the node of config/client.toml)")
	f.StringSlice(flags.FlagGRPC, nil, "gRPC addresses for queries, one a node (default: queries go through --node)")
	f.String(flags.FlagChainID, "", "Refuse to run on any other chain")
	f.String(flags.FlagKeyringDir, "", "Folder of the keyring (default: HOME)")
	f.String(flags.FlagKeyringBackend, flags.DefaultKeyringBackend, "Keyring backend (os|file|kwallet|pass|test)")
	f.String(flags.FlagFeeGranter, "", "Address that pays the fees (default: the operator, if it granted the key an allowance)")
	f.String(flags.FlagGasPrices, params.MinGasPrice+params.Denom, "Price of gas")
	f.Float64(flags.FlagGasAdjustment, chain.DefaultGas.Adjustment, "Factor on simulated gas")
	f.Uint64(flagGasItem, 0, "Fixed gas an item instead of simulation (0: simulate)")
	f.Duration(flagLinger, 50*time.Millisecond, "How long a seal or reveal waits for others to share its transaction")
	f.Int(flagConcurrency, 1, "Executions at a time")
	f.Int(flagThreads, 0, "Processors an execution uses (0: all, shared between executions)")
	f.Int64(flagMemory, 4096, "Memory for loaded models, in MiB")
	f.String(flagShard, "", "Take only part of the participant's tasks: i/n, for n machines with the same key")
	addArtifactsFlag(cmd)
	f.String(flagArtifactsAddr, "", "Serve the artifact store at this address (default: do not)")
	f.String(flagArtifactToken, "", "Allow uploads with this bearer token (default: none)")
	f.StringSlice(flagPeers, nil, "Artifact servers to ask before those of participants")
	f.Bool(flagPublicPeers, false, "Do not ask artifact servers in private networks")
	f.String(flagMetricsAddr, "", "Serve /metrics and /healthz at this address (default: do not)")
	f.Bool(flagDispute, true, "Defend own results and dispute wrong ones")
	f.Float64(flagWatchRate, watchRate, "Part of others' results that is computed again, 0 to 1")
	f.StringSlice(flagWatchModels, nil, "Models to watch besides those the participant serves")
	f.Int(flagMaxAttacks, 16, "Games to attack in at a time")
	f.Int64(flagDisputeMemory, 4096, "Memory for running games, in MiB; one game alone may exceed it")
	f.Bool(flagProduce, true, "Bring bytes that others demand on the chain, for the fee")
	f.String(flagUnjail, string(jail.Silence), "Leave jail by itself once its time is over: never, silence (it was there for not answering) or always (for lies, too)")
	f.Bool(flagLogJSON, false, "Log JSON instead of text")
	f.String(flagLie, "", "Lie, for a demonstration of disputes")
	_ = f.MarkHidden(flagLie) // it is defined in the line above
}

// runDaemon starts a daemon and ends it cleanly on SIGINT or SIGTERM; a second signal kills.
func runDaemon(cmd *cobra.Command, work, verify bool) error {
	cfg, err := daemonConfig(cmd)
	if err != nil {
		return err
	}
	cfg.Work, cfg.Verify = work, verify
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		stop() // the next signal has its default effect
	}()
	return daemon.Run(ctx, cfg)
}

func daemonConfig(cmd *cobra.Command) (daemon.Config, error) {
	clientCtx, err := client.GetClientQueryContext(cmd)
	if err != nil {
		return daemon.Config{}, err
	}
	v := flagReader{set: cmd}
	cfg := daemon.Config{
		Home: clientCtx.HomeDir, Keyring: clientCtx.Keyring, Key: v.text(flags.FlagFrom), Operator: v.text(flagOperator),
		ChainID: v.text(flags.FlagChainID), FeeGranter: v.text(flags.FlagFeeGranter), Linger: v.duration(flagLinger),
		Chain:       chain.Config{Nodes: v.list(flagNodes), GRPC: v.list(flags.FlagGRPC), Encoding: encodingOf(clientCtx)},
		Concurrency: v.number(flagConcurrency), Threads: v.number(flagThreads), MemoryBytes: v.number64(flagMemory) << 20,
		Artifacts: v.text(flagArtifacts), ArtifactsAddr: v.text(flagArtifactsAddr), ArtifactsToken: v.text(flagArtifactToken),
		Peers: v.list(flagPeers), PublicPeers: v.is(flagPublicPeers), MetricsAddr: v.text(flagMetricsAddr),
		Dispute: v.is(flagDispute), WatchRate: v.float(flagWatchRate), WatchModels: v.list(flagWatchModels), MaxAttacks: v.number(flagMaxAttacks),
		DisputeBytes: v.number64(flagDisputeMemory) << 20, Produce: v.is(flagProduce),
		Gas: chain.DefaultGas, Logger: daemonLogger(cmd, v.is(FlagQuiet), v.is(flagLogJSON)),
	}
	cfg.Gas.Adjustment = v.float(flags.FlagGasAdjustment)
	if n := v.unsigned(flagGasItem); n > 0 {
		cfg.Gas.Simulate, cfg.Gas.PerItem = false, n
	}
	if cmd.Flags().Lookup(flagRace) != nil {
		cfg.Race = v.is(flagRace)
	}
	unjail, bid := v.text(flagUnjail), ""
	if cmd.Flags().Lookup(flagBid) != nil {
		bid = v.text(flagBid)
	}
	if cmd.Flags().Lookup(flagSprints) != nil {
		cfg.Sprints, cfg.SprintThreads = v.is(flagSprints), v.number(flagSprintThreads)
	}
	switch kind := v.text(flagLie); kind {
	case "":
	case liar.Sprint:
		cfg.LieInSprints = true
	default:
		cfg.Disguise = func(e *executor.Executor) (challenger.Runs, error) { return liar.New(e, kind) }
	}
	if len(cfg.Chain.Nodes) == 0 {
		cfg.Chain.Nodes = []string{clientCtx.NodeURI}
	}
	prices := v.text(flags.FlagGasPrices)
	shard := v.text(flagShard)
	if v.err != nil {
		return cfg, v.err
	}
	if cfg.Key == "" {
		return cfg, fmt.Errorf("--%s: name the hot key", flags.FlagFrom)
	}
	if cfg.Keyring == nil {
		return cfg, fmt.Errorf("--%s: no keyring", flags.FlagKeyringBackend)
	}
	if cfg.Unjail, err = jail.ParsePolicy(unjail); err != nil {
		return cfg, fmt.Errorf("--%s: %w", flagUnjail, err)
	}
	if bid != "" {
		price, err := bidder.ParsePrice(bid)
		if err != nil {
			return cfg, fmt.Errorf("--%s: %w", flagBid, err)
		}
		cfg.Bid = &price
	}
	if cfg.GasPrices, err = sdk.ParseDecCoins(prices); err != nil {
		return cfg, fmt.Errorf("--%s: %w", flags.FlagGasPrices, err)
	}
	if shard != "" {
		if n, err := fmt.Sscanf(shard, "%d/%d", &cfg.Shard, &cfg.Shards); err != nil || n != 2 || cfg.Shard >= cfg.Shards {
			return cfg, fmt.Errorf("--%s: %q, want i/n with i from 0 to n-1", flagShard, shard)
		}
	}
	return cfg, nil
}

func daemonLogger(cmd *cobra.Command, quiet, asJSON bool) *slog.Logger {
	opt := &slog.HandlerOptions{Level: slog.LevelInfo}
	if quiet {
		opt.Level = slog.LevelWarn
	}
	if asJSON {
		return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), opt))
	}
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), opt))
}

// flagReader reads flags and keeps the first error.
type flagReader struct {
	set *cobra.Command
	err error
}

func read[T any](r *flagReader, get func(string) (T, error), name string) T {
	v, err := get(name)
	if err != nil && r.err == nil {
		r.err = err
	}
	return v
}

func (r *flagReader) text(name string) string     { return read(r, r.set.Flags().GetString, name) }
func (r *flagReader) list(name string) []string   { return read(r, r.set.Flags().GetStringSlice, name) }
func (r *flagReader) is(name string) bool         { return read(r, r.set.Flags().GetBool, name) }
func (r *flagReader) number(name string) int      { return read(r, r.set.Flags().GetInt, name) }
func (r *flagReader) number64(name string) int64  { return read(r, r.set.Flags().GetInt64, name) }
func (r *flagReader) unsigned(name string) uint64 { return read(r, r.set.Flags().GetUint64, name) }
func (r *flagReader) float(name string) float64   { return read(r, r.set.Flags().GetFloat64, name) }
func (r *flagReader) duration(name string) time.Duration {
	return read(r, r.set.Flags().GetDuration, name)
}
