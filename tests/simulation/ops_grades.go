package simulation

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/testutil"
	gradestypes "poaid/x/grades/types"
)

// contests that run at the same time, at most.
const contests = 4

func gradesModule() Module {
	return Module{
		Name: gradestypes.ModuleName,
		Genesis: func(g *testutil.Genesis) {
			var st gradestypes.GenesisState
			g.Get(gradestypes.ModuleName, &st)
			st.Params.MinPhaseBlocks, st.Params.DrawDelay, st.Params.KeepRounds = 1, 2, 3
			g.Set(gradestypes.ModuleName, &st)
		},
		Operations: []Operation{
			{Name: "grades CreateContest", Weight: 4, Do: createContest},
			{Name: "grades CreateContest taken", Weight: 1, Refused: true, Do: createTaken},
			{Name: "grades FundContest", Weight: 3, Do: fundContest},
			{Name: "grades CloseContest", Weight: 1, Do: closeContest},
			{Name: "grades Enter", Weight: 10, Do: enter},
			{Name: "grades Leave", Weight: 1, Do: leave},
			{Name: "grades JoinGraders", Weight: 12, Do: joinGraders},
			{Name: "grades LeaveGraders", Weight: 1, Do: leaveGraders},
		},
		Duties:    grade,
		Proposals: []func(*Sim) sdk.Msg{gradesParams},
		Milestones: []string{
			"grades ContestCreated", "grades ContestFunded", "grades ContestClosed", "grades EntryChanged", "grades GraderChanged", "grades Graded",
			"grades RoundSettled", "grades ParamsUpdated", "poai Slashed LOCK_KIND_GRADE",
		},
	}
}

// openContests are those that take entries.
func (s *Sim) openContests() (out []gradestypes.Contest) {
	s.must(s.App.Grades.Contests.Walk(s.Ctx(), nil, func(_ uint64, c gradestypes.Contest) (bool, error) {
		if c.Phase != gradestypes.PHASE_CLOSED && !c.Closing {
			out = append(out, c)
		}
		return false, nil
	}))
	return out
}

func (s *Sim) contest(owner *testutil.Account, id string) *gradestypes.MsgCreateContest {
	criteria := sha256.Sum256([]byte(id))
	return &gradestypes.MsgCreateContest{
		Owner: owner.String(), Id: id, Description: "the best answer", Criteria: criteria[:], Seats: uint32(3 + s.r.Intn(4)), MaxEntries: uint32(4 + s.r.Intn(4)),
		SealBlocks: 6, RevealBlocks: 6, PauseBlocks: 2 + s.r.Int63n(6), Pot: s.coins(1_000_000, 5_000_000), GraderBps: uint32(s.r.Intn(5_000)),
	}
}

func createContest(s *Sim) *Action {
	if len(s.openContests()) >= contests {
		return nil
	}
	from := s.anybody()
	return one(from, s.contest(from, fmt.Sprintf("contest-%d", s.Height())))
}

func createTaken(s *Sim) *Action {
	c, ok := any1(s, s.openContests())
	if !ok {
		return nil
	}
	from := s.anybody()
	return one(from, s.contest(from, c.Id))
}

func fundContest(s *Sim) *Action {
	c, ok := any1(s, s.openContests())
	if !ok {
		return nil
	}
	from := s.anybody()
	return one(from, &gradestypes.MsgFundContest{Sponsor: from.String(), Contest: c.Id, Amount: s.coins(1_000_000, 40_000_000)})
}

func closeContest(s *Sim) *Action {
	open := s.openContests()
	if len(open) < contests {
		return nil
	}
	return one(s.byAddr[open[0].Owner], &gradestypes.MsgCloseContest{Owner: open[0].Owner, Contest: open[0].Id})
}

func enter(s *Sim) *Action {
	c, ok := any1(s, s.openContests())
	if !ok {
		return nil
	}
	from := s.anybody()
	work := sha256.Sum256(fmt.Append(nil, from, s.Height()))
	return one(from, &gradestypes.MsgEnter{Owner: from.String(), Contest: c.Id, Hash: work[:], Uri: "https://example.org/work"})
}

