package chain

import (
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	disputestypes "poaid/x/disputes/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
	trainingtypes "poaid/x/training/types"
)

// everyKind has one item of each kind.
func everyKind(t *testing.T) map[Kind]Item {
	t.Helper()
	out := map[Kind]Item{}
	for _, it := range []Item{
		SealResult(1, nil, 9), RevealResult(taskstypes.ResultReveal{TaskId: 1}, 9), SealAttestation(1, nil, 9),
		RevealAttestation(poaitypes.AttestationReveal{TaskId: 1}, 9), SetVRFKey(&poaitypes.MsgSetVRFKey{}), CommitSprint(1, nil, 1, 9), OpenSprint(1, nil, 9),
		FinishJob(&trainingtypes.MsgFinishJob{JobId: 1}, 9), Bid(1, math.OneInt(), 9), SealBid(1, nil, 9), RevealBid(1, math.OneInt(), nil, 9),
		WithdrawBids([]uint64{1}, 9), Unjail(),
	} {
		out[it.Kind] = it
	}
	for _, msg := range []sdk.Msg{
		&disputestypes.MsgMove{}, &disputestypes.MsgDefend{}, &disputestypes.MsgClaim{}, &disputestypes.MsgAttack{}, &disputestypes.MsgDemandBytes{},
		&disputestypes.MsgProduceBytes{},
	} {
		it, err := Dispute(msg, 9)
		require.NoError(t, err)
		out[it.Kind] = it
	}
	require.Len(t, out, int(numKinds), "every kind")
	return out
}

// TestEveryKindIsGranted: each kind becomes one message, in the operator's name, that a hot key is granted; and a hot key is granted no other.
func TestEveryKindIsGranted(t *testing.T) {
	granted := map[string]bool{}
	for _, m := range HotMessages() {
		granted[sdk.MsgTypeURL(m)] = false
	}
	require.Len(t, granted, len(HotMessages()), "each once")
	for kind, it := range everyKind(t) {
		msgs := messages("operator", []Item{it})
		require.Len(t, msgs, 1, "%s", kind)
		url := sdk.MsgTypeURL(msgs[0])
		require.Contains(t, granted, url, "%s", kind)
		granted[url] = true
		require.Contains(t, msgs[0].String(), "operator", "%s has no signer", kind)
		require.NotContains(t, kind.String(), "kind_", "%d has no name", int(kind))
	}
	for url, used := range granted {
		require.True(t, used, "no daemon sends %s", url)
	}
}

// TestBidsFailOneByOne: of bids that fail together each is sent on its own then; they share transactions with nothing else.
func TestBidsFailOneByOne(t *testing.T) {
	for kind, it := range everyKind(t) {
		bids := kind == KindBid || kind == KindSealBid || kind == KindRevealBid
		require.Equal(t, bids, it.Kind.company() == withBids, "%s", kind)
	}
	require.Len(t, messages("me", []Item{RevealBid(1, math.OneInt(), nil, 9), Bid(2, math.OneInt(), 9), Bid(3, math.OneInt(), 9)}), 3)
	require.True(t, withBids.together())
	require.False(t, withNone.together())
}
