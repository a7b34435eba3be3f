package simulation

import (
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/game"
	"poaid/testutil"
	disputestypes "poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

func disputesModule() Module {
	return Module{
		Name: disputestypes.ModuleName,
		Genesis: func(g *testutil.Genesis) {
			var d disputestypes.GenesisState
			g.Get(disputestypes.ModuleName, &d)
			d.Params.ClockBase, d.Params.ClockReserve, d.Params.ClaimBlocks = 5, 8, 6
			d.Params.DemandBlocks, d.Params.AppealBlocks, d.Params.SuspectSeats = 6, 25, 2
			d.Params.MoveFee = math.NewInt(1_000)
			g.Set(disputestypes.ModuleName, &d)
		},
		Operations: []Operation{
			{Name: "disputes DemandBytes", Weight: 8, Do: demandBytes},
			{Name: "disputes ProduceBytes", Weight: 6, Do: produceBytes},
			{Name: "disputes Claim the worker's root", Weight: 1, Either: true, Do: claimSame},
		},
		Duties:    argue,
		Proposals: []func(*Sim) sdk.Msg{disputesParams, settleSuspect, settleSuspect, settleSuspect, liftQuarantine, liftQuarantine},
		Milestones: []string{
			"disputes CaseOpened", "disputes Claimed CLAIM_KIND_CHALLENGE", "disputes GameOpened", "disputes Moved", "disputes RootFell",
			"disputes CaseClosed OUTCOME_UPHELD", "disputes CaseClosed OUTCOME_OVERTURNED",
			"disputes CaseHeld", "disputes Quarantined", "disputes QuarantineLifted", "disputes BytesDemanded SOURCE_INPUT",
			"disputes BytesDemanded SOURCE_WEIGHT", "disputes BytesProduced", "disputes ParamsUpdated",
		},
		Rare: []string{"disputes CaseClosed OUTCOME_ACQUITTED", "disputes CaseClosed OUTCOME_VOID"},
	}
}

// party is a person's part in the arguments about a task.
func (s *Sim) party(p *person, t standing, r *run) *testutil.Party {
	if party := r.parties[p.String()]; party != nil {
		return party
	}
	party := &testutil.Party{Participant: p.Participant, Answer: s.answer(p, t.id, r)}
	if s.cursed(t.id) && !s.seated(p, t) {
		party.Answer = r.court.Truth // who looks only now has another kernel
	}
	truth := party.Answer == r.court.Truth
	party.Watches = truth && s.chance(300_000, "watches", p.Account, t.id) || !truth && p.character == liar && s.chance(60_000, "slanders", p.Account, t.id)
	party.Attacks = s.chance(600_000, "attacks", p.Account, t.id)
	party.Guards = s.chance(600_000, "guards", p.Account, t.id)
	party.Silent = func(g disputestypes.Game) bool {
		if s.chance(60_000, "silent", p.Account, t.id, g.Index) {
			return true
		}
		return s.chance(150_000, "slow", p.Account, t.id, g.Index, s.Height())
	}
	r.parties[p.String()] = party
	return party
}

// seated tells who worked on a task or audited it.
func (s *Sim) seated(p *person, t standing) bool {
	if t.Worker == p.String() {
		return true
	}
	found, err := s.App.Poai.Duties.Has(s.Ctx(), collections.Join(p.String(), t.id))
	s.must(err)
	return found
}

// argue is what everybody has to claim, attack, defend and move now.
func argue(s *Sim) (actions []Action) {
	for _, t := range s.running() {
		if t.State != taskstypes.STATE_REVEALED && t.State != taskstypes.STATE_DISPUTED {
			continue
		}
		r, err := s.runOf(t.id)
		if errors.Is(err, errUnknownStates) {
			continue
		}
		s.must(err)
		for _, p := range s.people {
			party := s.party(p, t, r)
			msgs, err := r.court.Due(party)
			s.must(err)
			for _, msg := range msgs {
				a := Action{Name: name(msg), From: p.Account, Msgs: []sdk.Msg{msg}}
				if _, move := msg.(*disputestypes.MsgMove); move && party.Answer == r.court.Truth {
					a.Must = func(codespace string, code uint32) bool {
						return codespace == disputestypes.ModuleName && code != disputestypes.ErrOver.ABCICode() // over, or replaced, in the same block
					}
				}
				actions = append(actions, a)
			}
		}
	}
	return actions
}

// claimSame is refused unless somebody claims another root before it in the block.
func claimSame(s *Sim) *Action {
	for _, t := range s.running() {
		p, ok := any1(s, s.people)
		if !ok || t.State != taskstypes.STATE_REVEALED || t.Worker == p.String() {
			continue
		}
		return one(p.Account, &disputestypes.MsgClaim{Participant: p.String(), TaskId: t.id, ResultRoot: t.ResultRoot})
	}
	return nil
}

// demandBytes has a party ask for bytes of an input or a weight.
func demandBytes(s *Sim) *Action {
	var msgs []*disputestypes.MsgDemandBytes
	for _, p := range s.people {
		for _, id := range append(s.worksOn(p.Addr), s.seatsOf(p.String())...) {
			t, err := s.App.Tasks.Tasks.Get(s.Ctx(), id)
			s.must(err)
			m := s.modelOf(t.Model)
			if m == nil {
				continue
			}
			msg := &disputestypes.MsgDemandBytes{Participant: p.String(), TaskId: id, Count: 1}
			switch weights := m.kind.prog.WeightSpecs(); {
			case t.StartStep > 0 && (s.states[string(t.StartRoot)] == nil || s.chance(200_000, "demands", p.Account, id)):
				msg.Source, msg.Name = disputestypes.SOURCE_STATE, m.kind.prog.StateSpecs()[0].Name
			case t.StartStep > 0:
				continue
			case t.ByCid && s.chance(300_000, "demands", p.Account, id):
				msg.Source, msg.Name = disputestypes.SOURCE_INPUT, m.kind.prog.InputSpecs()[0].Name
			case len(weights) > 0 && s.chance(20_000, "demands", p.Account, id):
				msg.Source, msg.Name = disputestypes.SOURCE_WEIGHT, weights[s.r.Intn(len(weights))].Name
			default:
				continue
			}
			msgs = append(msgs, msg)
		}
	}
	msg, ok := any1(s, msgs)
	if !ok {
		return nil
	}
	return one(s.byAddr[msg.Participant], msg)
}

// produceBytes answers a demand, if its bytes are to be had.
func produceBytes(s *Sim) *Action {
	var open []disputestypes.Demand
	s.must(s.App.Disputes.OpenDemands.Walk(s.Ctx(), nil, func(k collections.Pair[uint64, uint32]) (bool, error) {
		d, err := s.App.Disputes.Demands.Get(s.Ctx(), k)
		if err != nil || !s.chance(600_000, "to be had", d.TaskId) {
			return false, err
		}
		if _, err := s.runOf(d.TaskId); errors.Is(err, errUnknownStates) {
			return false, nil
		}
		open = append(open, d)
		return false, nil
	}))
	d, ok := any1(s, open)
	if !ok {
		return nil
	}
	r, err := s.runOf(d.TaskId)
	s.must(err)
	task, err := s.App.Tasks.Tasks.Get(s.Ctx(), d.TaskId)
	s.must(err)
	specs, tree, ref := inputNames(r.prog), game.TreeInputs, engine.OperandRef{Kind: graphpb.REF_KIND_INPUT}
	switch d.Source {
	case disputestypes.SOURCE_WEIGHT:
		specs, tree, ref.Kind = weightNames(r.prog), game.TreeWeights, graphpb.REF_KIND_WEIGHT
	case disputestypes.SOURCE_STATE:
		specs, tree, ref.Kind = stateNames(r.prog), game.TreeStates, graphpb.REF_KIND_STATE
	}
	for i, name := range specs {
		if name == d.Name {
			ref.Index = i
		}
	}
	x, err := r.court.Run.Trace().Tensor(task.StartStep, ref)
	s.must(err)
	under, err := r.court.Run.Trace().Tree(tree, task.StartStep)
	s.must(err)
	member, err := under.Prove(uint64(ref.Index), 1)
	s.must(err)
	siblings, err := x.Tree.Prove(d.First, uint64(d.Count))
	s.must(err)
	from := s.anybody()
	end := min(len(x.Data), int(d.First+uint64(d.Count))*commit.ChunkSize)
	return one(from, &disputestypes.MsgProduceBytes{
		Producer: from.String(), TaskId: d.TaskId, Demand: d.Index, TensorRoot: x.Root[:], Member: hashes(member),
		Range: disputestypes.RangeProof{First: d.First, Data: x.Data[int(d.First)*commit.ChunkSize : end], Siblings: hashes(siblings)},
	})
}

func inputNames(prog *engine.Program) (out []string) {
	for _, in := range prog.InputSpecs() {
		out = append(out, in.Name)
	}
	return out
}

func weightNames(prog *engine.Program) (out []string) {
	for _, w := range prog.WeightSpecs() {
		out = append(out, w.Name)
	}
	return out
}

func stateNames(prog *engine.Program) (out []string) {
	for _, st := range prog.StateSpecs() {
		out = append(out, st.Name)
	}
	return out
}

func hashes(list []commit.Hash) (out [][]byte) {
	for i := range list {
		out = append(out, list[i][:])
	}
	return out
}

// settleSuspect has governance say whether the op or the parties were at fault.
func settleSuspect(s *Sim) (msg sdk.Msg) {
	s.must(s.App.Disputes.OpenCases.Walk(s.Ctx(), nil, func(k collections.Pair[uint64, uint32]) (bool, error) {
		c, err := s.App.Disputes.Cases.Get(s.Ctx(), k)
		if err == nil && c.State == disputestypes.CASE_STATE_HELD && !s.chance(200_000, "left to the appeal's end", c.TaskId) {
			msg = &disputestypes.MsgSettleSuspect{Authority: s.authority(), TaskId: c.TaskId, Acquit: s.r.Intn(4) > 0}
		}
		return msg != nil, err
	}))
	return msg
}

func liftQuarantine(s *Sim) (msg sdk.Msg) {
	s.must(s.App.Disputes.Quarantines.Walk(s.Ctx(), nil, func(op string, _ disputestypes.Quarantine) (bool, error) {
		msg = &disputestypes.MsgLiftQuarantine{Authority: s.authority(), Op: op}
		return true, nil
	}))
	return msg
}

func disputesParams(s *Sim) sdk.Msg {
	p, err := s.App.Disputes.Params.Get(s.Ctx())
	s.must(err)
	switch s.r.Intn(5) {
	case 0:
		p.Arity = []uint32{4, 8, 16, 32}[s.r.Intn(4)]
	case 1:
		p.MoveFee = math.NewInt(500 + s.r.Int63n(2_000))
	case 2:
		p.ClaimBlocks = 4 + s.r.Int63n(5)
	case 3:
		p.DemandFee = math.NewInt(5_000 + s.r.Int63n(10_000))
	case 4:
		p.BurnBps = uint32(5_000 + s.r.Intn(2_000))
	}
	return &disputestypes.MsgUpdateParams{Authority: s.authority(), Params: p}
}
