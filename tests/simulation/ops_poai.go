package simulation

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/app/params"
	"poaid/testutil"
	"poaid/x/beacon/vrf"
	poaitypes "poaid/x/poai/types"
	sprintstypes "poaid/x/sprints/types"
)

// most people that join.
const crowd = 20

func poaiModule() Module {
	return Module{
		Name: poaitypes.ModuleName,
		Genesis: func(g *testutil.Genesis) {
			var p poaitypes.GenesisState
			g.Get(poaitypes.ModuleName, &p)
			// So that people are not always audited as newcomers, and power moves.
			p.Params.ReliabilityWindowUnits, p.Params.Power.ChangePpmPerTrustingPeriod, p.Params.Power.TrustingEpochs = 100, 300_000, 5
			p.Params.EpochCloseDelayBlocks, p.Params.MaxModels = 40, 64
			p.Params.Fault.MaxTimeouts = 4
			g.Set(poaitypes.ModuleName, &p)
		},
		Operations: []Operation{
			{Name: "poai Join", Weight: 20, Do: join},
			{Name: "poai Join bad", Weight: 1, Refused: true, Do: joinBad},
			{Name: "poai UpdateParticipant", Weight: 2, Do: updateParticipant},
			{Name: "poai AddBond", Weight: 4, Do: addBond},
			{Name: "poai Unbond", Weight: 3, Do: unbond},
			{Name: "poai Unbond too much", Weight: 1, Refused: true, Do: unbondAll},
			{Name: "poai WithdrawUnbonded", Weight: 3, Do: withdraw},
			{Name: "poai Serve", Weight: 24, Do: serve},
			{Name: "poai StopServing", Weight: 3, Do: stopServing},
			{Name: "poai SetVRFKey", Weight: 5, Do: func(s *Sim) *Action { return s.setVRFKey(false) }},
			{Name: "poai SetVRFKey another's", Weight: 1, Refused: true, Do: func(s *Sim) *Action { return s.setVRFKey(true) }},
			{Name: "poai Unjail", Weight: 8, Do: func(s *Sim) *Action { return s.unjail(false) }},
			{Name: "poai Unjail early", Weight: 1, Refused: true, Do: func(s *Sim) *Action { return s.unjail(true) }},
		},
		Proposals: []func(*Sim) sdk.Msg{poaiParams, acquit, acquit, acquit},
		Milestones: []string{
			"poai ParticipantJoined", "poai SeatChanged SEAT_STATE_REVEALED", "poai Scored", "poai CapacityCounts", "poai EpochClosed",
			"poai PowerWorkedOut", "poai ParamsUpdated", "poai Slashed LOCK_KIND_TASK", "poai Slashed LOCK_KIND_SEAT", "poai Slashed LOCK_KIND_CLAIM",
			"poai Jailed", "poai Unjailed", "poai Acquitted",
		},
		Rare: []string{"poai Slashed LOCK_KIND_SPRINT"},
	}
}

func join(s *Sim) *Action {
	a := s.anybody()
	if len(s.people) >= crowd || s.byAddress(a.String()) != nil {
		return nil
	}
	msg := testutil.Join(a)
	msg.Bond, msg.Models, msg.Concurrency = s.coins(2_000_000_000, 40_000_000_000), s.some(s.servable(nil), 6), uint32(5+s.r.Intn(40))
	msg.MemoryMib, msg.Tags = s.equipment()
	msg.Moniker = "joined" // names of accounts are long
	act := one(a, msg)
	act.Then = func(ok bool) {
		if ok {
			s.people = append(s.people, s.newPerson(a))
		}
	}
	return act
}

func joinBad(s *Sim) *Action {
	p, ok := any1(s, s.people)
	if !ok {
		return nil
	}
	return one(p.Account, testutil.Join(p.Account))
}

// servable are models that somebody may begin to serve.
func (s *Sim) servable(p *person) (ids []string) {
	ids = append(ids, sprintstypes.DefaultBaseModel)
	for _, m := range s.alive() {
		// Some models nobody wants, so that their tasks expire.
		if !s.chance(120_000, "unwanted", m.id) {
			ids = append(ids, m.id)
		}
	}
	if p == nil {
		return ids
	}
	served := s.served(p)
	return slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(served, id) })
}

// served are the models that a participant serves; pools of other modules begin with their names and a slash.
func (s *Sim) served(p *person) []string {
	return slices.DeleteFunc(s.pools(p), func(id string) bool { return strings.Contains(id, "/") })
}

// pools are what a participant can be drawn from.
func (s *Sim) pools(p *person) (ids []string) {
	s.must(s.App.Poai.Trees.Served.Walk(s.Ctx(), collections.NewPrefixedPairRange[string, string](p.String()),
		func(k collections.Pair[string, string]) (bool, error) {
			ids = append(ids, k.K2())
			return false, nil
		}))
	return ids
}

// some draws up to n of a list.
func (s *Sim) some(list []string, n int) (out []string) {
	for _, i := range s.r.Perm(len(list)) {
		if len(out) < n {
			out = append(out, list[i])
		}
	}
	return out
}

func updateParticipant(s *Sim) *Action {
	p, ok := any1(s, s.people)
	if !ok {
		return nil
	}
	memory, tags := s.equipment()
	return one(p.Account, &poaitypes.MsgUpdateParticipant{
		Participant: p.String(), Moniker: fmt.Sprint("at ", s.Height()), Endpoint: "https://example.org", Concurrency: uint32(1 + s.r.Intn(50)),
		MemoryMib: memory, Tags: tags,
	})
}

