package demo

import (
	"context"

	"poaid/localnet/setup"
	taskstypes "poaid/x/tasks/types"
)

// The batch of tasks.
const (
	digitTasks  = 8
	storyTokens = 64
)

// prompts of the story tasks; the second and third sample with a temperature, the others are greedy.
var prompts = []struct {
	text        string
	temperature float32
	seed        int64
}{
	{"Once upon a time there was a king who had three daughters", 0, 0},
	{"The old woman opened the door and said", 0.7, 7},
	{"Deep in the forest lived a wolf", 0.7, 11},
	{"The prince rode away", 0, 0},
}

// submitted is one task of the batch.
type submitted struct {
	*setup.Task
	view *taskstypes.QueryTaskResponse
}

func (s *submitted) reportOf() TaskReport {
	rep := TaskReport{
		ID: s.ID, Model: s.Model, State: stateName(s.view.Status.State), Units: s.view.Status.UnitsDone, Fee: "0",
		Forced: s.view.Status.Forced, Worker: s.view.Status.Worker, Committee: s.view.Committee, input: s.Input, want: s.Want,
	}
	if p := s.view.Payment; p != nil {
		rep.Fee = p.Worker.Add(p.Royalty).Add(p.Burnt).Add(p.Jackpot).Add(p.Audits).Add(p.Tip).Add(p.Runners).String()
	}
	for _, o := range s.view.Outputs {
		if o.Text != "" {
			rep.Output = o.Text
			break
		}
	}
	if rep.Committee == nil {
		rep.Committee = []string{}
	}
	return rep
}

// register registers the two models that come with poaid.
func (r *runner) register(ctx context.Context) error {
	models, err := setup.OpenModels(setup.Digits, setup.Story)
	if err != nil {
		return err
	}
	return r.set.Register(ctx, models...)
}

// submit sends the batch.
func (r *runner) submit(ctx context.Context) error {
	held, err := setup.HeldDigits()
	if err != nil {
		return err
	}
	var batch []*setup.Task
	for i := range digitTasks {
		t, err := r.set.DigitTask(ctx, i*held/digitTasks)
		if err != nil {
			return err
		}
		batch = append(batch, t)
	}
	for _, p := range prompts {
		t, err := r.set.StoryTask(ctx, p.text, storyTokens, p.temperature, p.seed)
		if err != nil {
			return err
		}
		batch = append(batch, t)
	}
	if err := r.set.Submit(ctx, batch...); err != nil {
		return err
	}
	for _, t := range batch {
		r.tasks = append(r.tasks, &submitted{Task: t})
	}
	r.screen.Step("%d tasks submitted: %d digit pictures the classifier has never seen, %d prompts", len(batch), digitTasks, len(prompts))
	return nil
}
