package simulation

import (
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/testutil"
)

// Module is what the simulation does with one module of the application. Every field but Name may be left out.
type Module struct {
	Name string
	// Genesis changes the genesis before the chain starts.
	Genesis func(*testutil.Genesis)
	// Operations are drawn by weight.
	Operations []Operation
	// Duties are what parties send now because the chain asks it of them.
	Duties func(*Sim) []Action
	// Proposals make messages of governance that are within validity; nil where there is none now.
	Proposals []func(*Sim) sdk.Msg
	// Milestones are events that a full run must have seen, as the table names them: the type without its package, then its enums.
	Milestones []string
	// Rare are events that not every full run sees; the report says which it did not.
	Rare []string
	// Check is run after each block, beside the module's invariants.
	Check func(*Sim) error
}

// Operation is one thing that accounts do.
type Operation struct {
	Name   string
	Weight int
	// Do makes the transaction; nil: there is nothing to do it with now.
	Do func(*Sim) *Action
	// Refused: it must be refused every time.
	Refused bool
	// Either: whether it is accepted, or comes about at all, is luck.
	Either bool
}

// Action is a transaction to be put into the next block.
type Action struct {
	// Name in the table; an operation's own when empty.
	Name string
	From *testutil.Account
	Msgs []sdk.Msg
	// Gas limit; 0: defaultGas.
	Gas uint64
	// Refused: it must be refused.
	Refused bool
	// Then is told whether it was accepted.
	Then func(accepted bool)
	// Must tells which refusals are none of a correct party's fault; nil: all are.
	Must func(codespace string, code uint32) bool
}

// one is an action of one message.
func one(from *testutil.Account, msg sdk.Msg) *Action {
	return &Action{From: from, Msgs: []sdk.Msg{msg}}
}
