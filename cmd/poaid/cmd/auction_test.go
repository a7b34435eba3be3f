package cmd

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"poaid/commit"
	"poaid/daemon/chain"
	"poaid/daemon/journal"
	trainingtypes "poaid/x/training/types"
)

// TestBidFile: a bid that may have been sealed is never replaced by another one.
func TestBidFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bids", "c-1-7.json")
	bid := journal.Bid{Task: 7, Price: math.NewInt(250_000), Salt: commit.Hash{1}}
	require.NoError(t, keepBid(file, bid))
	require.NoError(t, keepBid(file, bid), "sent again")
	got, err := readBid(file)
	require.NoError(t, err)
	require.Equal(t, bid, got)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	bid.Price = math.NewInt(240_000)
	require.ErrorContains(t, keepBid(file, bid), "a bid of 250000 may have been sealed")
	got, err = readBid(file)
	require.NoError(t, err)
	require.Equal(t, "250000", got.Price.String())

	require.NoError(t, os.WriteFile(file, []byte("{}"), 0o600))
	_, err = readBid(file)
	require.ErrorContains(t, err, "is no bid")
}

// TestDaemonGrants: each message of daemons is granted once, to the hot key alone.
func TestDaemonGrants(t *testing.T) {
	operator, hot := sdk.AccAddress(make([]byte, 20)), sdk.AccAddress(append(make([]byte, 19), 1))
	msgs, err := chain.HotGrants(operator, hot)
	require.NoError(t, err)
	require.Len(t, msgs, len(chain.HotMessages()))
	for i, m := range msgs {
		require.Contains(t, m.(interface{ String() string }).String(), strings.TrimPrefix(sdk.MsgTypeURL(chain.HotMessages()[i]), "/"))
	}
}

// course answers with one stage of a training after the other.
type course struct {
	trainingtypes.QueryClient
	stages []trainingtypes.Progress
}

func (c *course) Job(context.Context, *trainingtypes.QueryJobRequest, ...grpc.CallOption) (*trainingtypes.QueryJobResponse, error) {
	p := c.stages[0]
	c.stages = c.stages[min(1, len(c.stages)-1):]
	p.Escrow, p.Spent = math.ZeroInt(), math.NewInt(42)
	return &trainingtypes.QueryJobResponse{Job: trainingtypes.Job{Id: 9, Steps: 20, Denom: "upoai"}, Progress: p}, nil
}

// TestFollowTraining: every change is reported once, and the end says what came of it.
func TestFollowTraining(t *testing.T) {
	follow := func(stages ...trainingtypes.Progress) (string, *trainingtypes.QueryJobResponse, error) {
		var out strings.Builder
		res, err := followTraining(t.Context(), &course{stages: stages}, 9, time.Microsecond, &out)
		return out.String(), res, err
	}
	opening := trainingtypes.Progress{State: trainingtypes.STATE_OPENING}
	running := trainingtypes.Progress{State: trainingtypes.STATE_RUNNING, Task: 77, To: 10}
	out, res, err := follow(opening, opening, running, running,
		trainingtypes.Progress{State: trainingtypes.STATE_TRAINED, Step: 20},
		trainingtypes.Progress{State: trainingtypes.STATE_FINISHED, Step: 20, Model: "mine", WeightsRoot: []byte{0xab}})
	require.NoError(t, err)
	require.Equal(t, "mine", res.Progress.Model)
	require.Equal(t, 4, strings.Count(out, "\n"), out)
	require.Contains(t, out, "running   step 0 of 20  segment to 10 is task 77")
	require.Contains(t, out, "spent 42upoai  model mine, weights root ab")

	_, _, err = follow(running, trainingtypes.Progress{State: trainingtypes.STATE_PAUSED, Reason: "budget"})
	require.ErrorContains(t, err, "paused: budget (poaid tx training resume 9, or cancel)")
	_, _, err = follow(trainingtypes.Progress{State: trainingtypes.STATE_CANCELLED})
	require.ErrorIs(t, err, errTraining)
}
