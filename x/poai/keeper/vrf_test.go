package keeper_test

import (
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/x/beacon/vrf"
	"poaid/x/poai/types"
)

func secret(t *testing.T, b byte) vrf.SecretKey {
	t.Helper()
	s, err := vrf.NewSecretKey(append(make([]byte, 31), b))
	require.NoError(t, err)
	return s
}

func possession(chain, participant string, s vrf.SecretKey) []byte {
	return s.Prove(types.VRFPossessionInput(chain, sdk.MustAccAddressFromBech32(participant)))
}

// TestVRFKeyActsLater: a key acts vrf_activation_blocks after it was set; until then the one before does; one that does not act yet is replaced.
func TestVRFKeyActsLater(t *testing.T) {
	f := newFixture(t)
	who := f.join(0, minBond)
	require.Nil(t, f.get(who).LatestVRFKey())
	set := func(b byte) vrf.SecretKey {
		s := secret(t, b)
		res, err := f.msgs.SetVRFKey(f.ctx, &types.MsgSetVRFKey{Participant: who, VrfPubKey: s.Public(), Proof: possession(chainID, who, s)})
		require.NoError(t, err)
		require.Equal(t, f.ctx.BlockHeight()+100, res.ActiveFrom)
		require.Equal(t, s.Public(), f.get(who).LatestVRFKey())
		return s
	}
	f.at(10)
	first := set(1)
	require.Nil(t, f.get(who).ActingVRFKey(109))
	require.Equal(t, first.Public(), f.get(who).ActingVRFKey(110))
	f.at(200)
	set(2)
	f.at(250)
	third := set(3) // the second never acts
	require.Equal(t, first.Public(), f.get(who).ActingVRFKey(349))
	require.Equal(t, third.Public(), f.get(who).ActingVRFKey(350))
	g, err := f.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.NoError(t, g.Validate())
	g.Participants[0].NextVrfKey = []byte{1}
	require.ErrorIs(t, g.Validate(), types.ErrInvalidGenesis)
}

// TestVRFKeyRefused: a key is taken with a proof for this chain and this participant only.
func TestVRFKeyRefused(t *testing.T) {
	f := newFixture(t)
	who, other := f.join(0, minBond), f.join(1, minBond)
	s := secret(t, 1)
	good := types.MsgSetVRFKey{Participant: who, VrfPubKey: s.Public(), Proof: possession(chainID, who, s)}
	for name, change := range map[string]func(*types.MsgSetVRFKey){
		"short key":            func(m *types.MsgSetVRFKey) { m.VrfPubKey = m.VrfPubKey[1:] },
		"no proof":             func(m *types.MsgSetVRFKey) { m.Proof = nil },
		"another's proof":      func(m *types.MsgSetVRFKey) { m.Proof = possession(chainID, other, s) },
		"another chain's":      func(m *types.MsgSetVRFKey) { m.Proof = possession("elsewhere", who, s) },
		"another key's":        func(m *types.MsgSetVRFKey) { m.Proof = possession(chainID, who, secret(t, 2)) },
		"a key of small order": func(m *types.MsgSetVRFKey) { m.VrfPubKey = append([]byte{1}, make([]byte, 31)...) },
	} {
		m := good
		change(&m)
		_, err := f.msgs.SetVRFKey(f.ctx, &m)
		require.ErrorIs(t, err, types.ErrInvalidVRFKey, name)
	}
	m := good
	m.Participant = addr(7)
	_, err := f.msgs.SetVRFKey(f.ctx, &m)
	require.ErrorIs(t, err, types.ErrUnknownParticipant)
	_, err = f.msgs.SetVRFKey(f.ctx, &good)
	require.NoError(t, err)
}

// TestFalseRootIsALie: who attested a root known to be wrong loses its lock even where nobody else does.
func TestFalseRootIsALie(t *testing.T) {
	truth, wrong := rootOf(1), rootOf(2)
	for _, valid := range [][]byte{nil, truth[:]} {
		f := newFixture(t)
		f.open(2, 2)
		roots := func(i int) byte { return byte(2 - i) }
		f.sealAll(roots)
		for i, s := range f.seatsOf(task) {
			require.Empty(t, f.reveal(s.Participant, revealItem(s.Participant, task, rootOf(roots(i)))))
		}
		_, err := f.SettleCommittee(f.ctx, task, types.CommitteeOutcome{ValidRoot: valid, FalseRoot: wrong[:]})
		require.NoError(t, err)
		seats := f.seatsOf(task)
		require.EqualValues(t, 1, f.get(seats[0].Participant).Faults, "attested the false root")
		require.Zero(t, f.get(seats[1].Participant).Faults)
		f.ok()
	}
}
