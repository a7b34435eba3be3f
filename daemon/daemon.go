package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"time"

	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"poaid/daemon/agent"
	"poaid/daemon/artifacts"
	"poaid/daemon/bidder"
	"poaid/daemon/chain"
	"poaid/daemon/challenger"
	"poaid/daemon/executor"
	"poaid/daemon/finisher"
	"poaid/daemon/jail"
	"poaid/daemon/journal"
	"poaid/daemon/metrics"
	"poaid/daemon/sprinter"
	"poaid/daemon/verifier"
	"poaid/daemon/worker"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
	trainingtypes "poaid/x/training/types"
)

// Config is everything a daemon is told.
type Config struct {
	Home     string
	Keyring  keyring.Keyring
	Key      string // name of the hot key
	Operator string // participant's address; empty: the key's own
	// ChainID, if set, must be the nodes' chain.
	ChainID    string
	FeeGranter string
	Chain      chain.Config
	GasPrices  sdk.DecCoins
	Gas        chain.GasPolicy
	Linger     time.Duration

	Work, Verify bool
	// Race makes the worker join races of the models that it serves.
	Race bool
	// Bid is what the worker asks for tasks that are auctioned, of the models that it serves; nil: it does not bid. Of several shards the first does.
	Bid *bidder.Price
	// Unjail says from which jail the participant is let out by itself; empty: from none.
	Unjail jail.Policy
	// Dispute defends this participant's results, challenges others' (those of them that WatchRate picks) and plays disputes.
	Dispute bool
	// WatchRate is the part of the results of served models, and of those named in WatchModels, that is computed again: 0 to 1.
	WatchRate   float64
	WatchModels []string
	// MaxAttacks bounds the games it attacks in at a time, DisputeBytes the memory for games; 0: 16, and 4 GiB.
	MaxAttacks   int
	DisputeBytes int64
	// Produce brings bytes that others demand on the chain.
	Produce bool
	// Sprints proves capacity in windows, on threads that executions leave idle; of several shards the first does.
	Sprints bool
	// SprintThreads bounds those threads; 0: as many as executions may use.
	SprintThreads int
	// LieInSprints commits to leaves that were not computed, for demonstrations.
	LieInSprints bool
	// Concurrency is how many executions run at a time, Threads how many processors one uses; 0: one execution, all processors.
	Concurrency, Threads int
	MemoryBytes          int64
	Shard, Shards        uint64

	// Artifacts is the store's URL; empty: Home/artifacts.
	Artifacts string
	// ArtifactsAddr, if set, serves the store.
	ArtifactsAddr  string
	ArtifactsToken string
	// Peers are asked for artifacts before the participants on the chain.
	Peers []string
	// PublicPeers refuses peers in private networks.
	PublicPeers bool
	// MetricsAddr, if set, serves /metrics and /healthz.
	MetricsAddr string
	// Runner replaces the executor, for tests.
	Runner executor.Runner
	// Disguise, if set, puts something in place of the executor, for demonstrations of disputes.
	Disguise func(*executor.Executor) (challenger.Runs, error)
	Logger   *slog.Logger
}

// Limits of a running daemon.
const (
	// dialFor is how long start-up waits for a node's answer, askEvery how often it asks.
	dialFor  = 2 * time.Minute
	askEvery = time.Second
	// drainFor is how long shutdown waits for items to be sent and confirmed.
	drainFor = 5 * time.Second
	// blockSilence is how long without a block is unhealthy.
	blockSilence = time.Minute
)

