package keeper_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	poaitypes "poaid/x/poai/types"
)

// fakePoai is x/poai in small: bonds, locks, places, committees, credits. Draws take the first fit in an order the seed shuffles.
type fakePoai struct {
	kv
	hooks poaitypes.CommitteeHooks
	// failSlash makes every slash fail, to test that a failing transition is put off.
	failSlash *bool
	// captive: nobody's task may earn score.
	captive bool
}

type fakeParticipant struct {
	Address        string
	Bond, Locked   math.Int
	Active, Places int
	Credits        []poaitypes.CreditRequest
	Reliability    uint64
	VRFKey         []byte
}

type fakeCommittee struct {
	Committee poaitypes.Committee
	Seats     []poaitypes.Seat
	Reference string // of what settled it
}

type poaiState struct {
	Participants []fakeParticipant
	Locks        map[string]poaitypes.Lock
	Committees   map[uint64]fakeCommittee
	Slashes      []poaitypes.SlashRequest
	Taken        math.Int
}

func (p *fakePoai) state(ctx context.Context) *poaiState {
	s := &poaiState{Locks: map[string]poaitypes.Lock{}, Committees: map[uint64]fakeCommittee{}, Taken: math.ZeroInt()}
	p.load(ctx, "poai", s)
	return s
}

func (p *fakePoai) join(ctx context.Context, addr string, bond int64, places int) {
	s := p.state(ctx)
	s.Participants = append(s.Participants, fakeParticipant{
		Address: addr, Bond: math.NewInt(bond), Locked: math.ZeroInt(), Places: places, Reliability: poaitypes.PPM,
	})
	p.save(ctx, "poai", s)
}

func (s *poaiState) participant(addr string) *fakeParticipant {
	for i := range s.Participants {
		if s.Participants[i].Address == addr {
			return &s.Participants[i]
		}
	}
	return nil
}

func lockKey(addr string, kind poaitypes.LockKind, task uint64) string {
	return fmt.Sprintf("%s/%d/%d", addr, kind, task)
}

func (s *poaiState) lock(l poaitypes.Lock) error {
	who, key := s.participant(l.Participant), lockKey(l.Participant, l.Kind, l.Item)
	if who == nil {
		return collections.ErrNotFound
	}
	if _, ok := s.Locks[key]; ok {
		return errors.New("lock exists")
	}
	if who.Bond.Sub(who.Locked).LT(l.Amount) {
		return errors.New("insufficient bond")
	}
	who.Locked = who.Locked.Add(l.Amount)
	s.Locks[key] = l
	return nil
}

func (s *poaiState) unlock(addr string, kind poaitypes.LockKind, task uint64) (math.Int, error) {
	key := lockKey(addr, kind, task)
	l, ok := s.Locks[key]
	if !ok {
		return math.Int{}, fmt.Errorf("no lock %s", key)
	}
	delete(s.Locks, key)
	who := s.participant(addr)
	who.Locked = who.Locked.Sub(l.Amount)
	return l.Amount, nil
}

func (s *poaiState) slash(req poaitypes.SlashRequest) error {
	locked, err := s.unlock(req.Participant, req.Kind, req.Task)
	if err != nil {
		return err
	}
	taken := locked.MulRaw(int64(req.Bps)).QuoRaw(10_000)
	who := s.participant(req.Participant)
	who.Bond = who.Bond.Sub(taken)
	s.Taken = s.Taken.Add(taken)
	s.Slashes = append(s.Slashes, req)
	return nil
}

// pick finds somebody with a free place and enough free bond.
func (s *poaiState) pick(seed []byte, lock math.Int, exclude []string) *fakeParticipant {
	n := len(s.Participants)
	for i := range n {
		who := &s.Participants[(int(seed[0])+i)%n]
		if !slices.Contains(exclude, who.Address) && who.Active < who.Places && !who.Bond.Sub(who.Locked).LT(lock) {
			return who
		}
	}
	return nil
}

func (p *fakePoai) DrawWorker(ctx context.Context, req poaitypes.DrawRequest) (string, bool, error) {
	s := p.state(ctx)
	who := s.pick(req.Seed, req.Lock, req.Exclude)
	if who == nil {
		return "", false, nil
	}
	who.Active++
	if err := s.lock(poaitypes.Lock{Participant: who.Address, Kind: poaitypes.LOCK_KIND_TASK, Item: req.Task, Amount: req.Lock}); err != nil {
		return "", false, err
	}
	p.save(ctx, "poai", s)
	return who.Address, true, nil
}

