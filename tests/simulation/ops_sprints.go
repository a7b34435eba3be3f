package simulation

import (
	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"

	sprintstypes "poaid/x/sprints/types"
)

func sprintsModule() Module {
	return Module{
		Name: sprintstypes.ModuleName,
		Operations: []Operation{
			{Name: "sprints CommitSprint late", Weight: 1, Refused: true, Do: commitLate},
		},
		Duties:    sprints,
		Proposals: []func(*Sim) sdk.Msg{sprintsParams},
		Milestones: []string{
			"sprints SeasonBegan", "sprints WindowOpened", "sprints WindowSettled", "sprints WindowPruned", "sprints Committed", "sprints AuditOpened",
			"sprints LeavesOpened", "sprints CommitDecided COMMIT_STATE_CLEAR", "sprints CommitDecided COMMIT_STATE_PASSED",
			"sprints ParamsUpdated",
		},
		Rare: []string{"sprints CommitDecided COMMIT_STATE_FAILED"},
	}
}

// sprints is what everybody commits and opens in the window that is there.
func sprints(s *Sim) (actions []Action) {
	w := s.Current()
	if w.Number == 0 {
		return nil
	}
	for _, p := range s.people {
		c, err := s.App.Sprints.Commits.Get(s.Ctx(), collections.Join(w.Number, p.String()))
		committed := s.found(err)
		switch {
		case !committed && w.Phase == sprintstypes.PHASE_OPEN && s.Height() < w.CloseHeight && s.chance(350_000, "sprints", p.Account, w.Number):
			serves, err := s.App.Poai.Trees.Served.Has(s.Ctx(), collections.Join(p.String(), w.Pool))
			s.must(err)
			if !serves || !s.free(p).IsPositive() {
				continue
			}
			p.sprinter.Fakes = nil
			if p.character != honest && s.chance(400_000, "fakes", p.Account, w.Number) {
				p.sprinter.Fakes = func(n uint64) bool { return n%2 == 0 }
			}
			count := 4 + s.pick(12, "leaves", p.Account, w.Number)
			actions = append(actions, Action{Name: "sprints CommitSprint", From: p.Account, Msgs: []sdk.Msg{s.CommitMsg(p.sprinter, w, count)}})
		case committed && c.State == sprintstypes.COMMIT_STATE_AUDITED && p.sprinter.Knows(w.Number) && s.unopened(p, w.Number) &&
			!s.chance(70_000, "keeps closed", p.Account, w.Number):
			actions = append(actions, Action{Name: "sprints OpenSprint", From: p.Account, Msgs: []sdk.Msg{s.OpenMsg(p.sprinter, w.Number)}})
		}
	}
	return actions
}

// unopened tells whether somebody's leaves of a window are still to be opened.
func (s *Sim) unopened(p *person, window uint64) (waiting bool) {
	s.must(s.App.Sprints.AuditsOf.Walk(s.Ctx(), collections.NewPrefixedPairRange[string, uint64](p.String()),
		func(k collections.Pair[string, uint64]) (bool, error) {
			a, err := s.App.Sprints.Audits.Get(s.Ctx(), k.K2())
			if err != nil || a.Window != window {
				return err != nil, err
			}
			waiting, err = s.App.Sprints.DueOpenings.Has(s.Ctx(), collections.Join(a.Deadline, k.K2()))
			return true, err
		}))
	return waiting
}

func commitLate(s *Sim) *Action {
	w := s.Current()
	p, ok := any1(s, s.people)
	if !ok || w.Number == 0 || s.Height() <= w.CloseHeight {
		return nil
	}
	return one(p.Account, &sprintstypes.MsgCommitSprint{Participant: p.String(), Window: w.Number, Root: make([]byte, 32), Count: 1})
}

func sprintsParams(s *Sim) sdk.Msg {
	p, err := s.App.Sprints.Params.Get(s.Ctx())
	s.must(err)
	switch s.r.Intn(4) {
	case 0:
		p.WindowBlocks = 3 + s.r.Int63n(4)
	case 1:
		p.VerifyPpm = uint32(200_000 + s.r.Intn(400_000))
	case 2:
		p.DutyPpm = uint32(100_000 + s.r.Intn(200_000))
	case 3:
		p.OpenBlocks = 5 + s.r.Int63n(5)
	}
	return &sprintstypes.MsgUpdateParams{Authority: s.authority(), Params: p}
}