// Run works until ctx ends, and then shuts down cleanly: executions are cancelled (they are computed again), what is on its way to the
// chain gets a few seconds.
func Run(ctx context.Context, cfg Config) (err error) {
	if !cfg.Work && !cfg.Verify && !cfg.Dispute {
		return errors.New("a daemon must work, verify or dispute")
	}
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	client, err := dial(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }()

	signer, err := newSigner(ctx, cfg, client, log)
	if err != nil {
		return err
	}
	secret, err := signer.SaltSecret()
	if err != nil {
		return err
	}
	book, err := journal.Open(filepath.Join(cfg.Home, "daemon", "journal.db"), client.ChainID(), signer.Operator())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	storeURL := cfg.Artifacts
	if storeURL == "" {
		storeURL = filepath.Join(cfg.Home, "artifacts")
	}
	store, err := artifacts.Open(ctx, storeURL, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	var notes *challenger.Book
	if cfg.Dispute {
		if notes, err = challenger.OpenBook(filepath.Join(cfg.Home, "daemon", "challenger.db"), client.ChainID(), signer.Operator()); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, notes.Close()) }()
	}
	d := &daemon{notes: notes, cfg: cfg, log: log, client: client, signer: signer, store: store, book: book}
	if err := d.assemble(ctx, secret); err != nil {
		return err
	}
	return d.run(ctx)
}

// newSigner takes the hot key. An operator who granted it a fee allowance pays its fees, unless another granter is named.
func newSigner(ctx context.Context, cfg Config, client *chain.Client, log *slog.Logger) (*chain.Signer, error) {
	s, err := chain.NewSigner(cfg.Keyring, cfg.Key, cfg.Operator, cfg.FeeGranter, cfg.Chain.Encoding)
	if err != nil {
		return nil, err
	}
	_, err = patiently(ctx, log, func() (poaitypes.Participant, error) { return client.Participant(ctx, s.Operator()) })
	if errors.Is(err, chain.ErrNotFound) {
		log.Warn("not a participant yet: nothing will be drawn until it joins (poaid tx poai join)", "participant", s.Operator())
	} else if err != nil {
		return nil, err
	}
	if cfg.FeeGranter != "" || s.Operator() == s.Address() {
		return s, nil
	}
	pays, err := patiently(ctx, log, func() (bool, error) { return client.FeeAllowance(ctx, s.Operator(), s.Address()) })
	if err != nil || !pays {
		return s, err
	}
	return chain.NewSigner(cfg.Keyring, cfg.Key, cfg.Operator, s.Operator(), cfg.Chain.Encoding)
}

// dial waits for a node, since daemons and nodes are often started together.
func dial(ctx context.Context, cfg Config, log *slog.Logger) (*chain.Client, error) {
	c, err := patiently(ctx, log, func() (*chain.Client, error) { return chain.Dial(ctx, cfg.Chain) })
	if err != nil {
		return nil, err
	}
	if cfg.ChainID != "" && c.ChainID() != cfg.ChainID {
		return nil, errors.Join(fmt.Errorf("chain-id: the node is on %q, not on %q", c.ChainID(), cfg.ChainID), c.Close())
	}
	return c, nil
}

// patiently asks a node until it answers, for at most dialFor: a node that is starting, or catching up, refuses for a while, and a daemon
// that gave up then would miss reveals. "Not found" is an answer.
func patiently[T any](ctx context.Context, log *slog.Logger, ask func() (T, error)) (T, error) {
	deadline := time.Now().Add(dialFor)
	for {
		v, err := ask()
		if err == nil || errors.Is(err, chain.ErrNotFound) || ctx.Err() != nil || time.Now().After(deadline) {
			return v, err
		}
		log.Info("waiting for a node", "error", err)
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-time.After(askEvery):
		}
	}
}

// daemon is a running one.
type daemon struct {
	cfg     Config
	log     *slog.Logger
	client  *chain.Client
	signer  *chain.Signer
	store   *artifacts.Store
	book    *journal.Journal
	metrics *metrics.Metrics
	sender  *chain.Sender
	agent   *agent.Agent // nil: neither works nor verifies
	key     *worker.Key  // nil: does not work
	notes   *challenger.Book
	dispute *challenger.Challenger // nil: does not dispute
	sprints *sprinter.Sprinter     // nil: proves no capacity
	finish  *finisher.Finisher     // nil: does not work
	bids    *bidder.Bidder         // nil: does not bid
	warden  *jail.Warden
}

