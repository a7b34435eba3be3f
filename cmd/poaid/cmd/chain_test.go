package cmd

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	svrcmd "github.com/cosmos/cosmos-sdk/server/cmd"
	"github.com/stretchr/testify/require"

	"poaid/model/train"
	"poaid/testutil"
	"poaid/testutil/rpcnode"
	auctionstypes "poaid/x/auctions/types"
	gradestypes "poaid/x/grades/types"
	modelstypes "poaid/x/models/types"
	taskstypes "poaid/x/tasks/types"
)

// tick is the time between blocks, of which there are at most `ahead` without anybody asking for the height.
const (
	tick  = 100 * time.Millisecond
	ahead = 12
)

// desk is where somebody sits who has all keys of a chain. It makes blocks when transactions wait, and when the test waits, so that no command is too slow for it.
type desk struct {
	t    *testing.T
	node *rpcnode.Node
	home string
	// clock: blocks are made as time goes by.
	clock bool
}

// newDesk has keys a0, a1, … of the chain's accounts, of which the last `joined` serve the echo model. With a clock there are blocks for daemons, too, but never many
// that they have not asked about.
func newDesk(t *testing.T, accounts, joined int, clock bool) *desk {
	t.Helper()
	c := testutil.NewApp(t, testutil.Options{Accounts: accounts, NoCheckTx: true, NoInvariants: true})
	c.RegisterEcho(c.Accounts[0])
	for _, a := range c.Accounts[accounts-joined:] {
		c.Deliver(a, testutil.Join(a))
	}
	d := &desk{t: t, node: rpcnode.New(t, c), home: t.TempDir(), clock: clock}
	ring, err := keyring.New("poaid", keyring.BackendTest, d.home, nil, c.App.Codec)
	require.NoError(t, err)
	for i, a := range c.Accounts {
		require.NoError(t, ring.ImportPrivKeyHex(fmt.Sprintf("a%d", i), hex.EncodeToString(a.Key.Bytes()), "secp256k1"))
	}
	require.NoError(t, os.MkdirAll(filepath.Join(d.home, "config"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(d.home, "config", "client.toml"), fmt.Appendf(nil,
		"chain-id = %q\nkeyring-backend = \"test\"\noutput = \"text\"\nnode = %q\nbroadcast-mode = \"sync\"\ngas = \"auto\"\ngas-adjustment = 1.5\ngas-prices = \"0.0025upoai\"\n",
		c.ChainID, d.node.Addr), 0o600))
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		last, made, seen := time.Now(), 0, 0
		for ; ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
			pending, polls := d.node.Asked()
			if polls > seen {
				seen, made = polls, 0
			}
			if pending > 0 || clock && made < ahead && time.Since(last) > tick {
				d.node.Block()
				last = time.Now()
				made++
			}
		}
	})
	t.Cleanup(func() { stop(); wg.Wait() })
	return d
}

// run runs a command as main does.
func (d *desk) run(args ...string) (stdout, stderr string, err error) {
	d.t.Helper()
	return poaid(d.t, d.home, append(args, "--home", d.home)...)
}

// tx sends what must not be refused, and waits until it is in a block.
func (d *desk) tx(args ...string) (stdout, stderr string) {
	d.t.Helper()
	stdout, stderr, err := d.run(append([]string{"tx"}, append(args, "--yes")...)...)
	require.NoError(d.t, err, "%v: %s%s", args, stdout, stderr)
	require.NotRegexp(d.t, "(?m)^code: [1-9]", stdout)
	for pending := 1; pending > 0; time.Sleep(time.Millisecond) {
		pending, _ = d.node.Asked()
	}
	return stdout, stderr
}

// refused sends what must be refused, for that reason.
func (d *desk) refused(why string, args ...string) {
	d.t.Helper()
	_, _, err := d.run(append([]string{"tx"}, append(args, "--yes")...)...)
	require.ErrorContains(d.t, err, why)
}

// query reads an answer.
func (d *desk) query(into any, args ...string) {
	d.t.Helper()
	out, _, err := d.run(append([]string{"query"}, append(args, "--output", "json")...)...)
	require.NoError(d.t, err)
	if s, ok := into.(*string); ok {
		*s = out
		return
	}
	require.NoError(d.t, json.Unmarshal([]byte(out), into), out)
}

