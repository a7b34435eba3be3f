package sprinter

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"poaid/sprint"
)

// answer opens the leaves of every audit that waits for it.
func (s *Sprinter) answer(ctx context.Context, h int64) error {
	audits, err := s.chain.SprintAudits(ctx, s.cfg.Participant)
	if err != nil {
		return err
	}
	var errs []error
	for _, a := range audits {
		if a.Opened || a.Deadline <= h {
			continue
		}
		if err := s.open(ctx, a, h); err != nil {
			errs = append(errs, fmt.Errorf("audit of window %d: %w", a.Window, err))
		}
	}
	return errors.Join(errs...)
}

// open sends the opening of an audit. Values that are not on disk are computed again.
func (s *Sprinter) open(ctx context.Context, a Audit, h int64) error {
	leaves, ok := s.openings[a.Window]
	if !ok {
		rec, err := s.book.Get(a.Window)
		if err != nil {
			s.log.Error("the values of an audited window are not on disk; they are computed again", "window", a.Window, "error", err)
			return s.restore(ctx, a.Window)
		}
		if leaves, err = openingsOf(rec, a.Leaves); err != nil {
			return err
		}
		s.openings[a.Window] = leaves
		s.cfg.Metrics.Opened()
		s.log.Info("audited: the chain wants to see leaves", "window", a.Window, "task", a.Task, "leaves", len(a.Leaves), "of", rec.Count)
	}
	s.out.OpenSprint(a.Window, leaves, a.Deadline, h)
	return nil
}

// openingsOf gives leaves with their proofs.
func openingsOf(rec Record, numbers []uint64) ([]Opening, error) {
	tree, err := rec.tree()
	if err != nil {
		return nil, err
	}
	out := make([]Opening, len(numbers))
	for i, n := range numbers {
		proof, err := tree.Proof(n)
		if err != nil {
			return nil, err
		}
		out[i] = Opening{Number: n, Value: rec.Values[n*sprint.ValueSize : (n+1)*sprint.ValueSize], Proof: proof}
	}
	return out, nil
}

// restore computes a committed window again, in the background, and writes its record if it is the one that was committed.
func (s *Sprinter) restore(ctx context.Context, number uint64) error {
	s.mu.Lock()
	leave := s.racing != 0 || s.lost[number]
	s.mu.Unlock()
	if leave {
		return nil
	}
	w, err := s.chain.SprintWindowAt(ctx, number)
	if err != nil {
		return err
	}
	c, err := s.chain.SprintCommit(ctx, number, s.cfg.Participant)
	if err != nil {
		return err
	}
	s.start(ctx, w, func(ctx context.Context, _ <-chan struct{}) error {
		values, err := s.compute(ctx, w, c.Count, nil)
		if err != nil {
			return err
		}
		rec := Record{Window: number, Model: w.Model, Period: w.Period, Count: c.Count, Close: w.Close, Values: values}
		tree, err := rec.tree()
		if err != nil {
			return err
		}
		rec.Root = tree.Root()
		if !bytes.Equal(rec.Root[:], c.Root) {
			s.mu.Lock()
			s.lost[number] = true
			s.mu.Unlock()
			return fmt.Errorf("%w %d: the commit on the chain is not of these leaves: was it made by another machine, or by a liar?", ErrRecord, number)
		}
		if err := s.book.Delete(number); err != nil { // what is there cannot be read
			return err
		}
		return s.book.Put(rec)
	})
	return nil
}
