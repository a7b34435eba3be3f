// Package executor turns a task into its result: the program by hash and the inputs from the chain, the weights by content id from
// the store or from peers, everything checked against its root, and then engine.Execute.
//
// Runner is the seam: a daemon only knows that something turns tasks into results.
//
// # Reading the source
//
// executor.go (Run), cache.go (models in memory).
package executor
