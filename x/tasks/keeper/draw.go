package keeper

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"cosmossdk.io/collections"

	poaitypes "poaid/x/poai/types"
	"poaid/x/tasks/types"
)

// Purposes of a seed.
const (
	seedWorker    = "worker"
	seedAudit     = "audit"
	seedCommittee = "committee"
	seedSeats     = "seats"
)

// seed is the randomness of a height for one purpose of one attempt at a task:
// H("poai/tasks/seed/1" ‖ randomness ‖ task u64 ‖ attempt u32 ‖ purpose).
func (k Keeper) seed(ctx context.Context, height int64, purpose string, task uint64, attempt uint32) ([]byte, error) {
	random, err := k.beacon.Randomness(ctx, height)
	if err != nil {
		return nil, fmt.Errorf("randomness of height %d: %w", height, err)
	}
	b := append([]byte("poai/tasks/seed/1"), random...)
	b = binary.LittleEndian.AppendUint64(b, task)
	b = binary.LittleEndian.AppendUint32(b, attempt)
	sum := sha256.Sum256(append(b, purpose...))
	return sum[:], nil
}

// assign finds a worker for an OPEN task: by the bids of an auction, otherwise by drawing one. A race that is still open has found nobody. While nobody qualifies it is tried again, more and more rarely, until the task expires.
// Whether it has expired is judged by the height that was due, so that a full queue expires nobody.
func (k Keeper) assign(ctx context.Context, params types.Params, task types.Task, st types.Status, asked *demand) error {
	switch {
	case task.Race():
		if st.Attempt == 0 {
			asked.count(task.Units, false)
		}
		return k.expire(ctx, params, task, st)
	case task.Auctioned():
		return k.takeBid(ctx, params, task, st, asked)
	}
	last := st.OpenedHeight + params.OpenBlocks
	if st.Attempt >= params.MaxAttempts || st.Due > last {
		return k.expire(ctx, params, task, st)
	}
	seed, err := k.seed(ctx, st.Due, seedWorker, task.Id, st.Attempt)
	if err != nil {
		return err
	}
	worker, found, err := k.poai.DrawWorker(ctx, poaitypes.DrawRequest{
		Task: task.Id, Model: task.Model, Seed: seed, Lock: task.Lock, Exclude: st.Tried, Requirements: task.Requirements,
	})
	if err != nil {
		return err
	}
	if st.Attempt == 0 {
		asked.count(task.Units, found)
	}
	if !found {
		now := height(ctx)
		st.Retries++
		st.Due = max(now+1, min(now+backoff(st.Retries), last+1))
		return k.store(ctx, task.Id, st)
	}
	return k.handTo(ctx, params, task, st, worker)
}

// handTo puts an OPEN task into the hands of a worker that is locked and occupied for it.
func (k Keeper) handTo(ctx context.Context, params types.Params, task types.Task, st types.Status, worker string) (err error) {
	if st.Epoch, err = k.poai.CurrentEpoch(ctx); err != nil {
		return err
	}
	now := height(ctx)
	if err := k.guard(ctx, task, worker, &st); err != nil {
		return err
	}
	window, _ := params.SealWindow(task.Units)
	st.Worker, st.AssignedHeight, st.PromptHeight = worker, now, now+params.PromptBlocks+window-params.SealBlocks
	st.Attempt++
	if err := k.arm(ctx, task, &st); err != nil {
		return err
	}
	enter(&st, types.STATE_ASSIGNED, now+window, now+window)
	if err := k.index(ctx, worker, task.Id); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventTaskAssigned{TaskId: task.Id, Worker: worker, Attempt: st.Attempt, Deadline: st.Deadline}); err != nil {
		return err
	}
	return k.move(ctx, task.Id, st)
}

