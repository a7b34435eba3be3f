package network

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/grpc"
	"github.com/cosmos/cosmos-sdk/types/query"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"

	"poaid/localnet"
	"poaid/localnet/setup"
	"poaid/model/runner"
	poaitypes "poaid/x/poai/types"
	rewardstypes "poaid/x/rewards/types"
	taskstypes "poaid/x/tasks/types"
)

// headersAtOnce is the most that a node gives at a time.
const headersAtOnce = 20

// sameChain compares every header, app hash included, of every height on every node.
func sameChain(t *testing.T, f *fixture) {
	t.Helper()
	top := f.height(0)
	for i := range f.rpc {
		f.catchUp(i)
	}
	for from := int64(1); from <= top; from += headersAtOnce {
		to := min(from+headersAtOnce-1, top)
		var want []string
		for i, rpc := range f.rpc {
			info, err := rpc.BlockchainInfo(f.ctx, from, to)
			require.NoError(t, err)
			require.Len(t, info.BlockMetas, int(to-from+1), "node%d lacks blocks of heights %d to %d", i, from, to)
			var got []string
			for _, m := range info.BlockMetas {
				got = append(got, fmt.Sprintf("height %d: block %s, app hash %s", m.Header.Height, m.BlockID.Hash, m.Header.AppHash))
			}
			if i == 0 {
				want = got
			}
			require.Equal(t, want, got, "node%d and node0", i)
		}
	}
	t.Logf("%d heights agree on %d nodes", top, len(f.rpc))
}

// tasksRight computes every task again, from what the chain has of it, and compares roots; labels that are known count besides.
func tasksRight(t *testing.T, f *fixture) {
	t.Helper()
	q := taskstypes.NewQueryClient(f.client.Conn)
	models := map[string]*runner.Model{}
	for _, id := range f.set.ModelIDs() {
		m, err := runner.Open("zoo:"+id, "")
		require.NoError(t, err)
		models[id] = m
	}
	labels, right := 0, 0
	for _, task := range f.tasks {
		view, err := q.Task(f.ctx, &taskstypes.QueryTaskRequest{Id: task.ID})
		require.NoError(t, err)
		require.Equal(t, taskstypes.STATE_FINAL, view.Status.State, "task %d", task.ID)
		in, err := q.Inputs(f.ctx, &taskstypes.QueryInputsRequest{Id: task.ID})
		require.NoError(t, err)
		rawTask, err := f.enc.Codec.MarshalJSON(view)
		require.NoError(t, err)
		rawInputs, err := f.enc.Codec.MarshalJSON(in)
		require.NoError(t, err)
		claim, err := runner.ParseClaim(rawTask, rawInputs)
		require.NoError(t, err)
		verdict, err := models[task.Model].Verify(f.ctx, claim, nil, runner.Options{Threads: 1})
		require.NoError(t, err)
		require.NoError(t, verdict.Err(), "task %d", task.ID)
		if task.Want != "" {
			labels++
			for _, o := range view.Outputs {
				if o.Text == task.Want {
					right++
				}
			}
		}
	}
	require.GreaterOrEqual(t, right*10, labels*8, "%d of %d labels are right; the classifier misses few", right, labels)
	t.Logf("%d tasks were computed again; %d of %d labels are right", len(f.tasks), right, labels)
}

// paidOnce adds up what each task paid, and looks for what is left of the escrow of all.
func paidOnce(t *testing.T, f *fixture) {
	t.Helper()
	q := taskstypes.NewQueryClient(f.client.Conn)
	for _, task := range f.tasks {
		view, err := q.Task(f.ctx, &taskstypes.QueryTaskRequest{Id: task.ID})
		require.NoError(t, err)
		require.NotNil(t, view.Payment, "task %d", task.ID)
		p := view.Payment
		sum := p.Worker.Add(p.Royalty).Add(p.Burnt).Add(p.Refund).Add(p.Jackpot).Add(p.Audits).Add(p.Tip).Add(p.Runners)
		require.Equal(t, view.Task.MaxFee.Amount.String(), sum.String(), "task %d", task.ID)
		require.True(t, p.Worker.IsPositive(), "task %d: its worker earned nothing", task.ID)
	}
	res, err := banktypes.NewQueryClient(f.client.Conn).Balance(f.ctx, &banktypes.QueryBalanceRequest{
		Address: authtypes.NewModuleAddress(taskstypes.ModuleName).String(), Denom: localnet.Denom,
	})
	require.NoError(t, err)
	pot, err := q.Jackpot(f.ctx, &taskstypes.QueryJackpotRequest{})
	require.NoError(t, err)
	require.Equal(t, sdk.NewCoins(pot.Jackpot...).Add(pot.Audits...).AmountOf(localnet.Denom).String(), res.Balance.Amount.String(), "the escrow of tasks that have ended is gone")
}

