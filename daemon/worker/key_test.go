package worker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/daemon/chain"
	"poaid/daemon/executor"
	"poaid/daemon/worker"
	"poaid/x/beacon/vrf"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

func key(t *testing.T, salt string) vrf.SecretKey {
	t.Helper()
	secret, err := worker.Secret([]byte(salt))
	require.NoError(t, err)
	return secret
}

// TestForcedProof: about as many errors are forced as the chain says, the proof is the same again after a restart, and another key's task never is.
func TestForcedProof(t *testing.T) {
	secret, forced := key(t, "a"), 0
	require.Equal(t, secret.Public(), key(t, "a").Public(), "derived again after a restart")
	view := taskstypes.TaskView{
		Task: taskstypes.Task{ForcedErrorPpm: 300_000}, Status: taskstypes.Status{Worker: "me", VrfKey: secret.Public()},
	}
	const n = 400
	for i := range n {
		input := taskstypes.ForcedInput("chain", uint64(i), 1, []byte("random"))
		view.Status.VrfInput = input[:]
		proof, err := worker.ForcedProof(view, secret)
		require.NoError(t, err)
		output, err := vrf.Verify(secret.Public(), input[:], secret.Prove(input[:]))
		require.NoError(t, err)
		require.Equal(t, taskstypes.IsForced(output, 300_000), proof != nil)
		if proof == nil {
			continue
		}
		forced++
		other, err := worker.ForcedProof(view, key(t, "b"))
		require.NoError(t, err)
		require.Nil(t, other, "not its key")

		l := &limits{}
		rec, err := worker.New(l, l, "me", secret).Record(t.Context(), view, executor.Result{ResultRoot: commit.Hash{1}})
		require.NoError(t, err)
		require.Equal(t, proof, rec.ForcedProof)
		require.Equal(t, commit.ForcedRoot(commit.Hash{1}), rec.SealedRoot())
	}
	require.InDelta(t, 0.3*n, forced, 50) // five deviations
	_, err := worker.New(&limits{}, &limits{}, "you", secret).Record(t.Context(), view, executor.Result{})
	require.Error(t, err, "what must be sealed is known only once the node knows of the draw")
}

// registry is a chain with one participant, and an outbox.
type registry struct {
	participant *poaitypes.Participant
	err         error
	sent        []chain.Item
}

func (*registry) ChainID() string { return "chain" }

func (r *registry) Participant(context.Context, string) (poaitypes.Participant, error) {
	if r.err != nil || r.participant == nil {
		return poaitypes.Participant{}, errors.Join(r.err, chain.ErrNotFound)
	}
	return *r.participant, nil
}

func (r *registry) Enqueue(it chain.Item, _ int64) bool {
	r.sent = append(r.sent, it)
	return true
}

// TestKeyIsSetOnce: a key is sent where the participant has none, again while it does not arrive, and never over another.
func TestKeyIsSetOnce(t *testing.T) {
	secret := key(t, "a")
	r := &registry{}
	k := worker.NewKey(r, r, "me", bytes.Repeat([]byte{1}, 20), secret, slog.New(slog.DiscardHandler))
	require.NoError(t, k.Ensure(t.Context(), 1))
	require.Empty(t, r.sent, "it has not joined")
	r.participant = &poaitypes.Participant{}
	require.NoError(t, k.Ensure(t.Context(), 2))
	require.Empty(t, r.sent, "it looks every 20 blocks")
	for i, h := range []int64{21, 41} {
		require.NoError(t, k.Ensure(t.Context(), h))
		require.Len(t, r.sent, i+1)
		require.Equal(t, chain.KindSetVRFKey, r.sent[i].Kind)
	}
	for i, latest := range [][]byte{secret.Public(), key(t, "b").Public()} {
		r.sent, r.participant.NextVrfKey = nil, latest
		require.NoError(t, k.Ensure(t.Context(), 1_000*int64(2*i+1)))
		require.NoError(t, k.Ensure(t.Context(), 1_000*int64(2*i+2)))
		require.Empty(t, r.sent)
	}
}