// wait asks again and again whether the chain has come that far.
func (d *desk) wait(until func(c *testutil.Chain) bool) {
	d.t.Helper()
	done := false
	for range 30_000 {
		d.node.Do(func(c *testutil.Chain) { done = until(c) })
		switch {
		case done:
			return
		case !d.clock:
			d.node.Block()
		default:
			time.Sleep(10 * time.Millisecond)
		}
	}
	require.Fail(d.t, "the chain never came that far")
}

// account is the address of a key.
func (d *desk) account(i int) (addr string) {
	d.node.Do(func(c *testutil.Chain) { addr = c.Accounts[i].String() })
	return addr
}

// TestDatasetsByHand registers, sells, closes and retires a dataset as its owner and its users do.
func TestDatasetsByHand(t *testing.T) {
	d := newDesk(t, 3, 0, false)
	root, other := strings.Repeat("ab", 32), strings.Repeat("cd", 32)
	const cid = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
	d.tx("datasets", "register", "mnist", cid, "CC-BY-4.0", "--roots", root, "--roots", other,
		"--terms", `{"price":{"denom":"upoai","amount":"5000000"},"grant_blocks":"86400","share_bps":500}`, "--from", "a1")
	d.refused("roots[0]", "datasets", "register", "copy", cid, "CC-BY-4.0", "--roots", root, "--from", "a2")
	d.refused("max_price", "datasets", "buy", "mnist", "4999999upoai", "--from", "a2")
	may := func() (allowed bool) {
		var res struct{ Allowed bool }
		d.query(&res, "datasets", "may-train", "mnist", d.account(2), other)
		return res.Allowed
	}
	require.False(t, may())
	d.tx("datasets", "buy", "mnist", "5000000upoai", "--from", "a2")
	require.True(t, may())
	d.tx("datasets", "set-terms", "mnist", `{"share_bps":500,"closed":true}`, "--from", "a1")
	require.False(t, may(), "no program is listed")
	d.refused("not the owner", "datasets", "allow", "mnist", other, "--from", "a2")
	d.tx("datasets", "allow", "mnist", other, "--free", "--from", "a1")
	require.True(t, may())
	d.tx("datasets", "disallow", "mnist", other, "--from", "a1")
	require.False(t, may())
	d.tx("datasets", "retire", "mnist", "--from", "a1")
	d.node.Do(func(c *testutil.Chain) {
		set, err := c.App.Datasets.Datasets.Get(c.Ctx(), "mnist")
		require.NoError(t, err)
		require.True(t, set.Retired)
		require.True(t, set.Terms.Closed)
	})
}

// TestGradesByHand holds a round of a contest: created, funded, entered, sealed, revealed and paid.
func TestGradesByHand(t *testing.T) {
	d := newDesk(t, 6, 3, false)
	hash := "Ji1Re//QZITiNBtKN5x/T6S+koSpqCYxwDQglT1gvWc="
	d.tx("grades", "create", "poems", "--criteria", hash, "--seats", "3", "--max-entries", "4", "--seal-blocks", "600", "--reveal-blocks", "600",
		"--pause-blocks", "60", "--pot", "10000000upoai", "--grader-bps", "2000", "--from", "a1")
	d.tx("grades", "fund", "poems", "10000000upoai", "--from", "a1")
	graders := []string{"a3", "a4", "a5"}
	for _, g := range graders {
		d.tx("grades", "join", "poems", "--from", g)
	}
	d.tx("grades", "enter", "poems", hash, "--uri", "https://example.org/1", "--from", "a1")
	d.tx("grades", "enter", "poems", "Bvj66jtfaXaRttBjoHuk/68ezpodRzxYhWUjHNyOWcw=", "--from", "a2")
	phase := func(p gradestypes.Phase) {
		t.Helper()
		d.wait(func(c *testutil.Chain) bool {
			number, err := c.App.Grades.Names.Get(c.Ctx(), "poems")
			require.NoError(t, err)
			contest, err := c.App.Grades.Contests.Get(c.Ctx(), number)
			require.NoError(t, err)
			return contest.Phase == p
		})
	}
	phase(gradestypes.PHASE_SEALING)
	_, _, err := d.run("tx", "grades", "seal", "poems", "--grade", "4=1", "--from", "a3", "--yes")
	require.ErrorContains(t, err, `--grade "4=1": want SLOT=N, each slot once, below 4`)
	for _, g := range graders {
		d.tx("grades", "seal", "poems", "--grade", "0=10", "--grade", "1=30", "--from", g)
	}
	phase(gradestypes.PHASE_REVEALING)
	d.refused("reveal does not match the seal", "grades", "reveal", "poems", "--grade", "0=11", "--grade", "1=30", "--from", "a3")
	for _, g := range graders {
		d.tx("grades", "reveal", "poems", "--grade", "1=30", "--grade", "0=10", "--from", g)
	}
	phase(gradestypes.PHASE_IDLE)
	var res struct {
		Entries []struct{ Owner, Earned string }
	}
	d.query(&res, "grades", "entries", "poems")
	require.Len(t, res.Entries, 2)
	require.Equal(t, "2000000", res.Entries[0].Earned, "a quarter of 8 poai")
	require.Equal(t, "6000000", res.Entries[1].Earned)
	d.tx("grades", "close", "poems", "--from", "a1")
	phase(gradestypes.PHASE_CLOSED)
}