// claimedOnce has every participant claim all it can, and then the same again.
func claimedOnce(t *testing.T, f *fixture) {
	t.Helper()
	q := rewardstypes.NewQueryClient(f.client.Conn)
	claimed, perEpoch := math.ZeroInt(), map[uint64]math.Int{}
	for i, p := range f.layout.Participants {
		can, err := q.Claimable(f.ctx, &rewardstypes.QueryClaimableRequest{Participant: p.Operator, Pagination: &query.PageRequest{Limit: 100}})
		require.NoError(t, err)
		if len(can.Claimable) == 0 {
			continue
		}
		msg := &rewardstypes.MsgClaim{Participant: p.Operator}
		for _, c := range can.Claimable {
			msg.Epochs = append(msg.Epochs, c.Epoch)
			if _, ok := perEpoch[c.Epoch]; !ok {
				perEpoch[c.Epoch] = math.ZeroInt()
			}
			perEpoch[c.Epoch] = perEpoch[c.Epoch].Add(c.Amount.Amount)
		}
		res, err := f.client.Send(f.ctx, fmt.Sprintf("op%d", i), msg)
		require.NoError(t, err)
		var got rewardstypes.MsgClaimResponse
		require.NoError(t, localnet.Responses(res, &got))
		claimed = claimed.Add(got.Claimed.Amount)
		_, err = f.client.Send(f.ctx, fmt.Sprintf("op%d", i), msg)
		require.ErrorContains(t, err, "claimed", "a second claim of the same")
	}
	require.True(t, claimed.IsPositive(), "nobody had anything to claim")
	sum := math.ZeroInt()
	for epoch, want := range perEpoch {
		res, err := q.Pool(f.ctx, &rewardstypes.QueryPoolRequest{Epoch: epoch})
		require.NoError(t, err)
		require.Equal(t, want.String(), res.Pool.Claimed.String(), "epoch %d", epoch)
		require.True(t, res.Pool.Claimed.LTE(res.Pool.Pool), "epoch %d: %s of %s", epoch, res.Pool.Claimed, res.Pool.Pool)
		sum = sum.Add(res.Pool.Claimed)
	}
	require.Equal(t, sum.String(), claimed.String())
}

// coins adds up all balances at one height.
func coins(t *testing.T, f *fixture) {
	t.Helper()
	at := f.height(0) - 1
	ctx := metadata.NewOutgoingContext(f.ctx, metadata.Pairs(grpc.GRPCBlockHeightHeader, strconv.FormatInt(at, 10)))
	bank := banktypes.NewQueryClient(f.client.Conn)
	sum, req := math.ZeroInt(), &banktypes.QueryDenomOwnersRequest{Denom: localnet.Denom, Pagination: &query.PageRequest{Limit: 100}}
	for {
		res, err := bank.DenomOwners(ctx, req)
		require.NoError(t, err)
		for _, o := range res.DenomOwners {
			sum = sum.Add(o.Balance.Amount)
		}
		if len(res.Pagination.NextKey) == 0 {
			break
		}
		req.Pagination.Key = res.Pagination.NextKey
	}
	supply, err := bank.SupplyOf(ctx, &banktypes.QuerySupplyOfRequest{Denom: localnet.Denom})
	require.NoError(t, err)
	require.Equal(t, supply.Amount.Amount.String(), sum.String(), "supply and the sum of all balances at height %d", at)

	minted, err := rewardstypes.NewQueryClient(f.client.Conn).Supply(ctx, &rewardstypes.QuerySupplyRequest{})
	require.NoError(t, err)
	want := f.layout.GenesisSupply().Add(minted.Supply.Minted).Sub(burnt(ctx, t, f))
	require.Equal(t, want.String(), supply.Amount.Amount.String(), "genesis and what was minted, less what was burnt")
}

// burnt is what payments have burnt.
func burnt(ctx context.Context, t *testing.T, f *fixture) math.Int {
	t.Helper()
	q, sum := taskstypes.NewQueryClient(f.client.Conn), math.ZeroInt()
	for _, task := range f.tasks {
		view, err := q.Task(ctx, &taskstypes.QueryTaskRequest{Id: task.ID})
		require.NoError(t, err)
		sum = sum.Add(view.Payment.Burnt)
	}
	return sum
}

// locked lists the tasks for which a participant has something at risk; sprints go on and lock, too.
func locked(t *testing.T, f *fixture, operator string) (tasks []uint64) {
	t.Helper()
	req := &poaitypes.QueryLocksRequest{Address: operator, Pagination: &query.PageRequest{Limit: 100}}
	for {
		res, err := poaitypes.NewQueryClient(f.client.Conn).Locks(f.ctx, req)
		require.NoError(t, err)
		for _, l := range res.Locks {
			if l.Kind != poaitypes.LOCK_KIND_SPRINT {
				tasks = append(tasks, l.Item)
			}
		}
		if len(res.Pagination.NextKey) == 0 {
			return tasks
		}
		req.Pagination.Key = res.Pagination.NextKey
	}
}

// nobodyPunished looks at bonds and records of participants and validators.
func nobodyPunished(t *testing.T, f *fixture) {
	t.Helper()
	q := poaitypes.NewQueryClient(f.client.Conn)
	for _, p := range f.layout.Participants {
		res, err := q.Participant(f.ctx, &poaitypes.QueryParticipantRequest{Address: p.Operator})
		require.NoError(t, err)
		require.Equal(t, math.NewInt(setup.Bond*1_000_000).String(), res.Participant.Bond.String(), p.Name)
		require.Zero(t, res.Participant.Faults, p.Name)
		for _, id := range locked(t, f, p.Operator) {
			require.False(t, slices.ContainsFunc(f.tasks, func(s *setup.Task) bool { return s.ID == id }), "%s: still risks something for task %d", p.Name, id)
		}
	}
	vals, err := stakingtypes.NewQueryClient(f.client.Conn).Validators(f.ctx, &stakingtypes.QueryValidatorsRequest{})
	require.NoError(t, err)
	require.Len(t, vals.Validators, len(f.layout.Nodes))
	for _, v := range vals.Validators {
		require.False(t, v.Jailed, v.Description.Moniker)
		require.Equal(t, stakingtypes.Bonded, v.Status, v.Description.Moniker)
		require.Equal(t, vals.Validators[0].Tokens.String(), v.Tokens.String(), v.Description.Moniker)
	}
}
