package challenger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"poaid/commit"
	"poaid/daemon/chain"
	"poaid/daemon/executor"
	"poaid/game"
	disputestypes "poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

// affair is all that the scheduler knows of one task. Its fields belong to the challenger's lock; what only its own job touches is marked.
type affair struct {
	task uint64
	// open is its case, watched that it was picked, demanded that somebody asked for bytes of it.
	open     *disputestypes.Case
	watched  bool
	demanded bool

	// lacks is what a run of this participant could not get.
	lacks *executor.MissingError

	running  bool
	look     bool  // at once, rather than at the next block
	looked   int64 // height at which a job last began
	compute  bool  // the next job computes the result, which may take long
	agreed   bool  // the result is right, and will be until until
	until    int64
	long     bool // of its job: it may take long
	foreign  bool // the case is none of ours; seen is how many claims it had then
	seen     uint32
	due      int64 // a move's deadline; 0: none
	over     bool
	failures int
	notUntil time.Time

	attacking, playing int

	games map[uint32]gameSeen // of its job: what was told of each game
	said  map[string]bool     // of its job: what was told once
}

// gameSeen is what was told of a game.
type gameSeen struct {
	rounds uint64
	over   bool
}

// needsLook tells whether a job may find something to do at a height. The lock is held.
func (a *affair) needsLook(h int64) bool {
	switch {
	case a.look:
		return true
	case a.looked >= h:
		return false
	case a.demanded || a.lacks != nil:
	case a.open != nil && a.foreign && a.seen == a.open.Claims, a.open == nil && a.agreed && h <= a.until:
		return false
	}
	return true
}

// urgency orders affairs: moves by their deadline, then other cases, then the rest.
func (a *affair) urgency() int64 {
	const far = int64(1) << 50
	switch {
	case a.due > 0:
		return a.due
	case a.open != nil:
		return far
	}
	return far + 1
}

// safely attends to an affair. A panic is that task's error: programs are written by strangers.
func (c *Challenger) safely(ctx context.Context, a *affair) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return c.attend(ctx, a)
}

// attend looks at a task and does what there is to do.
func (c *Challenger) attend(ctx context.Context, a *affair) error {
	c.mu.Lock()
	a.long, a.compute = a.compute, false
	c.mu.Unlock()
	v, err := c.view(ctx, a)
	if errors.Is(err, chain.ErrNotFound) {
		return c.close(a)
	}
	if err != nil {
		return err
	}
	c.tell(a, v)
	if err := c.produce(ctx, a, v); err != nil {
		return err
	}
	waits, err := c.stillLacks(ctx, a, v)
	if err != nil {
		return err
	}
	if v.Case == nil && isOver(v.Task.Status) {
		if waits {
			return nil
		}
		return c.close(a)
	}
	m, err := c.mind(ctx, a, v)
	if err != nil {
		return err
	}
	mine := claimOf(v.Claims, c.cfg.Participant)
	c.mu.Lock()
	a.foreign = v.Case != nil && mine == nil && !m.Join
	a.seen, a.attacking, a.playing, a.due = 0, 0, 0, 0
	if v.Case != nil {
		a.seen = v.Case.Claims
	}
	if mine != nil {
		a.attacking = int(mine.Attacking)
	}
	a.until = v.Task.Status.Deadline
	a.agreed = v.Task.Status.State == taskstypes.STATE_REVEALED && m.Known && bytes.Equal(v.Task.Status.ResultRoot, m.Root[:])
	c.mu.Unlock()
	if v.Case == nil && !m.Join && !waits {
		return c.close(a) // picked, but of a model that is not served, or our own
	}
	actions := Decide(v, m)
	if err := c.perform(ctx, a, v, m, actions); err != nil {
		return err
	}
	return c.report(a, v)
}

func isOver(st taskstypes.Status) bool {
	switch st.State {
	case taskstypes.STATE_REVEALED, taskstypes.STATE_DISPUTED:
		return false
	case taskstypes.STATE_REVEALING:
		return len(st.ResultRoot) == 0
	}
	return true
}

// close forgets an affair that is over.
func (c *Challenger) close(a *affair) error {
	c.solver.forget(a.task)
	c.mu.Lock()
	a.over = true
	for id := range c.handed {
		if id.Task == a.task {
			delete(c.handed, id)
		}
	}
	c.mu.Unlock()
	return c.book.Forget(a.task)
}

// view reads what Decide needs.
func (c *Challenger) view(ctx context.Context, a *affair) (View, error) {
	c.mu.Lock()
	v := View{Height: c.height, Tick: c.tick, Params: c.params}
	if a.open != nil {
		open := *a.open
		v.Case = &open
	}
	c.mu.Unlock()
	var err error
	if v.Task, err = c.chain.Task(ctx, a.task); err != nil {
		return v, err
	}
	if v.Case == nil && len(a.games) == 0 {
		return v, nil
	}
	if v.Claims, err = c.chain.Claims(ctx, a.task); err != nil && !errors.Is(err, chain.ErrNotFound) {
		return v, err
	}
	if claimOf(v.Claims, c.cfg.Participant) == nil && !c.picked(a) {
		return v, nil
	}
	v.Games, err = c.chain.Games(ctx, a.task)
	if v.Case == nil { // its end is told, nothing else
		v.Claims = nil
	}
	return v, err
}

func (c *Challenger) picked(a *affair) bool {
	c.mu.Lock()
	watched := a.watched
	c.mu.Unlock()
	return watched || c.monitor.picks(a.task)
}

