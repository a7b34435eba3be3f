package testutil

import (
	"fmt"
	"time"

	"cosmossdk.io/log/v2"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/server"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/app"
	"poaid/app/params"
	"poaid/internal/vrfkey"
	beacontypes "poaid/x/beacon/types"
)

// TB is what the package needs of testing.TB; benchmark programs bring their own.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	TempDir() string
}

// BlockTime between the blocks of a test chain.
const BlockTime = time.Second

// genesisTime of test chains.
func genesisTime() time.Time { return time.Unix(1_700_000_000, 0).UTC() }

// Chain is one application and its shadows, all at the same height.
type Chain struct {
	App      *app.App
	ChainID  string
	Accounts []*Account
	// Validators that it started with.
	Validators []*GenesisValidator
	// Time of the latest block.
	Time time.Time

	tb      TB
	opts    Options
	genesis *abci.RequestInitChain
	node    *node
	shadows []*node
	comet   *comet
	senders []*Account
}

// node is one copy of the application on its own database.
type node struct {
	shadow Shadow
	db     dbm.DB
	app    *app.App
	home   string
}

// appOptions are the options given to app.New.
type appOptions map[string]any

// Get returns an option.
func (o appOptions) Get(key string) any { return o[key] }

// open loads the application from the database, as a starting process does.
func (n *node) open(chainID string) error {
	opts := appOptions{
		flags.FlagHome:                 n.home,
		server.FlagBlockExecutor:       n.shadow.Executor,
		server.FlagBlockSTMWorkers:     n.shadow.Workers,
		server.FlagBlockSTMPreEstimate: n.shadow.PreEstimate,
	}
	a, err := app.New(log.NewNopLogger(), n.db, true, opts,
		baseapp.SetChainID(chainID), baseapp.SetMinGasPrices(params.MinGasPrice+params.Denom), baseapp.SetIAVLCacheSize(n.shadow.CacheSize))
	if err != nil {
		return err
	}
	n.app = a
	return nil
}

// NewApp starts a chain at height 1, its genesis committed.
func NewApp(tb TB, opts Options) *Chain {
	tb.Helper()
	params.Configure()
	opts = opts.withDefaults()
	c := &Chain{ChainID: "poai-test-1", Time: genesisTime(), tb: tb, opts: opts}
	for i := range opts.Accounts {
		c.Accounts = append(c.Accounts, NewAccount(fmt.Sprintf("%saccount%d", opts.Names, i)))
	}
	c.Validators = newValidators(c.Accounts, opts.Bonds)
	c.node = c.start(Shadow{Name: "main", Executor: opts.Executor, Workers: opts.Workers, CacheSize: opts.CacheSize}, opts.DB)
	c.App = c.node.app
	genesis, err := newGenesis(c)
	if err != nil {
		tb.Fatalf("genesis: %v", err)
	}
	c.genesis = genesis
	for _, s := range opts.Shadows {
		c.shadows = append(c.shadows, c.start(s, dbm.NewMemDB()))
	}
	for _, n := range c.nodes() {
		res, err := n.app.InitChain(genesis)
		if err != nil {
			tb.Fatalf("%s: init chain: %v", n.shadow.Name, err)
		}
		if c.comet, err = newComet(res.Validators); err != nil {
			tb.Fatalf("%s: init chain: %v", n.shadow.Name, err)
		}
	}
	c.Block()
	for _, a := range c.Accounts {
		c.sync(a)
	}
	return c
}

func (c *Chain) start(s Shadow, db dbm.DB) *node {
	c.tb.Helper()
	if s.Executor == "" {
		s.Executor = serverconfig.BlockExecutorSequential
	}
	n := &node{shadow: s, db: db, home: c.tb.TempDir()}
	for i := range c.Validators {
		if _, err := vrfkey.AddSeed(vrfkey.Path(n.home), vrfSeed(i)); err != nil {
			c.tb.Fatalf("%s: %v", s.Name, err)
		}
	}
	if err := n.open(c.ChainID); err != nil {
		c.tb.Fatalf("%s: %v", s.Name, err)
	}
	return n
}

