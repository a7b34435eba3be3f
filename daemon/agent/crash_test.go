package agent_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/daemon/agent"
	"poaid/daemon/chain"
	"poaid/daemon/chain/chaintest"
	"poaid/daemon/executor"
	"poaid/daemon/journal"
	"poaid/daemon/verifier"
	"poaid/daemon/worker"
	taskstypes "poaid/x/tasks/types"
)

const chainID = "crash-1"

var errKilled = errors.New("killed")

// reaper kills a process at its n-th effect: from then on nothing it does reaches the world.
type reaper struct {
	left   atomic.Int64
	ctx    context.Context
	cancel func()
}

// alive counts one moment at which the process may be killed; false: it is dead.
func (r *reaper) alive() bool {
	if r.left.Add(-1) >= 0 {
		return true
	}
	r.cancel()
	return false
}

func (r *reaper) dead() bool { return r.left.Load() < 0 }

// The wrappers give every effect a moment before and a moment after.
type killBook struct {
	*journal.Journal
	r *reaper
}

func (k killBook) Put(rec journal.Record) error {
	if !k.r.alive() {
		return errKilled
	}
	if err := k.Journal.Put(rec); err != nil {
		return err
	}
	if !k.r.alive() {
		return errKilled
	}
	return nil
}

type killChain struct {
	*chaintest.Chain
	r *reaper
}

func (k killChain) Broadcast(ctx context.Context, raw []byte) (chain.TxResult, error) {
	if !k.r.alive() {
		return chain.TxResult{}, errKilled
	}
	res, err := k.Chain.Broadcast(ctx, raw)
	if !k.r.alive() {
		return chain.TxResult{}, errKilled
	}
	return res, err
}

type toyRunner struct {
	r    *reaper
	runs *atomic.Int32
}

func (t toyRunner) Run(_ context.Context, task taskstypes.Task) (executor.Result, error) {
	if !t.r.alive() {
		return executor.Result{}, errKilled
	}
	t.runs.Add(1)
	state, output, result := chaintest.Root(task.Id)
	res := executor.Result{
		StateRoot: state, OutputRoot: output, ResultRoot: result,
		Outputs: []taskstypes.NamedTensor{{Name: "o", Data: make([]byte, 8+task.Id%16), Root: output[:]}},
	}
	if !t.r.alive() {
		return executor.Result{}, errKilled
	}
	return res, nil
}

type memStore struct{ n atomic.Int32 }

func (m *memStore) PutBytes(context.Context, []byte) (string, error) {
	return fmt.Sprintf("cid-%d", m.n.Add(1)), nil
}

// machine is a participant's machine: disk and key outlive its processes.
type machine struct {
	t        require.TestingT
	world    *chaintest.Chain
	dir      string
	ring     keyring.Keyring
	operator string
	life     []int64 // after how many effects the processes die; then they live
	lose     bool    // the disk is lost with each process

	r      *reaper
	book   *journal.Journal
	agent  *agent.Agent
	sender *chain.Sender
	deaths int
	runs   atomic.Int32 // executions, of all processes
}

func (m *machine) boot() {
	m.r = &reaper{}
	m.r.ctx, m.r.cancel = context.WithCancel(context.Background())
	m.r.left.Store(1 << 40)
	if m.deaths < len(m.life) {
		m.r.left.Store(m.life[m.deaths])
	}
	signer, err := chain.NewSigner(m.ring, "hot", m.operator, "", m.world.Enc)
	require.NoError(m.t, err)
	if m.operator == "" {
		m.operator = signer.Operator()
	}
	secret, err := signer.SaltSecret()
	require.NoError(m.t, err)
	m.book, err = journal.Open(filepath.Join(m.dir, "journal"), chainID, m.operator)
	require.NoError(m.t, err)
	world := killChain{m.world, m.r}
	m.sender = chain.NewSender(world, signer, chain.SenderConfig{
		MaxBatch: 4, TimeoutBlocks: 5, MinBackoff: time.Nanosecond, MaxBackoff: time.Nanosecond,
		MaxInFlight: 3, Gas: chain.GasPolicy{Simulate: true, Base: 1, PerItem: 1, Adjustment: 1},
	})
	key, err := worker.Secret(secret)
	require.NoError(m.t, err)
	m.world.SetKey(m.operator, key.Public())
	m.agent, err = agent.New(agent.Config{Participant: m.operator, SaltSecret: secret, Concurrency: 2, MinRetry: time.Microsecond, SweepBlocks: 7},
		m.world, toyRunner{m.r, &m.runs}, killBook{m.book, m.r}, m.sender,
		worker.New(m.world, &memStore{}, m.operator, key), verifier.New(m.world, m.operator))
	require.NoError(m.t, err)
}

