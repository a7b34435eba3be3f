package chain_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/daemon/chain"
	"poaid/daemon/chain/chaintest"
	taskstypes "poaid/x/tasks/types"
)

// rig is a sender on a fake chain with one worker.
type rig struct {
	t        *testing.T
	world    *chaintest.Chain
	signer   *chain.Signer
	sender   *chain.Sender
	outcomes []chain.Outcome
	fault    map[string]chaintest.Fault
}

func newRig(t *testing.T, cfg chain.SenderConfig) *rig {
	t.Helper()
	enc, err := chaintest.Encoding()
	require.NoError(t, err)
	ring, err := chaintest.Key(enc, "hot")
	require.NoError(t, err)
	r := &rig{t: t, world: chaintest.New("test-1", enc), fault: map[string]chaintest.Fault{}}
	r.world.Faults = func(call string) chaintest.Fault { return r.fault[call] }
	r.signer, err = chain.NewSigner(ring, "hot", "", "", enc)
	require.NoError(t, err)
	cfg.MinBackoff, cfg.MaxBackoff = time.Nanosecond, time.Nanosecond
	cfg.Observe = func(o chain.Outcome) { r.outcomes = append(r.outcomes, o) }
	r.sender = chain.NewSender(r.world, r.signer, cfg)
	return r
}

func (r *rig) assign(ids ...uint64) {
	for _, id := range ids {
		r.world.Assign(id, r.signer.Operator())
	}
}

func (r *rig) seal(id uint64, deadline int64) chain.Item {
	_, _, root := chaintest.Root(id)
	s := commit.Seal("test-1", id, r.signer.Operator(), root, [32]byte{})
	return chain.SealResult(id, s[:], deadline)
}

// block makes n blocks and lets the sender settle after each.
func (r *rig) block(n int) {
	for range n {
		r.sender.Advance(r.world.Commit())
		r.sender.Step(context.Background())
	}
}

func (r *rig) step() {
	r.sender.Advance(r.world.Height())
	r.sender.Step(context.Background())
}

func (r *rig) count(s chain.OutcomeStatus) (n int) {
	for _, o := range r.outcomes {
		if o.Status == s {
			n++
		}
	}
	return n
}

func TestItemsShareTransactions(t *testing.T) {
	r := newRig(t, chain.SenderConfig{MaxBatch: 10})
	for id := range uint64(25) {
		r.assign(id + 1)
		require.True(t, r.sender.Enqueue(r.seal(id+1, 0), 1))
		require.False(t, r.sender.Enqueue(r.seal(id+1, 0), 1), "an item is queued once")
	}
	r.step()
	r.block(1)
	require.Equal(t, 3, r.world.Txs, "25 items in batches of 10, all in one block")
	require.Equal(t, 25, r.count(chain.Accepted))
	require.Empty(t, r.world.Violations())
}

func TestStaleViewsAreIgnored(t *testing.T) {
	r := newRig(t, chain.SenderConfig{})
	r.assign(1)
	seen := r.world.Height()
	require.True(t, r.sender.Enqueue(r.seal(1, 0), seen))
	r.step()
	require.False(t, r.sender.Enqueue(r.seal(1, 0), seen), "on its way")
	r.block(1)
	require.Equal(t, 1, r.count(chain.Accepted))
	require.False(t, r.sender.Enqueue(r.seal(1, 0), seen), "the caller has not seen the block yet in which it was accepted")
	require.True(t, r.sender.Enqueue(r.seal(1, 0), r.world.Height()+1), "a newer view says that it is missing after all")
}

func TestRefusedItemsWait(t *testing.T) {
	r := newRig(t, chain.SenderConfig{})
	r.assign(1)
	r.world.Assign(2, "somebody else")
	r.sender.Enqueue(r.seal(1, 0), 1)
	r.sender.Enqueue(r.seal(2, 0), 1)
	r.step()
	r.block(1)
	require.Equal(t, 1, r.count(chain.Accepted), "items of a batch stand for themselves")
	require.Equal(t, 1, r.count(chain.Refused))
	h := r.world.Height()
	require.False(t, r.sender.Enqueue(r.seal(2, 0), h+1))
	require.True(t, r.sender.Enqueue(r.seal(2, 0), h+2))
}

func TestLateItemsAreNotSent(t *testing.T) {
	r := newRig(t, chain.SenderConfig{})
	r.assign(1)
	r.sender.Enqueue(r.seal(1, r.world.Height()), 1)
	r.step()
	require.Equal(t, 1, r.count(chain.Late))
	r.block(1)
	require.Zero(t, r.world.Txs)
}

