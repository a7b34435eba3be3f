package types

import (
	"strings"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// DefaultGenesis has default params and no edges.
func DefaultGenesis() *GenesisState { return &GenesisState{Params: DefaultParams()} }

// Validate checks the parts of a genesis state against each other. Whether models and datasets exist, and whether the module's balance is
// what is owed, is checked on import. Limits that params may have lowered since are not looked at.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	edges := make(map[Edge]bool, len(g.Edges))
	for i, e := range g.Edges {
		key := Edge{Child: e.Child, Parent: e.Parent}
		if edges[key] {
			return errorsmod.Wrapf(ErrInvalidGenesis, "edges[%d]: listed twice", i)
		}
		edges[key] = true
		if err := e.validate(); err != nil {
			return errorsmod.Wrapf(ErrInvalidGenesis, "edges[%d]: %s", i, err)
		}
	}
	if _, err := Depths(g.Edges); err != nil {
		return err
	}
	accounts := make(map[[2]string]bool, len(g.Accounts))
	for i, a := range g.Accounts {
		key := [2]string{a.Node, a.Denom}
		_, _, err := ParseNode(a.Node)
		if err == nil {
			err = sdk.ValidateDenom(a.Denom)
		}
		if err == nil {
			err = a.Account.Validate()
		}
		if err != nil || accounts[key] {
			return errorsmod.Wrapf(ErrInvalidGenesis, "accounts[%d]: listed twice or invalid: %v", i, err)
		}
		accounts[key] = true
	}
	type settled struct{ child, parent, denom string }
	seen := make(map[settled]bool, len(g.Settled))
	for i, s := range g.Settled {
		key := settled{s.Child, s.Parent, s.Denom}
		if err := CheckAmount("amount", s.Amount); err != nil || s.Amount.IsZero() {
			return errorsmod.Wrapf(ErrInvalidGenesis, "settled[%d]: amount is zero or invalid: %v", i, err)
		}
		if seen[key] || !edges[Edge{Child: s.Child, Parent: s.Parent}] || !accounts[[2]string{s.Child, s.Denom}] {
			return errorsmod.Wrapf(ErrInvalidGenesis, "settled[%d]: listed twice, no such edge, or its child received nothing", i)
		}
		seen[key] = true
	}
	return nil
}

func (e GenesisEdge) validate() error {
	if _, _, err := ParseNode(e.Child); err != nil {
		return err
	}
	if _, _, err := ParseNode(e.Parent); err != nil {
		return err
	}
	if !strings.HasPrefix(e.Child, modelPrefix) {
		return errorsmod.Wrapf(ErrInvalidNode, "child: %q is no model", e.Child)
	}
	if e.ShareBps < 1 || e.ShareBps > BasisPoints {
		return errorsmod.Wrapf(ErrShare, "share_bps: %d must be in 1..%d", e.ShareBps, BasisPoints)
	}
	return nil
}

// Depths are the nodes with parents, in the order of their first edge. ErrInvalidGenesis for a cycle, for shares of more than the whole, and
// for more parents or generations than params may ever have allowed.
func Depths(edges []GenesisEdge) ([]NamedNode, error) {
	d := depths{at: make(map[string]int)}
	for _, e := range edges {
		i, ok := d.at[e.Child]
		if !ok {
			i = len(d.nodes)
			d.at[e.Child], d.nodes, d.parents, d.state = i, append(d.nodes, NamedNode{Name: e.Child}), append(d.parents, nil), append(d.state, 0)
		}
		n := &d.nodes[i].Node
		n.Parents, n.TotalBps, d.parents[i] = n.Parents+1, n.TotalBps+e.ShareBps, append(d.parents[i], e.Parent)
		if n.TotalBps > BasisPoints || n.Parents > maxParentsLimit {
			return nil, errorsmod.Wrapf(ErrInvalidGenesis, "edges: %d parents of %q with %d bps", n.Parents, e.Child, n.TotalBps)
		}
	}
	for i := range d.nodes {
		if err := d.visit(i); err != nil {
			return nil, err
		}
	}
	return d.nodes, nil
}

// NamedNode is a node and its name.
type NamedNode struct {
	Name string
	Node Node
}

// depths works out generations, each node after its parents.
type depths struct {
	at      map[string]int
	nodes   []NamedNode
	parents [][]string
	state   []int // 0: not visited, 1: being visited, 2: done
}

func (d *depths) visit(i int) error {
	switch d.state[i] {
	case 1:
		return errorsmod.Wrapf(ErrInvalidGenesis, "edges: %q descends from itself", d.nodes[i].Name)
	case 2:
		return nil
	}
	d.state[i] = 1
	depth := uint32(0)
	for _, parent := range d.parents[i] {
		j, ok := d.at[parent]
		if !ok {
			continue
		}
		if err := d.visit(j); err != nil {
			return err
		}
		depth = max(depth, d.nodes[j].Node.Depth)
	}
	if depth >= maxDepthLimit {
		return errorsmod.Wrapf(ErrInvalidGenesis, "edges: %d generations above %q, limit %d", depth+1, d.nodes[i].Name, maxDepthLimit)
	}
	d.nodes[i].Node.Depth, d.state[i] = depth+1, 2
	return nil
}
