package bidder_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	"poaid/app/params"
	"poaid/commit"
	"poaid/daemon/agent"
	"poaid/daemon/bidder"
	"poaid/daemon/chain"
	"poaid/daemon/executor"
	"poaid/daemon/journal"
	"poaid/daemon/verifier"
	"poaid/daemon/worker"
	"poaid/model"
	"poaid/testutil"
	"poaid/testutil/rpcnode"
	auctionstypes "poaid/x/auctions/types"
	"poaid/x/beacon/vrf"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// town is a whole chain with a node in front of it, whose daemons and whose submitter are in this process.
type town struct {
	t       *testing.T
	node    *rpcnode.Node
	client  *chain.Client
	owner   *testutil.Account
	workers []*machine
	blobs   sync.Map // bytes by content id, where everybody finds them
}

// machine is what `poaid worker start --verify --bid` runs, without its clock: it does what is due when it is told of a height.
type machine struct {
	town    *town
	account *testutil.Account
	ring    keyring.Keyring
	home    string
	price   bidder.Price
	shirks  bool // computes nothing

	book   *journal.Journal
	sender *chain.Sender
	agent  *agent.Agent
	bids   *bidder.Bidder
}

// newTown has one machine for each price.
func newTown(t *testing.T, prices ...string) *town {
	t.Helper()
	c := testutil.NewApp(t, testutil.Options{Accounts: 3 + len(prices), NoCheckTx: true})
	c.RegisterEcho(c.Accounts[1])
	tn := &town{t: t, owner: c.Accounts[2], node: rpcnode.New(t, c)}
	enc := chain.Encoding{Registry: c.App.Registry, Codec: c.App.Codec, TxConfig: c.App.TxConfig}
	var err error
	tn.client, err = chain.Dial(t.Context(), chain.Config{Nodes: []string{tn.node.Addr}, Encoding: enc})
	require.NoError(t, err)
	require.Equal(t, c.ChainID, tn.client.ChainID())
	for i, text := range prices {
		price, err := bidder.ParsePrice(text)
		require.NoError(t, err)
		m := &machine{town: tn, account: c.Accounts[3+i], home: t.TempDir(), price: price, ring: keyring.NewInMemory(c.App.Codec)}
		require.NoError(t, m.ring.ImportPrivKeyHex("hot", hex.EncodeToString(m.account.Key.Bytes()), "secp256k1"))
		join := testutil.Join(m.account)
		join.Concurrency, join.Tags = 4, []string{fmt.Sprintf("number:%d", i)}
		c.Deliver(m.account, join)
		m.boot()
		tn.workers = append(tn.workers, m)
	}
	return tn
}

// boot starts the machine as after a crash: of what it knew only its home is left.
func (m *machine) boot() {
	t := m.town.t
	t.Helper()
	if m.book != nil {
		require.NoError(t, m.book.Close())
	}
	signer, err := chain.NewSigner(m.ring, "hot", "", "", m.town.client.Encoding())
	require.NoError(t, err)
	secret, err := signer.SaltSecret()
	require.NoError(t, err)
	m.book, err = journal.Open(filepath.Join(m.home, "journal"), m.town.client.ChainID(), m.account.String())
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() && os.Getenv("BIDDER_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil)).With("machine", m.account.Name)
	}
	gas, err := sdk.ParseDecCoins(params.MinGasPrice + params.Denom)
	require.NoError(t, err)
	m.sender = chain.NewSender(m.town.client, signer, chain.SenderConfig{GasPrices: gas, Logger: log})
	m.agent, err = agent.New(agent.Config{Participant: m.account.String(), SaltSecret: secret, Logger: log}, m.town.client, m, m.book, m.sender,
		worker.New(m.town.client, nil, m.account.String(), vrf.SecretKey{}), verifier.New(m.town.client, m.account.String()))
	require.NoError(t, err)
	m.bids = bidder.New(bidder.Config{Participant: m.account.String(), Secret: secret, Price: m.price, MaxBatch: 10, Check: m.check, Logger: log}, m.town.client, m.book, m.sender)
}

