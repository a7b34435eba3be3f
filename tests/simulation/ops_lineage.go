package simulation

import (
	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/app/params"
	datasetstypes "poaid/x/datasets/types"
	lineagetypes "poaid/x/lineage/types"
	modelstypes "poaid/x/models/types"
)

func lineageModule() Module {
	return Module{
		Name: lineagetypes.ModuleName,
		Operations: []Operation{
			{Name: "lineage Settle", Weight: 3, Do: settleEdge},
			{Name: "lineage Settle no edge", Weight: 1, Refused: true, Do: settleNothing},
			{Name: "lineage Claim", Weight: 3, Do: claimRoyalties},
			{Name: "lineage Collect", Weight: 2, Do: collect},
		},
		Proposals:  []func(*Sim) sdk.Msg{lineageParams},
		Milestones: []string{"lineage Accrued", "lineage Settled", "lineage Claimed", "lineage ParamsUpdated"},
	}
}

// parents of a new model: some of those that there are, and a dataset.
func (s *Sim) parents() (out []modelstypes.Parent) {
	if s.r.Intn(2) == 0 {
		return nil
	}
	if m, ok := any1(s, s.models); ok {
		out = append(out, modelstypes.Parent{Kind: modelstypes.PARENT_KIND_MODEL, Id: m.id, ShareBps: uint32(1 + s.r.Intn(2_000))})
	}
	if d, ok := any1(s, s.datasets(func(datasetstypes.Dataset) bool { return true })); ok && s.r.Intn(2) == 0 {
		out = append(out, modelstypes.Parent{Kind: modelstypes.PARENT_KIND_DATASET, Id: d.Id, ShareBps: uint32(1 + s.r.Intn(1_000))})
	}
	return out
}

func (s *Sim) edges() (out []lineagetypes.Edge) {
	s.must(s.App.Lineage.Edges.Walk(s.Ctx(), nil, func(k collections.Pair[string, string], _ uint32) (bool, error) {
		out = append(out, lineagetypes.Edge{Child: k.K1(), Parent: k.K2()})
		return false, nil
	}))
	return out
}

// settleEdge may find nothing due.
func settleEdge(s *Sim) *Action {
	e, ok := any1(s, s.edges())
	if !ok {
		return nil
	}
	from := s.anybody()
	return one(from, &lineagetypes.MsgSettle{Sender: from.String(), Denom: s.denom(), Edges: []lineagetypes.Edge{e}})
}

// denom of the two that there are.
func (s *Sim) denom() string {
	if s.r.Intn(3) == 0 {
		return second
	}
	return params.Denom
}

func settleNothing(s *Sim) *Action {
	e, ok := any1(s, s.edges())
	if !ok {
		return nil
	}
	from := s.anybody()
	e.Child, e.Parent = e.Parent, e.Child
	return one(from, &lineagetypes.MsgSettle{Sender: from.String(), Denom: params.Denom, Edges: []lineagetypes.Edge{e}})
}

func claimRoyalties(s *Sim) *Action {
	var nodes []string
	denom := s.denom()
	s.must(s.App.Lineage.Accounts.Walk(s.Ctx(), nil, func(k collections.Pair[string, string], _ lineagetypes.Account) (bool, error) {
		if k.K2() == denom {
			nodes = append(nodes, k.K1())
		}
		return false, nil
	}))
	node, ok := any1(s, nodes)
	if !ok {
		return nil
	}
	from := s.anybody()
	return one(from, &lineagetypes.MsgClaim{Sender: from.String(), Node: node, Denoms: []string{denom}})
}

// collect walks up from a model as far as there are parents.
func collect(s *Sim) *Action {
	edges := s.edges()
	e, ok := any1(s, edges)
	if !ok {
		return nil
	}
	path := []string{e.Child, e.Parent}
	for _, up := range edges {
		if up.Child == path[len(path)-1] && len(path) < 5 {
			path = append(path, up.Parent)
		}
	}
	from := s.anybody()
	return one(from, &lineagetypes.MsgCollect{Sender: from.String(), Denom: s.denom(), Path: path})
}

func lineageParams(s *Sim) sdk.Msg {
	p, err := s.App.Lineage.Params.Get(s.Ctx())
	s.must(err)
	switch s.r.Intn(2) {
	case 0:
		p.MaxDepth = uint32(3 + s.r.Intn(10))
	case 1:
		p.MaxParents = uint32(2 + s.r.Intn(10))
	}
	return &lineagetypes.MsgUpdateParams{Authority: s.authority(), Params: p}
}