func addBond(s *Sim) *Action {
	p, ok := any1(s, s.people)
	if !ok {
		return nil
	}
	return one(p.Account, &poaitypes.MsgAddBond{Participant: p.String(), Amount: s.coins(1_000_000, 5_000_000_000)})
}

func unbond(s *Sim) *Action {
	p, ok := any1(s, s.people)
	if !ok {
		return nil
	}
	free := s.free(p)
	if !free.IsPositive() {
		return nil
	}
	return one(p.Account, &poaitypes.MsgUnbond{Participant: p.String(), Amount: sdk.NewCoin(params.Denom, free.QuoRaw(2+s.r.Int63n(20)).AddRaw(1))})
}

func unbondAll(s *Sim) *Action {
	p, ok := any1(s, s.people)
	if !ok {
		return nil
	}
	return one(p.Account, &poaitypes.MsgUnbond{Participant: p.String(), Amount: sdk.NewCoin(params.Denom, s.free(p).AddRaw(1_000_000_000_000))})
}

// withdraw is tried by whoever has something unbonding; some of it has not matured.
func withdraw(s *Sim) *Action {
	var with []*person
	for _, p := range s.people {
		rec, err := s.App.Poai.GetParticipant(s.Ctx(), p.String())
		s.must(err)
		if rec.Unbonding.IsPositive() {
			with = append(with, p)
		}
	}
	p, ok := any1(s, with)
	if !ok {
		return nil
	}
	return one(p.Account, &poaitypes.MsgWithdrawUnbonded{Participant: p.String()})
}

func serve(s *Sim) *Action {
	p, ok := any1(s, s.people)
	if !ok {
		return nil
	}
	models := s.some(s.servable(p), 5)
	if len(models) == 0 {
		return nil
	}
	return one(p.Account, &poaitypes.MsgServe{Participant: p.String(), Models: models})
}

func stopServing(s *Sim) *Action {
	p, ok := any1(s, s.people)
	if !ok {
		return nil
	}
	models := s.some(s.served(p), 1)
	if len(models) == 0 {
		return nil
	}
	return one(p.Account, &poaitypes.MsgStopServing{Participant: p.String(), Models: models})
}

// setVRFKey sets a key, or tries to with somebody else's proof of possession.
func (s *Sim) setVRFKey(anothers bool) *Action {
	p, ok := any1(s, s.people)
	if !ok {
		return nil
	}
	seed := sha256.Sum256(fmt.Append(nil, "vrf/", s.Seed, p, s.Height()))
	secret, err := vrf.NewSecretKey(seed[:])
	s.must(err)
	owner := p.Addr
	if anothers {
		owner = s.Accounts[0].Addr
	}
	a := one(p.Account, &poaitypes.MsgSetVRFKey{
		Participant: p.String(), VrfPubKey: secret.Public(), Proof: secret.Prove(poaitypes.VRFPossessionInput(s.ChainID, owner)),
	})
	a.Then = func(ok bool) {
		if ok {
			p.VRF = &secret
		}
	}
	return a
}

// unjail lets somebody out of jail, when its time has come or before.
func (s *Sim) unjail(early bool) *Action {
	var in []*person
	for _, p := range s.people {
		rec, err := s.App.Poai.GetParticipant(s.Ctx(), p.String())
		s.must(err)
		if rec.Jailed() && (s.Height()+1 < rec.Conduct.JailedUntil) == early {
			in = append(in, p)
		}
	}
	p, ok := any1(s, in)
	if !ok {
		return nil
	}
	return one(p.Account, &poaitypes.MsgUnjail{Participant: p.String()})
}

// acquit has governance take back a fault, before the time to do so is over.
func acquit(s *Sim) sdk.Msg {
	p, err := s.App.Poai.Params.Get(s.Ctx())
	s.must(err)
	var all []poaitypes.Fault
	s.must(s.App.Poai.Faults.Walk(s.Ctx(), nil, func(_ collections.Pair[string, uint64], f poaitypes.Fault) (bool, error) {
		if !f.Acquitted && f.Height+p.Fault.AppealBlocks > s.Height()+10 {
			all = append(all, f)
		}
		return false, nil
	}))
	f, ok := any1(s, all)
	if !ok {
		return nil
	}
	return &poaitypes.MsgAcquit{Authority: s.authority(), Participant: f.Participant, Fault: f.Number}
}

func poaiParams(s *Sim) sdk.Msg {
	p, err := s.App.Poai.Params.Get(s.Ctx())
	s.must(err)
	switch s.r.Intn(8) {
	case 0:
		p.UnbondingBlocks = 5 + s.r.Int63n(15)
	case 1:
		p.EpochBlocks = 8 + s.r.Int63n(8)
	case 2:
		p.VerifierSharePpm = uint64(300_000 + s.r.Intn(500_000))
	case 3:
		p.SlashBurnBps = uint32(5_000 + s.r.Intn(5_000))
	case 4:
		p.MaxWeightBond = math.NewInt(100_000_000_000 + s.r.Int63n(900_000_000_000))
	case 5:
		p.Capacity.BondPerUnit = math.NewInt(500 + s.r.Int63n(1_000))
	case 6:
		p.Power.ComputePpm, p.Power.CapPpm = uint64(s.r.Intn(1_000_001)), uint64(250_000+s.r.Intn(200_000))
	case 7:
		p.Capacity.HalvingEpochs = uint64(2 + s.r.Intn(5))
	}
	return &poaitypes.MsgUpdateParams{Authority: s.authority(), Params: p}
}