func (p *fakePoai) AssignWorker(ctx context.Context, worker string, task uint64) error {
	s := p.state(ctx)
	who := s.participant(worker)
	if who == nil {
		return fmt.Errorf("no participant %q", worker)
	}
	who.Active++
	if err := s.lock(poaitypes.Lock{Participant: worker, Kind: poaitypes.LOCK_KIND_TASK, Item: task, Amount: math.ZeroInt()}); err != nil {
		return err
	}
	p.save(ctx, "poai", s)
	return nil
}

// Enlist takes who is there, has the bond and, if asked, a place; fakes serve every model. Requirements are those of reliability.
func (p *fakePoai) Enlist(ctx context.Context, req poaitypes.QualifyRequest, task uint64) error {
	s := p.state(ctx)
	who := s.participant(req.Participant)
	switch {
	case who == nil || who.Bond.Sub(who.Locked).LT(req.Lock) || req.Place && who.Active >= who.Places:
		return poaitypes.ErrUnfit.Wrap(req.Participant)
	case req.Requirements.Unmet(poaitypes.Participant{ReliabilityPpm: who.Reliability}) != nil:
		return poaitypes.ErrUnfit.Wrap("requirements")
	}
	if _, ok := s.Locks[lockKey(who.Address, poaitypes.LOCK_KIND_TASK, task)]; ok {
		return poaitypes.ErrLockExists
	}
	who.Active++
	if err := s.lock(poaitypes.Lock{Participant: who.Address, Kind: poaitypes.LOCK_KIND_TASK, Item: task, Amount: req.Lock}); err != nil {
		return err
	}
	p.save(ctx, "poai", s)
	return nil
}

func (p *fakePoai) ReleaseWorker(ctx context.Context, worker string) error {
	s := p.state(ctx)
	who := s.participant(worker)
	if who == nil || who.Active == 0 {
		return fmt.Errorf("no place of %q", worker)
	}
	who.Active--
	p.save(ctx, "poai", s)
	return nil
}

func (s *poaiState) drawSeats(c *fakeCommittee, seed []byte, n uint32) error {
	exclude := append([]string{c.Committee.Worker}, c.Committee.Excluded...)
	for _, seat := range c.Seats {
		exclude = append(exclude, seat.Participant)
	}
	for range n {
		who := s.pick(seed, c.Committee.LockPerSeat, exclude)
		if who == nil {
			return nil
		}
		exclude = append(exclude, who.Address)
		if err := s.lock(poaitypes.Lock{
			Participant: who.Address, Kind: poaitypes.LOCK_KIND_SEAT, Item: c.Committee.TaskId, Amount: c.Committee.LockPerSeat,
		}); err != nil {
			return err
		}
		who.Active++
		c.Seats = append(c.Seats, poaitypes.Seat{
			TaskId: c.Committee.TaskId, Index: uint32(len(c.Seats)), Participant: who.Address, State: poaitypes.SEAT_STATE_OPEN,
		})
		c.Committee.Seats++
	}
	return nil
}

func (p *fakePoai) OpenCommittee(ctx context.Context, req poaitypes.CommitteeRequest) (poaitypes.Committee, error) {
	s := p.state(ctx)
	if _, ok := s.Committees[req.Task]; ok {
		return poaitypes.Committee{}, errors.New("committee exists")
	}
	c := fakeCommittee{Committee: poaitypes.Committee{
		TaskId: req.Task, Model: req.Model, Phase: poaitypes.COMMITTEE_PHASE_SEALING, Size_: req.Size, Worker: req.Worker,
		LockPerSeat: req.LockPerSeat, Deadline: req.Deadline, Excused: req.Excused, Excluded: req.Exclude,
	}}
	if err := s.drawSeats(&c, req.Seed, req.Size); err != nil {
		return c.Committee, err
	}
	if len(c.Seats) > 0 {
		s.Committees[req.Task] = c
		p.save(ctx, "poai", s)
	}
	return c.Committee, nil
}