func leave(s *Sim) *Action {
	var all []gradestypes.Entry
	s.must(s.App.Grades.Entries.Walk(s.Ctx(), nil, func(_ collections.Pair[uint64, uint64], e gradestypes.Entry) (bool, error) {
		all = append(all, e)
		return false, nil
	}))
	e, ok := any1(s, all)
	if !ok {
		return nil
	}
	return one(s.byAddr[e.Owner], &gradestypes.MsgLeave{Owner: e.Owner, Contest: e.Contest})
}

func joinGraders(s *Sim) *Action {
	c, ok := any1(s, s.openContests())
	p, found := any1(s, s.people)
	if !ok || !found || slices.Contains(s.pools(p), c.Pool()) {
		return nil
	}
	return one(p.Account, &gradestypes.MsgJoinGraders{Grader: p.String(), Contest: c.Id})
}

func leaveGraders(s *Sim) *Action {
	c, ok := any1(s, s.openContests())
	p, found := any1(s, s.people)
	if !ok || !found || !slices.Contains(s.pools(p), c.Pool()) {
		return nil
	}
	return one(p.Account, &gradestypes.MsgLeaveGraders{Grader: p.String(), Contest: c.Id})
}

// grades that somebody gives: much the same as others, if it is honest.
func (s *Sim) grades(p *person, c gradestypes.Contest) []uint32 {
	out := make([]uint32, c.MaxEntries)
	for slot := range out {
		out[slot] = uint32(s.pick(60_000, "worth", c.Id, slot))
		if p.character != honest {
			out[slot] = uint32(s.pick(60_000, "whim", p.Account, c.Id, slot))
		}
		out[slot] += uint32(s.pick(5_000, "taste", p.Account, c.Id, slot, c.Round))
	}
	return out
}

// grade is what drawn graders seal and reveal now.
func grade(s *Sim) (actions []Action) {
	for _, c := range s.openContests() {
		if c.Phase != gradestypes.PHASE_SEALING && c.Phase != gradestypes.PHASE_REVEALING {
			continue
		}
		for _, p := range s.people {
			seat, err := s.App.Grades.Seats.Get(s.Ctx(), collections.Join(c.Number, p.String()))
			if !s.found(err) || s.Height() >= c.Deadline {
				continue
			}
			grades, salt := s.grades(p, c), sha256.Sum256(fmt.Append(nil, p, c.Number, c.Round))
			switch {
			case c.Phase == gradestypes.PHASE_SEALING && len(seat.Seal) == 0 && !s.chance(40_000, "abstains", p.Account, c.Id, c.Round):
				seal := gradestypes.Seal(s.ChainID, c.Number, c.Round, p.String(), grades, salt)
				msg := &gradestypes.MsgSealGrades{Grader: p.String(), Contest: c.Id, Round: c.Round, Seal: seal[:]}
				actions = append(actions, Action{Name: "grades SealGrades", From: p.Account, Msgs: []sdk.Msg{msg}})
			case c.Phase == gradestypes.PHASE_REVEALING && len(seat.Seal) > 0 && !seat.Revealed && !s.chance(60_000, "keeps quiet", p.Account, c.Id, c.Round):
				msg := &gradestypes.MsgRevealGrades{Grader: p.String(), Contest: c.Id, Round: c.Round, Grades: grades, Salt: salt[:]}
				actions = append(actions, Action{Name: "grades RevealGrades", From: p.Account, Msgs: []sdk.Msg{msg}})
			}
		}
	}
	return actions
}

func gradesParams(s *Sim) sdk.Msg {
	p, err := s.App.Grades.Params.Get(s.Ctx())
	s.must(err)
	switch s.r.Intn(3) {
	case 0:
		p.GraderLock = math.NewInt(5_000_000 + s.r.Int63n(10_000_000))
	case 1:
		p.AbstainSlashBps = uint32(s.r.Intn(1_000))
	case 2:
		p.EntryFee = math.NewInt(s.r.Int63n(2_000_000))
	}
	return &gradestypes.MsgUpdateParams{Authority: s.authority(), Params: p}
}