// assemble builds the parts from the outside in.
func (d *daemon) assemble(ctx context.Context, secret []byte) error {
	tp, err := patiently(ctx, d.log, func() (taskstypes.Params, error) { return d.client.TasksParams(ctx) })
	if err != nil {
		return err
	}
	pp, err := patiently(ctx, d.log, func() (poaitypes.Params, error) { return d.client.PoaiParams(ctx) })
	if err != nil {
		return err
	}
	var cached func() int64
	d.metrics = metrics.New(func() int64 { return cached() }, func() (int, int) { return d.sender.Busy() })

	fetcher := artifacts.NewFetcher(d.store, d.peers, artifacts.FetchOptions{PublicOnly: d.cfg.PublicPeers, Observe: d.metrics.Fetched})
	concurrency := max(d.cfg.Concurrency, 1)
	threads := d.cfg.Threads
	if threads <= 0 {
		threads = max(runtime.GOMAXPROCS(0)/concurrency, 1)
	}
	exec, err := d.newExecutor(fetcher, threads)
	if err != nil {
		return err
	}
	cached = exec.CachedBytes
	var runs challenger.Runs = exec
	if d.cfg.Disguise != nil {
		if runs, err = d.cfg.Disguise(exec); err != nil {
			return err
		}
	}
	var runner executor.Runner = runs
	if d.cfg.Runner != nil {
		runner = d.cfg.Runner
	}
	d.sender = chain.NewSender(d.client, d.signer, chain.SenderConfig{
		GasPrices: d.cfg.GasPrices, Gas: d.cfg.Gas, MaxBatch: int(min(tp.MaxBatch, pp.MaxBatch)), Linger: d.cfg.Linger,
		Logger: d.log.With("part", "sender"), Observe: d.metrics.Item,
	})
	var roles []agent.Role
	if d.cfg.Work {
		role, err := d.newWorker(secret)
		if err != nil {
			return err
		}
		roles = append(roles, role)
		d.finish = finisher.New(d.client, exec, fetcher, d.store, d.book, d.sender, d.signer.Operator(), d.log.With("part", "finisher"))
		if d.bids, err = d.newBidder(ctx, secret, exec); err != nil {
			return err
		}
	}
	d.warden = jail.New(d.client, d.sender, d.signer.Operator(), d.cfg.Unjail, d.metrics, d.log.With("part", "jail"))
	if d.cfg.Verify {
		roles = append(roles, verifier.New(d.client, d.signer.Operator()))
	}
	disputes, err := d.disputes(ctx)
	if err != nil {
		return err
	}
	if disputes {
		if d.dispute, err = d.newChallenger(runs, secret); err != nil {
			return err
		}
		runner = lacking{runner, d.dispute}
	}
	if len(roles) == 0 {
		return nil
	}
	d.agent, err = agent.New(agent.Config{
		Participant: d.signer.Operator(), SaltSecret: secret, Concurrency: concurrency, Shard: d.cfg.Shard, Shards: d.cfg.Shards,
		Logger: d.log.With("part", "agent"), Metrics: d.metrics,
	}, d.client, runner, d.book, d.sender, roles...)
	if err != nil {
		return err
	}
	d.sprints, err = d.newSprinter(ctx, exec, threads, concurrency)
	return err
}

// newExecutor makes what computes. It keeps the states of segments of trainings, for whoever goes on from there, and for the finisher.
func (d *daemon) newExecutor(fetcher *artifacts.Fetcher, threads int) (*executor.Executor, error) {
	trainer, err := d.cfg.Chain.Encoding.Registry.SigningContext().AddressCodec().BytesToString(authtypes.NewModuleAddress(trainingtypes.ModuleName))
	if err != nil {
		return nil, err
	}
	return executor.New(d.client, fetcher, executor.Options{
		Threads: threads, MemoryBytes: d.cfg.MemoryBytes, States: fetcher, Keeps: func(t taskstypes.Task) bool {
			if t.Submitter != trainer {
				return false
			}
			if d.finish != nil {
				if err := d.finish.Watch(t.Id); err != nil {
					d.log.Error("a segment of a training was not written down", "task", t.Id, "error", err)
				}
			}
			return true
		},
	}), nil
}