// Run implements executor.Runner with the echo model.
func (m *machine) Run(_ context.Context, task taskstypes.Task) (executor.Result, error) {
	if m.shirks {
		return executor.Result{}, fmt.Errorf("out of order")
	}
	inputs, err := m.inputs(task)
	if err != nil {
		return executor.Result{}, err
	}
	r, err := testutil.RunEcho(inputs, task.Steps, false)
	return executor.Result{ResultRoot: r.Root, StateRoot: r.StateRoot, OutputRoot: r.StateRoot, Outputs: r.Outputs}, err
}

// inputs are a task's, with the bytes that are somewhere else.
func (m *machine) inputs(task taskstypes.Task) ([]taskstypes.NamedTensor, error) {
	inputs, err := m.town.client.Inputs(m.town.t.Context(), task.Id)
	for i, in := range inputs {
		if in.Cid == "" {
			continue
		}
		data, ok := m.town.blobs.Load(in.Cid)
		if !ok {
			return nil, fmt.Errorf("input %q cannot be had", in.Name)
		}
		inputs[i].Data, _ = data.([]byte)
	}
	return inputs, err
}

// check is what a bidder asks before it bids on what is not all on the chain.
func (m *machine) check(_ context.Context, task taskstypes.Task) error {
	_, err := m.inputs(task)
	return err
}

// block makes a block and has every machine do what is due then.
func (tn *town) block() int64 {
	tn.t.Helper()
	h := tn.node.Block()
	for _, m := range tn.workers {
		require.NoError(tn.t, m.agent.Tick(tn.t.Context(), h))
		m.agent.Wait()
		require.NoError(tn.t, m.bids.Tick(tn.t.Context(), h))
		m.sender.Step(tn.t.Context())
	}
	return h
}

// auction submits an auctioned task.
func (tn *town) auction(n uint64, change func(*taskstypes.MsgSubmitTask)) (task taskstypes.Task) {
	tn.t.Helper()
	tn.node.Do(func(c *testutil.Chain) {
		msg := testutil.SubmitEcho(tn.owner, n)
		msg.Allocation, msg.Auction = taskstypes.ALLOCATION_AUCTION, &taskstypes.AuctionOptions{BidBlocks: 10}
		if change != nil {
			change(msg)
		}
		c.Deliver(tn.owner, msg)
		ids := testutil.TaskIDs(c, tn.owner)
		var err error
		task, err = c.App.Tasks.Tasks.Get(c.Ctx(), ids[len(ids)-1])
		require.NoError(tn.t, err)
	})
	return task
}

// until makes blocks until a task is in a state.
func (tn *town) until(id uint64, state taskstypes.State) taskstypes.Status {
	tn.t.Helper()
	for range 600 {
		v, err := tn.client.Task(tn.t.Context(), id)
		require.NoError(tn.t, err)
		if v.Status.State == state {
			return v.Status
		}
		tn.block()
	}
	require.Failf(tn.t, "task does not come there", "%s", state)
	return taskstypes.Status{}
}

func sealed(m *taskstypes.MsgSubmitTask) { m.Auction.Sealed = true }

// bidsOf are the bids of a machine that are on the chain.
func (tn *town) bidsOf(m *machine) (out []auctionstypes.BidView) {
	tn.t.Helper()
	require.NoError(tn.t, tn.client.EachBid(tn.t.Context(), m.account.String(), func(v auctionstypes.BidView) error {
		out = append(out, v)
		return nil
	}))
	return out
}

// held is what x/auctions holds.
func (tn *town) held() (coins sdk.Coins) {
	tn.node.Do(func(c *testutil.Chain) {
		coins = c.App.Bank.GetAllBalances(c.Ctx(), c.App.Auth.GetModuleAddress(auctionstypes.ModuleName))
	})
	return coins
}