func (c *Chain) nodes() []*node { return append([]*node{c.node}, c.shadows...) }

// Height of the latest block.
func (c *Chain) Height() int64 { return c.App.LastBlockHeight() }

// Ctx reads the latest committed state; what is written through it is lost.
func (c *Chain) Ctx() sdk.Context {
	header := cmtproto.Header{ChainID: c.ChainID, Height: c.Height(), Time: c.Time}
	return sdk.NewContext(c.App.CommitMultiStore().CacheMultiStore(), header, false, log.NewNopLogger())
}

// Block makes one block of transactions on every copy of the chain, compares the copies and runs the invariants. The proposer's proof of
// randomness is in front of them, as in every block; its empty result is left out of what is returned.
func (c *Chain) Block(txs ...[]byte) *abci.ResponseFinalizeBlock {
	c.tb.Helper()
	if !c.opts.NoCheckTx {
		for i, bz := range txs {
			if _, err := c.App.CheckTx(&abci.RequestCheckTx{Tx: bz, Type: abci.CheckTxType_New}); err != nil {
				c.tb.Fatalf("check transaction %d: %v", i, err)
			}
		}
	}
	c.Time = c.Time.Add(BlockTime)
	req := c.request(txs)
	if err := c.judge(req); err != nil {
		c.tb.Fatalf("%v", err)
	}
	res := c.run(c.node, req)
	c.App = c.node.app
	for _, n := range c.shadows {
		c.compare(n, res, c.run(n, req))
	}
	res.TxResults = c.withoutProof(req, res.TxResults)
	for i, r := range res.TxResults {
		if r.Code != 0 && i < len(c.senders) {
			c.sync(c.senders[i])
		}
	}
	c.senders = c.senders[:0]
	if err := c.comet.advance(req.Height, req.Time, res.ValidatorUpdates); err != nil {
		c.tb.Fatalf("height %d: CometBFT refuses the validator updates %v: %v", req.Height, res.ValidatorUpdates, err)
	}
	if !c.opts.NoInvariants {
		if err := c.checkValidators(); err != nil {
			c.tb.Fatalf("height %d: %v", c.Height(), err)
		}
		if err := CheckInvariants(c.App, c.Ctx()); err != nil {
			c.tb.Fatalf("height %d: %v", c.Height(), err)
		}
	}
	return res
}

// Request is what the next block would be without transactions.
func (c *Chain) Request() *abci.RequestFinalizeBlock { return c.request(nil) }

// request makes the block of the first proposer that can make one. A proposer that forfeits its block leaves the height to the next.
func (c *Chain) request(txs [][]byte) *abci.RequestFinalizeBlock {
	c.tb.Helper()
	height := c.App.LastBlockHeight() + 1
	req := &abci.RequestFinalizeBlock{
		Height: height, Time: c.Time, Misbehavior: c.comet.misbehavior, DecidedLastCommit: abci.CommitInfo{Votes: c.comet.votes()},
		Hash: blockHash(c.ChainID, height, c.App.LastCommitID().Hash),
	}
	var refused error
	for _, proposer := range c.comet.proposers() {
		req.ProposerAddress = proposer
		req.Txs = append(c.proof(req), txs...)
		if len(c.Validators) == 1 {
			return req // whether the only one can make a block is the test's business
		}
		if refused = c.judge(req); refused == nil {
			return req
		}
	}
	c.tb.Fatalf("height %d: nobody can make a block: %v", height, refused)
	return nil
}

// proof asks the application what a proposer puts in front of this block's transactions.
func (c *Chain) proof(req *abci.RequestFinalizeBlock) [][]byte {
	c.tb.Helper()
	res, err := c.App.PrepareProposal(&abci.RequestPrepareProposal{
		MaxTxBytes: params.BlockTxBytes, Height: req.Height, Time: req.Time, ProposerAddress: req.ProposerAddress,
	})
	if err != nil {
		c.tb.Fatalf("prepare height %d: %v", req.Height, err)
	}
	return res.Txs
}