// submitAuction submits an auction to the echo model and returns its task.
func (d *desk) submitAuction(sealed bool, blocks string) (task uint64) {
	d.t.Helper()
	args := []string{
		"tasks", "submit", "--model", testutil.EchoModel, "--input", "x=[1,2,3,4]", "--allocation", "auction", "--max-fee", "500000upoai",
		"--bid-blocks", blocks, "--from", "a1",
	}
	if sealed {
		args = append(args, "--sealed-bids")
	}
	out, _ := d.tx(args...)
	_, err := fmt.Sscan(strings.TrimSpace(out), &task)
	require.NoError(d.t, err, out)
	return task
}

// TestSealedBidsByHand seals two bids and reveals them; the cheaper wins.
func TestSealedBidsByHand(t *testing.T) {
	d := newDesk(t, 4, 2, false)
	task := d.submitAuction(true, "80")
	id := fmt.Sprint(task)
	_, hint := d.tx("auctions", "seal", id, "300000", "--from", "a2")
	require.Contains(t, hint, "poaid tx auctions reveal "+id)
	d.tx("auctions", "seal", id, "250000", "--from", "a3")
	d.refused("a bid of 250000 may have been sealed before", "auctions", "seal", id, "200000", "--from", "a3")
	d.refused("bids are revealed from height", "auctions", "reveal", id, "--from", "a3")
	var terms auctionstypes.Terms
	d.node.Do(func(c *testutil.Chain) {
		var err error
		terms, err = c.App.Auctions.Terms.Get(c.Ctx(), task)
		require.NoError(t, err)
	})
	d.wait(func(c *testutil.Chain) bool { return c.Height() > terms.BidUntil })
	d.tx("auctions", "reveal", id, "--from", "a2")
	require.NoError(t, os.RemoveAll(filepath.Join(d.home, "bids")), "the disk is lost")
	d.refused("is kept here; give --price", "auctions", "reveal", id, "--from", "a3")
	d.tx("auctions", "reveal", id, "--price", "250000", "--from", "a3")
	d.wait(func(c *testutil.Chain) bool {
		st, err := c.App.Tasks.Statuses.Get(c.Ctx(), task)
		require.NoError(t, err)
		return st.State == taskstypes.STATE_ASSIGNED && st.Worker == c.Accounts[3].String()
	})
}