// pool is what the community pool has.
func (tn *town) pool() (coins sdk.DecCoins) {
	tn.node.Do(func(c *testutil.Chain) {
		p, err := c.App.Distribution.FeePool.Get(c.Ctx())
		require.NoError(tn.t, err)
		coins = p.CommunityPool
	})
	return coins
}

// Prices of 800,000, 700,000 and two million upoai a unit, of which the echo model has one or two.
const dear, cheap, tooDear = "800000000000upoai", "700000000000upoai", "2000000000000upoai"

// TestCheaperWins: of two workers that bid, openly or sealed, the cheaper one has the task, computes it and is paid its price; all deposits come back.
func TestCheaperWins(t *testing.T) {
	for _, kind := range []string{"open", "sealed"} {
		t.Run(kind, func(t *testing.T) {
			tn := newTown(t, dear, cheap)
			task := tn.auction(1, func(m *taskstypes.MsgSubmitTask) {
				m.Auction.Sealed = kind == "sealed"
				m.MaxFee = sdk.NewInt64Coin(params.Denom, 5_000_000)
			})
			st := tn.until(task.Id, taskstypes.STATE_FINAL)
			require.Equal(t, tn.workers[1].account.String(), st.Worker)
			want := math.NewIntFromUint64(task.Units * 700_000)
			require.Equal(t, want, *st.Price)
			tn.node.Do(func(c *testutil.Chain) {
				pay, err := c.App.Tasks.Payments.Get(c.Ctx(), task.Id)
				require.NoError(t, err)
				require.Equal(t, task.MaxFee.Amount.Sub(want), pay.Refund, "the submitter pays the bid, not the most it would have paid")
				require.True(t, pay.Worker.IsPositive())
			})
			for range 60 {
				tn.block()
			}
			require.True(t, tn.held().IsZero(), "deposits are back: %s", tn.held())
			for _, m := range tn.workers {
				require.Empty(t, tn.bidsOf(m))
				left, err := m.book.Tasks(journal.Bidder, 0, 10)
				require.NoError(t, err)
				require.Empty(t, left, "the journal keeps nothing that is over")
			}
		})
	}
}

// TestCrashBetweenSealAndReveal: a daemon that starts again, told another price by now, reveals what it sealed. One that has lost its disk reveals if it asks what it
// asked; if not, its deposit is lost, and it says so.
func TestCrashBetweenSealAndReveal(t *testing.T) {
	for name, c := range map[string]struct {
		price    string
		loseDisk bool
		reveals  bool
	}{
		"another price":                {cheap, false, true},
		"lost disk":                    {dear, true, true},
		"lost disk, and another price": {cheap, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			tn := newTown(t, dear)
			task := tn.auction(1, sealed)
			for tn.block() < task.Auction.BidUntil {
			}
			m := tn.workers[0]
			bids := tn.bidsOf(m)
			require.Len(t, bids, 1)
			require.True(t, bids[0].Bid.Sealed())
			kept, err := m.book.Bid(task.Id)
			require.NoError(t, err)
			if c.loseDisk {
				require.NoError(t, m.book.Delete(journal.Bidder, task.Id))
			}
			m.price, err = bidder.ParsePrice(c.price)
			require.NoError(t, err)
			before := tn.pool()
			m.boot()
			for tn.block() <= task.Auction.RevealUntil+1 {
			}
			v, err := tn.client.Task(t.Context(), task.Id)
			require.NoError(t, err)
			if !c.reveals {
				require.Equal(t, taskstypes.STATE_EXPIRED, v.Status.State)
				require.NotEqual(t, before, tn.pool(), "a deposit that is lost goes to the community pool")
				return
			}
			require.NotNil(t, v.Status.Price)
			require.Equal(t, kept.Price, *v.Status.Price)
		})
	}
}