func (m *machine) tick(h int64) {
	_ = m.agent.Tick(m.r.ctx, h) // a failed listing is repeated at the next height
	m.agent.Wait()
	m.sender.Step(m.r.ctx)
	if m.r.dead() {
		m.deaths++
		require.NoError(m.t, m.book.Close())
		if m.lose {
			require.NoError(m.t, os.Remove(filepath.Join(m.dir, "journal")))
		}
		m.boot()
	}
}

// scenario is a world with two machines that work for and check each other.
type scenario struct {
	tasks  int
	lives  [2][]int64
	lose   bool
	authz  bool // the first machine's key acts for another operator
	faults []chaintest.Fault
}

// Keys are slow to make, so all scenarios share them.
var (
	once  sync.Once
	enc   chain.Encoding
	rings [2]keyring.Keyring
)

func play(t require.TestingT, dir string, sc scenario) (*chaintest.Chain, []*machine) {
	once.Do(func() {
		var err error
		enc, err = chaintest.Encoding()
		require.NoError(t, err)
		for i := range rings {
			rings[i], err = chaintest.Key(enc, "hot")
			require.NoError(t, err)
		}
	})
	world := chaintest.New(chainID, enc)
	next := 0
	world.Faults = func(string) chaintest.Fault {
		if next == len(sc.faults) {
			return chaintest.NoFault
		}
		next++
		return sc.faults[next-1]
	}
	var ms []*machine
	for i, life := range sc.lives {
		d, err := os.MkdirTemp(dir, "machine")
		require.NoError(t, err)
		m := &machine{t: t, world: world, dir: d, ring: rings[i], life: life, lose: sc.lose}
		if sc.authz && i == 0 {
			m.operator, err = enc.Registry.SigningContext().AddressCodec().BytesToString(make([]byte, 20))
			require.NoError(t, err)
		}
		m.boot()
		ms = append(ms, m)
	}
	for id := range uint64(sc.tasks) {
		w, v := ms[id%2], ms[(id+1)%2]
		if id%3 == 2 {
			world.Assign(id+1, w.operator)
		} else {
			world.Assign(id+1, w.operator, v.operator)
		}
	}
	for range 1000 {
		h := world.Commit()
		for _, m := range ms {
			m.tick(h)
		}
		if !world.Open() {
			break
		}
	}
	return world, ms
}

func requireAllFinal(t require.TestingT, world *chaintest.Chain, tasks int) {
	require.Empty(t, world.Violations())
	for id := range uint64(tasks) {
		require.Equal(t, taskstypes.STATE_FINAL, world.State(id+1), "task %d", id+1)
	}
}

func TestNothingGoesWrong(t *testing.T) {
	world, ms := play(t, t.TempDir(), scenario{tasks: 30, authz: true})
	requireAllFinal(t, world, 30)
	require.Less(t, world.Txs, 60, "items must share transactions")
	require.Greater(t, world.Forced, 5, "about half of 30 errors are forced")
	require.Less(t, world.Forced, 25)
	for _, m := range ms {
		require.Zero(t, m.deaths)
		require.EqualValues(t, 25, m.runs.Load(), "15 tasks and 10 seats are executed once each")
		_, inFlight := m.sender.Busy()
		require.Zero(t, inFlight)
	}
}

// TestKilledAtEveryStep kills a machine at its first effect, at its second, and so on to the last.
func TestKilledAtEveryStep(t *testing.T) {
	for _, lose := range []bool{false, true} {
		for n := int64(0); ; n++ {
			require.Less(t, n, int64(300), "effects of a whole run")
			world, ms := play(t, t.TempDir(), scenario{tasks: 5, lives: [2][]int64{{n}, nil}, lose: lose})
			requireAllFinal(t, world, 5)
			if !lose { // 3 tasks and 2 seats; only what was running at the time of death may be lost
				require.LessOrEqual(t, ms[0].runs.Load(), int32(5+2*ms[0].deaths))
			}
			if ms[0].deaths == 0 {
				require.Greater(t, n, int64(15), "a run has more effects than that")
				break
			}
		}
	}
}

// TestKilledAnywhere kills both machines again and again, with a bad network and sometimes with lost disks.
func TestKilledAnywhere(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		lives := rapid.SliceOfN(rapid.Int64Range(0, 40), 0, 5)
		sc := scenario{
			tasks: rapid.IntRange(1, 12).Draw(rt, "tasks"),
			lives: [2][]int64{lives.Draw(rt, "lives of the first"), lives.Draw(rt, "lives of the second")},
			lose:  rapid.Bool().Draw(rt, "disks are lost"),
			authz: rapid.Bool().Draw(rt, "authz"),
			faults: rapid.SliceOfN(rapid.SampledFrom([]chaintest.Fault{
				chaintest.NoFault, chaintest.NoFault, chaintest.NoFault, chaintest.FailBefore,
				chaintest.FailAfter, chaintest.Lost, chaintest.Full,
			}), 0, 100).Draw(rt, "faults"),
		}
		world, _ := play(rt, dir, sc)
		requireAllFinal(rt, world, sc.tasks)
	})
}
