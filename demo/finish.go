package demo

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"time"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/types/query"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"poaid/localnet"
	"poaid/localnet/screen"
	"poaid/localnet/setup"
	poaitypes "poaid/x/poai/types"
	rewardstypes "poaid/x/rewards/types"
	taskstypes "poaid/x/tasks/types"
)

// watchTasks shows the tasks' states until all have ended.
func (r *runner) watchTasks(ctx context.Context) error {
	q := taskstypes.NewQueryClient(r.client.Conn)
	err := setup.Poll(ctx, 250*time.Millisecond, func() (bool, error) {
		counts, ended := map[taskstypes.State]int{}, 0
		for _, t := range r.tasks {
			if t.view == nil || !isEnd(t.view.Status.State) {
				v, err := q.Task(ctx, &taskstypes.QueryTaskRequest{Id: t.ID})
				if err != nil {
					return false, fmt.Errorf("task %d: %w", t.ID, err)
				}
				t.view = v
			}
			counts[t.view.Status.State]++
			if isEnd(t.view.Status.State) {
				ended++
			}
		}
		r.screen.Status(fmt.Sprintf("tasks %s %d of %d final · %s", screen.Bar(ended, len(r.tasks)), ended, len(r.tasks), stateCounts(counts)))
		return ended == len(r.tasks), nil
	})
	if err != nil {
		return fmt.Errorf("wait for tasks: %w", err)
	}
	r.screen.Step("all %d tasks have ended: computed, audited, revealed and past their challenge window", len(r.tasks))
	return nil
}

func isEnd(s taskstypes.State) bool { return s >= taskstypes.STATE_FINAL }

// stateName is the state without its prefix.
func stateName(s taskstypes.State) string { return strings.TrimPrefix(s.String(), "STATE_") }

func stateCounts(counts map[taskstypes.State]int) string {
	var states []int
	for s := range counts {
		states = append(states, int(s))
	}
	sort.Ints(states)
	var parts []string
	for _, s := range states {
		parts = append(parts, fmt.Sprintf("%d %s", counts[taskstypes.State(s)], stateName(taskstypes.State(s))))
	}
	return strings.Join(parts, ", ")
}

// closeEpochs waits until every epoch a task counts for is closed, and reads the scores.
func (r *runner) closeEpochs(ctx context.Context) error {
	q := poaitypes.NewQueryClient(r.client.Conn)
	running, err := q.Epoch(ctx, &poaitypes.QueryEpochRequest{})
	if err != nil {
		return fmt.Errorf("running epoch: %w", err)
	}
	last := running.Epoch.Number
	err = setup.Poll(ctx, 250*time.Millisecond, func() (bool, error) {
		e, err := q.Epoch(ctx, &poaitypes.QueryEpochRequest{Number: last})
		if err != nil {
			return false, err
		}
		h, err := r.client.Height(ctx)
		if err != nil {
			return false, err
		}
		r.screen.Status(fmt.Sprintf("waiting for epoch %d to close (height %d)", last, h/10*10))
		return e.Epoch.Closed, nil
	})
	if err != nil {
		return fmt.Errorf("wait for epoch %d: %w", last, err)
	}
	for n := uint64(1); n <= last; n++ {
		scores, err := q.Scores(ctx, &poaitypes.QueryScoresRequest{Epoch: n, Pagination: &query.PageRequest{Limit: 1000}})
		if err != nil {
			return fmt.Errorf("scores of epoch %d: %w", n, err)
		}
		for _, s := range scores.Scores {
			r.report.Scores = append(r.report.Scores, ScoreReport{
				Participant: s.Participant, Epoch: n, Score: millionths(s.Score, 3),
			})
		}
	}
	r.screen.Step("epoch %d closed; its block reward is shared by PoAI score", last)
	return nil
}