// judge has the application accept the block's proof, as every validator does before it votes. Its transactions are left out: tests put
// into blocks what they like.
func (c *Chain) judge(req *abci.RequestFinalizeBlock) error {
	var entries [][]byte
	if len(req.Txs) > 0 && beacontypes.IsProof(req.Txs[0]) {
		entries = req.Txs[:1]
	}
	res, err := c.App.ProcessProposal(&abci.RequestProcessProposal{
		Txs: entries, Hash: req.Hash, Height: req.Height, Time: req.Time, ProposerAddress: req.ProposerAddress,
	})
	if err != nil {
		return fmt.Errorf("height %d: %w", req.Height, err)
	}
	if !res.IsAccepted() {
		return fmt.Errorf("height %d: proof of randomness refused", req.Height)
	}
	return nil
}

// withoutProof leaves out the result of the block's proof, after checking that it charged nothing.
func (c *Chain) withoutProof(req *abci.RequestFinalizeBlock, results []*abci.ExecTxResult) []*abci.ExecTxResult {
	c.tb.Helper()
	if len(req.Txs) == 0 || !beacontypes.IsProof(req.Txs[0]) {
		return results
	}
	if r := results[0]; r.Code != 0 || r.GasUsed != 0 || r.GasWanted != 0 || len(r.Events) > 0 {
		c.tb.Fatalf("height %d: result of the proof of randomness: %v", req.Height, r)
	}
	return results[1:]
}

// run executes and commits a block on one copy.
func (c *Chain) run(n *node, req *abci.RequestFinalizeBlock) *abci.ResponseFinalizeBlock {
	c.tb.Helper()
	if n.shadow.Crash && req.Height > 1 {
		// Once before the block, and once more between executing and committing it: what was not committed must leave no trace.
		c.reopen(n, req.Height)
		if _, err := n.app.FinalizeBlock(req); err != nil {
			c.tb.Fatalf("%s: height %d: %v", n.shadow.Name, req.Height, err)
		}
		c.reopen(n, req.Height)
	}
	res, err := n.app.FinalizeBlock(req)
	if err != nil {
		c.tb.Fatalf("%s: height %d: %v", n.shadow.Name, req.Height, err)
	}
	if _, err := n.app.Commit(); err != nil {
		c.tb.Fatalf("%s: commit height %d: %v", n.shadow.Name, req.Height, err)
	}
	return res
}

func (c *Chain) reopen(n *node, height int64) {
	c.tb.Helper()
	if err := n.open(c.ChainID); err != nil {
		c.tb.Fatalf("%s: restart at height %d: %v", n.shadow.Name, height, err)
	}
}

// Blocks makes n empty blocks.
func (c *Chain) Blocks(n int) {
	c.tb.Helper()
	for range n {
		c.Block()
	}
}

// Deliver puts one transaction into a block and fails the test unless it succeeds.
func (c *Chain) Deliver(from *Account, msgs ...sdk.Msg) *abci.ExecTxResult {
	c.tb.Helper()
	res := c.Try(from, msgs...)
	if res.Code != 0 {
		c.tb.Fatalf("transaction of %s failed with code %d of %s: %s", from.Name, res.Code, res.Codespace, res.Log)
	}
	return res
}

// Try puts one transaction into a block and returns its result, whatever it is.
func (c *Chain) Try(from *Account, msgs ...sdk.Msg) *abci.ExecTxResult {
	c.tb.Helper()
	return c.Block(c.Tx(from, msgs...)).TxResults[0]
}

// sync reads an account's number and sequence from the state.
func (c *Chain) sync(a *Account) {
	acc := c.App.Auth.GetAccount(c.Ctx(), a.Addr)
	if acc == nil {
		a.Number, a.Sequence = 0, 0
		return
	}
	a.Number, a.Sequence = acc.GetAccountNumber(), acc.GetSequence()
}
