package network

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	"github.com/stretchr/testify/require"

	"poaid/localnet"
	"poaid/localnet/setup"
	"poaid/testutil/binary"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// patience bounds the whole test; nothing of it depends on how fast things go.
const patience = 15 * time.Minute

// fixture is a running network that works on tasks.
type fixture struct {
	t      *testing.T
	ctx    context.Context
	layout *localnet.Layout
	net    *localnet.Network
	client *localnet.Client
	set    *setup.Setup
	enc    localnet.Encoding
	rpc    []*rpchttp.HTTP
	began  time.Time

	mu    sync.Mutex
	tasks []*setup.Task
	next  int
	stop  func()
}

// start runs the network and puts it to work.
func start(t *testing.T) *fixture {
	t.Helper()
	bin := binary.Path(t)
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, errors.New("the test took too long"))
	t.Cleanup(cancel)
	f := &fixture{t: t, ctx: ctx, began: time.Now(), stop: func() {}}
	var err error
	f.enc, err = localnet.NewEncoding()
	require.NoError(t, err)
	f.layout, err = localnet.Build(localnet.Config{
		Home: filepath.Join(t.TempDir(), "net"), ChainID: "poaid-network", Validators: 4, Participants: 6, BlockTime: 200 * time.Millisecond,
		Binary: bin, Links: true,
	}, f.enc)
	require.NoError(t, err)
	f.net = localnet.NewNetwork(f.layout)
	t.Cleanup(f.end)
	require.NoError(t, f.net.StartLinks())
	for i, n := range f.layout.Nodes {
		_, err := f.net.StartNode(i)
		require.NoError(t, err)
		rpc, err := rpchttp.NewWithTimeout("tcp://"+n.RPC, "/websocket", 60)
		require.NoError(t, err)
		f.rpc = append(f.rpc, rpc)
	}
	f.client, err = localnet.Dial(f.layout, f.enc)
	require.NoError(t, err)
	f.set = &setup.Setup{
		Layout: f.layout, Net: f.net, Client: f.client, Step: func(format string, args ...any) { t.Logf(format, args...) }, Status: func(string) {},
	}
	require.NoError(t, f.client.WaitHeight(ctx, 1))
	models, err := setup.OpenModels(setup.Digits, setup.Story)
	require.NoError(t, err)
	require.NoError(t, f.set.Join(ctx))
	require.NoError(t, f.set.Register(ctx, models...))
	require.NoError(t, f.set.StartParticipants(ctx))
	require.NoError(t, f.set.MakeEligible(ctx))
	return f
}

// end stops everything, and shows the logs of a test that failed.
func (f *fixture) end() {
	f.stop()
	err := f.net.Stop()
	if f.client != nil {
		err = errors.Join(err, f.client.Conn.Close())
	}
	if f.set != nil {
		err = errors.Join(err, f.set.Close())
	}
	require.NoError(f.t, err)
	if !f.t.Failed() {
		return
	}
	logs, err := filepath.Glob(filepath.Join(f.layout.Config.Home, "logs", "*.log"))
	require.NoError(f.t, err)
	for _, name := range logs {
		bz, err := os.ReadFile(name)
		require.NoError(f.t, err)
		f.t.Logf("%s:\n%s", filepath.Base(name), bz[max(0, len(bz)-3000):])
	}
}

func (f *fixture) step(what string) {
	f.t.Logf("%6.1fs, height %d: %s", time.Since(f.began).Seconds(), f.height(0), what)
}

// flow submits a task every now and then, until settle. Where the chain stands still it waits with it.
func (f *fixture) flow() {
	ctx, cancel := context.WithCancel(f.ctx)
	var wg sync.WaitGroup
	var failed error
	wg.Go(func() {
		tick := time.NewTicker(1500 * time.Millisecond)
		defer tick.Stop()
		for failed == nil {
			select {
			case <-tick.C:
				failed = f.send(f.ctx, 1)
			case <-ctx.Done():
				return
			}
		}
	})
	f.stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		if !f.t.Failed() {
			require.NoError(f.t, failed)
		}
	})
}

// submit submits n more tasks.
func (f *fixture) submit(n int) {
	f.t.Helper()
	require.NoError(f.t, f.send(f.ctx, n))
}

func (f *fixture) send(ctx context.Context, n int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var batch []*setup.Task
	for range n {
		t, err := f.set.MixedTask(ctx, f.next)
		if err != nil {
			return err
		}
		f.next++
		batch = append(batch, t)
	}
	if err := f.set.Submit(ctx, batch...); err != nil {
		return err
	}
	f.tasks = append(f.tasks, batch...)
	return nil
}

// settle ends the flow of tasks and waits until all have ended.
func (f *fixture) settle() {
	f.t.Helper()
	f.stop()
	q := taskstypes.NewQueryClient(f.client.Conn)
	for _, task := range f.tasks {
		f.until("task ends", func() (bool, error) {
			res, err := q.Task(f.ctx, &taskstypes.QueryTaskRequest{Id: task.ID})
			if err != nil {
				return false, err
			}
			return res.Status.State >= taskstypes.STATE_FINAL, nil
		})
	}
}

// closed waits until the epoch of the first task is, and its reward can be claimed.
func (f *fixture) closed() {
	f.t.Helper()
	first, err := taskstypes.NewQueryClient(f.client.Conn).Task(f.ctx, &taskstypes.QueryTaskRequest{Id: f.tasks[0].ID})
	require.NoError(f.t, err)
	q := poaitypes.NewQueryClient(f.client.Conn)
	f.until("epoch closes", func() (bool, error) {
		res, err := q.Epoch(f.ctx, &poaitypes.QueryEpochRequest{Number: first.Status.Epoch})
		return err == nil && res.Epoch.Closed, err
	})
}

// until polls; a process that ends by itself fails the test.
func (f *fixture) until(what string, done func() (bool, error)) {
	f.t.Helper()
	err := setup.Poll(f.ctx, 100*time.Millisecond, func() (bool, error) {
		select {
		case p := <-f.net.Ended():
			f.t.Fatalf("%s ended: %v\n%s", p.Name, p.Cause(), p.Tail(15))
		default:
		}
		return done()
	})
	require.NoError(f.t, err, what)
}

// height is a node's latest.
func (f *fixture) height(node int) int64 {
	f.t.Helper()
	st, err := f.rpc[node].Status(f.ctx)
	require.NoError(f.t, err)
	return st.SyncInfo.LatestBlockHeight
}

// peers counts those that a node is connected with.
func (f *fixture) peers(node int) (int, error) {
	info, err := f.rpc[node].NetInfo(f.ctx)
	if err != nil {
		return 0, err
	}
	return info.NPeers, nil
}

// blocks waits until a node has n more.
func (f *fixture) blocks(node int, n int64) {
	f.t.Helper()
	want := f.height(node) + n
	f.until("blocks", func() (bool, error) { return f.reached(node, want), nil })
}

// catchUp waits until a node is where node 0 is now. A node that just started may not answer yet.
func (f *fixture) catchUp(node int) {
	f.t.Helper()
	want := f.height(0)
	f.until("catch up", func() (bool, error) { return f.reached(node, want), nil })
}

// reached is false, too, where a node does not answer: on a busy machine it may take its time.
func (f *fixture) reached(node int, height int64) bool {
	st, err := f.rpc[node].Status(f.ctx)
	return err == nil && st.SyncInfo.LatestBlockHeight >= height
}