// claim has every participant claim what it can.
func (r *runner) claim(ctx context.Context) error {
	q := rewardstypes.NewQueryClient(r.client.Conn)
	for i, p := range r.layout.Participants {
		can, err := q.Claimable(ctx, &rewardstypes.QueryClaimableRequest{Participant: p.Operator, Pagination: &query.PageRequest{Limit: 100}})
		if err != nil {
			return fmt.Errorf("claimable of %s: %w", p.Name, err)
		}
		claimed := math.ZeroInt()
		if len(can.Claimable) > 0 {
			msg := &rewardstypes.MsgClaim{Participant: p.Operator}
			for _, c := range can.Claimable {
				msg.Epochs = append(msg.Epochs, c.Epoch)
			}
			res, err := r.client.Send(ctx, fmt.Sprintf("op%d", i), msg)
			if err != nil {
				return err
			}
			var got rewardstypes.MsgClaimResponse
			if err := localnet.Responses(res, &got); err != nil {
				return err
			}
			claimed = got.Claimed.Amount
		}
		r.report.Rewards = append(r.report.Rewards, RewardReport{
			Participant: p.Operator, Claimed: claimed.String(), Capacity: r.capacity[p.Operator],
		})
	}
	r.screen.Step("participants claimed their block reward into linear vesting")
	return nil
}

// check fills the rest of the report and names everything that is not as it must be.
func (r *runner) check(ctx context.Context) error {
	for _, t := range r.tasks {
		rep := t.reportOf()
		r.report.Tasks = append(r.report.Tasks, rep)
		if rep.State != "FINAL" {
			r.fail("task %d is %s", rep.ID, rep.State)
		}
		if rep.want == "" {
			if strings.TrimSpace(rep.Output) == "" {
				r.fail("task %d has no output", rep.ID)
			}
			continue
		}
		r.report.Labels.Known++
		if rep.Output == rep.want {
			r.report.Labels.Right++
		}
	}
	// The classifier is right on at least 97 of 100 digits it has never seen: one miss in a small batch is honest work.
	if l := r.report.Labels; l.Known > 0 && l.Right*10 < l.Known*9 {
		r.fail("only %d of %d known answers are right", l.Right, l.Known)
	}
	claimed := math.ZeroInt()
	for _, x := range r.report.Rewards {
		v, ok := math.NewIntFromString(x.Claimed)
		if !ok {
			return fmt.Errorf("reward %q is not a number", x.Claimed)
		}
		claimed = claimed.Add(v)
	}
	if !claimed.IsPositive() {
		r.fail("nobody claimed a reward")
	}
	return r.checkSupply(ctx, math.ZeroInt())
}

// checkSupply compares the bank's supply with genesis plus what was minted minus what was burnt, slashes besides fees.
func (r *runner) checkSupply(ctx context.Context, slashes math.Int) error {
	supply, err := banktypes.NewQueryClient(r.client.Conn).SupplyOf(ctx, &banktypes.QuerySupplyOfRequest{Denom: localnet.Denom})
	if err != nil {
		return fmt.Errorf("supply: %w", err)
	}
	minted, err := rewardstypes.NewQueryClient(r.client.Conn).Supply(ctx, &rewardstypes.QuerySupplyRequest{})
	if err != nil {
		return fmt.Errorf("minted supply: %w", err)
	}
	burnt := slashes
	for _, t := range r.tasks {
		if p := t.view.Payment; p != nil {
			burnt = burnt.Add(p.Burnt)
		}
	}
	genesis := r.layout.GenesisSupply()
	r.report.Supply = SupplyReport{
		Genesis: genesis.String(), Minted: minted.Supply.Minted.String(), Burnt: burnt.String(), Supply: supply.Amount.Amount.String(),
	}
	if want := genesis.Add(minted.Supply.Minted).Sub(burnt); !want.Equal(supply.Amount.Amount) {
		r.fail("supply is %s, want %s (genesis %s + minted %s − burnt %s)", supply.Amount.Amount, want, genesis, minted.Supply.Minted, burnt)
	}
	return nil
}

func (r *runner) fail(format string, args ...any) {
	r.report.Failures = append(r.report.Failures, fmt.Sprintf(format, args...))
}
