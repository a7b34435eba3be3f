package types

import (
	errorsmod "cosmossdk.io/errors"
)

// Ended tells that nothing more will happen to the job.
func (s State) Ended() bool { return s == STATE_FINISHED || s == STATE_CANCELLED }

// Segments is into how many segments the job is cut.
func (j Job) Segments() uint64 { return segments(j.Steps, j.SegmentSteps) }

// segments is the quotient, rounded up.
func segments(steps, each uint64) uint64 {
	n := steps / each
	if steps%each != 0 {
		n++
	}
	return n
}

// CheckSegments refuses steps that are none, and more segments than there may be. ErrSegments.
func CheckSegments(steps, each, limit uint64) error {
	switch {
	case steps == 0:
		return errorsmod.Wrap(ErrSegments, "steps: 0, want at least 1")
	case each == 0 || each > steps:
		return errorsmod.Wrapf(ErrSegments, "segment_steps: %d, want 1..%d", each, steps)
	case segments(steps, each) > limit:
		return errorsmod.Wrapf(ErrSegments, "segment_steps: %d of %d steps are %d segments, limit %d", each, steps, segments(steps, each), limit)
	}
	return nil
}

// End is where the segment that begins at step ends. Segments end at multiples of segment_steps, so that one that is done again has the
// ends it had.
func (j Job) End(step uint64) uint64 {
	left := j.Steps - step
	return step + min(left, j.SegmentSteps-step%j.SegmentSteps)
}