// mind gathers what is known of a task's result, and computes it if it is to be watched.
func (c *Challenger) mind(ctx context.Context, a *affair, v View) (Mind, error) {
	c.mu.Lock()
	serves := c.models[v.Task.Task.Model]
	c.mu.Unlock()
	m := Mind{Me: c.cfg.Participant, Join: serves && c.picked(a) && v.Task.Status.Worker != c.cfg.Participant}
	if !m.Join || claimOf(v.Claims, m.Me) != nil {
		return m, nil // plays for what it has claimed; the solver sees whether it is right
	}
	if v.Case != nil && v.Height >= v.Case.SupportUntil {
		m.Join = false
		return m, nil
	}
	var err error
	if m.Root, m.Known, err = c.book.Root(a.task); err != nil || m.Known {
		return m, err
	}
	if c.cfg.Known != nil {
		if m.Root, m.Known = c.cfg.Known(a.task); m.Known {
			return m, nil
		}
	}
	if !a.long {
		c.mu.Lock()
		a.compute, a.look = true, true // again, in the place for long jobs
		c.mu.Unlock()
		return m, nil
	}
	start := time.Now()
	res, err := c.runs.Run(ctx, v.Task.Task)
	differs := err == nil && !bytes.Equal(res.ResultRoot[:], v.Task.Status.ResultRoot)
	if ctx.Err() == nil {
		c.cfg.Metrics.Watched(v.Task.Task.Model, time.Since(start).Seconds(), differs, err)
	}
	if err != nil {
		c.mu.Lock()
		a.compute = true
		c.mu.Unlock()
		return m, fmt.Errorf("compute the result again: %w", err)
	}
	if differs {
		c.log.Warn(fmt.Sprintf("task %d: result root differs from mine", a.task), "theirs", fmt.Sprintf("%x", v.Task.Status.ResultRoot), "mine", res.ResultRoot)
	}
	m.Root, m.Known = res.ResultRoot, true
	return m, c.book.PutRoot(a.task, res.ResultRoot)
}

// perform hands actions over. A game that fails does not keep the others waiting.
func (c *Challenger) perform(ctx context.Context, a *affair, v View, m Mind, actions []Action) error {
	var errs []error
	for _, act := range actions {
		var err error
		switch act.Act {
		case ActMove:
			err = c.move(ctx, a, v, act)
		case ActDefend:
			var sent bool
			sent, err = c.send(&disputestypes.MsgDefend{TaskId: a.task, Game: act.Game.Index}, act.Deadline, v.Height)
			if sent {
				c.log.Info(fmt.Sprintf("game %d/%d: the defender is silent, taking its chair", a.task, act.Game.Index), "defender", act.Game.Defender)
			}
		case ActClaim:
			err = c.claim(a, v, m.Root, act.Deadline)
		case ActAttack:
			err = c.planAttack(ctx, a, v, act.Target)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (c *Challenger) claim(a *affair, v View, root commit.Hash, deadline int64) error {
	lock := v.Task.Task.Lock
	c.mu.Lock()
	free := c.free
	c.mu.Unlock()
	if enough, known := covers(free, lock); known && !enough {
		c.once(a, "bond", "no free bond to claim with", "free", free, "lock", lock.String())
		return nil
	}
	sent, err := c.send(&disputestypes.MsgClaim{TaskId: a.task, ResultRoot: root[:]}, deadline, v.Height)
	if sent {
		c.log.Info(fmt.Sprintf("task %d: claiming my root", a.task), "root", root, "case", v.Case != nil)
	}
	return err
}

// move makes a move in a game that waits for this participant.
func (c *Challenger) move(ctx context.Context, a *affair, v View, act Action) error {
	g := act.Game
	c.mu.Lock()
	a.due = act.Deadline
	c.mu.Unlock()
	mine := g.Rival
	if g.Defender == c.cfg.Participant {
		mine = g.Root
	}
	mv, err := c.solver.move(ctx, v.Task.Task, g, mine)
	switch {
	case errors.Is(err, ErrOtherRoot), errors.Is(err, game.ErrAgree):
		// Nothing that could be sent would win. It is for people to look at.
		c.once(a, fmt.Sprint(g.Index), "cannot play", "game", g.Index, "error", err)
		c.cfg.Metrics.Failed(err)
		return nil
	case err != nil:
		return errors.Join(fmt.Errorf("game %d/%d: %w", a.task, g.Index, err), c.demand(ctx, a, v, err))
	}
	sent, err := c.send(&disputestypes.MsgMove{TaskId: a.task, Game: g.Index, Moves: g.Moves, Move: mv}, act.Deadline, v.Height)
	if sent {
		c.log.Info(fmt.Sprintf("game %d/%d: round %d, %s; moving", a.task, g.Index, g.Position.Rounds+1, where(g)), "move", nameOf(mv), "moves", g.Moves)
	}
	return err
}

// planAttack notes an attack, to be made if it is among the cheapest.
func (c *Challenger) planAttack(ctx context.Context, a *affair, v View, target string) error {
	stake, err := c.solver.stake(ctx, v.Task.Task, v.Params)
	if err != nil {
		return fmt.Errorf("stake of an attack: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attacks = append(c.attacks, attack{msg: &disputestypes.MsgAttack{TaskId: a.task, Target: target}, task: a.task, who: target, stake: stake})
	return nil
}