// TestBidsWithinReach: it bids where it qualifies, can lock, pays the deposit and has a free place; a promise takes a place until the auction is over.
func TestBidsWithinReach(t *testing.T) {
	tn := newTown(t, "80%", "90%")
	m, other := tn.workers[0], tn.workers[1]
	ids := map[string]uint64{}
	add := func(name string, n uint64, change func(*taskstypes.MsgSubmitTask)) {
		ids[name] = tn.auction(n, change).Id
	}
	add("wants another tag", 1, func(m *taskstypes.MsgSubmitTask) {
		m.Requirements = &poaitypes.Requirements{Tags: []string{"number:7"}}
	})
	add("wants memory", 2, func(m *taskstypes.MsgSubmitTask) { m.Requirements = &poaitypes.Requirements{MemoryMib: 1} })
	add("wants reliability", 3, func(m *taskstypes.MsgSubmitTask) {
		m.Requirements = &poaitypes.Requirements{MinReliabilityPpm: 900_000}
	})
	add("wants its tag", 4, func(m *taskstypes.MsgSubmitTask) {
		m.Requirements = &poaitypes.Requirements{Tags: []string{"number:0"}}
	})
	add("race", 5, func(m *taskstypes.MsgSubmitTask) { m.Allocation, m.Auction = taskstypes.ALLOCATION_RACE, nil })
	for n := range uint64(5) {
		add(fmt.Sprintf("plain %d", n), 10+n, func(m *taskstypes.MsgSubmitTask) { m.Auction.BidBlocks = 30 })
	}
	for range 4 {
		tn.block()
	}
	on := map[uint64]bool{}
	for _, v := range tn.bidsOf(m) {
		on[v.Bid.Task] = true
	}
	require.Len(t, on, 4, "as many as it has places, and no more while they are promised")
	require.True(t, on[ids["wants its tag"]])
	for _, name := range []string{"wants another tag", "wants memory", "wants reliability", "race"} {
		require.False(t, on[ids[name]], name)
	}
	// It wins three of the four plain auctions that it bid on at 80 %, and is then free for others.
	st := tn.until(ids["plain 0"], taskstypes.STATE_FINAL)
	require.Equal(t, m.account.String(), st.Worker)
	tn.until(ids["plain 4"], taskstypes.STATE_FINAL)
	last, err := tn.client.Task(t.Context(), ids["plain 4"])
	require.NoError(t, err)
	require.Equal(t, other.account.String(), last.Status.Worker, "who had no place left did not bid")
}

// TestGetsTheInputFirst: on a task whose input is given by its content id it bids once it has the bytes, and not before.
func TestGetsTheInputFirst(t *testing.T) {
	tn := newTown(t, cheap)
	data := testutil.EchoInput(1).Data
	cid := model.CIDOf(data)
	task := tn.auction(1, func(m *taskstypes.MsgSubmitTask) {
		in := &m.Inputs[0]
		root, err := commit.TensorRoot(uint8(in.Dtype), in.Shape, in.Data)
		require.NoError(t, err)
		in.Data, in.Cid, in.Root = nil, cid, root[:]
		m.Auction.BidBlocks = 100
	})
	require.True(t, task.ByCid)
	for range 50 {
		tn.block()
	}
	require.Empty(t, tn.bidsOf(tn.workers[0]))
	tn.blobs.Store(cid, data)
	for range 30 { // it looks again
		tn.block()
	}
	require.Len(t, tn.bidsOf(tn.workers[0]), 1)
	st := tn.until(task.Id, taskstypes.STATE_FINAL)
	require.Equal(t, tn.workers[0].account.String(), st.Worker)
}

