package worker

import (
	"context"
	"slices"

	"poaid/daemon/agent"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// Races reads what may be raced for.
type Races interface {
	// EachOpen calls fn for every race and auction of a model that participants may come for.
	EachOpen(ctx context.Context, model string, fn func(taskstypes.TaskView) error) error
	// Serves returns a participant and the models it serves.
	Serves(ctx context.Context, address string) (poaitypes.Participant, []string, error)
}

// Race makes the role join races of the models that its participant serves, as long as that has a free place.
func (r *Role) Race(c Races) *Role {
	r.races = c
	return r
}

// dueRaces calls fn for races that the participant may join; ours are those that it is in.
func (r *Role) dueRaces(ctx context.Context, ours map[uint64]bool, fn func(agent.Item) error) error {
	p, models, err := r.races.Serves(ctx, r.worker)
	if err != nil {
		return err
	}
	free := int(p.Concurrency) - int(p.Active)
	for _, model := range models {
		err := r.races.EachOpen(ctx, model, func(v taskstypes.TaskView) error {
			if free <= 0 || ours[v.Task.Id] || !Joins(v, p) {
				return nil
			}
			free--
			return fn(agent.Item{Task: v.Task.Id, Need: agent.NeedSeal, Deadline: v.Status.Deadline})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Joins tells whether a participant may seal a result of a race: there is room, it qualifies as far as it can tell, and has not failed the task.
func Joins(v taskstypes.TaskView, p poaitypes.Participant) bool {
	return v.Task.Race() && v.Task.TakesComers(v.Status) && v.Task.Requirements.Unmet(p) == nil &&
		p.Bond.Sub(p.Locked).GTE(v.Task.Lock) && !slices.Contains(v.Status.Tried, p.Address)
}