// guard notes whether the task can earn score at all with this worker: a model that is served by too few, or mostly by the worker itself, would mint
// for whoever keeps the others out.
func (k Keeper) guard(ctx context.Context, task types.Task, worker string, st *types.Status) error {
	if !task.Scored {
		return nil
	}
	may, err := k.poai.MayScore(ctx, task.Model, worker)
	st.Captive = !may
	return err
}

// sealTimeout takes timeout_slash_bps of the lock of a worker who did not seal, and gives the task to another. Not delivering is
// no lie: it must stay cheap, or nobody would dare to serve. Where an input is given by CID it costs who was drawn nothing: a submitter who keeps
// the bytes back would have worker after worker slashed, and its fee returned. Who bids gets the bytes first.
func (k Keeper) sealTimeout(ctx context.Context, params types.Params, task types.Task, st types.Status) error {
	if task.Assigned() {
		return k.silentDebtor(ctx, params, task, st)
	}
	var err error
	if params.TimeoutSlashBps == 0 || task.ByCid && !task.Auctioned() {
		err = k.poai.ReleaseLock(ctx, st.Worker, poaitypes.LOCK_KIND_TASK, task.Id)
	} else {
		err = k.poai.Slash(ctx, poaitypes.SlashRequest{
			Participant: st.Worker, Kind: poaitypes.LOCK_KIND_TASK, Task: task.Id, Bps: params.TimeoutSlashBps,
			Reason: "result not sealed in time", Evidence: unopened(task, st),
		})
	}
	if err != nil {
		return err
	}
	return k.reopen(ctx, params, task, st)
}

// reopen takes a task from a worker that failed it and opens it again, or lets it expire after max_attempts.
func (k Keeper) reopen(ctx context.Context, params types.Params, task types.Task, st types.Status) error {
	if task.Assigned() {
		return k.endFailed(ctx, params, task, st, "sealed and not revealed", unopened(task, st), nil)
	}
	if len(st.ResultRoot) == 0 { // its place was freed when it revealed
		if err := k.poai.ReleaseWorker(ctx, st.Worker); err != nil {
			return err
		}
	}
	if err := k.unindex(ctx, st.Worker, task.Id); err != nil {
		return err
	}
	if err := k.dropRunners(ctx, st, task.Id); err != nil {
		return err
	}
	if err := k.failBid(ctx, task); err != nil {
		return err
	}
	st = types.Status{Attempt: st.Attempt, Tried: append(slices.Clone(st.Tried), st.Worker), OpenedHeight: height(ctx)}
	if st.Attempt >= params.MaxAttempts {
		return k.expire(ctx, params, task, st)
	}
	enterOpen(&st, params, task)
	if err := k.move(ctx, task.Id, st); err != nil {
		return err
	}
	return k.list(ctx, task, st)
}

// auditDraw decides with the randomness that came after the seal whether a committee checks the result. Who has proven little yet,
// or was caught lately, is always checked, and so is who sealed late. A race counts as demand here, since its worker came in a transaction.
func (k Keeper) auditDraw(ctx context.Context, params types.Params, task types.Task, st types.Status, asked *demand) error {
	if task.Race() && st.Attempt == 1 {
		asked.count(task.Units, true)
	}
	if err := k.unlist(ctx, task); err != nil {
		return err
	}
	coin, err := k.seed(ctx, st.Due, seedAudit, task.Id, st.Attempt)
	if err != nil {
		return err
	}
	worker, err := k.poai.GetParticipant(ctx, st.Worker)
	if err != nil {
		return err
	}
	now := height(ctx)
	st.AuditPpm = task.AuditPpm
	if task.Assigned() || worker.ReliabilityPpm < uint64(params.AuditAllBelowPpm) || late(st) {
		st.AuditPpm = types.PpmOne
	}
	if !types.Hit(coin, st.AuditPpm) {
		return k.openReveals(ctx, params, task.Id, st)
	}
	st.Audited = true
	at := st.Due
	window, _ := params.SealWindow(task.Units)
	enterAudited(&st, params, now+window)
	// Stored before the committee is opened, whose hooks may ask for it.
	if err := k.move(ctx, task.Id, st); err != nil {
		return err
	}
	return k.openCommittee(ctx, params, task, st, at)
}