// TestDaemonByHand grants a hot key what daemons send and starts a worker with it, which bids, works and takes its deposit back. It finds the node in
// client.toml.
func TestDaemonByHand(t *testing.T) {
	d := newDesk(t, 4, 1, true)
	_, _, err := d.run("keys", "add", "hot")
	require.NoError(t, err)
	out, _, err := d.run("keys", "show", "hot", "-a")
	require.NoError(t, err)
	d.tx("poai", "grant-daemon", strings.TrimSpace(out), "--from", "a3")

	ended := make(chan error, 1)
	root, err := NewRootCmd()
	require.NoError(t, err)
	root.SetErr(t.Output())
	root.SetArgs([]string{"worker", "start", "--home", d.home, "--from", "hot", "--operator", d.account(3), "--bid", "300000upoai", "--sprints=false"})
	go func() { ended <- svrcmd.Execute(root, EnvPrefix, d.home) }()
	running := func() {
		select {
		case err := <-ended:
			t.Fatal("the daemon ended: ", err)
		default:
		}
	}
	for _, sealed := range []bool{false, true} {
		task := d.submitAuction(sealed, "40")
		d.wait(func(c *testutil.Chain) bool {
			running()
			st, err := c.App.Tasks.Statuses.Get(c.Ctx(), task)
			require.NoError(t, err)
			return st.State == taskstypes.STATE_REVEALED || st.State == taskstypes.STATE_FINAL
		})
	}
	d.wait(func(c *testutil.Chain) bool {
		p, err := c.App.Poai.Participants.Get(c.Ctx(), c.Accounts[3].String())
		require.NoError(t, err)
		it, err := c.App.Auctions.Bids.Iterate(c.Ctx(), nil)
		require.NoError(t, err)
		defer func() { require.NoError(t, it.Close()) }()
		return !it.Valid() && p.UnitsProven == 2
	})
	running()
	self, err := os.FindProcess(os.Getpid())
	require.NoError(t, err)
	require.NoError(t, self.Signal(os.Interrupt)) // which it takes as the order to end
	require.NoError(t, <-ended)
}

// TestTrainingByHand opens a training as a file says; the models it needs are registered first, once.
func TestTrainingByHand(t *testing.T) {
	d := newDesk(t, 3, 0, false)
	specs := filepath.Join("..", "..", "..", "model", "train", "testdata")
	file := filepath.Join(specs, "tiny-mlp.yaml")
	out, hint := d.tx("training", "create", file, "--id", "mine", "--royalty-bps", "200", "--segment-steps", "8", "--from", "a1")
	require.Contains(t, hint, "24 steps in 3 segments")
	require.Contains(t, hint, "nobody serves mine-trainer yet")
	var id uint64
	_, err := fmt.Sscan(out, &id)
	require.NoError(t, err, out)

	spec, err := train.ReadSpec(file)
	require.NoError(t, err)
	job, err := spec.Job()
	require.NoError(t, err)
	start, err := job.First()
	require.NoError(t, err)
	untrained, err := job.Package(start)
	require.NoError(t, err)
	count := 0
	d.node.Do(func(c *testutil.Chain) {
		j, err := c.App.Training.Jobs.Get(c.Ctx(), id)
		require.NoError(t, err)
		require.Equal(t, "mine-trainer", j.Model)
		require.Equal(t, "mine-base", j.Result.Base)
		require.Equal(t, uint32(200), j.Result.RoyaltyBps)
		require.Equal(t, []uint64{24, 8}, []uint64{j.Steps, j.SegmentSteps})
		require.NotEmpty(t, j.Result.Mappings)
		base, err := c.App.Models.Models.Get(c.Ctx(), "mine-base")
		require.NoError(t, err)
		require.Equal(t, untrained.Meta.WeightsRoot[:], base.WeightsRoot)
		require.Equal(t, untrained.Meta.ProgramHash[:], base.ProgramHash)
		trainer, err := c.App.Models.Models.Get(c.Ctx(), "mine-trainer")
		require.NoError(t, err)
		hash := job.Program.Hash()
		require.Equal(t, hash[:], trainer.ProgramHash)
		require.NoError(t, c.App.Models.Models.Walk(c.Ctx(), nil, func(string, modelstypes.Model) (bool, error) { count++; return false, nil }))
	})
	require.Equal(t, 3, count)
	require.DirExists(t, filepath.Join(d.home, "artifacts"))

	d.refused("the chain has another one of that name", "training", "create", filepath.Join(specs, "tiny-llama.yaml"), "--id", "mine", "--from", "a1")
	var shown string
	d.query(&shown, "training", "job", strings.TrimSpace(out))
	require.Contains(t, shown, "mine-base")
}