func TestFaultyNetwork(t *testing.T) {
	for _, c := range []struct {
		name  string
		call  string
		fault chaintest.Fault
		want  chain.OutcomeStatus
	}{
		{"answer to broadcast is lost", "broadcast", chaintest.FailAfter, chain.Accepted},
		{"broadcast does not arrive", "broadcast", chaintest.FailBefore, chain.Accepted},
		{"mempool forgets", "broadcast", chaintest.Lost, chain.Accepted},
		{"mempool is full", "broadcast", chaintest.Full, chain.Accepted},
		{"account cannot be read", "account", chaintest.FailBefore, chain.Accepted},
		{"simulation fails", "simulate", chaintest.FailBefore, chain.Accepted},
		{"no index", "tx", chaintest.NoIndex, chain.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, chain.SenderConfig{})
			r.assign(1)
			r.fault[c.call] = c.fault
			r.sender.Enqueue(r.seal(1, 0), 1)
			r.step()
			if c.call != "tx" {
				clear(r.fault)
			}
			r.block(5)
			require.Equal(t, taskstypes.STATE_REVEALING, r.world.State(1))
			require.Equal(t, 1, r.count(c.want), "%v", r.outcomes)
			_, held := r.sender.Busy()
			require.Zero(t, held)
		})
	}
}

func TestTransactionsExpire(t *testing.T) {
	r := newRig(t, chain.SenderConfig{TimeoutBlocks: 3})
	r.assign(1, 2)
	r.fault["broadcast"] = chaintest.Lost
	r.sender.Enqueue(r.seal(1, 0), 1)
	r.step()
	r.block(4)
	require.Equal(t, 1, r.count(chain.Expired))
	clear(r.fault)
	require.True(t, r.sender.Enqueue(r.seal(1, 0), r.world.Height()+1))
	r.block(2)
	require.Equal(t, 1, r.count(chain.Accepted), "the sequence was read again")
}

// TestSequenceIsSharedWithOthers sends with two senders of one key, which takes sequences away from each other.
func TestSequenceIsSharedWithOthers(t *testing.T) {
	r := newRig(t, chain.SenderConfig{MaxBatch: 1})
	other := chain.NewSender(r.world, r.signer, chain.SenderConfig{MaxBatch: 1, MinBackoff: time.Nanosecond, MaxBackoff: time.Nanosecond})
	for id := uint64(1); id <= 20; id += 2 {
		r.assign(id, id+1)
		r.sender.Enqueue(r.seal(id, 0), 1)
		other.Enqueue(r.seal(id+1, 0), 1)
		for range 3 {
			r.step()
			other.Advance(r.world.Height())
			other.Step(t.Context())
		}
		r.block(1)
		other.Advance(r.world.Height())
		other.Step(t.Context())
	}
	r.block(6)
	for id := uint64(1); id <= 20; id++ {
		require.Greater(t, r.world.State(id), taskstypes.STATE_ASSIGNED, strconv.FormatUint(id, 10))
	}
	require.Empty(t, r.world.Violations())
}

func TestSaltSecretFollowsFromTheKey(t *testing.T) {
	enc, err := chaintest.Encoding()
	require.NoError(t, err)
	ring, err := chaintest.Key(enc, "hot")
	require.NoError(t, err)
	secret := func(ring keyring.Keyring, operator string) []byte {
		s, err := chain.NewSigner(ring, "hot", operator, "", enc)
		require.NoError(t, err)
		out, err := s.SaltSecret()
		require.NoError(t, err)
		require.Len(t, out, 32)
		return out
	}
	require.Equal(t, secret(ring, ""), secret(ring, ""))
	other, err := chaintest.Key(enc, "hot")
	require.NoError(t, err)
	require.NotEqual(t, secret(ring, ""), secret(other, ""))
	op, err := enc.Registry.SigningContext().AddressCodec().BytesToString(make([]byte, 20))
	require.NoError(t, err)
	require.NotEqual(t, secret(ring, ""), secret(ring, op))
}

func TestSignerRefuses(t *testing.T) {
	enc, err := chaintest.Encoding()
	require.NoError(t, err)
	ring, err := chaintest.Key(enc, "hot")
	require.NoError(t, err)
	for _, c := range [][3]string{{"cold", "", ""}, {"hot", "nobody", ""}, {"hot", "", "cosmos1xyz"}} {
		_, err := chain.NewSigner(ring, c[0], c[1], c[2], enc)
		require.Error(t, err, "%v", c)
	}
}
