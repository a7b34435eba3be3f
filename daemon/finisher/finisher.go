// Package finisher registers what trainings come to: the worker of a training's last segment has the states, puts the weights that are made of
// them where others find them, and tells the chain.
package finisher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"poaid/commit"
	"poaid/daemon/chain"
	"poaid/daemon/executor"
	"poaid/daemon/journal"
	"poaid/engine"
	"poaid/model"
	taskstypes "poaid/x/tasks/types"
	trainingtypes "poaid/x/training/types"
)

const (
	// every is how many blocks pass between two looks at the trainings.
	every = 5
	// patience is how many blocks a message is given.
	patience = 50
	// maxWatched bounds the segments that are looked at, the oldest first: those that decide nothing any more are forgotten.
	maxWatched = 256
)

// Chain is what is read of the chain.
type Chain interface {
	JobOfTask(ctx context.Context, task uint64) (trainingtypes.Job, trainingtypes.Progress, error)
	Task(ctx context.Context, id uint64) (taskstypes.TaskView, error)
}

// Models gives models ready to run.
type Models interface {
	Load(ctx context.Context, id string) (*engine.Program, *engine.Weights, func(), error)
}

// States gives states by root.
type States interface {
	GetState(ctx context.Context, root commit.Hash, size int64, check func([]byte) error) ([]byte, error)
}

// Store keeps weights for others.
type Store interface {
	PutBytes(ctx context.Context, data []byte) (cid string, err error)
}

// Outbox sends items; chain.Sender is one.
type Outbox interface {
	Enqueue(it chain.Item, asOf int64) bool
}

// Book keeps which segments this machine did, over restarts; journal.Journal is one.
type Book interface {
	PutSegment(task uint64) error
	Delete(role journal.Role, task uint64) error
	Tasks(role journal.Role, after uint64, limit int) ([]uint64, error)
}

// Finisher watches the segments that this machine did. It keeps nothing itself: what is watched is in the book.
type Finisher struct {
	chain       Chain
	models      Models
	states      States
	store       Store
	book        Book
	out         Outbox
	participant string
	log         *slog.Logger
}

// New returns one for a participant.
func New(c Chain, m Models, s States, store Store, book Book, out Outbox, participant string, log *slog.Logger) *Finisher {
	return &Finisher{chain: c, models: m, states: s, store: store, book: book, out: out, participant: participant, log: log}
}

// Watch notes that this machine does a segment.
func (f *Finisher) Watch(task uint64) error { return f.book.PutSegment(task) }

// Run looks at the watched segments until ctx ends. What fails is tried again.
func (f *Finisher) Run(ctx context.Context, heights <-chan int64) error {
	next := int64(0)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case h := <-heights:
			if h < next {
				continue
			}
			next = h + every
			if err := f.LookAll(ctx, h); err != nil && ctx.Err() == nil {
				f.log.Warn("training not finished", "error", err)
			}
		}
	}
}

// LookAll looks at every watched segment, at most maxWatched; what fails does not keep others from being looked at.
func (f *Finisher) LookAll(ctx context.Context, height int64) error {
	watched, err := f.book.Tasks(journal.Trainer, 0, maxWatched)
	if err != nil {
		return err
	}
	var errs []error
	for _, task := range watched {
		if err := f.Look(ctx, task, height); err != nil {
			errs = append(errs, fmt.Errorf("segment %d: %w", task, err))
		}
	}
	return errors.Join(errs...)
}

// Look finishes the training of a segment where it was the last one, and forgets segments that decide nothing any more.
func (f *Finisher) Look(ctx context.Context, task uint64, height int64) error {
	v, err := f.chain.Task(ctx, task)
	if errors.Is(err, chain.ErrNotFound) {
		return f.book.Delete(journal.Trainer, task)
	}
	if err != nil {
		return err
	}
	job, p, err := f.chain.JobOfTask(ctx, task)
	if errors.Is(err, chain.ErrNotFound) {
		return f.book.Delete(journal.Trainer, task)
	}
	if err != nil {
		return err
	}
	switch {
	case v.Status.State == taskstypes.STATE_FINAL && (v.Status.Worker != f.participant || v.Task.Steps < job.Steps), p.State.Ended(), v.Status.State.Ended() &&
		v.Status.State != taskstypes.STATE_FINAL:
		return f.book.Delete(journal.Trainer, task)
	case p.State != trainingtypes.STATE_TRAINED:
		return nil
	}
	msg, err := f.message(ctx, job, p)
	if err != nil {
		return err
	}
	if f.out.Enqueue(chain.FinishJob(msg, height+patience), height) {
		f.log.Info("finishing a training", "job", job.Id, "model", job.Result.Id, "weights_cid", msg.WeightsCid)
	}
	return nil
}

// message makes the weights of the result, stores them, and gives the roots that the chain asks for.
func (f *Finisher) message(ctx context.Context, job trainingtypes.Job, p trainingtypes.Progress) (*trainingtypes.MsgFinishJob, error) {
	states, stateRoots, err := f.lastStates(ctx, job, p)
	if err != nil {
		return nil, err
	}
	prog, weights, release, err := f.models.Load(ctx, job.Result.Base)
	if err != nil {
		return nil, fmt.Errorf("base %s: %w", job.Result.Base, err)
	}
	defer release()
	mapped := make(map[string]string, len(job.Result.Mappings))
	for _, m := range job.Result.Mappings {
		mapped[m.Weight] = m.State
	}
	msg := &trainingtypes.MsgFinishJob{JobId: job.Id, StateRoots: stateRoots}
	var named []model.NamedTensor
	for i, spec := range prog.WeightSpecs() {
		base := weights.Tensors()[i]
		root, err := commit.TensorRoot(uint8(spec.DType), spec.Shape, base.Bytes())
		if err != nil {
			return nil, err
		}
		if len(mapped) < len(prog.WeightSpecs()) {
			msg.BaseRoots = append(msg.BaseRoots, root[:])
		}
		if state, ok := mapped[spec.Name]; ok {
			base = states[state]
		}
		named = append(named, model.NamedTensor{Name: spec.Name, Tensor: base})
	}
	raw, err := model.FormatSafetensors(named, nil)
	if err != nil {
		return nil, err
	}
	msg.WeightsCid, err = f.store.PutBytes(ctx, raw)
	return msg, err
}

// lastStates are the states after the last step by name, and their roots in order.
func (f *Finisher) lastStates(ctx context.Context, job trainingtypes.Job, p trainingtypes.Progress) (map[string]*engine.Tensor, [][]byte, error) {
	prog, _, release, err := f.models.Load(ctx, job.Model)
	if err != nil {
		return nil, nil, fmt.Errorf("training program %s: %w", job.Model, err)
	}
	defer release()
	root, err := commit.HashFromBytes(p.StateRoot)
	if err != nil {
		return nil, nil, err
	}
	size, err := executor.StateBytes(prog)
	if err != nil {
		return nil, nil, err
	}
	var states []*engine.Tensor
	if _, err := f.states.GetState(ctx, root, size, func(data []byte) error {
		var err error
		states, err = executor.DecodeStates(prog, data, root)
		return err
	}); err != nil {
		return nil, nil, err
	}
	byName, roots := make(map[string]*engine.Tensor, len(states)), make([][]byte, len(states))
	for i, s := range prog.StateSpecs() {
		r, err := commit.TensorRoot(uint8(s.DType), s.Shape, states[i].Bytes())
		if err != nil {
			return nil, nil, err
		}
		byName[s.Name], roots[i] = states[i], r[:]
	}
	return byName, roots, nil
}