// TestNoCoinsForTheDeposit: who cannot pay the deposits of all bids makes as many as it can pay.
func TestNoCoinsForTheDeposit(t *testing.T) {
	tn := newTown(t, cheap)
	m := tn.workers[0]
	for n := range uint64(3) {
		tn.auction(n, nil)
	}
	tn.node.Do(func(c *testutil.Chain) {
		p, err := c.App.Auctions.Params.Get(c.Ctx())
		require.NoError(t, err)
		keep := p.MinDeposit.Amount.MulRaw(3).SubRaw(1) // of which gas is paid, too
		all := c.App.Bank.GetBalance(c.Ctx(), m.account.Addr, params.Denom).Amount
		fee := math.NewInt(testutil.DefaultGas).MulRaw(25).QuoRaw(10_000)
		c.Deliver(m.account, &banktypes.MsgSend{
			FromAddress: m.account.String(), ToAddress: tn.owner.String(), Amount: sdk.NewCoins(sdk.NewCoin(params.Denom, all.Sub(keep).Sub(fee))),
		})
	})
	h := tn.node.Block()
	var out counter
	b := bidder.New(bidder.Config{Participant: m.account.String(), Price: m.price}, tn.client, m.book, &out)
	require.NoError(t, b.Tick(t.Context(), h))
	require.EqualValues(t, 2, out)
}

// counter counts what is sent.
type counter int

func (c *counter) Enqueue(chain.Item, int64) bool { *c++; return true }

// TestTooDear: where the submitter pays less than it asks it stays away.
func TestTooDear(t *testing.T) {
	tn := newTown(t, tooDear)
	task := tn.auction(1, nil)
	for tn.block() < task.Auction.BidUntil {
	}
	require.Empty(t, tn.bidsOf(tn.workers[0]))
}

// TestNextBidderTakesOver: who won and does not deliver makes place for the next bid.
func TestNextBidderTakesOver(t *testing.T) {
	tn := newTown(t, cheap, dear)
	tn.workers[0].shirks = true
	task := tn.auction(1, nil)
	st := tn.until(task.Id, taskstypes.STATE_FINAL)
	require.Equal(t, tn.workers[1].account.String(), st.Worker)
	require.EqualValues(t, 2, st.Attempt)
}

// TestPrices: prices are read as they are written, and asked as they are read.
func TestPrices(t *testing.T) {
	for _, text := range []string{"80%", "99.95%", "0.0001%", "10000%", "800000upoai"} {
		p, err := bidder.ParsePrice(text)
		require.NoError(t, err, text)
		require.Equal(t, text, p.String())
	}
	for _, text := range []string{"", "80", "0%", "-1%", "10000.1%", "0.00001%", "upoai", "0upoai", "x%"} {
		_, err := bidder.ParsePrice(text)
		require.Error(t, err, text)
	}
	terms := auctionstypes.Terms{Least: math.NewInt(1_000), Ceiling: sdk.NewInt64Coin("upoai", 2_000_000)}
	task := func(units uint64, rate int64) taskstypes.Task {
		return taskstypes.Task{Units: units, UnitPrice: math.NewInt(1_000_001), FeeRate: math.NewInt(rate)}
	}
	for _, c := range []struct {
		price string
		task  taskstypes.Task
		want  int64
		pays  bool
	}{
		{"80%", task(1_000_000, 1_000_000), 800_001, true},           // 0.8 of 1,000,001, rounded up
		{"80%", task(1, 1_000_000), 1_000, true},                     // the least fee
		{"500000upoai", task(3, 1_000_000), 1_000, true},             //
		{"500000upoai", task(3_000_001, 1_000_000), 1_500_001, true}, // rounded up
		{"500000upoai", task(1_000_000, 250_000), 2_000_000, true},   // in a denom that is worth a quarter
		{"500001upoai", task(4_000_000, 1_000_000), 2_000_004, false},
	} {
		p, err := bidder.ParsePrice(c.price)
		require.NoError(t, err)
		ask, pays := p.Ask(c.task, terms)
		require.Equal(t, c.want, ask.Int64(), "%s of %d units", c.price, c.task.Units)
		require.Equal(t, c.pays, pays)
	}
}