func (p *fakePoai) CloseOverdueSeats(ctx context.Context, task uint64, seed []byte, deadline int64) (poaitypes.Committee, error) {
	s := p.state(ctx)
	c, ok := s.Committees[task]
	if !ok || c.Committee.Phase != poaitypes.COMMITTEE_PHASE_SEALING || sdk.UnwrapSDKContext(ctx).BlockHeight() < c.Committee.Deadline {
		return c.Committee, errors.New("no overdue committee")
	}
	for i, seat := range c.Seats {
		if seat.State != poaitypes.SEAT_STATE_OPEN {
			continue
		}
		c.Seats[i].State = poaitypes.SEAT_STATE_CLOSED
		c.Committee.Closed++
		s.participant(seat.Participant).Active--
		if _, err := s.unlock(seat.Participant, poaitypes.LOCK_KIND_SEAT, task); err != nil {
			return c.Committee, err
		}
	}
	before := len(c.Seats)
	if err := s.drawSeats(&c, seed, min(c.Committee.Size_-c.Committee.Sealed, 8-c.Committee.Seats)); err != nil {
		return c.Committee, err
	}
	if len(c.Seats) > before {
		c.Committee.Deadline = deadline
	}
	s.Committees[task] = c
	p.save(ctx, "poai", s)
	if len(c.Seats) > before {
		return c.Committee, nil
	}
	return p.openReveals(ctx, task)
}

func (p *fakePoai) openReveals(ctx context.Context, task uint64) (poaitypes.Committee, error) {
	deadline, err := p.hooks.AfterCommitteeSealed(ctx, task)
	if err != nil {
		return poaitypes.Committee{}, err
	}
	s := p.state(ctx)
	c := s.Committees[task]
	c.Committee.Phase, c.Committee.Deadline = poaitypes.COMMITTEE_PHASE_REVEALING, deadline
	s.Committees[task] = c
	p.save(ctx, "poai", s)
	return c.Committee, nil
}

// sealSeat and revealSeat are what a member does.
func (p *fakePoai) sealSeat(ctx context.Context, task uint64, member string) error {
	s := p.state(ctx)
	c, i, err := s.seat(ctx, task, member, poaitypes.COMMITTEE_PHASE_SEALING, poaitypes.SEAT_STATE_OPEN)
	if err != nil {
		return err
	}
	c.Seats[i].State = poaitypes.SEAT_STATE_SEALED
	c.Committee.Sealed++
	s.Committees[task] = c
	p.save(ctx, "poai", s)
	if c.Committee.Sealed+c.Committee.Closed == c.Committee.Seats {
		_, err = p.openReveals(ctx, task)
	}
	return err
}

func (p *fakePoai) revealSeat(ctx context.Context, task uint64, member string, root []byte) error {
	s := p.state(ctx)
	c, i, err := s.seat(ctx, task, member, poaitypes.COMMITTEE_PHASE_REVEALING, poaitypes.SEAT_STATE_SEALED)
	if err != nil {
		return err
	}
	c.Seats[i].State, c.Seats[i].ResultRoot = poaitypes.SEAT_STATE_REVEALED, root
	c.Committee.Revealed++
	s.participant(member).Active--
	s.Committees[task] = c
	p.save(ctx, "poai", s)
	if c.Committee.Revealed == c.Committee.Sealed {
		return p.hooks.AfterCommitteeRevealed(ctx, task)
	}
	return nil
}

func (s *poaiState) seat(
	ctx context.Context, task uint64, member string, phase poaitypes.CommitteePhase, state poaitypes.SeatState,
) (fakeCommittee, int, error) {
	c := s.Committees[task]
	i := slices.IndexFunc(c.Seats, func(seat poaitypes.Seat) bool { return seat.Participant == member && seat.State == state })
	if i < 0 || c.Committee.Phase != phase || sdk.UnwrapSDKContext(ctx).BlockHeight() > c.Committee.Deadline {
		return c, i, errors.New("no such duty")
	}
	return c, i, nil
}

func (p *fakePoai) GetCommittee(ctx context.Context, task uint64) (poaitypes.Committee, []poaitypes.Seat, error) {
	c, ok := p.state(ctx).Committees[task]
	if !ok {
		return c.Committee, nil, collections.ErrNotFound
	}
	return c.Committee, c.Seats, nil
}

