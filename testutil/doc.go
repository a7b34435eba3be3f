// Package testutil runs the whole application in memory, block by block, for tests and benchmarks.
//
// NewApp builds a chain with funded accounts and short windows. Block delivers transactions, commits, runs every module's
// invariants and, with Options.Shadows, delivers the same block to copies of the chain that run it differently (in parallel,
// without CheckTx, restarted before each block) and compares app hashes and results.
//
//	chain := testutil.NewApp(t, testutil.Options{Shadows: testutil.AllShadows()})
//	alice := chain.Accounts[0]
//	res := chain.Deliver(alice, banktypes.NewMsgSend(alice.Addr, chain.Accounts[1].Addr, testutil.Poai(1)))
package testutil