// openCommittee draws a committee for an AUDITED task with the randomness of height at. Where nobody can be drawn it is tried again
// until the deadline; then the task goes on without a committee, which costs it its score.
func (k Keeper) openCommittee(ctx context.Context, params types.Params, task types.Task, st types.Status, at int64) error {
	seed, err := k.seed(ctx, at, seedCommittee, task.Id, st.Attempt)
	if err != nil {
		return err
	}
	runners, err := k.runners(ctx, st, task.Id)
	if err != nil {
		return err
	}
	window, _ := params.SealWindow(task.Units)
	now := height(ctx)
	committee, err := k.poai.OpenCommittee(ctx, poaitypes.CommitteeRequest{
		Task: task.Id, Model: task.CommitteePool(), Worker: st.Worker, Seed: seed, Size: params.CommitteeSize, LockPerSeat: task.Lock, Deadline: now + window,
		Excused: task.ByCid, Exclude: addresses(runners),
	})
	if err != nil {
		return err
	}
	if committee.Seats > 0 {
		enterAudited(&st, params, now+window)
		return k.store(ctx, task.Id, st)
	}
	st.Retries++
	st.Due = max(now+1, min(now+backoff(st.Retries), st.Deadline+1))
	return k.store(ctx, task.Id, st)
}

// enterAudited sets the next look at the committee: draw_delay after the last height to seal, so that who is drawn for a seat that
// stayed open could not be known while it was open.
func enterAudited(st *types.Status, params types.Params, deadline int64) {
	enter(st, types.STATE_AUDITED, deadline+params.DrawDelay, deadline)
}

// replaceSeats closes the seats that did not seal in time and has others drawn; without replacements x/poai ends the sealing
// phase, which moves the task on through the hook.
func (k Keeper) replaceSeats(ctx context.Context, params types.Params, task types.Task, st types.Status) error {
	seats, err := k.seats(ctx, st, task.Id)
	if err != nil {
		return err
	}
	if len(seats) == 0 {
		if st.Due <= st.Deadline {
			return k.openCommittee(ctx, params, task, st, st.Due)
		}
		return k.openReveals(ctx, params, task.Id, st)
	}
	seed, err := k.seed(ctx, st.Due, seedSeats, task.Id, st.Attempt)
	if err != nil {
		return err
	}
	window, _ := params.SealWindow(task.Units)
	deadline := height(ctx) + window
	committee, err := k.poai.CloseOverdueSeats(ctx, task.Id, seed, deadline)
	if err != nil {
		return err
	}
	if st, err = k.Statuses.Get(ctx, task.Id); err != nil || st.State != types.STATE_AUDITED {
		return err
	}
	if committee.Phase != poaitypes.COMMITTEE_PHASE_SEALING {
		return fmt.Errorf("task %d: its committee is in %s without the task being told", task.Id, committee.Phase)
	}
	enterAudited(&st, params, deadline)
	return k.store(ctx, task.Id, st)
}

// openReveals lets the worker and the sealed seats reveal.
func (k Keeper) openReveals(ctx context.Context, params types.Params, id uint64, st types.Status) error {
	until := height(ctx) + params.RevealBlocks
	enter(&st, types.STATE_REVEALING, until, until)
	return k.move(ctx, id, st)
}

// seats reads the seats of a task's committee; none where no committee was drawn, or nobody could be.
func (k Keeper) seats(ctx context.Context, st types.Status, id uint64) ([]poaitypes.Seat, error) {
	if !st.Audited {
		return nil, nil
	}
	_, seats, err := k.poai.GetCommittee(ctx, id)
	if errors.Is(err, collections.ErrNotFound) {
		return nil, nil
	}
	return seats, err
}