func (p *fakePoai) SettleCommittee(ctx context.Context, task uint64, out poaitypes.CommitteeOutcome) ([]string, error) {
	s := p.state(ctx)
	c, ok := s.Committees[task]
	if !ok || c.Committee.Phase == poaitypes.COMMITTEE_PHASE_DONE {
		return nil, errors.New("no committee to settle")
	}
	overdue := c.Committee.Phase == poaitypes.COMMITTEE_PHASE_REVEALING && sdk.UnwrapSDKContext(ctx).BlockHeight() >= c.Committee.Deadline
	c.Committee.Phase, c.Reference = poaitypes.COMMITTEE_PHASE_DONE, out.Reference
	var agreed []string
	for _, seat := range c.Seats {
		wrong := seat.State == poaitypes.SEAT_STATE_REVEALED && (out.ValidRoot != nil && !bytes.Equal(seat.ResultRoot, out.ValidRoot) ||
			out.FalseRoot != nil && bytes.Equal(seat.ResultRoot, out.FalseRoot))
		switch {
		case seat.State == poaitypes.SEAT_STATE_CLOSED:
			continue
		case seat.State == poaitypes.SEAT_STATE_OPEN || seat.State == poaitypes.SEAT_STATE_SEALED:
			s.participant(seat.Participant).Active--
		case out.ValidRoot != nil && !wrong:
			agreed = append(agreed, seat.Participant)
		}
		var err error
		if wrong || overdue && seat.State == poaitypes.SEAT_STATE_SEALED {
			err = s.slash(poaitypes.SlashRequest{
				Participant: seat.Participant, Kind: poaitypes.LOCK_KIND_SEAT, Task: task, Bps: 10_000, Lie: true, Beneficiaries: out.Beneficiaries,
			})
		} else {
			_, err = s.unlock(seat.Participant, poaitypes.LOCK_KIND_SEAT, task)
		}
		if err != nil {
			return nil, err
		}
	}
	s.Committees[task] = c
	p.save(ctx, "poai", s)
	return agreed, nil
}

func (p *fakePoai) PruneCommittee(ctx context.Context, task uint64) error {
	s := p.state(ctx)
	if c, ok := s.Committees[task]; !ok || c.Committee.Phase != poaitypes.COMMITTEE_PHASE_DONE {
		return errors.New("no settled committee")
	}
	delete(s.Committees, task)
	p.save(ctx, "poai", s)
	return nil
}

func (p *fakePoai) LockBond(ctx context.Context, l poaitypes.Lock) error {
	s := p.state(ctx)
	if err := s.lock(l); err != nil {
		return err
	}
	p.save(ctx, "poai", s)
	return nil
}

func (p *fakePoai) ReleaseLock(ctx context.Context, participant string, kind poaitypes.LockKind, task uint64) error {
	s := p.state(ctx)
	if _, err := s.unlock(participant, kind, task); err != nil {
		return err
	}
	p.save(ctx, "poai", s)
	return nil
}

func (p *fakePoai) Slash(ctx context.Context, req poaitypes.SlashRequest) error {
	s := p.state(ctx)
	if err := s.slash(req); err != nil {
		return err
	}
	p.save(ctx, "poai", s)
	if *p.failSlash {
		return errors.New("slashing is out of order")
	}
	return nil
}

func (p *fakePoai) Credit(ctx context.Context, req poaitypes.CreditRequest) error {
	s := p.state(ctx)
	who := s.participant(req.Participant)
	if who == nil || req.ScoreUnits > req.Units {
		return fmt.Errorf("credit %+v", req)
	}
	who.Credits = append(who.Credits, req)
	p.save(ctx, "poai", s)
	return nil
}

// CurrentEpoch has epochs of ten blocks.
func (p *fakePoai) CurrentEpoch(ctx context.Context) (uint64, error) {
	return uint64(sdk.UnwrapSDKContext(ctx).BlockHeight()) / 10, nil
}

func (p *fakePoai) GetParticipant(ctx context.Context, addr string) (poaitypes.Participant, error) {
	who := p.state(ctx).participant(addr)
	if who == nil {
		return poaitypes.Participant{}, collections.ErrNotFound
	}
	return poaitypes.Participant{Address: addr, Bond: who.Bond, Locked: who.Locked, ReliabilityPpm: who.Reliability, VrfKey: who.VRFKey}, nil
}

// MayScore is what the test says.
func (p *fakePoai) MayScore(context.Context, string, string) (bool, error) { return !p.captive, nil }
