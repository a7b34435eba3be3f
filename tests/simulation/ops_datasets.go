package simulation

import (
	"crypto/sha256"
	"fmt"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/app/params"
	modelpkg "poaid/model"
	datasetstypes "poaid/x/datasets/types"
)

func datasetsModule() Module {
	return Module{
		Name: datasetstypes.ModuleName,
		Operations: []Operation{
			{Name: "datasets RegisterDataset", Weight: 3, Do: registerDataset},
			{Name: "datasets RegisterDataset another's root", Weight: 1, Refused: true, Do: registerRootTwice},
			{Name: "datasets SetTerms", Weight: 2, Do: setTerms},
			{Name: "datasets AllowProgram", Weight: 2, Do: allowProgram},
			{Name: "datasets DisallowProgram", Weight: 1, Do: disallowProgram},
			{Name: "datasets BuyAccess", Weight: 4, Do: buyAccess},
			{Name: "datasets BuyAccess too cheap", Weight: 1, Refused: true, Do: buyCheap},
			{Name: "datasets RetireDataset", Weight: 1, Do: retireDataset},
		},
		Proposals: []func(*Sim) sdk.Msg{strikeRoots, datasetsParams},
		Milestones: []string{
			"datasets DatasetRegistered", "datasets TermsSet", "datasets ProgramAllowed", "datasets ProgramDisallowed", "datasets AccessBought",
			"datasets DatasetRetired", "datasets RootsStruck", "datasets ParamsUpdated",
		},
	}
}

// datasets that a condition holds for.
func (s *Sim) datasets(holds func(datasetstypes.Dataset) bool) (out []datasetstypes.Dataset) {
	s.must(s.App.Datasets.Datasets.Walk(s.Ctx(), nil, func(_ string, d datasetstypes.Dataset) (bool, error) {
		if holds(d) {
			out = append(out, d)
		}
		return false, nil
	}))
	return out
}

func forSale(d datasetstypes.Dataset) bool { return !d.Retired && !d.Terms.Free() }

func kept(d datasetstypes.Dataset) bool { return !d.Retired }

func (s *Sim) terms() datasetstypes.Terms {
	t := datasetstypes.Terms{Price: sdk.NewInt64Coin(params.Denom, 0), ShareBps: uint32(s.r.Intn(500)), Closed: s.r.Intn(2) == 0}
	if s.r.Intn(4) > 0 {
		t.Price, t.GrantBlocks = s.coins(1_000, 5_000_000), 5+s.r.Int63n(50)
	}
	return t
}

func registerDataset(s *Sim) *Action {
	if len(s.datasets(kept)) >= 12 {
		return nil
	}
	from := s.anybody()
	id := fmt.Sprintf("d%d-%d", s.Height(), s.r.Intn(1_000))
	msg := &datasetstypes.MsgRegisterDataset{
		Owner: from.String(), Id: id, Description: "samples", Cid: modelpkg.CIDOf([]byte(id)), Licence: "CC-BY-4.0", Terms: s.terms(),
	}
	for i := range 1 + s.r.Intn(3) {
		root := sha256.Sum256(fmt.Append(nil, id, i))
		msg.Roots = append(msg.Roots, root[:])
	}
	// Now and then it is what somebody could train on.
	data := s.weightRoots(s.kinds[4])[0]
	has, err := s.App.Datasets.Roots.Has(s.Ctx(), data)
	s.must(err)
	if !has && s.r.Intn(3) == 0 {
		msg.Roots = append(msg.Roots, data)
	}
	return one(from, msg)
}

func registerRootTwice(s *Sim) *Action {
	var taken []byte
	s.must(s.App.Datasets.Roots.Walk(s.Ctx(), nil, func(root []byte, _ string) (bool, error) {
		taken = root
		return true, nil
	}))
	if taken == nil {
		return nil
	}
	from := s.anybody()
	return one(from, &datasetstypes.MsgRegisterDataset{
		Owner: from.String(), Id: fmt.Sprintf("copy-%d", s.Height()), Cid: modelpkg.CIDOf(taken), Licence: "CC-BY-4.0", Terms: s.terms(), Roots: [][]byte{taken},
	})
}

func setTerms(s *Sim) *Action {
	d, ok := any1(s, s.datasets(kept))
	if !ok {
		return nil
	}
	return one(s.byAddr[d.Owner], &datasetstypes.MsgSetTerms{Owner: d.Owner, Id: d.Id, Terms: s.terms()})
}

func allowProgram(s *Sim) *Action {
	d, ok := any1(s, s.datasets(kept))
	k, found := any1(s, s.kinds)
	if !ok || !found {
		return nil
	}
	hash := k.prog.Hash()
	return one(s.byAddr[d.Owner], &datasetstypes.MsgAllowProgram{Owner: d.Owner, Id: d.Id, ProgramHash: hash[:], Free: s.r.Intn(2) == 0})
}

func disallowProgram(s *Sim) *Action {
	var all []*datasetstypes.MsgDisallowProgram
	s.must(s.App.Datasets.Programs.Walk(s.Ctx(), nil, func(k collections.Pair[string, []byte], _ bool) (bool, error) {
		all = append(all, &datasetstypes.MsgDisallowProgram{Id: k.K1(), ProgramHash: k.K2()})
		return false, nil
	}))
	msg, ok := any1(s, all)
	if !ok {
		return nil
	}
	d, err := s.App.Datasets.GetDataset(s.Ctx(), msg.Id)
	s.must(err)
	msg.Owner = d.Owner
	return one(s.byAddr[d.Owner], msg)
}

func buyAccess(s *Sim) *Action {
	d, ok := any1(s, s.datasets(forSale))
	if !ok {
		return nil
	}
	from := s.anybody()
	return one(from, &datasetstypes.MsgBuyAccess{Buyer: from.String(), Id: d.Id, MaxPrice: d.Terms.Price, Grantee: s.anybody().String()})
}

func buyCheap(s *Sim) *Action {
	d, ok := any1(s, s.datasets(forSale))
	if !ok {
		return nil
	}
	from := s.anybody()
	// Terms may fall in the same block, but never to nothing.
	return one(from, &datasetstypes.MsgBuyAccess{Buyer: from.String(), Id: d.Id, MaxPrice: sdk.NewInt64Coin(params.Denom, 1)})
}

func retireDataset(s *Sim) *Action {
	all := s.datasets(kept)
	if len(all) < 6 {
		return nil
	}
	return one(s.byAddr[all[0].Owner], &datasetstypes.MsgRetireDataset{Owner: all[0].Owner, Id: all[0].Id})
}

func strikeRoots(s *Sim) (msg sdk.Msg) {
	s.must(s.App.Datasets.Tensors.Walk(s.Ctx(), nil, func(k collections.Pair[string, []byte]) (bool, error) {
		msg = &datasetstypes.MsgStrikeRoots{Authority: s.authority(), Id: k.K1(), Roots: [][]byte{k.K2()}}
		return s.r.Intn(4) == 0, nil
	}))
	return msg
}

func datasetsParams(s *Sim) sdk.Msg {
	p, err := s.App.Datasets.Params.Get(s.Ctx())
	s.must(err)
	p.CommunityBps = uint32(s.r.Intn(1_000))
	return &datasetstypes.MsgUpdateParams{Authority: s.authority(), Params: p}
}
