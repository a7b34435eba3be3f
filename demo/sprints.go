package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cosmossdk.io/math"

	"poaid/demo/liar"
	"poaid/localnet/setup"
	poaitypes "poaid/x/poai/types"
	sprintstypes "poaid/x/sprints/types"
)

// sprintPatience is how long windows may take to open, and commits to be decided, after everything else is done.
const sprintPatience = 45 * time.Second

// capacities reads what every participant has proven, in units per block, by operator.
func (r *runner) capacities(ctx context.Context) (map[string]uint64, error) {
	q := poaitypes.NewQueryClient(r.client.Conn)
	out := make(map[string]uint64, len(r.layout.Participants))
	for _, p := range r.layout.Participants {
		res, err := q.Participant(ctx, &poaitypes.QueryParticipantRequest{Address: p.Operator})
		if err != nil {
			return nil, fmt.Errorf("participant %s: %w", p.Name, err)
		}
		out[p.Operator] = res.Participant.Capacity
	}
	return out, nil
}

// windows is the number of the window that was opened last.
func (r *runner) windows(ctx context.Context) (uint64, error) {
	res, err := sprintstypes.NewQueryClient(r.client.Conn).Current(ctx, &sprintstypes.QueryCurrentRequest{})
	if err != nil {
		return 0, fmt.Errorf("sprint window: %w", err)
	}
	if res.Window == nil {
		return 0, nil
	}
	return res.Window.Number, nil
}

// proveCapacity waits until every participant has proven capacity in a sprint; meanwhile tasks were done all the time.
func (r *runner) proveCapacity(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, sprintPatience)
	defer cancel()
	var windows, total uint64
	err := setup.Poll(waiting, 250*time.Millisecond, func() (done bool, err error) {
		if r.capacity, err = r.capacities(ctx); err != nil {
			return false, err
		}
		if windows, err = r.windows(ctx); err != nil {
			return false, err
		}
		proven := 0
		total = 0
		for _, c := range r.capacity {
			total += c
			if c > 0 {
				proven++
			}
		}
		r.screen.Status(fmt.Sprintf("sprints: %d windows, %d of %d participants have proven capacity", windows, proven, len(r.capacity)))
		return proven == len(r.capacity), nil
	})
	if err != nil && (ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded)) {
		return fmt.Errorf("wait for capacity: %w", err)
	}
	for _, p := range r.layout.Participants {
		if r.capacity[p.Operator] == 0 {
			r.fail("%s has proven no capacity in %d windows", p.Name, windows)
		}
	}
	r.screen.Step("%d sprint windows opened meanwhile: the participants have proven %d units a block", windows, total)
	return nil
}

// playSprints is the job of a scenario about sprints.
func (r *runner) playSprints(ctx context.Context) error {
	for _, step := range []func(context.Context) error{r.set.Join, r.startSprinters, r.watchSprints, r.checkSprints} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// startSprinters starts the processes, which only sprint.
func (r *runner) startSprinters(ctx context.Context) error {
	for i, p := range r.layout.Participants {
		var args []string
		role := "honest"
		if r.Scenario.lies(i) {
			args, role = []string{"--lie", liar.Sprint}, "makes up one of ten leaves"
		}
		if _, err := r.net.StartParticipant(i, args...); err != nil {
			return err
		}
		if err := r.set.Serve(ctx, i, sprintstypes.DefaultBaseModel); err != nil {
			return err
		}
		r.screen.Step("%s started: %s", p.Name, role)
	}
	return nil
}

// watchSprints waits until every liar has lost something, and everybody else has proven capacity.
func (r *runner) watchSprints(ctx context.Context) error {
	q := poaitypes.NewQueryClient(r.client.Conn)
	r.capacity = map[string]uint64{}
	return setup.Poll(ctx, 250*time.Millisecond, func() (bool, error) {
		windows, err := r.windows(ctx)
		if err != nil {
			return false, err
		}
		done := 0
		for i, p := range r.layout.Participants {
			res, err := q.Participant(ctx, &poaitypes.QueryParticipantRequest{Address: p.Operator})
			if err != nil {
				return false, fmt.Errorf("participant %s: %w", p.Name, err)
			}
			lost := math.NewInt(setup.Bond * 1_000_000).Sub(res.Participant.Bond)
			over := res.Participant.Capacity > 0 && !r.Scenario.lies(i) || lost.IsPositive()
			if !over {
				continue
			}
			done++
			if _, told := r.capacity[p.Operator]; !told {
				r.capacity[p.Operator] = res.Participant.Capacity
				r.screen.Step("window %d: %s has lost %s and has a capacity of %d units a block", windows, p.Name, poai(lost.String()), res.Participant.Capacity)
			}
		}
		r.screen.Status(fmt.Sprintf("waiting for audits: %d windows so far", windows))
		return done == len(r.layout.Participants), nil
	})
}

// checkSprints fills the report and names everything that is not as it must be.
func (r *runner) checkSprints(ctx context.Context) error {
	q := poaitypes.NewQueryClient(r.client.Conn)
	burnt := math.ZeroInt()
	for i, p := range r.layout.Participants {
		res, err := q.Participant(ctx, &poaitypes.QueryParticipantRequest{Address: p.Operator})
		if err != nil {
			return fmt.Errorf("participant %s: %w", p.Name, err)
		}
		lost := math.NewInt(setup.Bond * 1_000_000).Sub(res.Participant.Bond)
		lies := r.Scenario.lies(i)
		if lies != lost.IsPositive() {
			r.fail("%s lies: %t, and lost %s", p.Name, lies, lost)
		}
		// As it was seen first: a liar goes on lying, and the next window may not audit it.
		if capacity := r.capacity[p.Operator]; lies != (capacity == 0) {
			r.fail("%s lies: %t, and has a capacity of %d", p.Name, lies, capacity)
		}
		r.report.Bonds = append(r.report.Bonds, BondReport{Participant: p.Operator, Lies: lies, Lost: lost.String(), Capacity: r.capacity[p.Operator]})
		burnt = burnt.Add(lost.AddRaw(1).QuoRaw(2)) // half of every slash burns
	}
	return r.checkSupply(ctx, burnt)
}