// newWorker makes the worker's role and what sees to its VRF key.
func (d *daemon) newWorker(secret []byte) (*worker.Role, error) {
	key, err := worker.Secret(secret)
	if err != nil {
		return nil, err
	}
	operator := d.signer.Operator()
	account, err := d.cfg.Chain.Encoding.Registry.SigningContext().AddressCodec().StringToBytes(operator)
	if err != nil {
		return nil, fmt.Errorf("operator: %w", err)
	}
	d.key = worker.NewKey(d.client, d.sender, operator, account, key, d.log.With("part", "key"))
	role := worker.New(d.client, d.store, operator, key)
	if d.cfg.Race {
		role.Race(d.client)
	}
	return role, nil
}

// peers lists where artifacts may be: configured peers first, then participants.
func (d *daemon) peers(ctx context.Context) ([]string, error) {
	fromChain, err := d.client.Endpoints(ctx, "")
	if err != nil && len(d.cfg.Peers) == 0 {
		return nil, err
	}
	return append(append([]string(nil), d.cfg.Peers...), fromChain...), nil
}

// run starts everything, waits for the end and stops it in order.
func (d *daemon) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// The sender outlives the agent: what was decided is still sent.
	sending, stopSending := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSending()
	failed := make(chan error, 2)
	stopServers, err := d.serve(failed)
	if err != nil {
		return err
	}
	defer stopServers()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		if err := d.sender.Run(sending); err != nil && !errors.Is(err, context.Canceled) {
			d.log.Error("sender ended", "error", err)
		}
	}()
	heights := d.client.Heights(sending)
	worked := make(chan error, 1)
	go func() { worked <- d.work(ctx, heights) }()
	d.log.Info("started", "chain", d.client.ChainID(), "participant", d.signer.Operator(), "key", d.signer.Address(),
		"work", d.cfg.Work, "verify", d.cfg.Verify, "dispute", d.cfg.Dispute, "sprints", d.sprints != nil, "artifacts", d.cfg.ArtifactsAddr, "metrics", d.cfg.MetricsAddr)

	select {
	case err = <-worked:
	case err = <-failed:
		cancel()
		if werr := <-worked; !errors.Is(werr, context.Canceled) {
			err = errors.Join(err, werr)
		}
	}
	d.drain(sending, heights)
	stopSending()
	<-sent
	d.log.Info("stopped")
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// drain gives items on their way a little time.
func (d *daemon) drain(ctx context.Context, heights <-chan int64) {
	timeout := time.After(drainFor)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if waiting, flying := d.sender.Busy(); waiting+flying == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-timeout:
			return
		case h := <-heights:
			d.sender.Advance(h)
		case <-tick.C:
		}
	}
}

// serve starts the HTTP servers that are configured.
func (d *daemon) serve(failed chan<- error) (stop func(), err error) {
	var servers []*http.Server
	stop = func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		for _, s := range servers {
			if err := s.Shutdown(ctx); err != nil {
				_ = s.Close() // its time is over
			}
		}
	}
	for _, s := range []struct {
		flag, addr string
		handler    http.Handler
	}{
		{"artifacts-addr", d.cfg.ArtifactsAddr, artifacts.NewServer(d.store, artifacts.ServerOptions{Token: d.cfg.ArtifactsToken, Observe: d.metrics.Served})},
		{"metrics-addr", d.cfg.MetricsAddr, d.metrics.Handler(d.health, blockSilence)},
	} {
		if s.addr == "" {
			continue
		}
		l, err := net.Listen("tcp", s.addr)
		if err != nil {
			stop()
			return nil, fmt.Errorf("%s: %w", s.flag, err)
		}
		srv := artifacts.HTTPServer(s.addr, s.handler)
		servers = append(servers, srv)
		go func() {
			if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("%s: %w", s.flag, err)
			}
		}()
	}
	return stop, nil
}
