// Package simulation runs the whole application through hundreds of blocks of random operations: people bond, serve, register, submit, work,
// lie, fall silent, argue, claim and govern, and so do the SDK's own modules. After each block it checks the invariants of every module and
// that the supply moved by what was minted and burnt; in the middle it goes on from an export, which it compares store by store; and a second
// run of the same seed, on the parallel executor, must come to the same app hash at every height.
//
// # What is the SDK's, and what is not
//
// Of the SDK's simulation (testutil/simsx) it takes accounts, message factories, weights and the comparison of stores. What it does not take is the loop
// that makes blocks (x/simulation.SimulateFromSeed), because that cannot drive this chain:
//
//   - a block begins with its proposer's VRF proof, which PrepareProposal makes and ProcessProposal demands; that loop calls FinalizeBlock with
//     a random proposer and nothing in front;
//   - it delivers each message outside of blocks (SimDeliver), one at a time, so that neither results of a block, nor its lanes, nor parallel execution are
//     seen;
//   - most of what happens here is answers to what the chain has drawn (seal, attest, reveal, move), due within a few blocks, by those who were drawn and nobody else;
//     operations drawn at random would never do it.
//
// So blocks go the way that testutil.Chain makes them, and each is filled from two sources: duties, which are what the parties' daemons would send now
// (well, badly or not at all, by each one's character), and operations drawn by weight.
//
// # A module
//
// What is done with a module is a value of type Module, in a file of its own (ops_tasks.go, ...): operations with weights, duties, proposals for
// governance, what must have happened in a full run, genesis. modules() lists them. Everything else, the table included, follows.
//
// Reading the source: Sim.Run (sim.go), Module (module.go), ops_tasks.go, work.go, sdk.go.
package simulation
