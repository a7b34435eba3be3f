package chain_test

import (
	"errors"
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"poaid/daemon/chain"
	sprintstypes "poaid/x/sprints/types"
)

// sprints is a chain's part that takes the messages of sprints, or refuses them.
type sprints struct {
	refuse bool
	got    []sdk.Msg
}

func (s *sprints) Handle(msg sdk.Msg, _ int64) (proto.Message, error) {
	if s.refuse {
		return nil, errors.New("the window is closed")
	}
	s.got = append(s.got, msg)
	switch msg.(type) {
	case *sprintstypes.MsgCommitSprint:
		return &sprintstypes.MsgCommitSprintResponse{}, nil
	case *sprintstypes.MsgOpenSprint:
		return &sprintstypes.MsgOpenSprintResponse{}, nil
	}
	return nil, errors.New("not of sprints")
}

func (s *sprints) Save() func() {
	n := len(s.got)
	return func() { s.got = s.got[:n] }
}

func (*sprints) EndBlock(int64) {}

// TestSprintsTravelAlone: a refused commit takes no seal with it, and an accepted one is sent once.
func TestSprintsTravelAlone(t *testing.T) {
	r := newRig(t, chain.SenderConfig{Gas: chain.GasPolicy{Base: 1, PerItem: 1}})
	mod := &sprints{refuse: true}
	r.world.Module = mod
	r.assign(1, 2)
	leaves := []sprintstypes.OpenedLeaf{{Number: 3, Value: make([]byte, 64), Proof: [][]byte{make([]byte, 32)}}}
	send := func(asOf int64) {
		r.sender.Enqueue(chain.CommitSprint(4, make([]byte, 32), 100, 50), asOf)
		r.sender.Enqueue(chain.OpenSprint(3, leaves, 60), asOf)
	}
	for id := uint64(1); id <= 2; id++ {
		r.sender.Enqueue(r.seal(id, 100), 0)
	}
	send(0)
	r.block(3)
	require.Equal(t, 2, r.count(chain.Accepted), "the seals")
	require.Equal(t, 2, r.count(chain.Refused), "commit and opening")
	require.Equal(t, 3, r.world.Txs)

	mod.refuse = false
	send(r.world.Height()) // the next look at the chain: still missing
	r.block(3)
	require.Equal(t, 4, r.count(chain.Accepted))
	require.Len(t, mod.got, 2)
	opening := mod.got[0].(*sprintstypes.MsgOpenSprint)
	require.Equal(t, r.signer.Operator(), opening.Participant)
	require.Equal(t, leaves, opening.Leaves)
	commit := mod.got[1].(*sprintstypes.MsgCommitSprint)
	require.Equal(t, r.signer.Operator(), commit.Participant)
	require.Equal(t, uint64(4), commit.Window)
	require.Equal(t, uint64(100), commit.Count)

	r.sender.Enqueue(chain.CommitSprint(5, make([]byte, 32), 100, r.world.Height()), r.world.Height()) // too late already
	r.block(1)
	require.Equal(t, 1, r.count(chain.Late))
	require.Len(t, mod.got, 2)
}
